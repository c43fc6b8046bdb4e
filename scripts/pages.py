"""Replaces the generated parts of docs/ pages, between two markers."""

import re
from pathlib import Path

from cgan.io.files import write_bytes
from cgan.runtime.errors import InputError


def rewrite(page: Path, name: str, text: str) -> None:
    """Put `text` between the markers `<!-- name -->` and `<!-- end of name -->` of a page.

    Raises:
        InputError: the page has no such markers.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text()
    pattern = re.compile(re.escape(first) + ".*" + re.escape(last), re.DOTALL)
    if not pattern.search(old):
        raise InputError(f"{page} lacks the lines {first} and {last}")
    inside = "\n".join([first, text, last])
    write_bytes(page, pattern.sub(lambda _: inside, old).encode())


def markdown(heads: list[str], lines: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *lines])
