import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest

from cgan import data
from cgan.config import EvalConfig, Folders
from cgan.errors import InputError
from cgan.evaluation import evaluate
from cgan.evaluation.scoring import NO_LABELS
from cgan.metrics import METRICS
from cgan.report import find_report, read_results, summary, write_report
from cgan.report.page import verdict
from cgan.report.tables import MEANINGS, TITLES, worded


@pytest.fixture(scope="module")
def report(digits_run: Folders) -> Path:
    evaluate("toy", EvalConfig(n_samples=200, gan_train_images=0, device="cpu"), digits_run)
    write_report(digits_run.reports / "toy")
    return digits_run.reports / "toy"


class Page(HTMLParser):
    """Collects tags and links, and sees that every tag is closed."""

    VOID = frozenset({"meta", "img", "br", "link", "hr", "input"})

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "img":
            self.images.append(given)
        self.links += [value or "" for key, value in attributes if key in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_network(report: Path) -> None:
    page = Page((report / "index.html").read_text())
    assert page.open == []
    assert len(page.images) == 8
    assert all(image["alt"] for image in page.images)
    assert all(re.match("data:image/(png|gif);base64,", link) for link in page.links)
    assert (report / "index.html").stat().st_size < 2e6


def test_the_page_shows_every_metric_and_digit(report: Path) -> None:
    text = (report / "index.html").read_text()
    results = read_results(report)
    for name in METRICS:
        assert TITLES[name] in text, name
        if name in results["metrics"]:
            assert MEANINGS[name].split(". ")[0] in unescape(text), name
            assert worded(name, results["metrics"][name]["value"]) in text
    assert results["left_out"]["gan_train_accuracy"] in text


def test_the_tables_are_written_as_csv(report: Path) -> None:
    results = read_results(report)
    per_digit = pd.read_csv(report / "per_digit.csv")
    assert per_digit["digit"].tolist() == list(range(10))
    assert per_digit["accuracy"].tolist() == [row["accuracy"] for row in results["per_digit"]]
    confusion = pd.read_csv(report / "confusion.csv", index_col=0)
    assert confusion.to_numpy().tolist() == results["confusion"]
    histogram = pd.read_csv(report / "histogram.csv")
    assert histogram["generated"].sum() == 200


def test_a_report_is_drawn_again_without_the_run(report: Path, tmp_path: Path) -> None:
    copy = copytree(report, tmp_path / "copy")
    (copy / "samples.png").unlink()
    (copy / "copies.png").unlink()
    (copy / "history.csv").unlink()
    page = Page(write_report(copy).read_text())
    assert len(page.images) == 3


def test_names_are_escaped(report: Path, tmp_path: Path) -> None:
    copy = copytree(report, tmp_path / "copy")
    results = json.loads((copy / "results.json").read_text())
    results["run"] = "<script>alert(1)</script>"
    results["alarms"] = [{"metric": "x", "value": 1, "threshold": 0, "message": "<b>&"}]
    (copy / "results.json").write_text(json.dumps(results))
    text = write_report(copy).read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;&amp;" in text


@pytest.mark.parametrize(
    ("judge", "worst", "alarms", "word"),
    [
        (0.995, 0.98, [], "Draws what it is asked for"),
        (0.97, 0.85, [], "Uneven"),
        (0.85, 0.8, [], "Undertrained"),
        (0.95, 0.9, ["missing"], "Collapsed: some classes"),
        (0.99, 0.9, ["collapsed"], "Collapsed: it has learned a small part"),
        (0.99, 0.9, ["copied"], "Copying"),
        (0.85, 0.8, ["unrealistic"], "Not realistic"),
        (0.85, 0.8, ["mislabelled"], "Wrong digits"),
        (0.9, 0.8, ["flattered"], "Flattered"),
        (0.9, 0.8, ["copied", "missing"], "Collapsed: some classes"),
    ],
)
def test_the_verdict_follows_the_numbers(
    judge: float, worst: float, alarms: list[str], word: str
) -> None:
    results = {
        "metrics": {"judge_accuracy": {"value": judge}},
        "per_digit": [{"digit": 0, "accuracy": 1.0}, {"digit": 1, "accuracy": worst}],
        "alarms": [{"kind": kind} for kind in alarms],
    }
    assert verdict(results).startswith(word)


def test_the_summary_names_the_worst_digit_and_the_alarms(report: Path) -> None:
    results = read_results(report)
    worst = min(results["per_digit"], key=lambda row: row["accuracy"])
    assert re.search(rf"worst digit +{worst['digit']} at {worst['accuracy']:.2%}", summary(results))
    assert summary(results).count("ALARM") == len(results["alarms"]) > 0


def test_a_report_is_found_by_name_folder_or_age(report: Path) -> None:
    assert find_report("toy", report.parent) == report
    assert find_report(str(report), Path("elsewhere")) == report
    assert find_report(None, report.parent) == report


def test_a_report_that_is_not_there_names_the_nearest(report: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'toy'"):
        find_report("tyo", report.parent)
    with pytest.raises(InputError, match="cgan evaluate"):
        find_report(None, tmp_path)


def test_a_damaged_history_is_refused(report: Path, tmp_path: Path) -> None:
    copy = copytree(report, tmp_path / "copy")
    for content in ("", "epoch,d_loss\n1,2\n", "\x00"):
        (copy / "history.csv").write_text(content)
        with pytest.raises(InputError, match=r"history\.csv cannot be read"):
            write_report(copy)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("metrics", {"fcd": {"value": 1}}),
        ("metrics", {"fid": {"value": 1, "low": 0, "high": 2, "real": 1, "n": 3}}),
        ("per_digit", [{"digit": 1}]),
        ("judge", "somebody"),
        ("histogram", 3),
        ("alarms", [{}]),
    ],
)
def test_results_of_another_version_are_refused_in_one_line(
    report: Path, tmp_path: Path, part: str, wrong: object
) -> None:
    copy = copytree(report, tmp_path / "copy")
    results = json.loads((copy / "results.json").read_text())
    (copy / "results.json").write_text(json.dumps(results | {part: wrong}))
    with pytest.raises(InputError, match="of another version or damaged"):
        write_report(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": "x"}', "\x00"])
def test_damaged_results_are_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(InputError, match="run cgan evaluate again") as caught:
        read_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_page_of_images_without_labels_shows_what_there_is(
    digits_run: Folders, tmp_path: Path
) -> None:
    images = data.load("digits", Path(), "validation").images.numpy()
    np.savez(tmp_path / "unasked.npz", images=images)
    config = EvalConfig(gan_train_images=0, device="cpu")
    evaluate(None, config, digits_run, images=tmp_path / "unasked.npz", dataset="digits")
    folder = digits_run.reports / "unasked"
    page = Page(write_report(folder).read_text())
    assert page.open == []
    assert len(page.images) == 3  # samples, copies, histogram
    assert not (folder / "confusion.csv").exists()
    assert NO_LABELS in (folder / "index.html").read_text()
    assert "judge_accuracy        left out" in summary(read_results(folder))
    assert verdict(read_results(folder)).startswith("No alarm")
