"""The checks of pages: each finds its own fault in a page that is otherwise sound."""

from pathlib import Path

import pytest
from chromium import CHECKS, LOOKS, check, cut_in_print, lacking, opened
from conftest import without_browser
from playwright.sync_api import Browser

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
SOUND = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Sound</title>
<style>
  :root {{ color-scheme: light dark; color: #111; background: #fff; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ color: #eee; background: #111; }} a {{ color: #9cf; }}
  }}
  @media print {{ details::details-content {{ content-visibility: visible; height: auto; }} }}
</style></head>
<body><main><h1>One</h1><h2>Two</h2><p>Text</p><img src="{DOT}" alt="A dot">
<svg width="90" height="20" role="img" aria-label="A drawing"><rect width="40" height="20"
fill="#024"/><text x="2" y="14" fill="#eee">in</text><text x="50" y="14"
fill="currentColor">out</text></svg>
<a id="up" href="#up">Up</a> <a href="page.html">Here</a>
<details><summary>More</summary><p>Inside</p></details></main></body></html>
"""
FAULTS = {  # a fault, the check that must see it, and what is put in place of what
    "console": ("errors", "</main>", "</main><script>console.error('broken')</script>"),
    "uncaught": ("errors", "</main>", "</main><script>throw new Error('broken')</script>"),
    "outside": ("requests", "</main>", "<link rel='stylesheet' href='https://a.invalid/b'></main>"),
    "socket": ("requests", "</main>", "</main><script>new WebSocket('wss://a.invalid')</script>"),
    "no file": ("requests", "</main>", "<link rel='stylesheet' href='nowhere.css'></main>"),
    "no image": ("images", DOT, "data:image/gif;base64,R0lG"),
    "lazy": ("images", f'"{DOT}"', '"data:image/gif;base64,R0lG" loading="lazy"'),
    "wide": ("overflow", "<p>", "<p style='width: 2000px'>"),
    "viewport": ("overflow", "width=device-width", "width=900"),
    "two": ("headings", "<h2>Two</h2>", "<h1>Two</h1>"),
    "none": ("headings", "<h1>One</h1>", ""),
    "skipped": ("headings", "<h2>Two</h2>", "<h3>Two</h3>"),
    "empty": ("headings", "<h2>Two</h2>", "<h2></h2>"),
    "silent": ("alternatives", 'alt="A dot"', 'alt=""'),
    "canvas": ("alternatives", "</main>", "<canvas></canvas></main>"),
    "no part": ("links", '"#up"', '"#down"'),
    "no page": ("links", '"page.html"', '"pages.html"'),
    "nameless": ("accessibility", "</main>", "<button></button></main>"),
    "pale": ("accessibility", "<p>", "<p style='color: #888; background: #777'>"),
    "unmeasured": ("accessibility", "<p>", "<p style='background: url(data:,)'>"),
    "drawn too pale": ("accessibility", 'fill="currentColor"', 'fill="#888"'),
    "drawn on its like": ("accessibility", 'fill="#024"', 'fill="#aaa"'),
    "drawn over by nothing": ("accessibility", 'fill="#024"', 'fill="none"'),
    "folded": ("accessibility", "<p>Inside", "<p style='color: #888; background: #777'>Inside"),
    "scrolled": (
        "accessibility",
        "</main>",
        "<div tabindex='0' style='overflow: auto; width: 200px'><p style='width: 900px; "
        "text-align: right; color: #888; background: #777'>Far</p></div></main>",
    ),
    "by mouse alone": (
        "accessibility",
        "</main>",
        "<div style='overflow: auto; width: 200px'><p style='width: 900px; text-align: right'>Far"
        "</p></div></main>",
    ),
}
PRINTED = {
    "wide": ("<p>", "<p style='width: 800px'>"),
    "cut": ("<p>", "<p style='overflow-x: auto'><b style='display: block; width: 800px'></b>"),
    "closed": ("content-visibility: visible", ""),
}


def written(folder: Path, before: str = "", after: str = "") -> Path:
    assert before in SOUND
    page = folder / "page.html"
    page.write_text(SOUND.replace(before, after) if before else SOUND)
    return page


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_sound_page_passes_every_check(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    with opened(browser, written(tmp_path), width, scheme) as visit:
        assert visit.page.evaluate("innerWidth") == width
        assert visit.page.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        check(visit)
        check(visit)  # and leaves it as it was
        assert cut_in_print(visit) == []


def test_every_check_has_a_fault_to_find() -> None:
    assert {name for name, _, _ in FAULTS.values()} == set(CHECKS)


@pytest.mark.parametrize(("name", "before", "after"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_by_its_check(
    browser: Browser, tmp_path: Path, name: str, before: str, after: str
) -> None:
    with opened(browser, written(tmp_path, before, after)) as visit:
        visit.page.wait_for_load_state("networkidle")
        assert CHECKS[name](visit) != []


def test_all_checks_are_made_and_all_that_they_find_is_told(
    browser: Browser, tmp_path: Path
) -> None:
    page = written(tmp_path, "<p>", "<h4></h4><button></button><p style='width: 2000px'>")
    with opened(browser, page) as visit, pytest.raises(AssertionError) as failed:
        check(visit)
    for name in ("headings", "overflow", "accessibility"):
        assert f"'{name}'" in str(failed.value)


@pytest.mark.parametrize(("before", "after"), PRINTED.values(), ids=PRINTED)
def test_what_paper_loses_is_found(
    browser: Browser, tmp_path: Path, before: str, after: str
) -> None:
    with opened(browser, written(tmp_path, before, after)) as visit:
        assert cut_in_print(visit) != []


def test_a_page_without_text_is_no_page_that_axe_passed(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><html lang='en'><title>Nothing</title><body></body></html>")
    with opened(browser, page) as visit:
        assert "axe measured no contrast" in CHECKS["accessibility"](visit)


@pytest.mark.parametrize(("ci", "outcome"), [("true", "Failed"), ("", "Skipped")])
def test_without_a_browser_only_ci_fails(
    ci: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("chromium.AXE", Path("nowhere"))
    monkeypatch.setenv("CGAN_CHROMIUM", "somewhere")
    with pytest.raises(BaseException, match="axe-core is not installed") as stopped:
        without_browser(lacking())
    assert type(stopped.value).__name__ == outcome
    monkeypatch.delenv("CGAN_CHROMIUM")
    monkeypatch.setenv("PATH", "")
    assert lacking() == "no Chromium is installed: scripts/setup_browser"
