"""The Python API as a notebook uses it."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from conftest import golden_results
from msgspec.structs import replace
from toys import TOY

import cgan
from cgan.cli import main
from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.images import Images
from cgan.data.splits import Split, scale
from cgan.metrics.accuracy import accuracy
from cgan.metrics.frechet import fcd
from cgan.metrics.manifold import coverage, look
from cgan.metrics.registry import METRICS
from cgan.metrics.results import QualityWarning, Score
from cgan.metrics.results_file import parse_results
from cgan.reporting.notebook import COLUMNS, Evaluation
from cgan.reporting.tables import summary
from cgan.reporting.verdict import find_verdict
from cgan.runtime.errors import InputError, naming_arguments

pytestmark = pytest.mark.usefixtures("few_training_images")
SQUARES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
NAMES = [
    *("Dataset", "Evaluation", "Images", "Samples", "evaluate"),
    *("load_classifier", "load_generator"),
    *("read_report", "run", "train_classifier", "train_gan"),
]


@pytest.fixture(scope="module")
def toy(digits_run: Folders) -> Any:
    return cgan.load_generator(digits_run.weights / "toy")


@pytest.fixture(scope="module")
def found(digits_run: Folders, toy: Any) -> Evaluation:
    return cgan.evaluate(
        toy,
        n_samples=230,
        quick=True,
        precision="fp32",
        weights_dir=digits_run.weights,
        reports_dir=digits_run.reports / "of-notebook",
    )


def held_out() -> Split:
    return load_split("digits", Path(), "validation")


def test_all_that_the_package_offers_is_found_and_nothing_else() -> None:
    assert dir(cgan) == sorted([*NAMES, "InputError", "TrainingError", "__version__"])
    for name in dir(cgan):
        assert getattr(cgan, name).__doc__
    with pytest.raises(AttributeError, match="nonesuch"):
        cgan.nonesuch  # noqa: B018


@pytest.mark.parametrize("name", ["Evaluation", "Images", "read_report"])
def test_reading_and_looking_do_not_import_torch(name: str) -> None:
    code = f"import sys, cgan; cgan.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# training


@pytest.mark.usefixtures("toy_data")
def test_training_gives_a_classifier_and_a_generator_that_are_saved(tmp_path: Path) -> None:
    where: dict[str, Any] = {"weights_dir": tmp_path, "data_dir": tmp_path}
    few: dict[str, Any] = {"epochs": 1, "batch_size": 48, "precision": "fp32", "device": "cpu"}
    guide = cgan.train_classifier(TOY, name="mine", **few, **where)
    assert guide.config.role == "guide"
    gan = cgan.train_gan(TOY, lr=1e-3, guide=guide.folder, **few, **where)
    assert (gan.config.g_lr, gan.config.d_lr, gan.config.epochs) == (1e-3, 1e-3, 1)
    assert gan.guide == "mine"
    again = cgan.load_generator(tmp_path / "toy-guided")
    assert np.array_equal(gan.sample(n=4).images, again.sample(n=4).images)


@pytest.mark.usefixtures("toy_data")
def test_a_training_is_shown_in_a_notebook_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where: dict[str, Any] = {"weights_dir": tmp_path, "epochs": 1, "overwrite": True}
    cgan.train_classifier(TOY, **where)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    cgan.train_classifier(TOY, **where)
    assert capsys.readouterr().err.startswith("epoch 1: loss ")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "there is no setting 'epoch': did you mean 'epochs'?"),
        ({"dataset": "toj"}, "did you mean 'toy'"),
        ({"recipe": "giuded"}, "did you mean 'guided'"),
        ({"epochs": 0}, "^epochs must be above 0"),
        ({"d_every": 0}, "^d_every must be"),
        ({"dry_run": True}, "there is no setting 'dry_run'"),
    ],
)
@pytest.mark.usefixtures("toy_data")
def test_an_error_names_arguments_and_not_flags(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(cgan.InputError, match=message) as caught:
        cgan.train_gan(**{"dataset": TOY, "weights_dir": tmp_path, **settings})
    assert "--" not in str(caught.value)


def test_the_flags_of_an_advised_command_stay() -> None:
    said = "give another --data-dir, or run cgan train-classifier --save-model --role judge; --n-x"
    with pytest.raises(InputError) as caught, naming_arguments():
        raise InputError(said)
    assert str(caught.value) == (
        "give another data_dir, or run cgan train-classifier --save-model --role judge; n_x"
    )


# a generator


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        (["--class", "7", "-n", "16", "--seed", "1"], {"label": 7, "n": 16, "seed": 1}),
        (["--digit", "7", "-n", "4"], {"label": 7, "n": 4}),  # the old name of the flag
        (["--class", "3", "--class", "5", "-n", "7"], {"label": [3, 5], "n": 7}),
        (["-n", "12", "--seed", "5"], {"n": 12, "seed": 5}),
        ([], {}),
    ],
)
def test_the_same_call_gives_the_images_of_the_command(
    flags: list[str], asked: dict, digits_run: Folders, toy: Any, tmp_path: Path
) -> None:
    images = toy.sample(**asked)
    for suffix in ("npz", "png"):
        where = ["--out", str(tmp_path / f"a.{suffix}"), "--weights-dir", str(digits_run.weights)]
        done = CliRunner().invoke(main, ["sample", "toy", *flags, *where])
        assert done.exit_code == 0, done.output
        images.save(tmp_path / f"b.{suffix}")
    with np.load(tmp_path / "a.npz") as drawn:
        assert np.array_equal(drawn["images"], images.images)
        assert np.array_equal(drawn["labels"], images.labels)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("labels", [[2, 0, 2, 6], (2, 0, 2, 6), np.array([2, 0, 2, 6])])
def test_a_list_of_classes_draws_just_these(toy: Any, labels: Any) -> None:
    images = toy.sample(labels)
    assert isinstance(images, Images)
    assert images.labels.tolist() == [2, 0, 2, 6]
    alone = toy.sample(2, n=1)
    assert np.abs(images.images[0].astype(int) - alone.images[0]).max() <= 1
    assert not np.array_equal(images.images[0], images.images[2])  # the same class, other noise


def test_the_images_take_several_classes_in_turn(toy: Any) -> None:
    assert toy.sample([3, 5], n=7).labels.tolist() == [3, 5, 3, 5, 3, 5, 3]
    assert toy.sample([3, 5]).labels.tolist() == [3, 5]
    assert toy.sample([7], n=3).labels.tolist() == [7, 7, 7]
    assert toy.sample([5, 5, 0], n=4).labels.tolist() == [5, 5, 0, 5]


def test_without_a_class_every_one_is_drawn_equally_often(toy: Any) -> None:
    assert np.bincount(toy.sample(n=30).labels).tolist() == [3] * 10
    assert len(toy.sample()) == len(toy.sample(3)) == 64
    assert toy.sample(np.int64(3), n=np.int64(2)).labels.tolist() == [3, 3]


@pytest.mark.parametrize("label", [7, [2, 0, 2, 6], 0])
def test_the_old_name_of_the_label_warns_and_draws_the_same(toy: Any, label: Any) -> None:
    with pytest.warns(DeprecationWarning, match=r"sample\(label=\.\.\.\)") as caught:
        images = toy.sample(digit=label, n=4)
    assert caught[0].filename == __file__
    assert np.array_equal(images.images, toy.sample(label=label, n=4).images)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"label": 10}, "0 to 9"),
        ({"label": [1, -1]}, "0 to 9"),
        pytest.param(
            {"label": 1, "digit": 2},
            "give only label",
            marks=pytest.mark.filterwarnings("ignore::DeprecationWarning"),
        ),
        ({"label": "seven"}, "have no names; give a number from 0 to 9"),
        ({"label": 7.0}, "label must be a whole number"),
        ({"label": [[7]]}, "label must be a whole number"),
        ({"label": [[7], [1, 2]]}, "label must be a whole number"),
        ({"label": []}, "label must be a whole number"),
        ({"label": [1, 2, 3], "n": 2}, "there are 3 labels for 2 images"),
        ({"label": 12}, "class 12: the generator draws the classes 0 to 9"),
        ({"label": [1, 99]}, "class 99: the generator draws the classes 0 to 9"),
        ({"n": 0}, "must be 1 or more"),
        ({"n": 10**7}, "at most"),
        ({"n": 2.5}, "a whole number"),
        ({"seed": -1}, "must be 0 or more"),
        ({"device": "cup"}, "did you mean 'cpu'"),
        ({"precision": "fp31"}, "did you mean 'fp32'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(toy: Any, asked: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        toy.sample(**asked)
    assert "\n" not in str(caught.value)


def test_a_generator_and_a_classifier_tell_in_a_line_what_they_are(toy: Any) -> None:
    assert repr(toy) == (
        f"<generator toy: recipe guided of digits (1x28x28, 10 classes), 2 epochs, in {toy.folder}>"
    )
    judge = repr(cgan.load_classifier("digits-judge"))
    assert judge == "<judge digits-judge: residual-cnn of digits (1x28x28, 10 classes)>"


def test_a_generator_without_a_history_does_not_say_how_long_it_was_trained(
    toy: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("config.json", "generator.safetensors"):
        (folder / name).write_bytes((toy.folder / name).read_bytes())
    (folder / "history.csv").write_text("epoch\nnonsense")
    bare = cgan.load_generator(folder)
    assert "epochs" not in repr(bare)
    assert np.array_equal(bare.sample(n=2).images, toy.sample(n=2).images)


# an evaluation


def test_an_evaluation_is_what_its_files_say(found: Evaluation) -> None:
    assert found.report.is_file()
    assert found.results == parse_results(
        json.loads((found.report.parent / "results.json").read_text())
    )
    again = cgan.read_report("toy", found.report.parent.parent)
    assert again.results == found.results
    assert again.report == found.report
    assert again.metrics.equals(found.metrics)
    assert cgan.read_report(reports_dir=found.report.parent.parent).results == found.results


def test_the_metrics_are_a_table_by_name(found: Evaluation) -> None:
    assert list(found.metrics.columns) == COLUMNS
    assert found.metrics.index.name == "metric"
    left = {"gan_train_accuracy", "copying_z"}  # by quick
    assert set(found.metrics.index) == set(METRICS) - left
    for name in found.metrics.index:
        for column in COLUMNS:
            value = getattr(found.results.metrics[name], column)
            assert found.metrics.loc[name, column] == pytest.approx(value), (name, column)
    assert found.metrics["value"].dtype == float
    assert found.metrics["n"].dtype == "Int64"
    assert found.metrics.loc["judge_accuracy", "n"] == 230


def test_the_other_tables_agree_with_each_other(found: Evaluation) -> None:
    assert found.confusion is not None
    counts = found.confusion.to_numpy()
    assert counts.sum() == found.per_class["n"].sum() == found.histogram["generated"].sum() == 230
    shares = counts.diagonal() / counts.sum(axis=1)
    assert found.per_class["accuracy"].to_numpy() == pytest.approx(shares)
    assert found.per_class.index.name == "digit"
    assert found.per_class.index.tolist() == found.histogram.index.tolist() == list(range(10))
    messages = [warning.message for warning in found.results.warnings]
    assert found.warnings["message"].tolist() == messages
    assert "unrealistic" in found.warnings["kind"].tolist()
    assert found.verdict == str(find_verdict(found.results, found.history))
    assert found.history is not None
    assert found.history["epoch"].tolist() == [1, 2]


def test_a_value_that_is_not_known_is_none_in_no_table() -> None:
    score = Score(value=1.0, low=None, high=None, real=None, n=7)
    table = Evaluation(replace(golden_results(), metrics={"fcd": score}), Path("x")).metrics
    assert table.loc["fcd", ["low", "high", "real"]].isna().all()
    assert table["n"].tolist() == [7]


def test_without_warnings_their_table_is_empty_but_has_its_columns() -> None:
    table = Evaluation(replace(golden_results(), warnings=[]), Path("x")).warnings
    assert len(table) == 0
    assert table.columns.tolist() == ["kind", "metric", "value", "threshold", "message"]


@pytest.mark.parametrize(("old", "new"), [("per_digit", "per_class"), ("alarms", "warnings")])
def test_the_old_name_of_a_table_warns_and_gives_the_same(
    found: Evaluation, old: str, new: str
) -> None:
    removed = f"Evaluation.{new}; the old name will be removed"
    with pytest.warns(DeprecationWarning, match=removed) as caught:
        table = getattr(found, old)
    assert caught[0].filename == __file__
    assert table.equals(getattr(found, new))


def test_results_can_be_indexed_as_before_with_a_warning(found: Evaluation) -> None:
    with pytest.warns(DeprecationWarning, match=r"results\.metrics"):
        metrics = found.results["metrics"]
    assert metrics["fcd"]["value"] == found.metrics.loc["fcd", "value"]


class Html(HTMLParser):
    """Tags that are open, cells by row, and all text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.text += text
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(text)


def test_a_notebook_shows_verdict_warnings_and_numbers(found: Evaluation) -> None:
    page = Html(found._repr_html_())
    assert page.open == []
    assert found.verdict in page.text
    for message in found.warnings["message"]:
        assert message in page.text
    assert page.rows[0] == ["metric", "value", "95% interval", "real images", "N"]
    assert len(page.rows) == 1 + len(found.metrics)
    assert page.rows[1][1] == f"{found.metrics['value']['judge_accuracy']:.2%}"
    assert "Left out: GAN-train accuracy, copying (z)." in page.text
    assert "color" not in found._repr_html_()  # the notebook's own, be it light or dark


def test_untrusted_names_become_text_in_a_notebook(found: Evaluation) -> None:
    script = "<script>alert(1)</script>"
    warning = QualityWarning(kind="missing", message=script)
    results = replace(found.results, run=script, dataset=script, warnings=[warning])
    assert "<script" not in Evaluation(results, Path("x"))._repr_html_()
    assert Html(Evaluation(results, Path("x"))._repr_html_()).text.count(script) == 3


def test_an_evaluation_is_a_line_and_prints_as_the_command_does(found: Evaluation) -> None:
    assert repr(found) == f"<Evaluation of toy: {found.verdict}>"
    assert str(found) == f"toy: {found.verdict}\n{summary(found.results)}"


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def of_file(where: Path) -> Evaluation:
    real = held_out()
    images, labels = real.images.numpy(), real.labels.numpy()
    np.savez(where / "theirs.npz", images=images, labels=labels)
    path = str(where / "theirs.npz")
    return cgan.evaluate(
        images=path, dataset="digits", quick=True, precision="fp32", reports_dir=where
    )


@pytest.mark.parametrize("form", ["array", "floats", "tensor", "Images"])
def test_images_from_memory_score_as_those_of_a_file(
    form: str, of_file: Evaluation, where: Path
) -> None:
    real = held_out()
    labels: Any = real.labels
    images: Any = {
        "array": real.images.numpy(),
        "floats": real.images.numpy() / 255,
        "tensor": scale(real.images),
        "Images": Images(real.images.numpy(), real.labels.numpy()),
    }[form]
    if form == "Images":
        labels = None  # they bring their own
    found = cgan.evaluate(
        images=images,
        labels=labels,
        dataset="digits",
        quick=True,
        precision="fp32",
        name=form,
        reports_dir=where,
    )
    assert found.metrics.equals(of_file.metrics)
    assert of_file.metrics["value"]["judge_accuracy"] > 0.9
    assert found.report == where / form / "index.html"


def test_images_of_an_unconditional_generator_are_scored_without_labels(where: Path) -> None:
    real = held_out()
    images = Images(real.images.numpy(), real.labels.numpy(), requested=False)
    found = cgan.evaluate(images=images, dataset="digits", quick=True, reports_dir=where)
    assert found.confusion is None
    assert "judge_accuracy" not in found.metrics.index
    assert found.results.run == "images"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"run": "nonesuch"}, "no gan run 'nonesuch'"),
        ({"run": np.zeros(3)}, "run must be a name or a folder, not a ndarray; give"),
        ({"images": np.zeros((3, 28, 28))}, "images needs dataset"),
        ({"images": "nowhere.npz", "dataset": "digits"}, "does not exist"),
        (
            {"images": SQUARES, "labels": [0, 1, 12], "dataset": "digits"},
            "run from 0 to 12; digits needs labels from 0 to 9",
        ),
        ({"images": SQUARES, "labels": [0, -1, 2], "dataset": "digits"}, "run from -1 to 2"),
        ({"images": "x.npz", "labels": [1], "dataset": "digits"}, "a file has its own"),
        ({"run": "digits", "labels": [1]}, "labels need an array"),
        ({"run": "digits", "dataset": "digits"}, "a run has its own data set"),
        ({"images": np.zeros((3, 28, 28)), "n_samples": 3}, "n_samples and seed need a run"),
        ({"images": np.zeros((3, 28, 28)), "seed": 3}, "n_samples and seed need a run"),
        ({"images": np.zeros((3, 28, 28)), "dataset": "minst"}, "did you mean 'mnist'"),
        ({"images": np.ones((3, 28, 28)) * 9, "dataset": "digits"}, "give uint8"),
        ({"run": "digits", "n_samples": 0}, "must be 1 or more"),
        ({"run": "digits", "name": "../x"}, "is not a run name"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_a_line(
    asked: dict, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        cgan.evaluate(**asked, reports_dir=tmp_path / "r", weights_dir=tmp_path / "w")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_not_there_or_damaged_is_refused(tmp_path: Path) -> None:
    assert cgan.read_report("mnist", reports_dir=tmp_path).results.run == "mnist"  # a shipped one
    with pytest.raises(InputError, match="no report of a run 'mine'"):
        cgan.read_report("mine", tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "results.json").write_text("{}")
    with pytest.raises(InputError, match="lacks"):
        cgan.read_report("mnist", tmp_path)


def test_the_data_are_looked_for_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    def load(dataset: str, data_dir: Path, split: str) -> Split:
        looked.append(data_dir)
        raise InputError("enough")

    monkeypatch.setattr("cgan.evaluation.subject.load_split", load)
    images = np.zeros((3, 28, 28))
    for given, environment, expected in (
        ("mine", "theirs", "mine"),
        (None, "theirs", "theirs"),
        (None, None, "data"),
    ):
        monkeypatch.delenv("CGAN_DATA", raising=False)
        if environment:
            monkeypatch.setenv("CGAN_DATA", environment)
        with pytest.raises(InputError, match="enough"):
            cgan.evaluate(images=images, dataset="mnist", data_dir=given, reports_dir=tmp_path)
        assert looked[-1] == Path(expected)


# what every metric reads


@pytest.fixture(scope="module")
def real() -> Any:
    split = held_out()
    return cgan.Samples.from_images(split.images, split.labels, dataset="digits")


def test_a_judge_classifies_real_images_correctly(real: Any) -> None:
    assert len(real) == len(held_out())
    assert real.requested
    assert accuracy(fake=real)["value"] > 0.95
    assert real.features.dtype == np.float32


def test_without_labels_the_judges_answers_stand_for_them(real: Any) -> None:
    unasked = cgan.Samples.from_images(held_out().images, dataset="digits")
    assert not unasked.requested
    assert np.array_equal(unasked.labels, unasked.judged)
    assert np.array_equal(unasked.features, real.features)


def test_two_sets_are_scored_against_each_other_and_a_bad_one_is_further_away(
    real: Any, toy: Any
) -> None:
    test = load_split("digits", Path(), "test")
    other = cgan.Samples.from_images(test.images.numpy() / 255, test.labels, dataset="digits")
    bad = cgan.Samples.from_images(toy.sample(n=250), dataset="digits")
    assert fcd(fake=other, real=real)["value"] < 0.5 < fcd(fake=bad, real=real)["value"]
    good, poor = (coverage(balls=look(fake=one, real=real))["value"] for one in (other, bad))
    assert poor < 0.5 < good


def test_images_bring_their_labels_and_another_judge_may_be_named(toy: Any) -> None:
    images = toy.sample(n=20)
    own = cgan.Samples.from_images(images, judge="digits-guide")
    assert own.requested
    assert np.array_equal(own.labels, images.labels)
    unheeded = Images(images.images, images.labels, requested=False)
    assert not cgan.Samples.from_images(unheeded, dataset="digits").requested


def test_looking_does_not_disturb_torchs_random_state(toy: Any) -> None:
    before = torch.get_rng_state()
    cgan.Samples.from_images(toy.sample(n=20), dataset="digits")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dataset": "digts"}, "did you mean 'digits'"),
        ({"labels": [1] * 19 + [10], "dataset": "digits"}, "run from 1 to 10"),
        ({"labels": [-1] + [1] * 19, "dataset": "digits"}, "run from -1 to 1"),
        ({"labels": [1], "dataset": "digits"}, "one whole number for each of the 20"),
        ({"dataset": "digits", "device": "cup"}, "did you mean 'cpu'"),
    ],
)
def test_what_a_judge_cannot_look_at_is_refused(toy: Any, asked: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cgan.Samples.from_images(toy.sample(n=20), **asked)
