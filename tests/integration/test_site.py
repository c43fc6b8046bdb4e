"""The documentation site builds without a warning, its links lead somewhere, it needs no network.

One built site serves all tests.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
from chromium import CHECKS, opened
from conftest import REPOSITORY
from playwright.sync_api import Browser

import cgan

pytest.importorskip("mkdocs", reason="the site's tools are not installed: pip install 'cgan[docs]'")

LOADS = {"script", "img", "iframe", "source", "link"}  # elements whose address is loaded


class PageParser(HTMLParser):
    """Collects the anchors of a page, where its links lead, and what it loads."""

    def __init__(self, source: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element's anchor and addresses."""
        values = dict(attrs)
        self.anchors |= {str(values[name]) for name in ("id", "name") if values.get(name)}
        address = values.get("src") or values.get("href")
        if address and not address.startswith("data:"):
            (self.loaded if tag in LOADS else self.links).append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, PageParser]:
    """Every page, the shipped reports included."""
    return {path: PageParser(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_of_docs_is_in_the_site_and_so_are_the_shipped_reports(site: Path) -> None:
    for page in (REPOSITORY / "docs").glob("*.md"):
        assert (site / page.with_suffix(".html").name).is_file(), page.name
    for name in ("CHANGELOG.html", "CONTRIBUTING.html", "SECURITY.html", "notebook.html"):
        assert (site / name).is_file()
    for report in (REPOSITORY / "reports/examples").iterdir():
        built = site / "reports/examples" / report.name / "index.html"
        assert built.read_bytes() == (report / "index.html").read_bytes()


def test_every_link_inside_the_site_leads_to_a_file_and_to_an_anchor_of_it(
    site: Path, pages: dict[Path, PageParser]
) -> None:
    followed, broken = 0, []
    for path, page in pages.items():
        if path.name == "404.html":  # its addresses are those of a server
            continue
        for address in page.links + page.loaded:
            parts = urlsplit(address)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            lost = anchor and target in pages and anchor not in pages[target].anchors
            if not target.is_relative_to(site) or not target.is_file() or lost:
                broken.append(f"{path.name}: {address}")
            followed += 1
    assert broken == []
    assert followed > 500


def test_no_page_and_no_style_sheet_loads_anything_from_a_network(
    site: Path, pages: dict[Path, PageParser]
) -> None:
    outside = re.compile(r"(?:https?:)?//")
    loaded = {address for page in pages.values() for address in page.loaded}
    assert len(loaded) > 10
    assert [address for address in loaded if outside.match(address)] == []
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"""url\(["']?([^"')]+)""", sheet.read_text(encoding="utf-8")):
            assert not outside.match(address), f"{sheet.name}: {address}"


def test_the_reference_has_every_public_name(site: Path, pages: dict[Path, PageParser]) -> None:
    known = pages[site / "api.html"].anchors
    assert [name for name in cgan.__all__ if f"cgan.{name}" not in known] == []
    assert "cgan.no_such_name" not in known


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/notebook as a module."""
    pytest.importorskip("nbclient", reason="notebooks cannot be written: pip install 'cgan[docs]'")
    loader = SourceFileLoader("notebook_script", str(REPOSITORY / "scripts/notebook"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("notebook_script", loader)  # type: ignore[arg-type]
    )
    loader.exec_module(module)
    return module


def test_the_notebook_has_the_text_and_the_code_of_the_page_and_what_it_shows(
    script: ModuleType,
) -> None:
    path = REPOSITORY / "docs/python.ipynb"
    assert path.stat().st_size < 300_000
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    wanted = script.cells((REPOSITORY / "docs/python.md").read_text(encoding="utf-8"))
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in found] == [
        (cell["cell_type"], cell["source"]) for cell in wanted
    ]
    outputs = [output for cell in found for output in cell.get("outputs", ())]
    assert {output["output_type"] for output in outputs} == {"execute_result"}
    assert any("image/png" in output["data"] for output in outputs)
    assert any("text/html" in output["data"] for output in outputs)


def test_a_cell_ends_with_what_it_shows(script: ModuleType) -> None:
    assert list(script.parts("a = 1\na  # one\n\nb = (\n  2\n)\nprint(b)\nc = 3\n")) == [
        "a = 1\na  # one",
        "b = (\n  2\n)\nprint(b)",
        "c = 3",
    ]
    assert list(script.parts("a = 1\n")) == ["a = 1"]


def test_the_site_works_as_a_file_with_its_search_and_for_everybody(
    site: Path, browser: Browser
) -> None:
    with opened(browser, site / "robustness.html", 390, "dark") as visit:
        visit.page.locator(".md-typeset__scrollwrap[tabindex]").first.wait_for()
        found = {name: list(examine(visit)) for name, examine in CHECKS.items()}
        visit.page.set_viewport_size({"width": 1280, "height": 800})
        visit.page.locator(".md-search__input").fill("coverage")
        visit.page.locator(".md-search-result__item a").first.wait_for()
        assert visit.outside == []
    # the theme lays a button over the end of a line of code, where axe cannot measure
    hidden = "could not be determined"
    found["accessibility"] = [one for one in found["accessibility"] if hidden not in one]
    assert found == {name: [] for name in CHECKS}
