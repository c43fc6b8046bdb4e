import math
from collections.abc import Sequence
from typing import Any

import pytest

from cgan.metrics.registry import METRICS
from cgan.metrics.results import LONGEST_TEXT, ClassRow, HistogramRow, Score
from cgan.metrics.warnings import LIMITS, Found, find_warnings

VALUES = {
    **{"recall": 0.9, "coverage": 0.9, "density": 1.0, "duplicate_rate": 0.0},
    **{"guide_gap": 0.0, "judge_accuracy": 0.99, "copying_z": 0.0},
}
K = 10  # classes


class Facts:
    """What the metrics say of real images, of ten classes with 100 images each; to be changed."""

    def __init__(self) -> None:
        """Let all be well."""
        self.scores: dict[str, dict[str, Any]] = {
            name: {"value": x, "low": x - 0.005, "high": x + 0.005, "real": x}
            for name, x in VALUES.items()
        }
        self.rows: list[dict[str, Any]] = [
            {"n": 100, "accuracy": 0.99, "diversity_high": 1.1} for _ in range(K)
        ]
        self.counts: list[dict[str, Any]] = [
            {"generated": 100, "high": 122, "real": 100} for _ in range(K)
        ]

    def found(self, nouns: str = "classes", names: Sequence[str] = ()) -> Found:
        """Return the facts as the results hold them."""
        return Found(
            {name: Score(n=1000, **score) for name, score in self.scores.items()},
            [ClassRow(label=label, **row) for label, row in enumerate(self.rows)],
            [HistogramRow(label=label, **row) for label, row in enumerate(self.counts)],
            nouns,
            names,
        )


def change(facts: Facts, kind: str) -> None:
    """Put what raises one kind of warning into the facts."""
    by = {"repeats": ("duplicate_rate", 0.3), "unrealistic": ("density", -0.8)}
    by |= {"narrow": ("recall", -0.6), "uncovered": ("coverage", -0.6)}
    by |= {"guide_gap": ("guide_gap", 0.2), "copied": ("copying_z", -5.0)}
    if kind in by:
        name, step = by[kind]
        for key in ("value", "low", "high"):
            facts.scores[name][key] += step
    elif kind == "alike":
        facts.rows[3]["diversity_high"] = 0.4
    elif kind == "mislabelled":
        for row in facts.rows:
            row["accuracy"] = 0.8
    elif kind == "missing":  # what was requested as a 3 shows something else
        facts.counts[3] |= {"generated": 9, "high": 17}
        facts.rows[3]["accuracy"] = 0.0


COLLAPSED = ("alike", "repeats", "narrow", "uncovered")
KINDS = ("missing", *COLLAPSED, "unrealistic", "copied", "mislabelled", "guide_gap")


def raised(*kinds: str) -> list[str]:
    facts = Facts()
    for kind in kinds:
        change(facts, kind)
    warnings = find_warnings(facts.found())
    for warning in warnings:
        assert warning.metric in METRICS
        assert warning.threshold is not None
        assert warning.message.endswith(".")
        assert warning.message.isprintable()
    return [warning.kind for warning in warnings]


def test_good_results_raise_no_warning() -> None:
    assert raised() == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_raises_its_warning_alone(kind: str) -> None:
    assert raised(kind) == ["collapsed" if kind in COLLAPSED else kind]


@pytest.mark.parametrize(
    ("kind", "metric", "value", "threshold"),
    [
        ("missing", "missing_classes", 1, 0),
        ("repeats", "duplicate_rate", 0.3, 0.01),
        ("narrow", "recall", 0.3, 0.54),
        ("uncovered", "coverage", 0.3, 0.54),
        ("unrealistic", "density", 0.2, 0.5),
        ("mislabelled", "judge_accuracy", 0.99, 0.94),  # of the labels; the rows say what is wrong
        ("guide_gap", "guide_gap", 0.2, 0.01),
        ("copied", "copying_z", -5, -1.5),
    ],
)
def test_a_warning_tells_its_metric_with_value_and_threshold(
    kind: str, metric: str, value: float, threshold: float
) -> None:
    facts = Facts()
    change(facts, kind)
    (warning,) = find_warnings(facts.found())
    assert warning.metric == metric
    assert (warning.value, warning.threshold) == pytest.approx((value, threshold))


@pytest.mark.parametrize(
    "kind", ["missing", "mislabelled", "guide_gap", "alike", "narrow", "uncovered"]
)
def test_images_that_are_unlike_real_ones_raise_one_warning(kind: str) -> None:
    assert raised("unrealistic", kind) == ["unrealistic"]


@pytest.mark.parametrize("kind", ["repeats", "copied"])
def test_images_that_are_unlike_real_ones_can_still_be_repeated_or_copied(kind: str) -> None:
    assert len(raised("unrealistic", kind)) == 2


def test_a_gap_between_guide_and_judge_explains_wrong_classes() -> None:
    assert raised("guide_gap", "mislabelled") == ["guide_gap"]


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_was_not_measured_raises_no_warning(value: float | None) -> None:
    facts = Facts()
    for kind in ("alike", *KINDS[2:]):
        change(facts, kind)
    assert len(find_warnings(facts.found())) > 0
    for score in facts.scores.values():
        score["low"] = value
    for row in facts.rows:
        row["diversity_high"] = value
    assert find_warnings(facts.found()) == []
    facts.scores = {}
    assert find_warnings(facts.found()) == []


@pytest.mark.parametrize("kind", ["narrow", "uncovered"])
def test_a_class_that_is_missing_explains_what_is_not_reached(kind: str) -> None:
    assert raised("missing", kind) == ["missing"]


def test_a_class_is_missing_only_when_chance_does_not_explain_it() -> None:
    facts = Facts()
    facts.counts[3] |= {"generated": 0, "high": 4, "real": 7}
    assert find_warnings(facts.found()) == []


@pytest.mark.parametrize("nouns", ["digits", "characters", "classes"])
def test_wrong_classes_are_called_as_the_data_set_calls_them(nouns: str) -> None:
    facts = Facts()
    change(facts, "mislabelled")
    (warning,) = find_warnings(facts.found(nouns))
    assert warning.message.startswith(f"Wrong {nouns}: 20% of the images show another one")


@pytest.mark.parametrize("name", LIMITS)
def test_a_metric_raises_a_warning_if_its_interval_is_beyond_its_limit(name: str) -> None:
    real = VALUES[name]
    limit = LIMITS[name](real)
    away = 1e-3 if limit > real else -1e-3
    for place, raised in ((limit - away, False), (limit + away, True)):
        facts = Facts()
        facts.scores[name] |= {"value": place, "low": place, "high": place}
        if name == "judge_accuracy":  # the warning counts the images of each class
            facts.rows = [{"n": 10**9, "accuracy": place} for _ in range(K)]
        warnings = find_warnings(facts.found())
        assert [(one.metric, one.threshold) for one in warnings] == [(name, limit)] * raised


@pytest.mark.parametrize(("real_n", "raised"), [(20, False), (100, True), (None, True)])
@pytest.mark.parametrize("name", LIMITS)
def test_few_real_images_raise_a_warning_only_beyond_their_own_interval(
    name: str, real_n: int | None, raised: bool
) -> None:
    facts, real = Facts(), VALUES[name]
    beyond = 2 * LIMITS[name](real) - real
    facts.scores[name] |= {"value": beyond, "low": beyond, "high": beyond, "real_n": real_n}
    facts.scores[name] |= {"real_low": beyond - 9, "real_high": beyond + 9}
    if name == "judge_accuracy":
        facts.rows = [{"n": 1000, "accuracy": beyond} for _ in range(K)]
    assert [one.metric for one in find_warnings(facts.found())] == [name] * raised


def test_a_warning_calls_classes_by_name_and_counts_those_that_are_too_many() -> None:
    facts = Facts()
    change(facts, "missing")
    change(facts, "alike")
    names = [f"name {i}" for i in range(K)]
    missing, alike = find_warnings(facts.found(names=names))
    assert missing.message.endswith("is classified as name 3.")
    assert "the images of name 3 have" in alike.message
    facts.counts = facts.counts[3:4] * 200
    facts.rows = facts.rows[3:4] * 200
    for known in ([], [f"{i:03d}" + "x" * 97 for i in range(200)]):
        for warning in find_warnings(facts.found(names=known)):
            assert "and 188 more" in warning.message
            assert len(warning.message) < LONGEST_TEXT
