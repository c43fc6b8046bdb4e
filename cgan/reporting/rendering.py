"""Fills the templates of pages, and links one page to another; no matplotlib, so it starts fast."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from cgan.runtime.wording import clipped

JOINTS = re.compile(r"[/_.-]+(?=\w)")  # none of them is part of an escaped character


def render(template: str, **values: Any) -> bytes:
    """Return a page of `templates`, all text in it escaped, with every value that it names."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"breakable": breakable, "clipped": clipped}
    return environment.get_template(template).render(**values).encode()


def breakable(text: str) -> Markup:
    """Return a text, escaped, that a browser may break behind the marks that join words."""
    return Markup(JOINTS.sub(r"\g<0><wbr>", str(escape(text))))


def link(page: Path, folder: Path) -> str | None:
    """Return the relative URL of a page for another page in `folder`.

    None if the page does not exist or lies outside of the folder: a link to it would break as soon
    as the folder is moved.
    """
    page, folder = page.resolve(), folder.resolve()
    if not page.is_file() or not page.is_relative_to(folder):
        return None
    return quote(page.relative_to(folder).as_posix(), safe="/+")
