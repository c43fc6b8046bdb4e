"""Fills the templates of pages; all text in them is escaped."""

from typing import Any

import jinja2


def render(template: str, **values: Any) -> bytes:
    """Return a page of `templates`, all text in it escaped, with every value that it names."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values).encode()
