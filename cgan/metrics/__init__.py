"""Metrics by name: arrays in, a dict out; no training code, no torch."""

from collections.abc import Callable
from typing import NamedTuple

from cgan.metrics.accuracy import accuracy
from cgan.metrics.collapse import class_kl, missing_classes
from cgan.metrics.samples import Samples as Samples

Value = dict[str, float]


class Metric(NamedTuple):
    """One row: the function, and what it needs.

    `function(fake=Samples, real=Samples)` returns {value, low, high}, with a 95% interval.
    `seen_by` says whose Samples it gets. `compares` says that it reads `real`; then its own
    value for real images is that of the validation images against the test images, else that of
    the test images. `conditional` says that it needs requested labels.
    """

    function: Callable[..., Value]
    seen_by: str
    compares: bool
    conditional: bool


METRICS: dict[str, Metric] = {
    "judge_accuracy": Metric(accuracy, seen_by="judge", compares=False, conditional=True),
    "guide_accuracy": Metric(accuracy, seen_by="guide", compares=False, conditional=True),
    "class_kl": Metric(class_kl, seen_by="judge", compares=True, conditional=False),
    "missing_classes": Metric(missing_classes, seen_by="judge", compares=True, conditional=False),
}
