import itertools
import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from conftest import golden_results, write_results_of_many
from markupsafe import escape
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from msgspec.structs import replace

from cgan.config.schema import EvalConfig, Folders
from cgan.data.datasets import load_split
from cgan.evaluation.evaluate import evaluate
from cgan.evaluation.scores import NO_LABELS
from cgan.metrics.registry import METRICS
from cgan.reporting import figures, tables, training_figures
from cgan.reporting.classes import figures as class_figures
from cgan.reporting.classes.figures import BLUES, letters_on
from cgan.reporting.classes.tables import HEAT
from cgan.reporting.figures import FOLLOWING
from cgan.reporting.page import write_report
from cgan.reporting.read import find_report, read_results
from cgan.reporting.tables import summary, title, worded
from cgan.reporting.verdict import find_verdict
from cgan.runtime.errors import InputError

pytestmark = pytest.mark.usefixtures("few_training_images")


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
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "img":
            self.images.append(given)
        self.links += [
            value or "" for key, value in attributes if key in ("src", "href", "xlink:href")
        ]
        self.headings += [tag] if re.fullmatch("h[1-6]", tag) else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_network(report: Path) -> None:
    page = Page((report / "index.html").read_text())
    assert page.open == []
    assert len(page.images) > 10 + 20 + 20 + 20  # samples, most and least certain, copies
    assert all(image["alt"] for image in page.images)
    papers = {metric.address for metric in METRICS.values()}
    for link in page.links:
        assert re.match("data:image/(png|gif);base64,|#", link) or link in papers
    assert "http://" not in re.sub('xmlns[:a-z]*="[^"]*"', "", (report / "index.html").read_text())
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    assert (report / "index.html").stat().st_size < 2e6


def test_the_page_shows_every_metric_and_digit(report: Path) -> None:
    text = (report / "index.html").read_text()
    results = read_results(report)
    for name, metric in METRICS.items():
        assert title(name, "digit") in text, name
        if name in results.metrics:
            assert metric.meaning.format(noun="digit") in unescape(text), name
            assert metric.source in unescape(text), name
            linked = f'<a href="{metric.address}" rel="noopener">'
            assert (linked in text) == bool(metric.address), name
            assert worded(name, results.metrics[name].value) in text
    assert results.left_out["gan_train_accuracy"] in text
    for label in range(10):
        assert f"Images of the digit {label}, " in text


def test_the_title_says_what_was_evaluated_of_what_and_when(report: Path, tmp_path: Path) -> None:
    created = read_results(report).provenance.created
    assert created is not None
    assert created.tzinfo is not None

    def heading(**values: str | None) -> str:
        folder = changed(report, tmp_path / str(values), lambda r: r["provenance"].update(values))
        text = write_report(folder).page.read_text()
        (title,) = re.findall("<title>(.*)</title>", text)
        assert f"<h1>{title}</h1>" in text
        return title

    of = "Evaluation of toy: a generator of scikit-learn digits"
    assert heading(created="2026-05-06T23:59:59Z") == f"{of}, 6 May 2026"
    assert heading(created=None) == of


@pytest.mark.parametrize(
    ("dataset", "recipe", "title"),
    [
        ("mnist", "guided", "a generator of MNIST digits"),
        ("fashion-mnist", "guided", "a generator of Fashion-MNIST images"),
        ("cats", "guided", "a generator of cats images"),
        ("kmnist", None, "images compared with KMNIST characters"),
    ],
)
def test_the_title_calls_images_as_their_data_set_does(
    dataset: str, recipe: str | None, title: str
) -> None:
    results = replace(golden_results(), run="toy", dataset=dataset, recipe=recipe)
    assert tables.heading(results) == f"Evaluation of toy: {title}"


def test_a_page_says_that_originals_are_smaller_if_they_are(report: Path, tmp_path: Path) -> None:
    assert "data set digits (8x8 originals, enlarged)" in (report / "index.html").read_text()
    folder = changed(report, tmp_path, lambda r: r.update(dataset="mnist"))
    assert "originals" not in write_report(folder).page.read_text()


def test_shares_are_percentages_with_as_many_decimals_in_a_column(report: Path) -> None:
    text = (report / "index.html").read_text()
    table = text[text.index('<table class="heat">') :]
    rows = re.findall(r"<tr>.*?</tr>", table[: table.index("</table>")])[1:]
    assert len(rows) == 10
    for row, known in zip(rows, read_results(report).per_class, strict=True):
        assert f"<span>{known.accuracy:.1%}</span>" in row
        assert f"<span>{known.low:.1%} to {known.high:.1%}</span>" in row
    sure = re.findall(r"([\d.]+)% sure", text)
    assert len(sure) > 40
    assert {len(number.partition(".")[2]) for number in sure} == {1}
    accuracy = (report / "accuracy.svg").read_text()
    assert re.search(r">\d+(\.\d+)?%<", accuracy)
    assert not re.search(r">0\.\d+<", accuracy)


def test_the_film_of_the_training_is_shown_unless_motion_is_not_wanted(report: Path) -> None:
    text = (report / "index.html").read_text()
    training = text[text.index('<h2 id="training">') : text.index('<h2 id="latent">')]
    assert "<details" not in training
    assert '<figure class="film"><img class="sheet" src="data:image/gif' in training
    assert training.count("data:image/png") == 1  # the still picture
    assert "@media (prefers-reduced-motion: reduce) { .film { display: none; } }" in text


def test_the_precision_that_the_training_used_is_recorded(report: Path) -> None:
    assert read_results(report).provenance.training_precision == "fp32"


def test_the_tables_are_written_as_csv(report: Path) -> None:
    results = read_results(report)
    per_digit = pd.read_csv(report / "per_digit.csv")
    assert per_digit["digit"].tolist() == list(range(10))
    assert per_digit["accuracy"].tolist() == [row.accuracy for row in results.per_class]
    confusion = pd.read_csv(report / "confusion.csv", index_col=0)
    assert confusion.to_numpy().tolist() == results.confusion
    histogram = pd.read_csv(report / "histogram.csv")
    assert histogram["digit"].tolist() == list(range(10))
    assert histogram["generated"].sum() == 200
    metrics = pd.read_csv(report / "metrics.csv", index_col=0)
    assert metrics["value"].to_dict() == pytest.approx(
        {name: score.value for name, score in results.metrics.items()}
    )


def test_every_figure_is_written_as_svg_and_always_the_same(report: Path) -> None:
    drawn = {path.name: path.read_bytes() for path in report.glob("*.svg")}
    assert set(drawn) == {
        *("scores.svg", "accuracy.svg", "confusion.svg", "histogram.svg"),
        *(f"training-{name}.svg" for name in ("loss", "discriminator", "shares", "fcd")),
    }
    write_report(report)
    assert {path.name: path.read_bytes() for path in report.glob("*.svg")} == drawn


def test_a_report_is_drawn_again_without_the_run(report: Path, tmp_path: Path) -> None:
    copy = copytree(report, tmp_path / "copy")
    for picture in (*copy.glob("*.png"), *copy.glob("latent/*")):
        picture.unlink()
    (copy / "history.csv").unlink()
    page = Page(write_report(copy).page.read_text())
    assert len(page.images) == 0
    assert page.open == []


def test_names_are_escaped(report: Path, tmp_path: Path) -> None:
    copy = copytree(report, tmp_path / "copy")
    results = json.loads((copy / "results.json").read_text())
    results["run"] = "<script>alert(1)</script>"
    results["warnings"] = [{"metric": "x", "value": 1, "threshold": 0, "message": "<b>&"}]
    (copy / "results.json").write_text(json.dumps(results))
    text = write_report(copy).page.read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;&amp;" in text


def test_the_summary_names_the_worst_digit_and_the_warnings(report: Path) -> None:
    results = read_results(report)
    worst = min(results.per_class, key=lambda row: row.accuracy or 0.0)
    assert re.search(rf"worst digit: {worst.label} +{worst.accuracy:.2%}", summary(results))
    assert summary(results).count("WARNING: ") == len(results.warnings) > 0


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


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": "x"}', "\x00"])
def test_damaged_results_are_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(InputError, match="run cgan evaluate again") as caught:
        read_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_page_of_images_without_labels_shows_what_there_is(
    digits_run: Folders, tmp_path: Path
) -> None:
    images = load_split("digits", Path(), "validation").images.numpy()
    np.savez(tmp_path / "no-labels.npz", images=images)
    config = EvalConfig(gan_train_images=0, device="cpu")
    evaluate(None, config, digits_run, images=tmp_path / "no-labels.npz", dataset="digits")
    folder = digits_run.reports / "no-labels"
    page = Page(write_report(folder).page.read_text())
    assert page.open == []
    assert len(page.images) == 10 + 20 + 20 + 20  # rows of samples, certain, uncertain, copies
    assert not (folder / "confusion.csv").exists()
    assert NO_LABELS in (folder / "index.html").read_text()
    assert "without judge accuracy, guide accuracy" in summary(read_results(folder))
    verdict = find_verdict(read_results(folder))
    assert (verdict.kind, verdict.checks[0].state) == ("good", "unknown")
    assert "as far as images without labels can show it" in str(verdict)


Change = Callable[[dict], object]


def changed(report: Path, top: Path, change: Change) -> Path:
    """Return a copy of a report whose results are changed."""
    copy = copytree(report, top / "copy", dirs_exist_ok=True)
    results = json.loads((copy / "results.json").read_text())
    change(results)
    (copy / "results.json").write_text(json.dumps(results))
    return copy


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(run="\ud800"), "run: expected a printable text"),
        (
            lambda r: r["metrics"].update(fcd={"value": 1}),
            r"metrics\[...\] lacks 'low'",
        ),
        (lambda r: r["per_class"][1].update(accuracy=2), r"per_class\[1\].accuracy: expected"),
        (lambda r: r.update(confusion=None), "go together"),
        (
            lambda r: r["gallery"]["copies"]["cells"][0].pop("judged"),
            "lacks 'judged'",
        ),
        (lambda r: r["provenance"]["config"].update({"x" * 200: [1]}), r"config\[...\]: expected"),
    ],
)
def test_results_that_could_not_be_drawn_are_refused_in_one_line(
    report: Path, tmp_path: Path, change: Change, words: str
) -> None:
    with pytest.raises(InputError, match=f"of another version or damaged .*{words}") as caught:
        write_report(changed(report, tmp_path, change))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_results_of_a_newer_format_are_refused_by_its_number(report: Path, tmp_path: Path) -> None:
    words = r"results\.json is of format 3, which a newer cgan wrote"
    with pytest.raises(InputError, match=words):
        write_report(changed(report, tmp_path, lambda r: r.update(format=3)))


def test_results_of_a_hundred_classes_are_drawn(report: Path, tmp_path: Path) -> None:
    def grow(results: dict) -> None:
        row, bar = results["per_class"][0], results["histogram"][0]
        results["per_class"] = [row | {"class": label} for label in range(100)]
        results["histogram"] = [bar | {"class": label} for label in range(100)]
        results["confusion"] = [[1] * 100] * 100

    assert write_report(changed(report, tmp_path, grow)).page.is_file()


def test_results_of_zeros_nulls_and_extremes_are_drawn(report: Path, tmp_path: Path) -> None:
    def empty(results: dict) -> None:
        for metric in results["metrics"].values():
            metric.update(value=1e12, low=None, high=-1e12, real=None)
        for row in results["per_class"]:
            row.update(accuracy=0, low=None, high=1, coverage=None, diversity=None, fcd=-1e12)
        for bar in results["histogram"]:
            bar.update(generated=0, real=0)
        results.update(confusion=[[0] * 10] * 10, seed=None, guide=None, recipe=None)

    assert write_report(changed(report, tmp_path, empty)).page.is_file()


@pytest.mark.parametrize("text", ["[" * 10**5, "NaN", '{"run": 1e999}', "9" * 5000, " " * 2**23])
def test_what_is_no_json_of_ours_is_refused_in_one_line(
    report: Path, tmp_path: Path, text: str
) -> None:
    copy = copytree(report, tmp_path / "copy")
    (copy / "results.json").write_text(text)
    with pytest.raises(InputError, match=r"results\.json") as caught:
        read_results(copy)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\n1", "\nx"),
        (r"\n1", "\n1e999"),
        (r"\n1", "\n1e31"),
        (r"\n1", "\n1,1"),
        ("g_loss", "d_loss"),
        (r"\n1", "\n\n1"),
        (r"$", '"'),
        (r"$", "x" * 200_000),
        (r"^", ",".join(f"c{i}" for i in range(200)) + ","),
        (r"\n1", "\n\0"),
    ],
)
def test_a_history_of_anything_but_numbers_is_refused(
    report: Path, tmp_path: Path, old: str, new: str
) -> None:
    copy = copytree(report, tmp_path / "copy")
    text = (copy / "history.csv").read_text().strip()
    (copy / "history.csv").write_text(re.sub(old, lambda _: new, text, count=1))
    with pytest.raises(InputError, match=r"history\.csv cannot be read") as caught:
        write_report(copy)
    assert str(caught.value).isprintable()


def test_a_history_with_gaps_and_without_what_was_kept_is_drawn(
    report: Path, tmp_path: Path
) -> None:
    copy = copytree(report, tmp_path / "copy")
    history = pd.read_csv(copy / "history.csv").drop(columns="kept")
    history.loc[0, ["d_loss", "fcd"]] = np.nan
    history["<script>"], history["g_loss"] = 1, 1e30
    history.to_csv(copy / "history.csv", index=False)
    assert "<script>" not in write_report(copy).page.read_text()


def test_pictures_from_elsewhere_do_not_get_into_the_page(report: Path, tmp_path: Path) -> None:
    copy = copytree(report, tmp_path / "copy")
    (tmp_path / "secret").write_bytes((copy / "samples.png").read_bytes())
    (copy / "samples.png").unlink()
    (copy / "samples.png").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=r"samples\.png cannot be read \(it is a link"):
        write_report(copy)
    (copy / "samples.png").unlink()
    (copy / "samples.png").write_text("<script>alert(1)</script>")
    with pytest.raises(InputError, match=r"samples\.png is neither PNG nor GIF"):
        write_report(copy)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "$x_{", "{{ 7 * 7 }}", "\"&'", "_"])
def test_no_text_of_a_file_becomes_a_part_of_the_page(
    report: Path, tmp_path: Path, name: str
) -> None:
    def rename(results: dict) -> None:
        results.update(run=name, recipe=name, dataset=name, warnings=[{"message": name}])
        results["left_out"] = {"gan_train_accuracy": name}
        for who in ("judge", "guide"):
            results[who] |= {"name": name, "network": name}
        results["provenance"] |= {name: name, "config": {name: name, "seed": 1}}
        for row in (*results["per_class"], *results["histogram"], *results["metrics"].values()):
            row[name] = 0.5

    text = write_report(changed(report, tmp_path, rename)).page.read_text()
    assert "<script>" not in text
    assert escape(name) in text


@pytest.mark.parametrize(
    ("noun", "nouns", "file"),
    [
        ("character", "characters", "per_character.csv"),
        ("class", "classes", "per_class.csv"),
        ("kind of coat", "kind of coats", "per_kind_of_coat.csv"),
    ],
)
def test_a_report_calls_a_class_as_the_data_set_does(
    report: Path, tmp_path: Path, noun: str, nouns: str, file: str
) -> None:
    folder = changed(report, tmp_path, lambda r: r.update(noun=noun, warnings=[]))
    (folder / "per_digit.csv").unlink()
    text = write_report(folder).page.read_text()
    assert pd.read_csv(folder / file)[noun].tolist() == list(range(10))
    assert pd.read_csv(folder / "histogram.csv")[noun].tolist() == list(range(10))
    assert not (folder / "per_digit.csv").exists()
    assert f'<h2 id="classes">{noun.capitalize()} by {noun}</h2>' in text
    assert f"The first images of each {noun}, not selected" in text
    assert f"in {file}" in text
    assert f"requested {noun}" in (folder / "accuracy.svg").read_text()
    results = read_results(folder)
    assert f"  worst {noun}: " in summary(results)
    assert f"diversity within a {noun}" in summary(results)
    assert tables.nouns(results) == nouns
    for told in (text, summary(results)):
        shown = re.sub('data:[^"]*|digits', "", told)  # the data set's name is not meant
        assert "digit" not in shown.lower()


@pytest.mark.parametrize("noun", ["n", "accuracy", "low", "fcd", "class", "level_0", "index", "0"])
def test_a_noun_may_be_the_name_of_a_column(
    report: Path, tmp_path: Path, noun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.reporting.page._figures", lambda *_: {})  # they have no columns
    folder = changed(report, tmp_path, lambda r: r.update(noun=noun))
    assert f"{noun.capitalize()} by {noun}" in write_report(folder).page.read_text()


@pytest.mark.parametrize(("density", "end"), [(1.0, None), (1.43, None), (2.5, None), (9.0, 3.0)])
def test_the_scale_ends_behind_every_interval_unless_a_value_is_far_out(
    density: float, end: float | None
) -> None:
    results = golden_results()
    known = results.metrics["density"]
    high = density * float(known.real or 1)
    changed = replace(known, value=high - 0.01, low=high - 0.02, high=high)
    results = replace(results, metrics={**results.metrics, "density": changed})
    (axes,) = figures.scores(results).axes
    drawn = [float(x) for line in axes.lines for x in np.atleast_1d(line.get_xdata())]
    right = axes.get_xlim()[1]
    assert (right == pytest.approx(3.0)) == (end is not None)
    assert max(drawn) <= right
    assert density <= right or end is not None


def names_below(figure: Figure) -> tuple[list[str], bool]:
    """Return the names of the classes below a figure, and whether one touches the next."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    if not labels:
        return [], False
    boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
    edges = [(box.x0, box.x1) for box in boxes]
    assert min(box.y0 for box in boxes) >= 0
    assert edges[-1][1] <= figure.bbox.x1
    touch = any(one[1] > other[0] for one, other in itertools.pairwise(edges))
    return [label.get_text() for label in labels], touch


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["0"], 1),
        ([str(i) for i in range(10)], 10),
        ([str(i) for i in range(43)], 0),
        ([f"a class of name {i:04d}" for i in range(10)], 10),
        ([f"a class of name {i:04d}" for i in range(43)], 0),
        (["x" * 99, "y" * 99], 2),
    ],
    ids=["one", "ten", "43", "ten names", "43 names", "long names"],
)
def test_the_names_of_classes_neither_overlap_nor_leave_a_figure(
    names: list[str], shown: int
) -> None:
    n, index = len(names), pd.Index(names, name="digit")
    counts = pd.DataFrame({"generated": [7] * n, "real": [8] * n}, index)
    shares = pd.DataFrame({"accuracy": [0.9] * n, "low": [0.8] * n, "high": [1.0] * n}, index)
    for figure in (class_figures.histogram(counts), class_figures.accuracy(shares, 0.95)):
        told, touch = names_below(figure)
        assert len(told) == shown
        assert max(map(len, told), default=0) <= class_figures.LONGEST
        assert not touch


@pytest.mark.parametrize(("n", "count", "written"), [(10, 1000, 10), (43, 100, 0), (26, 9999, 0)])
def test_counts_stand_in_a_confusion_matrix_if_they_fit(n: int, count: int, written: int) -> None:
    figure = class_figures.confusion(pd.DataFrame(np.eye(n, dtype=int) * count))
    (axes,) = figure.axes
    assert len(axes.texts) == written
    FigureCanvasAgg(figure).draw()
    cell = axes.get_window_extent().width / n
    assert all(text.get_window_extent().width < cell for text in axes.texts)


def test_what_lies_beyond_the_scale_of_the_scores_is_an_arrow() -> None:
    def markers(**values: float) -> list[str]:
        results = golden_results()
        known = replace(results.metrics["density"], real=1.0, **values)
        results = replace(results, metrics={"density": known})
        (axes,) = figures.scores(results).axes
        return [str(line.get_marker()) for line in axes.lines if np.size(line.get_xdata()) == 1]

    assert markers(value=1.43, low=1.3, high=1.5) == ["o"]
    assert markers(value=2.5, low=2.0, high=3.5) == [">", "o"]
    assert markers(value=40.0, low=30.0, high=50.0) == [">"]


def test_a_long_value_has_room_beside_the_scores() -> None:
    results = golden_results()
    known = replace(results.metrics["fcd"], value=123456.789)
    (axes,) = figures.scores(replace(results, metrics={"fcd": known})).axes
    assert [text.get_text() for text in axes.texts] == ["1.2e+05", "(0.1549)"]


@pytest.mark.parametrize(
    ("fcd", "scale"), [([1.0, 0.1], "log"), ([0.0, -1.0], "linear"), ([np.nan, 2.0], "log")]
)
@pytest.mark.filterwarnings("error")
def test_a_curve_is_drawn_on_a_scale_that_can_show_it(fcd: list[float], scale: str) -> None:
    history = pd.DataFrame({"epoch": [1.0, 2.0], "fcd": fcd})
    assert training_figures.panels(history) == ["fcd"]
    (axes,) = training_figures.panel(history, "fcd").axes
    assert axes.get_yscale() == scale
    assert axes.get_xlim()[0] == 0


def test_a_curve_without_a_value_is_not_drawn() -> None:
    assert training_figures.panels(pd.DataFrame({"epoch": [1.0], "fcd": [np.nan]})) == []


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours such as #1b1f24 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_letters_of_figures_and_pages_can_be_read_in_light_and_dark(report: Path) -> None:
    text = (report / "index.html").read_text()
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part))
        for part in re.findall(r":root \{ (?:color-scheme[^;]*;)?(.*?) \}", text)[:2]
    ]
    assert len(schemes) == 2
    for colours in schemes:
        assert set(FOLLOWING.values()) <= set(colours)
        for ground in ("ground", "card"):
            for letters in ("ink", "soft", "blue", "orange"):
                assert contrast(colours[letters], colours[ground]) > 4.5, (letters, ground)
            assert contrast(colours["grey"], colours[ground]) > 3  # lines that carry a name too


def test_counts_can_be_read_on_every_shade_of_a_confusion_matrix() -> None:
    for share in np.linspace(0, 1, 101):
        assert contrast(letters_on(BLUES(share)), to_hex(BLUES(share))) > 4.5
    assert {letters_on(BLUES(share)) for share in (0.0, 1.0)} == {"#000000", "#ffffff"}


def test_black_numbers_can_be_read_on_every_colour_of_a_table() -> None:
    for share in np.linspace(0, 1, 21):
        assert contrast("#000000", to_hex(HEAT(share))) > 7


def test_a_report_of_many_classes_shows_the_worst_and_the_best_and_folds_the_others(
    tmp_path: Path,
) -> None:
    folder = write_results_of_many(tmp_path / "many")
    text = write_report(folder).page.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    lowest, highest, everything = text.split('<table class="heat named">')[1:]
    for table in (lowest, highest):
        assert table.partition("</table>")[0].count("<tr>") == 11
    assert "x" * 20 in lowest
    assert "script_<wbr>0/<wbr>letter-<wbr>015" in highest
    assert '<details class="all">' in highest  # before the table of all
    assert everything.partition("</table>")[0].count("<tr>") == 243
    pairs = everything.partition('<table class="pairs">')[2].partition("</table>")[0]
    assert pairs.count("<tr>") == 10  # nine classes are confused with the next
    assert "&lt;b&gt;&amp;amp;" in pairs
    assert "<b>&amp;" not in text
    per_class = pd.read_csv(folder / "per_digit.csv")
    assert per_class["name"][3] == "'=1+1"
    confusion = pd.read_csv(folder / "confusion.csv", index_col=0)
    assert confusion.index[0] == confusion.columns[0] == "x" * 99 + "y"
    assert all(
        (folder / f"{name}.svg").stat().st_size < 200_000 for name in ("confusion", "accuracy")
    )


def test_few_classes_are_all_shown_and_called_by_their_names(tmp_path: Path) -> None:
    folder = write_results_of_many(tmp_path / "few", k=10)
    text = write_report(folder).page.read_text(encoding="utf-8")
    assert text.count('<table class="heat named">') == 1
    assert 'class="all"' not in text
    assert 'class="pairs"' not in text
    assert "requested script_<wbr>0/<wbr>letter-<wbr>007, judged" in text
    assert "script_0/letter-008</text>" in (folder / "confusion.svg").read_text()
    assert "$a$ $b$" in (folder / "histogram.svg").read_text()  # not set as a formula
