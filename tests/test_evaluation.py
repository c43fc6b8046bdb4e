import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

import cgan
from cgan import data
from cgan.config import EvalConfig, Folders
from cgan.errors import InputError
from cgan.evaluation import _tables, _twin, evaluate
from cgan.features import extract, extract_split
from cgan.metrics import METRICS, Samples
from cgan.metrics.alarms import alarms
from cgan.store import SHIPPED, load_classifier

CONFIG = EvalConfig(n_samples=230, batch_size=100, device="cpu")


def test_results_have_the_promised_form(digits_run: Folders) -> None:
    results = evaluate("toy", CONFIG, digits_run)
    assert json.loads((digits_run.reports / "toy" / "results.json").read_text()) == results
    assert results["run"] == "toy"
    assert results["n_samples"] == 230
    assert set(results["metrics"]) == set(METRICS)
    for metric in results["metrics"].values():
        assert set(metric) == {"value", "low", "high", "real"}
    assert sum(map(sum, results["confusion"])) == 230
    assert [row["n"] for row in results["per_digit"]] == [23] * 10
    assert sum(row["generated"] for row in results["histogram"]) == 230
    assert sum(row["real"] for row in results["histogram"]) == pytest.approx(230)
    assert set(results["timing"]) == {"sampling", "features", "metrics"}
    assert results["provenance"]["config"]["recipe"] == "guided"
    hits = sum(row[i] for i, row in enumerate(results["confusion"]))
    assert results["metrics"]["judge_accuracy"]["value"] == pytest.approx(hits / 230)


def test_real_images_score_what_the_judge_scored_on_test(digits_run: Folders) -> None:
    results = evaluate("toy", CONFIG, digits_run)
    shipped = json.loads((load_classifier("digits-judge").folder / "config.json").read_text())
    expected = shipped["test_accuracy"]["value"]
    assert results["metrics"]["judge_accuracy"]["real"] == pytest.approx(expected)
    assert results["judge"]["accuracy_real"]["value"] == pytest.approx(expected)
    assert results["metrics"]["missing_classes"]["real"] == 0


def test_scores_do_not_depend_on_the_batch_size(digits_run: Folders) -> None:
    one, other = (
        np.array(evaluate("toy", replace(CONFIG, batch_size=size), digits_run)["confusion"])
        for size in (7, 230)
    )
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
    folders = replace(digits_run, weights=tmp_path)
    with pytest.raises(InputError, match="changed since"):
        evaluate("toy", CONFIG, folders)
    assert evaluate("toy", CONFIG, folders, guide="digits-guide")["run"] == "toy"


def test_real_images_raise_no_alarm(digits_run: Folders) -> None:
    judge = load_classifier("digits-judge").network
    real, held_out = (
        extract_split(
            judge, data.load("digits", Path(), split), batch_size=250, dtype=torch.float32
        )
        for split in ("test", "validation")
    )
    results = {
        "metrics": {"intra_class_diversity": {"value": 1.0}},
        **_tables(held_out, real),
    }
    assert alarms(results) == []
    mean = np.mean([row["diversity"] for row in results["per_digit"]])
    assert mean == pytest.approx(1, abs=0.3)  # 25 images a class


def test_images_of_another_size_than_the_runs_are_refused(
    digits_run: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = data.load

    def larger(dataset: str, data_dir: Path, split: str) -> data.Split:
        real = load(dataset, data_dir, split)
        return data.Split(replace(real.spec, height=32), real.images, real.labels)

    monkeypatch.setattr(data, "load", larger)
    with pytest.raises(InputError, match="another --data-dir"):
        evaluate("toy", CONFIG, digits_run)


def test_an_untrained_generator_raises_the_alarm_of_missing_classes(digits_run: Folders) -> None:
    results = evaluate("toy", CONFIG, digits_run)
    missing = results["metrics"]["missing_classes"]["value"]
    alarms = [alarm for alarm in results["alarms"] if alarm["metric"] == "missing_classes"]
    assert bool(alarms) == (missing > 0)
    assert missing > 0  # two epochs of three steps draw no digits


def test_a_twin_is_real_images_with_the_labels_of_the_generated_ones() -> None:
    labels = np.array([0, 1, 1, 2, 2, 2])
    held_out = Samples(labels, np.eye(6, dtype=np.float32), np.zeros((6, 1), np.float32))
    fake = Samples(np.array([2, 0, 2]), np.zeros((3, 6), np.float32), np.zeros((3, 1), np.float32))
    twin = _twin(fake, held_out)
    assert twin.labels.tolist() == [2, 0, 2]
    assert set(twin.judged) <= {0, 3, 4, 5}


def test_features_do_not_depend_on_the_batch_size() -> None:
    judge = load_classifier("digits-judge").network
    test = data.load("digits", Path(), "test")
    one, other = (
        extract_split(judge, test, batch_size=size, dtype=torch.float32) for size in (33, 250)
    )
    assert np.array_equal(one.labels, other.labels)
    assert one.logits == pytest.approx(other.logits, abs=1e-4)
    assert one.features == pytest.approx(other.features, abs=1e-4)


def test_features_are_taken_in_evaluation_mode_and_scaled() -> None:
    judge = load_classifier("digits-judge").network.train()
    test = data.load("digits", Path(), "test")
    before = {name: value.clone() for name, value in judge.named_buffers()}
    seen = extract(judge, [(test.images, test.labels)])
    assert all(torch.equal(value, before[name]) for name, value in judge.named_buffers())
    with torch.no_grad():
        expected = judge(data.scale(test.images)).numpy()
    assert seen.logits == pytest.approx(expected, abs=1e-4)
    assert (seen.judged == test.labels.numpy()).mean() > 0.98


def test_a_judge_of_another_data_set_is_refused(digits_run: Folders) -> None:
    with pytest.raises(InputError, match="trained on mnist"):
        evaluate("toy", CONFIG, digits_run, judge="mnist-judge")


def test_the_public_api_is_lazy_and_complete(digits_run: Folders) -> None:
    assert cgan.evaluate is evaluate
    assert cgan.load_classifier is load_classifier
    assert cgan.load_generator(str(digits_run.weights / "toy")).name == "toy"
    with pytest.raises(AttributeError, match="nonesuch"):
        cgan.nonesuch  # noqa: B018
