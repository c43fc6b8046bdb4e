import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from cgan.config.schema import EvalConfig, Folders
from cgan.data.datasets import load_split
from cgan.data.splits import Split, of_classes, scale, subset
from cgan.evaluation.evaluate import evaluate
from cgan.evaluation.scores import NO_COPYING, NO_GUIDE, NO_LABELS, NO_STUDENT
from cgan.evaluation.subject import find_subject
from cgan.io.journal import MANIFEST
from cgan.io.run_layout import SHIPPED, SHIPPED_REPORTS
from cgan.metrics.registry import METRICS
from cgan.metrics.results import Accuracy, Results
from cgan.metrics.results_file import parse_results
from cgan.models.hub import load_classifier
from cgan.models.judge import extract, extract_split
from cgan.models.roles import require_knowledge
from cgan.reporting.page import write_report
from cgan.reporting.read import read_results
from cgan.reporting.tables import summary
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

CONFIG = EvalConfig(n_samples=230, gan_train_images=0, batch_size=100, device="cpu")
pytestmark = pytest.mark.usefixtures("few_training_images")
LABELLED = {name for name, metric in METRICS.items() if metric.needs_labels}


@pytest.fixture(scope="module")
def results(digits_run: Folders) -> Results:
    return evaluate("toy", replace(CONFIG, gan_train_images=300), digits_run)


@pytest.fixture(scope="module")
def plain(digits_run: Folders) -> Results:
    return evaluate("toy", CONFIG, digits_run, name="plain")


def test_results_have_the_promised_form(digits_run: Folders, results: Results) -> None:
    folder = digits_run.reports / "toy"
    assert parse_results(json.loads((folder / "results.json").read_text())) == results
    assert {"samples.png", "copies.png", "history.csv"} <= {path.name for path in folder.iterdir()}
    assert results.run == "toy"
    assert results.n_samples == 230
    assert results.conditional
    assert list(results.metrics) == list(METRICS)
    assert results.left_out == {}
    for score in results.metrics.values():
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high
        assert None not in (score.real, score.real_low, score.real_high, score.real_n)
    assert [name for name, score in results.metrics.items() if score.extrapolated] == ["fcd"]
    assert results.confusion is not None
    assert sum(map(sum, results.confusion)) == 230
    assert sum(row.n for row in results.per_class) == 230
    assert sum(row.generated for row in results.histogram) == 230
    assert sum(row.real for row in results.histogram) == pytest.approx(230)
    assert results.provenance.config is not None
    assert results.provenance.config["recipe"] == "guided"
    hits = sum(row[i] for i, row in enumerate(results.confusion))
    assert results.metrics["judge_accuracy"].value == pytest.approx(hits / 230)


def test_the_labels_have_the_mix_of_the_validation_images(results: Results) -> None:
    validation = subset(load_split("digits", Path(), "validation"), 230)
    counts = np.bincount(validation.labels.numpy()).tolist()
    assert [row.n for row in results.per_class] == counts


def test_the_real_column_compares_as_many_images_that_are_not_test_images(results: Results) -> None:
    assert results.reference.test == 230
    assert results.reference.validation == 230
    assert results.reference.train == 0
    for name in ("fcd", "precision", "recall", "coverage", "density"):
        assert results.metrics[name].n == results.metrics[name].real_n == 230
    for name in ("precision", "recall", "density", "coverage"):
        assert results.metrics[name].real == pytest.approx(1, abs=0.2)


def test_all_test_images_score_what_the_judge_scored_on_test(digits_run: Folders) -> None:
    results = evaluate("toy", replace(CONFIG, n_samples=250), digits_run)
    shipped = json.loads((load_classifier("digits-judge").folder / "config.json").read_text())
    expected = shipped["test_accuracy"]["value"]
    assert results.metrics["judge_accuracy"].real == pytest.approx(expected)
    assert results.judge.accuracy_real.value == pytest.approx(expected)
    assert results.metrics["missing_classes"].real == 0


def test_what_needs_no_second_set_counts_more_images_than_there_are_real_ones(
    digits_run: Folders,
) -> None:
    metrics = evaluate("toy", replace(CONFIG, n_samples=400), digits_run).metrics
    assert metrics["judge_accuracy"].n == 400
    assert metrics["fcd"].n == metrics["precision"].n == 250


def test_gan_train_is_worse_for_a_bad_generator_than_for_real_images(results: Results) -> None:
    score = results.metrics["gan_train_accuracy"]
    assert score.real is not None
    assert score.high is not None
    assert score.real_low is not None
    assert score.real > 0.85
    assert score.high < score.real_low


def test_without_gan_train_its_absence_is_explained(plain: Results) -> None:
    assert plain.left_out == {"gan_train_accuracy": NO_STUDENT}
    assert set(plain.metrics) == set(METRICS) - {"gan_train_accuracy"}


def test_the_same_seed_gives_the_same_results(digits_run: Folders, plain: Results) -> None:
    assert evaluate("toy", CONFIG, digits_run).metrics == plain.metrics
    other = evaluate("toy", replace(CONFIG, seed=1), digits_run).metrics
    assert other["fcd"].value != plain.metrics["fcd"].value


def test_evaluation_does_not_disturb_torchs_random_state(digits_run: Folders) -> None:
    before = torch.get_rng_state()
    evaluate("toy", replace(CONFIG, gan_train_images=100), digits_run)
    assert torch.equal(torch.get_rng_state(), before)


def saved(folder: Path, split: str, *, labels: bool) -> Path:
    real = load_split("digits", Path(), split)
    arrays = {"images": real.images.numpy()} | ({"labels": real.labels.numpy()} if labels else {})
    np.savez(folder / "theirs.npz", **arrays)  # type: ignore[arg-type]
    return folder / "theirs.npz"


def test_real_images_from_a_file_score_as_real_and_raise_no_warning(
    digits_run: Folders, tmp_path: Path
) -> None:
    results = evaluate(
        config=replace(CONFIG, gan_train_images=1000),
        folders=digits_run,
        images=saved(tmp_path, "validation", labels=True),
        dataset="digits",
        guide="digits-guide",
    )
    assert results.run == "theirs"
    assert results.recipe is None
    assert results.warnings == []
    assert results.left_out == {}
    for name, score in results.metrics.items():
        if name != "gan_train_accuracy":  # a student of 250 images is not one of 1,297
            assert score.value == pytest.approx(score.real, abs=0.1), name


def test_images_without_labels_get_every_score_that_makes_sense(
    digits_run: Folders, tmp_path: Path
) -> None:
    images = saved(tmp_path, "validation", labels=False)
    results = evaluate(
        config=CONFIG, folders=digits_run, images=images, dataset="digits", name="unasked"
    )
    assert results.run == "unasked"
    assert not results.conditional
    assert results.confusion is None
    assert results.left_out == dict.fromkeys(
        [name for name in METRICS if name in LABELLED], NO_LABELS
    )
    assert set(results.metrics) == set(METRICS) - LABELLED
    assert results.warnings == []
    assert all(row.accuracy is None for row in results.per_class)
    assert results.metrics["class_kl"].value == pytest.approx(0, abs=0.01)


def test_images_sorted_by_class_score_as_they_do_in_any_order(
    digits_run: Folders, tmp_path: Path
) -> None:
    real = load_split("digits", Path(), "train")  # more than there are test images
    order = torch.argsort(real.labels)
    found = []
    for name, index in (("sorted", order), ("mixed", torch.randperm(len(order)))):
        images, labels = real.images[index].numpy(), real.labels[index].numpy()
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
        source = tmp_path / f"{name}.npz"
        results = evaluate(config=CONFIG, folders=digits_run, images=source, dataset="digits")
        found.append(results.metrics)
    for name in ("fcd", "recall", "coverage"):
        assert found[0][name].value == pytest.approx(found[1][name].value, abs=0.25)
    assert found[0]["coverage"].value > 0.9


def test_an_odd_mix_of_labels_is_compared_with_real_images_of_that_mix(
    digits_run: Folders, tmp_path: Path
) -> None:
    real = load_split("digits", Path(), "validation")
    first = torch.cat([torch.nonzero(real.labels == y)[: 25 if y < 4 else 5, 0] for y in range(10)])
    images, labels = real.images[first].numpy(), real.labels[first].numpy()
    np.savez(tmp_path / "odd.npz", images=images, labels=labels)
    source = tmp_path / "odd.npz"
    results = evaluate(config=CONFIG, folders=digits_run, images=source, dataset="digits")
    score = results.metrics["classifier_score"]
    assert score.value == pytest.approx(score.real, abs=0.5)
    assert score.value < 7
    assert score.n == score.real_n


def test_a_report_keeps_nothing_of_an_earlier_one_of_its_name(
    digits_run: Folders, tmp_path: Path
) -> None:
    folders = replace(digits_run, reports=tmp_path / "reports")
    folder = folders.reports / "theirs"
    folder.mkdir(parents=True)
    for name in ("history.csv", "copies.png"):
        (folder / name).write_text("of another")
    images = saved(tmp_path, "validation", labels=True)
    config = replace(CONFIG, copying=False)
    left = evaluate(config=config, folders=folders, images=images, dataset="digits").left_out
    assert left["copying_z"] == NO_COPYING
    assert not (folder / "history.csv").exists()
    assert not (folder / "copies.png").exists()


def test_a_report_does_not_replace_one_of_other_images(digits_run: Folders, tmp_path: Path) -> None:
    folders = replace(digits_run, reports=tmp_path / "reports")
    config = replace(CONFIG, copying=False)
    names = []
    for place in ("one", "other", "one"):
        (tmp_path / place).mkdir(exist_ok=True)
        images = saved(tmp_path / place, "validation", labels=False)
        done = evaluate(config=config, folders=folders, images=images, dataset="digits")
        names.append((done.run, done.provenance.source))
    one, other = ("theirs", "../one/theirs.npz"), ("theirs-2", "../other/theirs.npz")
    assert names == [one, other, one]
    with pytest.raises(InputError, match=r"theirs is the report of \.\./one/theirs\.npz; choose"):
        evaluate("toy", config, folders, name="theirs")


def test_no_evaluation_writes_to_the_shipped_reports(digits_run: Folders) -> None:
    for reports in (SHIPPED_REPORTS, SHIPPED_REPORTS / "more"):
        with pytest.raises(InputError, match="holds the reports that come with cgan"):
            evaluate("toy", CONFIG, replace(digits_run, reports=reports))
    assert not (SHIPPED_REPORTS / "toy").exists()


def test_images_without_a_guide_have_no_guide_gap(digits_run: Folders, tmp_path: Path) -> None:
    images = saved(tmp_path, "validation", labels=True)
    left = evaluate(config=CONFIG, folders=digits_run, images=images, dataset="digits").left_out
    assert left["guide_accuracy"] == left["guide_gap"] == NO_GUIDE


def test_what_was_not_wanted_has_its_own_reason_without_labels_too(
    digits_run: Folders, tmp_path: Path
) -> None:
    images = saved(tmp_path, "validation", labels=False)
    config = replace(CONFIG, copying=False)
    left = evaluate(config=config, folders=digits_run, images=images, dataset="digits").left_out
    assert left["copying_z"] == NO_COPYING
    assert left["judge_accuracy"] == NO_LABELS


def test_a_subject_that_is_not_clear_is_refused(digits_run: Folders, tmp_path: Path) -> None:
    images = saved(tmp_path, "test", labels=True)
    with pytest.raises(InputError, match="needs --dataset"):
        evaluate(config=CONFIG, folders=digits_run, images=images)
    with pytest.raises(InputError, match="not both"):
        evaluate("toy", CONFIG, digits_run, images=images, dataset="digits")
    with pytest.raises(InputError, match="a run has its own data set"):
        evaluate("toy", CONFIG, digits_run, dataset="digits")
    with pytest.raises(InputError, match="is not a run name"):
        evaluate("toy", CONFIG, digits_run, name="../elsewhere")


@pytest.mark.parametrize(("name", "kept"), [("a; rm -rf", True), ("tw\x1bo", False)])
def test_a_path_that_a_terminal_cannot_show_is_not_told(
    digits_run: Folders, tmp_path: Path, name: str, kept: bool
) -> None:
    images = saved(tmp_path, "validation", labels=True).rename(tmp_path / f"{name}.npz")
    config = replace(CONFIG, copying=False)
    evaluate(config=config, folders=digits_run, images=images, dataset="digits", name=f"{kept}")
    results = read_results(digits_run.reports / f"{kept}")
    assert results.provenance.images == (str(images) if kept else None)


def test_too_few_images_are_refused_before_anything_is_drawn(digits_run: Folders) -> None:
    with pytest.raises(InputError, match="take 97 or more"):
        evaluate("toy", replace(CONFIG, n_samples=96), digits_run)


def test_scores_do_not_depend_on_the_batch_size(digits_run: Folders, plain: Results) -> None:
    again = evaluate("toy", replace(CONFIG, batch_size=33), digits_run)
    one, other = (np.array(found.confusion) for found in (plain, again))
    # rounding in the kernels may tip an image that stands between two classes
    assert np.abs(one - other).sum() <= 4


def test_a_judge_that_guided_is_refused(digits_run: Folders, tmp_path: Path) -> None:
    copytree(SHIPPED / "digits-guide", tmp_path / "in-disguise")
    for judge in ("digits-guide", str(tmp_path / "in-disguise")):
        with pytest.raises(InputError, match="cannot judge"):
            evaluate("toy", CONFIG, digits_run, judge=judge)


def test_a_guide_that_was_trained_anew_is_refused_unless_named(
    digits_run: Folders, tmp_path: Path
) -> None:
    copytree(digits_run.weights / "toy", tmp_path / "toy")
    path = tmp_path / "toy" / "config.json"
    content = json.loads(path.read_text())
    content["guide_sha256"] = "0" * 64
    path.write_text(json.dumps(content))
    (tmp_path / "toy" / MANIFEST).unlink()
    folders = replace(digits_run, weights=tmp_path, reports=tmp_path / "reports")
    with pytest.raises(InputError, match="weights have changed"):
        evaluate("toy", CONFIG, folders)
    assert evaluate("toy", CONFIG, folders, guide="digits-guide").run == "toy"


def test_images_of_another_size_than_the_runs_are_refused(
    digits_run: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = load_split

    def larger(dataset: str, data_dir: Path, split: str) -> Split:
        real = load(dataset, data_dir, split)
        return Split(replace(real.spec, height=32), real.images, real.labels)

    monkeypatch.setattr("cgan.evaluation.subject.load_split", larger)
    with pytest.raises(InputError, match="another --data-dir"):
        evaluate("toy", CONFIG, digits_run)


def test_an_untrained_generator_is_called_unrealistic(plain: Results) -> None:
    # two epochs of three steps draw no digits, so which digits they are means nothing
    kinds = {warning.kind for warning in plain.warnings}
    assert "unrealistic" in kinds
    assert not kinds & {"missing", "mislabelled", "guide_gap"}
    assert plain.metrics["missing_classes"].value > 0


def test_features_do_not_depend_on_the_batch_size() -> None:
    judge = load_classifier("digits-judge").network
    test = load_split("digits", Path(), "test")
    one, other = (
        extract_split(judge, test, batch_size=size, dtype=torch.float32) for size in (33, 250)
    )
    assert np.array_equal(one.labels, other.labels)
    assert one.logits == pytest.approx(other.logits, abs=1e-4)
    assert one.features == pytest.approx(other.features, abs=1e-4)


def test_features_are_taken_in_evaluation_mode_and_scaled() -> None:
    judge = load_classifier("digits-judge").network.train()
    test = load_split("digits", Path(), "test")
    before = {name: value.clone() for name, value in judge.named_buffers()}
    seen = extract(judge, [(test.images, test.labels)])
    assert all(torch.equal(value, before[name]) for name, value in judge.named_buffers())
    with torch.no_grad():
        expected = judge(scale(test.images)).numpy()
    assert seen.logits == pytest.approx(expected, abs=1e-4)
    assert (seen.judged == test.labels.numpy()).mean() > 0.98


def patched(monkeypatch: pytest.MonkeyPatch, change: Callable[[Split, str], Split]) -> None:
    """Let an evaluation read other images than those of the data set."""
    load = load_split

    def changed(dataset: str, data_dir: Path, split: str) -> Split:
        return change(load(dataset, data_dir, split), split)

    monkeypatch.setattr("cgan.evaluation.subject.load_split", changed)


CHANGES: dict[str, Callable[[Split], Split]] = {
    "transposed": lambda real: replace(real, images=real.images.transpose(2, 3)),
    "inverted": lambda real: replace(real, images=255 - real.images),
    "other labels": lambda real: replace(real, labels=(real.labels + 1) % 10),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_judge_that_does_not_know_the_real_images_scores_nothing(
    digits_run: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    patched(monkeypatch, lambda real, split: CHANGES[change](real))
    monkeypatch.setattr("cgan.evaluation.evaluate.draw", None)  # nothing is generated
    folders = replace(digits_run, data=tmp_path / "d", reports=tmp_path / "r")
    with pytest.raises(InputError) as caught:
        evaluate("toy", CONFIG, folders)
    said = str(caught.value)
    assert re.match(
        r"the judge digits-judge classifies \d+% of the test images of digits in ", said
    )
    assert f"{tmp_path / 'd'} correctly (100.0% when it was trained): transposed, inverted" in said
    assert said.endswith(
        f"cgan train-classifier --save-model --role judge --dataset digits --data-dir "
        f"{folders.data} --weights-dir {folders.weights}"
    )
    assert not folders.reports.exists()


def test_a_judge_is_compared_with_its_recorded_accuracy_alone() -> None:
    judge = load_classifier("digits-judge")
    test = load_split("digits", Path(), "test")
    seen = extract_split(judge.network, test, batch_size=250, dtype=torch.float32)
    half = np.arange(250) % 2 == 0
    poor = replace(seen, labels=np.where(half, (seen.labels + 1) % 10, seen.labels))
    fair = replace(seen, labels=np.where(np.arange(250) < 25, (seen.labels + 1) % 10, seen.labels))
    for known in (seen, fair):  # all, or nine tenths of them: the intervals are near
        require_knowledge(judge, known, Folders())
    with pytest.raises(InputError, match=r"classifies 50% .* \(100\.0% when it was trained\)"):
        require_knowledge(judge, poor, Folders())
    require_knowledge(replace(judge, test_accuracy=None), poor, Folders())  # of an older version
    as_poor = replace(judge, test_accuracy=Accuracy(value=0.52, low=0.46, high=0.58))
    require_knowledge(as_poor, poor, Folders())


def test_classes_that_a_split_lacks_are_left_out_and_the_rest_is_evaluated(
    digits_run: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = {"train": {9}, "validation": {4, 9}, "test": {7}}
    patched(monkeypatch, lambda real, split: of_classes(real, set(range(10)) - lacking[split]))
    folders, said = replace(digits_run, reports=tmp_path), io.StringIO()
    config = replace(CONFIG, n_samples=150, copying=False)
    results = evaluate("toy", config, folders, progress=Progress(said))
    assert results.reference.absent == [4, 7, 9]
    line = "without the digits 4, 7, 9: not every split of the real images has them"
    assert f"WARNING: {line}" in " ".join(said.getvalue().split())
    assert line in " ".join(summary(results).split())
    assert [row.label for row in results.per_class] == [0, 1, 2, 3, 5, 6, 8]
    assert results.metrics["missing_classes"].real == 0
    assert results.confusion is not None
    assert [i for i, row in enumerate(results.confusion) if not sum(row)] == [4, 7, 9]
    # images from elsewhere: those of the other classes are left out, the rest must be complete
    source = saved(tmp_path, "train", labels=True)
    imported = find_subject(None, source, "digits", folders)[1].imported
    assert imported is not None
    assert imported.labels is not None
    assert set(imported.labels.tolist()) == {0, 1, 2, 3, 5, 6, 8}
    with np.load(source) as arrays:
        kept = arrays["labels"] != 3
        np.savez(tmp_path / "no3.npz", images=arrays["images"][kept], labels=arrays["labels"][kept])
    with pytest.raises(InputError, match="no image has the label 3"):
        find_subject(None, tmp_path / "no3.npz", "digits", folders)
    # no class at all
    patched(monkeypatch, lambda real, split: of_classes(real, {len(split) % 3}))
    with pytest.raises(InputError, match="have no class in common"):
        evaluate("toy", config, folders)


BALLS = {"precision", "recall", "density", "coverage", "duplicate_rate"}
# by number of real images: what is left out beside the FCD
FEW: dict[int, set[str]] = {
    50: set(),
    12: {"ndb", "intra_class_diversity"},
    3: {"ndb", "intra_class_diversity"} | BALLS,
}


@pytest.mark.parametrize("n", FEW)
def test_few_real_images_are_compared_as_far_as_they_go(
    n: int, digits_run: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few(real: Split, split: str) -> Split:
        two = of_classes(real, {0, 1})
        return two if split == "train" else subset(two, n)

    patched(monkeypatch, few)
    config = replace(CONFIG, copying=False)
    results = evaluate("toy", config, replace(digits_run, reports=tmp_path))
    assert set(results.left_out) == {"fcd", "gan_train_accuracy", "copying_z"} | FEW[n]
    assert results.left_out["fcd"] == f"it needs 97 images to compare with, and there are {n}"
    assert results.metrics["judge_accuracy"].n == 230
    assert results.metrics["class_kl"].n == n
    assert write_report(tmp_path / "toy").page.is_file()


def test_a_judge_of_another_data_set_is_refused(digits_run: Folders) -> None:
    with pytest.raises(InputError, match="trained on mnist"):
        evaluate("toy", CONFIG, digits_run, judge="mnist-judge")


def test_what_a_run_links_to_does_not_get_into_its_report(
    digits_run: Folders, tmp_path: Path
) -> None:
    folders = replace(digits_run, weights=tmp_path / "weights", reports=tmp_path / "reports")
    run = copytree(digits_run.weights / "toy", folders.weights / "toy")
    (tmp_path / "secret").write_text("secret")
    for name in ("history.csv", "samples.png"):
        (run / name).unlink()
        (run / name).symlink_to(tmp_path / "secret")
    evaluate("toy", CONFIG, folders)
    report = folders.reports / "toy"
    assert not {"history.csv", "epochs.png"} & {path.name for path in report.iterdir()}
    assert (report / "film.gif").is_file()


def test_a_history_with_a_flipped_bit_does_not_enter_a_report(
    digits_run: Folders, tmp_path: Path
) -> None:
    path = copytree(digits_run.weights / "toy", tmp_path / "toy") / "history.csv"
    content = bytearray(path.read_bytes())
    content[len(content) * 6 // 10] ^= 1
    path.write_bytes(content)
    folders = replace(digits_run, weights=tmp_path, reports=tmp_path / "reports")
    with pytest.raises(InputError, match=r"history\.csv is damaged: it does not match its man"):
        evaluate("toy", CONFIG, folders)
    assert not folders.reports.exists()
