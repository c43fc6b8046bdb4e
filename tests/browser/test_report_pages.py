"""Reports of good and of bad generators, opened as a person would open them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chromium import LOOKS, OPPOSITE, Visit, check, cut_in_print, opened
from conftest import REPOSITORY, in_folder, write_results_of_many
from playwright.sync_api import Browser

from cgan.config.recipes import gan_config
from cgan.config.schema import EvalConfig, Folders
from cgan.data.datasets import load_split
from cgan.data.spec import SPLITS, description
from cgan.evaluation.corruptions import FAULTS, Supplies
from cgan.evaluation.evaluate import evaluate
from cgan.models.hub import load_classifier
from cgan.reporting.comparing.entries import find_entries, named_entries
from cgan.reporting.comparing.leaderboard import write_leaderboard
from cgan.reporting.comparing.side_by_side import write_side_by_side
from cgan.reporting.home import write_home
from cgan.reporting.page import write_report
from cgan.runtime.device import place
from cgan.training.gan import train_gan

MEGABYTE = 1_000_000
DIGITS = description("digits").size
QUICK = EvalConfig(n_samples=600, gan_train_images=0, device="cpu")
GUIDE = "digits-guide"
# by name: the recipe, the epochs, and what the page must say
TRAININGS = {
    "unlabelled": ("mlp", 3.0, "unrealistic"),
    "short": ("guided", 0.3, "undertrained"),
}
# by name: a fault put into real images, its strength, and what the page must say
IMAGES = {
    "real": ("noisy", 0.0, "good"),
    "collapsed": ("collapsed", 1.0, "collapsed"),
    "copies": ("copied", 1.0, "copying"),
    "missing": ("missing", 1.0, "collapsed"),
    "mislabelled": ("mislabelled", 0.3, "mislabelled"),
    "adversarial": ("adversarial", 0.2, "guide_gap"),
    "noise": ("noisy", 0.4, "unrealistic"),
}
SHIPPED = {"digits": "narrow"}  # as docs/results.md tells: images vary less than real ones
# looked at as a whole: one in every way, the others on a telephone by day and on a desk by night
WHOLE = {
    "short": LOOKS,
    **dict.fromkeys(("digits", "many", "copies", "unlabelled"), OPPOSITE),
}
KINDS = {
    **SHIPPED,
    **{name: kind for name, (_, _, kind) in TRAININGS.items()},
    **{name: kind for name, (_, _, kind) in IMAGES.items()},
}
PUBLISHED = (
    *("docs/assets/leaderboard.html", "reports/examples/digits/index.html"),
    "reports/examples/mnist/index.html",
)


def spoiled(name: str, path: Path) -> Path:
    """Write real validation images with a fault in them to an npz file."""
    fault, strength, _ = IMAGES[name]
    splits = {split: load_split("digits", Path(), split) for split in SPLITS}
    guide = place(load_classifier(GUIDE).network, torch.device("cpu"))
    supplies = Supplies(splits["train"], splits["test"], guide)
    random = torch.Generator().manual_seed(0)
    images, labels = FAULTS[fault](splits["validation"], strength, supplies, random)
    np.savez(path, images=images.numpy(), labels=labels.numpy())
    return path


def written(name: str, folders: Folders) -> Path:
    """Score a generator or images with a fault and write the page; return its path."""
    if name == "many":
        folder = write_results_of_many(folders.reports / name, k=40)
        return write_report(folder).page
    if name in IMAGES:
        images = spoiled(name, folders.data / f"{name}.npz")
        evaluate(None, QUICK, folders, images=images, dataset="digits", name=name, guide=GUIDE)
    else:
        if name in TRAININGS:
            recipe, epochs, _ = TRAININGS[name]
            row: dict[str, Any] = {"epochs": epochs, "device": "cpu", "precision": "fp32"}
            config = gan_config(recipe, "digits", DIGITS, **row)
            train_gan(config, folders, name=name)
        evaluate(name, QUICK, folders)
    return write_report(folders.reports / name).page


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folders = in_folder(tmp_path_factory.mktemp("pages"))
    folders.data.mkdir()
    return folders


@pytest.fixture(scope="module")
def report(folders: Folders) -> Callable[[str], Path]:
    """Return the page of a report by name, made when it is first asked for."""
    return cache(lambda name: written(name, folders))


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [(name, *look) for name, looks in WHOLE.items() for look in looks]
)
def test_a_report_is_small_and_sound_on_a_telephone_and_on_a_desk_by_day_and_by_night_and_on_paper(
    name: str, width: int, scheme: str, report: Callable[[str], Path], browser: Browser
) -> None:
    assert report(name).stat().st_size < 2 * MEGABYTE
    with opened(browser, report(name), width, scheme) as visit:
        check(visit)
        assert cut_in_print(visit) == []


@pytest.mark.parametrize(("name", "kind"), KINDS.items(), ids=KINDS)
def test_a_report_says_at_the_top_what_is_wrong(
    name: str, kind: str, report: Callable[[str], Path], browser: Browser
) -> None:
    with opened(browser, report(name)) as visit:
        verdict = visit.page.locator("#verdict")
        assert verdict.get_attribute("data-kind") == kind
        assert verdict.is_visible()
        box = verdict.bounding_box()
        assert box is not None
        assert box["y"] < 400
        assert len(verdict.inner_text().split()) > 5


def test_a_report_with_training_and_without_shows_what_there_is(
    report: Callable[[str], Path], browser: Browser
) -> None:
    for name, trained in (("short", True), ("copies", False)):
        with opened(browser, report(name)) as visit:
            headings = visit.page.locator("h2").all_inner_texts()
            assert ("Training" in headings) == trained
            heading = visit.page.locator("h1").inner_text()
            assert heading.startswith(f"Evaluation of {name}: ")
            assert visit.page.title() == heading
            film = visit.page.locator("figure.film")
            assert film.count() == trained
            assert film.is_visible() == trained
            visit.page.emulate_media(reduced_motion="reduce")
            assert not film.is_visible()


@pytest.mark.parametrize("kind", ["leaderboard", "side by side", "home"])
def test_a_page_of_several_reports_is_sound(
    kind: str, folders: Folders, report: Callable[[str], Path], browser: Browser
) -> None:
    for name in WHOLE:
        report(name)
    top = folders.reports
    if kind == "leaderboard":
        page = write_leaderboard(find_entries(list(WHOLE), top), top)
    elif kind == "side by side":
        first, second = named_entries(["short", "digits"], top)
        page = write_side_by_side((first, second), top)
    else:
        (top / "broken").mkdir()
        (top / "broken/results.json").write_text("{}")
        home = write_home(top)
        assert home is not None
        page = home
    for width, scheme in OPPOSITE:
        with opened(browser, page, width, scheme) as visit:
            check(visit)
            hints = visit.page.locator(".hint:visible").count()
            assert bool(hints) == (
                kind == "leaderboard" or (kind == "side by side" and width < 640)
            )
            assert cut_in_print(visit) == []


def hidden(visit: Visit) -> list[str]:
    """Return the tables with values of real images of which a part is seen by scrolling alone."""
    return visit.page.evaluate(
        """() => [...document.querySelectorAll("table.metrics, table.heat")]
            .filter(table => table.offsetWidth > table.parentElement.clientWidth)
            .map(table => table.className)"""
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_page_is_sound(name: str, browser: Browser) -> None:
    page = REPOSITORY / name
    assert page.stat().st_size < 2 * MEGABYTE
    for width, scheme in OPPOSITE:
        with opened(browser, page, width, scheme) as visit:
            check(visit)
            assert hidden(visit) == []
            assert cut_in_print(visit) == []
            visit.page.emulate_media(media="screen")
            visit.page.set_viewport_size({"width": 200, "height": 800})
            assert bool(hidden(visit)) == (visit.page.locator("table.heat").count() > 0)
