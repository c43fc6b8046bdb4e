"""What every metric of the table sees and does not see, on toy clouds of four classes."""

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cgan.metrics import manifold
from cgan.metrics.accuracy import (
    accuracy,
    accuracy_per_class,
    balanced_accuracy,
    confusion,
    guide_gap,
    unequal,
)
from cgan.metrics.classifier_score import classifier_score
from cgan.metrics.collapse import class_kl, divergence, expected_shares, missing_classes, ndb
from cgan.metrics.copying import copying_z
from cgan.metrics.diversity import diversity_per_class, intra_class_diversity
from cgan.metrics.duplicates import close_distance, distinct, duplicate_rate
from cgan.metrics.features import Features
from cgan.metrics.frechet import fcd
from cgan.metrics.intervals import Value, wilson
from cgan.metrics.neighbours import nearest_in
from cgan.metrics.registry import METRICS, Copies, Inputs, Metric
from cgan.runtime.errors import InputError

K = 4
CENTRES = 3.5 * np.eye(K)  # of the classes, in a space of as many features; the spread is 1


def judged_as(labels: list[int], answers: list[int], *, requested: bool = True) -> Features:
    """Return samples of which a classifier gives `answers`."""
    logits = np.eye(K, dtype=np.float32)[answers]
    features = np.random.default_rng(1).normal(size=(len(labels), 2)).astype(np.float32)
    return Features(np.array(labels), logits, features, requested)


def perfect(n: int) -> Features:
    labels = [i % K for i in range(n)]
    return judged_as(labels, labels)


def mislabelled(n: int, every: int) -> Features:
    labels = [i % K for i in range(n)]
    return judged_as(labels, [(y + (i % every == 0)) % K for i, y in enumerate(labels)])


def seen(
    labels: NDArray[np.int64], features: NDArray[np.floating], centres: NDArray[np.floating]
) -> Features:
    """Return samples judged by the nearest of `centres`."""
    logits = -((features[:, None] - centres) ** 2).sum(axis=2)
    return Features(labels, logits.astype(np.float32), features.astype(np.float32))


def cloud(seed: int, n: int) -> Features:
    """Return perfect images: each class a Gaussian about its centre."""
    labels = np.arange(n) % K
    spread = np.random.default_rng(seed).normal(size=(n, K))
    return seen(labels, CENTRES[labels] + spread, CENTRES)


@cache
def inputs(fault: str) -> Inputs:
    """Return what the metrics read of 400 generated images with a fault or "none"."""
    random, train, real = np.random.default_rng(7), cloud(1, 1200), cloud(2, 400)
    sound = cloud(3, 400)
    labels, features = sound.labels, sound.features.astype(np.float64)
    if fault in (
        "mislabelled",
        "adversarial",
    ):  # a fifth under another name
        labels = labels.copy()
        labels[:80] = np.roll(labels[:80], 1)
    elif fault == "collapsed":  # one picture of each class, again and again
        features = (CENTRES + 0.5)[labels]
    elif fault == "missing":  # for the last class, the images of the first one
        wrong = labels == K - 1
        features[wrong] += CENTRES[0] - CENTRES[K - 1]
    elif fault == "copied":
        features = train.features[:400] + random.normal(0, 0.02, (400, K))
    elif fault == "unrealistic":  # further apart than real ones, which leaves the classes alone
        features = 3 * features
    fake = seen(labels, features, CENTRES)
    guide = seen(labels, features + random.normal(0, 0.1, features.shape), CENTRES)
    if fault == "adversarial":
        guide = Features(labels, np.eye(K, dtype=np.float32)[labels], fake.features)
    # the student says of a test image what was requested when its nearest image was drawn
    taught = labels[nearest_in(real.features.astype(np.float64), features).indices[:, 0]]
    balls = manifold.look(fake=fake, real=real)
    kept = fake.take(distinct(features, close_distance(balls.real_near)))
    trained = train.features.astype(np.float64)
    near, near_held_out = (nearest_in(s.features.astype(np.float64), trained) for s in (kept, real))
    return Inputs(
        fake,
        fake,
        real,
        train,
        balls,
        guide=guide,
        student=Features(real.labels, np.eye(K, dtype=np.float32)[taught], real.features),
        copies=Copies(kept, real, near.distances[:, 0], near_held_out.distances[:, 0]),
    )


@cache
def found(name: str, fault: str) -> Value:
    value = METRICS[name].compute(inputs(fault))
    assert value is not None
    return value


# Which fault moves which metric, and where to; what is not here stays where it was.
MOVES = {
    "mislabelled": {
        "judge_accuracy": "down",
        "guide_accuracy": "down",
        "gan_train_accuracy": "down",
        "intra_class_diversity": "up",  # images of another class are far from those of the label
    },
    "adversarial": {  # the same images, so all but the guide say the same
        "judge_accuracy": "down",
        "guide_gap": "up",
        "gan_train_accuracy": "down",
        "intra_class_diversity": "up",
    },
    "collapsed": {
        "classifier_score": "up",  # it sees the classes and not the variety in them
        "fcd": "up",
        "precision": "up",  # these four pictures lie where real ones are dense
        "density": "up",
        "recall": "down",
        "coverage": "down",
        "ndb": "up",
        "intra_class_diversity": "down",
        "duplicate_rate": "up",
        "copying_z": "unknown",  # four pictures are too few
    },
    "missing": {
        "judge_accuracy": "down",
        "guide_accuracy": "down",
        "classifier_score": "down",
        "fcd": "up",
        "recall": "down",
        "coverage": "down",
        "gan_train_accuracy": "down",
        "class_kl": "up",
        "missing_classes": "up",
        "ndb": "up",
    },
    "copied": {"copying_z": "down"},
    "unrealistic": {  # but not recall: the balls of images so far apart hold everything
        "fcd": "up",
        "precision": "down",
        "density": "down",
        "coverage": "down",
        "ndb": "up",
        "intra_class_diversity": "up",
        "copying_z": "up",
    },
}


def move(name: str, fault: str) -> str:
    """Return where a fault moves a metric, past both intervals."""
    before, after = found(name, "none"), found(name, fault)
    if math.isnan(after["value"]):
        return "unknown"
    if after["low"] > before["high"]:
        return "up"
    return "down" if after["high"] < before["low"] else "still"


@pytest.mark.parametrize("fault", MOVES)
def test_a_fault_moves_the_metrics_that_are_to_see_it_and_no_other(fault: str) -> None:
    moves = {name: move(name, fault) for name in METRICS}
    assert moves == dict.fromkeys(METRICS, "still") | MOVES[fault]


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_made_worse_by_some_fault(name: str) -> None:
    worse = {"high": {"down"}, "low": {"up"}, "real": {"up", "down"}}[METRICS[name].better]
    assert worse & {moved.get(name) for moved in MOVES.values()}


@pytest.mark.parametrize("fault", ["none", *MOVES])
def test_every_interval_holds_its_value(fault: str) -> None:
    values = {name: found(name, fault) for name in METRICS}
    wrong = {name for name, x in values.items() if not x["low"] <= x["value"] <= x["high"]}
    unknown = {name for name, moved in MOVES.get(fault, {}).items() if moved == "unknown"}
    assert wrong == unknown


@pytest.mark.parametrize(
    "function",
    [
        *(accuracy, guide_gap, classifier_score, fcd, class_kl, missing_classes, ndb, copying_z),
        *(manifold.precision, manifold.recall, manifold.density, manifold.coverage),
        *(intra_class_diversity, duplicate_rate),
    ],
)
def test_metrics_take_no_positional_arguments(function: Callable[..., Value]) -> None:
    kinds = {one.kind for one in inspect.signature(function).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


NEEDS = {
    "guide": {"guide_accuracy", "guide_gap"},
    "student": {"gan_train_accuracy"},
    "copies": {"copying_z"},
}


@pytest.mark.parametrize(("absent", "names"), NEEDS.items(), ids=NEEDS)
def test_a_metric_without_one_of_its_inputs_is_none_and_the_others_are_as_before(
    absent: str, names: set[str]
) -> None:
    given: dict[str, Any] = {absent: None}
    without = replace(inputs("none"), **given)
    for name, metric in METRICS.items():
        assert metric.compute(without) == (None if name in names else found(name, "none"))


def test_a_metric_counts_the_images_that_it_compared() -> None:
    some = inputs("none")
    fewer = replace(some, fake=some.fake.take(np.arange(300)), student=some.real.take(np.arange(9)))
    copies = fewer.copies
    assert copies is not None
    counts = {name: metric.counted(fewer) for name, metric in METRICS.items()}
    of_one_set = dict.fromkeys(
        ("judge_accuracy", "guide_accuracy", "guide_gap", "classifier_score"), 400
    )
    others = {"gan_train_accuracy": 9, "copying_z": len(copies.distinct)}
    assert counts == dict.fromkeys(METRICS, 300) | of_one_set | others


@pytest.mark.parametrize(("name", "metric"), METRICS.items(), ids=METRICS)
def test_a_metric_is_explained_in_two_sentences_with_a_title_and_a_source(
    name: str, metric: Metric
) -> None:
    meaning = metric.meaning.format(noun="letter")
    assert len(re.findall(r"[.:](?= |$)", meaning)) >= 2
    assert meaning.endswith(".")
    assert meaning[0].isupper()
    assert metric.source
    assert metric.better in ("high", "low", "real")
    assert metric.title.format(noun="letter")
    assert len(metric.short_title.format(noun="letter")) <= len(metric.title.format(noun="letter"))
    assert ("letter" in metric.title.format(noun="letter")) == ("{noun}" in metric.title)


@pytest.mark.parametrize(("name", "metric"), METRICS.items(), ids=METRICS)
def test_a_metric_is_written_as_its_form_says(name: str, metric: Metric) -> None:
    for form in (metric.form, metric.short_form or metric.form):
        shown = f"{0.98765:{form}}"
        number = float(shown.rstrip("%")) / (100 if shown.endswith("%") else 1)
        assert number == pytest.approx(0.98765, abs=0.5 if name == "missing_classes" else 0.05)


def test_titles_tell_metrics_apart() -> None:
    for noun in ("digit", "class"):
        for short in (True, False):
            titles = [
                ((short and metric.short_title) or metric.title).format(noun=noun)
                for metric in METRICS.values()
            ]
            assert len(set(titles)) == len(METRICS)


def samples(labels: int = 4, logits: int = 4, features: int = 4, fill: float = 0.0) -> Features:
    return Features(
        np.zeros(labels, np.int64),
        np.zeros((logits, K), np.float32),
        np.full((features, 2), fill, np.float32),
    )


@pytest.mark.parametrize("lengths", [(4, 4, 3), (4, 3, 4), (3, 4, 4), (0, 0, 0)])
def test_samples_of_unequal_or_no_length_are_refused(lengths: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match=r"do not belong together$"):
        samples(*lengths)


@pytest.mark.parametrize("label", [K, K + 2, -1])
def test_samples_with_a_label_that_is_no_class_are_refused(label: int) -> None:
    parts = np.zeros((2, K), np.float32), np.zeros((2, 2), np.float32)
    assert len(Features(np.array([0, K - 1]), *parts)) == 2
    with pytest.raises(
        InputError, match=f"run from .*{label}.*; the classifier knows the classes 0"
    ):
        Features(np.array([0, label]), *parts)


@pytest.mark.parametrize("fill", [math.nan, math.inf, -math.inf])
def test_samples_that_are_not_finite_are_refused(fill: float) -> None:
    with pytest.raises(InputError, match="not finite"):
        samples(fill=fill)
    with pytest.raises(InputError, match="not finite"):
        Features(np.zeros(1, np.int64), np.full((1, K), fill, np.float32), np.zeros((1, 2), "f4"))


def test_samples_keep_what_was_requested_when_some_are_taken() -> None:
    for requested in (True, False):
        taken = judged_as([0, 1, 2], [0, 3, 2], requested=requested).take(np.array([2, 1]))
        assert (taken.labels.tolist(), taken.judged.tolist()) == ([2, 1], [2, 3])
        assert taken.requested is requested


def test_accuracy_counts_the_answers_that_are_the_label() -> None:
    assert accuracy(fake=mislabelled(100, 10))["value"] == pytest.approx(0.9)
    assert accuracy(fake=perfect(100))["value"] == 1


def test_accuracy_per_class_leaves_out_classes_without_samples() -> None:
    rows = accuracy_per_class(fake=judged_as([0, 0, 2, 2], [0, 1, 2, 2]))
    assert {label: (row["n"], row["value"]) for label, row in rows.items()} == {
        0: (2, 0.5),
        2: (2, 1.0),
    }
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx(wilson(1, 2))


def test_balanced_accuracy_counts_each_class_alike_and_says_where_classes_are_unequal() -> None:
    from sklearn.metrics import balanced_accuracy_score

    labels, judged = [0] * 90 + [1] * 8 + [3] * 2, [0] * 90 + [0] * 4 + [1] * 4 + [3, 0]
    found = judged_as(labels, judged)
    score = balanced_accuracy(fake=found)
    assert score["value"] == pytest.approx(balanced_accuracy_score(labels, judged))
    assert score["value"] == pytest.approx(2 / 3)
    assert accuracy(fake=found)["value"] == pytest.approx(0.95)
    assert unequal(found.labels)
    alike = judged_as([0, 0, 1, 1], [0, 1, 1, 1])  # where classes are equal, both are the same
    assert balanced_accuracy(fake=alike)["value"] == accuracy(fake=alike)["value"]
    assert not unequal(alike.labels)
    assert not unequal(np.repeat([0, 1], [3, 2]))


def test_confusion_has_the_requested_class_in_rows() -> None:
    table = confusion(fake=judged_as([0, 0, 1], [0, 3, 1]))
    assert table.shape == (K, K)
    assert table[0, 3] == 1
    assert table[3, 0] == 0
    assert table.sum() == 3


def test_divergence_gives_known_values() -> None:
    p, q = np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.25, 0.25, 0.25, 0.25])
    assert divergence(p, q) == pytest.approx(math.log(2))
    assert divergence(q, q) == 0
    assert math.isinf(divergence(q, p))


def test_the_expected_shares_follow_the_requested_mix_not_the_test_set() -> None:
    real = judged_as([0] * 90 + [1] * 10, [0] * 90 + [1] * 10)
    fake = judged_as([0, 1], [0, 1])
    assert expected_shares(fake=fake, real=real) == pytest.approx(np.array([0.5, 0.5, 0, 0]))
    fake = judged_as([0, 1], [0, 1], requested=False)
    assert expected_shares(fake=fake, real=real) == pytest.approx(np.array([0.9, 0.1, 0, 0]))


def test_the_divergence_of_a_collapse_is_that_of_the_shares_with_half_an_image_in_each() -> None:
    real, n = perfect(400), 400
    assert class_kl(fake=perfect(n), real=real)["value"] == pytest.approx(0.0, abs=1e-12)
    # the expected shares stay a quarter each: half an image more in every class
    only_zeros = judged_as([i % K for i in range(n)], [0] * n)
    assert class_kl(fake=only_zeros, real=real)["value"] == pytest.approx(math.log(K))
    # no real image is judged a 3, so half an image of n + K / 2 is what is expected there
    no_threes = judged_as([i % K for i in range(n)], [i % (K - 1) for i in range(n)])
    only_threes = judged_as([i % K for i in range(n)], [3] * n)
    known = math.log((n + K / 2) / 0.5)
    assert class_kl(fake=only_threes, real=no_threes)["value"] == pytest.approx(known)


def test_a_class_is_missing_below_a_tenth_of_its_due() -> None:
    labels = [i % K for i in range(400)]
    for kept, missing in ((9, 1), (11, 0)):
        answers = [y if y or i < 4 * kept else 1 for i, y in enumerate(labels)]
        value = missing_classes(fake=judged_as(labels, answers), real=perfect(400))
        assert value["value"] == missing
        assert (value["low"], value["high"]) == (0, 1)  # 9 and 11 of 400 are hard to tell apart


def test_classes_with_few_images_have_no_diversity() -> None:
    labels = [0] * 19 + [1] * 20
    assert diversity_per_class(fake=judged_as(labels, labels), real=perfect(80)).keys() == {1}
    few = judged_as([0] * 19, [0] * 19)
    assert math.isnan(intra_class_diversity(fake=few, real=perfect(80))["value"])
