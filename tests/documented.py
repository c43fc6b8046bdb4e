"""Finds the commands and the Python that README.md and docs/ tell people to run."""

import re
from collections.abc import Iterator
from pathlib import Path

from conftest import REPOSITORY

INSIDE = "architecture.md"  # tells of how it is built, not of what to run
PAGES = [
    REPOSITORY / "README.md",
    *sorted(page for page in (REPOSITORY / "docs").glob("*.md") if page.name != INSIDE),
]
TREE = "## How it is built"  # a block below it lists files
SHELLS = ("", "sh", "bash", "shell", "console")
COMMAND = re.compile(r"(?:(?:\.venv/bin/)?cgan|scripts/\w+)(?:\s|$)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Return the language and the content of each fenced block, but for the tree of files."""
    for found in FENCE.finditer(text):
        if text[: found.start()].rfind(TREE) <= text[: found.start()].rfind("\n## "):
            yield found[1], found[2]


def commands(text: str) -> Iterator[str]:
    """Return each command of a page: the lines of shell blocks, then what stands in the text."""
    for language, block in blocks(text):
        if language in SHELLS:
            for line in block.replace("\\\n", " ").splitlines():
                yield from _command(line.removeprefix("$ ").split(" #")[0])
    for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        yield from _command(code)


def _command(code: str) -> Iterator[str]:
    words = " ".join(code.split())
    if COMMAND.match(words) and words != "cgan":
        yield words


def documented() -> dict[str, Path]:
    """Return every command with the page that tells of it first."""
    found: dict[str, Path] = {}
    for page in PAGES:
        for command in commands(page.read_text(encoding="utf-8")):
            found.setdefault(command, page)
    return found


def programs() -> list[tuple[str, str]]:
    """Return (page, source) of each block of Python, in the order in which a reader meets them."""
    return [
        (page.name, block)
        for page in PAGES
        for language, block in blocks(page.read_text(encoding="utf-8"))
        if language == "python"
    ]
