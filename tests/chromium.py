"""Opens pages in a real Chromium and checks what a person could stumble over."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import unquote, urlsplit

from conftest import REPOSITORY
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    Route,
    WebSocket,
    sync_playwright,
)

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
EXAMINE = Path(__file__).parent / "accessibility.js"
AXE = REPOSITORY / ".venv/node_modules/axe-core/axe.min.js"
PATIENCE = 60_000  # milliseconds; a loaded machine is slow, not wrong
HEIGHTS = {390: 844, 1280: 800}
LOOKS = [(width, scheme) for width in HEIGHTS for scheme in ("light", "dark")]
OPPOSITE = [(390, "light"), (1280, "dark")]  # each width and each scheme once
PAPER = 703  # CSS pixels between the margins of 12 mm of A4

DRAWN = ("<text", "<tspan")  # letters in an SVG, which axe cannot measure
OWN = re.compile("file:|data:|blob:|about:")


@dataclass
class Visit:
    """One page that was opened, and what it did since it was."""

    page: Page
    origin: str | None  # the address of a server that the page may ask, besides itself
    errors: list[str] = field(default_factory=list)
    """Errors on the console and errors that no script caught."""
    outside: list[str] = field(default_factory=list)
    """Addresses asked for that are neither files nor the origin; none of them was answered."""
    failed: list[str] = field(default_factory=list)
    """Requests that came to nothing or were refused."""

    def owns(self, address: str) -> bool:
        """Tell whether the page may ask for an address."""
        mine = self.origin is not None and address.startswith(self.origin + "/")
        return mine or OWN.match(address) is not None

    def listen(self) -> None:
        """Write down from now on what the page does."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.on("response", self._answered)
        self.page.on("websocket", self._connected)
        self.page.route(lambda address: not self.owns(address), refuse)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        if not self.owns(request.url):
            self.outside.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")

    def _connected(self, socket: WebSocket) -> None:
        if not self.owns(re.sub("^ws", "http", socket.url)):
            self.outside.append(socket.url)


def refuse(route: Route) -> None:
    """Answer nothing: the tests need no network, and show it."""
    route.abort()


def chromium() -> str | None:
    """Return the path of an installed Chromium: CGAN_CHROMIUM, or the first one found."""
    return os.environ.get("CGAN_CHROMIUM") or next(filter(None, map(which, NAMES)), None)


def lacking() -> str | None:
    """Return what the tests in a browser lack here, in a line, or None."""
    if chromium() is None:
        return "no Chromium is installed: scripts/setup_browser"
    if not AXE.is_file():
        return "axe-core is not installed: scripts/setup_browser"
    return None


@contextmanager
def started() -> Iterator[Browser]:
    """Start Chromium without a window; only pages of our own are opened, so without a sandbox."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), chromium_sandbox=False, timeout=PATIENCE
        )
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    target: Path | str,
    width: int = 1280,
    scheme: Any = "light",
    origin: str | None = None,
) -> Iterator[Visit]:
    """Open a page in a fresh profile, loaded when this returns.

    Args:
        browser: the fixture `browser`.
        target: a file, or an address.
        width: of the window, in CSS pixels.
        scheme: "light" or "dark", what the person prefers.
        origin: a server that the page may ask, such as "http://127.0.0.1:8000"; what else is no
            file is written down as outside, and not answered.
    """
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS.get(width, 800)}, color_scheme=scheme
    )
    context.set_default_timeout(PATIENCE)
    visit = Visit(context.new_page(), origin)
    visit.listen()
    address = target if isinstance(target, str) else target.resolve().as_uri()
    try:
        visit.page.goto(address)
        yield visit
    finally:
        context.close()


def errors(visit: Visit) -> list[str]:
    """Return errors on the console and errors that no script caught."""
    return visit.errors


def requests(visit: Visit) -> list[str]:
    """Return requests to elsewhere, and those that failed."""
    return visit.outside + visit.failed


def images(visit: Visit) -> list[str]:
    """Return the images that did not load."""
    return visit.page.evaluate(
        """async () => {
            const broken = [];
            for (const image of document.images) {
                image.loading = "eager";
                await image.decode().catch(() => {});
                if (image.naturalWidth === 0) broken.push(image.outerHTML.slice(0, 99));
            }
            return broken;
        }"""
    )


def overflow(visit: Visit) -> list[str]:
    """Return what makes the page scroll sideways, or a telephone show it as if it were wide."""
    return visit.page.evaluate(
        """() => {
            const found = [], width = document.documentElement.clientWidth;
            const meta = document.querySelector("meta[name=viewport]");
            if (!meta || !meta.content.includes("width=device-width")) found.push("no viewport");
            if (document.documentElement.scrollWidth > width) {
                found.push(`${document.documentElement.scrollWidth} pixels in ${width}`);
                for (const element of document.body.querySelectorAll("*"))
                    if (element.getBoundingClientRect().right > width + 1)
                        found.push(element.outerHTML.slice(0, 99));
            }
            return found.slice(0, 9);
        }"""
    )


def headings(visit: Visit) -> list[str]:
    """Return what is wrong with the headings: one of the first level, then none left out."""
    levels = visit.page.evaluate(
        """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
            .map(heading => [Number(heading.tagName[1]), heading.textContent.trim()])"""
    )
    found = [] if [level for level, _ in levels].count(1) == 1 else ["not exactly one h1"]
    last = 0
    for level, text in levels:
        if level > last + 1:
            found.append(f"h{level} {text!r} after h{last}")
        if not text:
            found.append(f"an empty h{level}")
        last = level
    return found


def alternatives(visit: Visit) -> list[str]:
    """Return the pictures that say nothing to those who do not see them."""
    return visit.page.evaluate(
        """() => [...document.querySelectorAll("img, canvas, [role=img], input[type=image]")]
            .filter(one => !one.closest("[aria-hidden=true], [role=presentation], [role=none]"))
            .filter(one => !["alt", "aria-label"].some(name => one.getAttribute(name)?.trim()))
            .filter(one => !(one.getAttribute("aria-labelledby") || "").split(" ")
                .some(id => document.getElementById(id)?.textContent.trim()))
            .map(one => one.outerHTML.slice(0, 99))"""
    )


def links(visit: Visit) -> list[str]:
    """Return the links that lead to no part of the page and to no file."""
    addresses = visit.page.evaluate(
        """() => [...document.querySelectorAll("a[href]")].map(link =>
            link.getAttribute("href").startsWith("#")
                ? document.getElementById(link.hash.slice(1)) ? "" : link.getAttribute("href")
                : link.href)"""
    )
    files = [one for one in addresses if one.startswith("file:")]
    gone = [one for one in files if not Path(unquote(urlsplit(one).path)).exists()]
    return [one for one in addresses if one.startswith("#")] + gone


@cache
def axe() -> str:
    """Return axe-core's source."""
    return AXE.read_text(encoding="utf-8")


def accessibility(visit: Visit) -> list[str]:
    """Return what axe-core finds serious or critical, and the contrasts that nobody could measure.

    See accessibility.js for how the page is laid out meanwhile, and for letters in drawings, which
    axe does not measure.
    """
    visit.page.evaluate(axe())
    rules, contrast, letters = visit.page.evaluate(f"({EXAMINE.read_text()})()")
    found = [] if contrast["passes"] + contrast["violations"] else ["axe measured no contrast"]
    found += [] if rules["passes"] else ["axe examined nothing"]
    grave = [rule for rule in rules["violations"] if rule["impact"] in ("serious", "critical")]
    for rule in grave + contrast["violations"] + contrast["incomplete"]:
        for node in rule["nodes"]:
            if rule in contrast["incomplete"] and node["html"].startswith(DRAWN):
                continue
            said = [one["message"] for one in node["any"] + node["all"] + node["none"]]
            found.append(f"{rule['id']}: {node['html'][:200]}: {' '.join(said)}")
    return found + letters


CHECKS: dict[str, Callable[[Visit], list[str]]] = {
    "errors": errors,
    "requests": requests,
    "images": images,
    "overflow": overflow,
    "headings": headings,
    "alternatives": alternatives,
    "links": links,
    "accessibility": accessibility,
}


def check(visit: Visit) -> None:
    """Fail with all that the checks find."""
    found = {name: findings for name, one in CHECKS.items() if (findings := one(visit))}
    if found:
        raise AssertionError(found)


def cut_in_print(visit: Visit) -> list[str]:
    """Return what paper would lose: what is too wide for it, and sections that stay closed."""
    page = visit.page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    return page.evaluate(
        """() => {
            const found = [], width = document.documentElement.clientWidth;
            for (const element of document.body.querySelectorAll("*")) {
                const style = getComputedStyle(element), name = element.outerHTML.slice(0, 99);
                if (style.display === "inline" || !element.checkVisibility()) continue;
                if (element.getBoundingClientRect().right > width + 1) found.push("wide: " + name);
                if (style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1)
                    found.push("cut: " + name);
            }
            for (const part of document.querySelectorAll("details > :not(summary)"))
                if (!part.checkVisibility({contentVisibilityAuto: true}))
                    found.push("closed: " + part.parentElement.outerHTML.slice(0, 99));
            return found;
        }"""
    )
