"""Metrics by name: arrays in, a dict out; no training code, no torch."""

from collections.abc import Callable
from typing import NamedTuple

from cgan.metrics.accuracy import accuracy
from cgan.metrics.collapse import class_kl, missing_classes
from cgan.metrics.diversity import intra_class_diversity
from cgan.metrics.samples import Samples as Samples

Value = dict[str, float]


class Metric(NamedTuple):
    """One row: the function, and what it needs.

    `function(fake=Samples, real=Samples)` returns {value, low, high}, with a 95% interval.
    `seen_by` says whose Samples it gets. `compares` says that it reads `real`; then its own
    value for real images is that of the validation images against the test images, else that of
    the test images.
    """

    function: Callable[..., Value]
    seen_by: str
    compares: bool
    better: str  # "high" or "low"


METRICS: dict[str, Metric] = {
    # name: function, seen by, compares, better
    "judge_accuracy": Metric(accuracy, "judge", False, "high"),
    "guide_accuracy": Metric(accuracy, "guide", False, "high"),
    "class_kl": Metric(class_kl, "judge", True, "low"),
    "missing_classes": Metric(missing_classes, "judge", True, "low"),
    "intra_class_diversity": Metric(intra_class_diversity, "judge", True, "high"),
}
