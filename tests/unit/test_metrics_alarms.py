import math
from typing import Any

import pytest

from cgan.metrics.registry import METRICS
from cgan.metrics.warnings import alarms


def good() -> dict[str, Any]:
    """Return results like those of real images, of ten classes with 100 images each."""
    values = {"recall": 0.9, "coverage": 0.9, "density": 1.0, "duplicate_rate": 0.0}
    values |= {"guide_gap": 0.0, "judge_accuracy": 0.99, "copying_z": 0.0}
    return {
        "metrics": {
            name: {"value": x, "low": x - 0.005, "high": x + 0.005, "real": x}
            for name, x in values.items()
        },
        "per_digit": [
            {"digit": y, "n": 100, "accuracy": 0.99, "diversity_high": 1.1} for y in range(10)
        ],
        "histogram": [{"digit": y, "generated": 100, "high": 122, "real": 100} for y in range(10)],
    }


def change(results: dict[str, Any], kind: str) -> None:
    """Put what raises one kind of alarm into the results."""
    metrics, rows = results["metrics"], results["per_digit"]
    by = {"repeats": ("duplicate_rate", 0.3), "unrealistic": ("density", -0.8)}
    by |= {"narrow": ("recall", -0.6), "uncovered": ("coverage", -0.6)}
    by |= {"flattered": ("guide_gap", 0.2), "copied": ("copying_z", -5.0)}
    if kind in by:
        name, step = by[kind]
        for key in ("value", "low", "high"):
            metrics[name][key] += step
    elif kind == "alike":
        rows[3]["diversity_high"] = 0.4
    elif kind == "mislabelled":
        for row in rows:
            row["accuracy"] = 0.8
    elif kind == "missing":  # what was asked for as a 3 shows something else
        results["histogram"][3] |= {"generated": 9, "high": 17}
        rows[3]["accuracy"] = 0.0


COLLAPSED = ("alike", "repeats", "narrow", "uncovered")
KINDS = ("missing", *COLLAPSED, "unrealistic", "copied", "mislabelled", "flattered")


def raised(*kinds: str) -> list[str]:
    results = good()
    for kind in kinds:
        change(results, kind)
    found = alarms(results)
    for alarm in found:
        assert alarm.keys() == {"kind", "metric", "value", "threshold", "message"}
        assert alarm["metric"] in METRICS
        assert "\n" not in alarm["message"]
    return [alarm["kind"] for alarm in found]


def test_good_results_raise_no_alarm() -> None:
    assert raised() == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_raises_its_alarm_alone(kind: str) -> None:
    assert raised(kind) == ["collapsed" if kind in COLLAPSED else kind]


@pytest.mark.parametrize(
    "kind", ["missing", "mislabelled", "flattered", "alike", "narrow", "uncovered"]
)
def test_images_that_are_no_digits_raise_one_alarm(kind: str) -> None:
    assert raised("unrealistic", kind) == ["unrealistic"]


@pytest.mark.parametrize("kind", ["repeats", "copied"])
def test_images_that_are_no_digits_can_still_be_repeated_or_copied(kind: str) -> None:
    assert len(raised("unrealistic", kind)) == 2


def test_a_flattered_guide_explains_wrong_digits() -> None:
    assert raised("flattered", "mislabelled") == ["flattered"]


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_was_not_measured_raises_no_alarm(value: float | None) -> None:
    results = good()
    for kind in ("alike", *KINDS[2:]):
        change(results, kind)
    assert len(alarms(results)) > 0
    for metric in results["metrics"].values():
        metric["low"] = value
    for row in results["per_digit"]:
        row["diversity_high"] = value
    assert alarms(results) == []
    assert alarms({**results, "metrics": {}}) == []


@pytest.mark.parametrize("kind", ["narrow", "uncovered"])
def test_a_class_that_is_missing_explains_what_is_not_reached(kind: str) -> None:
    assert raised("missing", kind) == ["missing"]


def test_a_class_is_missing_only_when_chance_does_not_explain_it() -> None:
    results = good()
    results["histogram"][3] |= {"generated": 0, "high": 4, "real": 7}
    assert alarms(results) == []
