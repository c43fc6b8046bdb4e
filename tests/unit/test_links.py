"""Links between the pages for people lead somewhere."""

import re
from pathlib import Path

import pytest
from conftest import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_the_modules_and_names_that_the_page_of_the_architecture_tells_of_are_there() -> None:
    page = (REPOSITORY / "docs/architecture.md").read_text()
    named = re.findall(r"`([a-z]+/[a-z0-9_/]+\.py)(?::\s(\w+))?`", page)
    assert len(named) > 30
    for module, name in named:
        top = REPOSITORY if module.startswith(("tests/", "scripts/")) else REPOSITORY / "cgan"
        assert (top / module).is_file(), module
        assert re.search(rf"\b{name}\b", (top / module).read_text()), f"{module} has no {name}"
