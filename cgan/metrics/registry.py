"""Metrics by name: arrays in, a dict out; no training code, no torch."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cgan.metrics.accuracy import accuracy, flattery
from cgan.metrics.bins import ndb
from cgan.metrics.classifier_score import classifier_score
from cgan.metrics.collapse import class_kl, missing_classes
from cgan.metrics.copying import copying_z
from cgan.metrics.diversity import intra_class_diversity
from cgan.metrics.duplicates import duplicate_rate
from cgan.metrics.frechet import fcd
from cgan.metrics.intervals import Value
from cgan.metrics.manifold import coverage, density, precision, recall


class Metric(NamedTuple):
    """One row: the function, what it is given, which way is better, and when it makes sense.

    `function` takes keyword arguments only and returns {value, low, high} with a 95% interval.
    `views` names what each argument is: "all" are the Samples that the judge saw of the generated
    images, "fake" as many of them as there are test images, "real" those of the test images;
    "guide" is what the guide saw of all the generated ones, "student" what a classifier trained on
    generated images saw of the test images, "balls" who lies in whose ball. The other views are
    those of copying. `cgan.evaluation.views` makes them.
    """

    function: Callable[..., Value]
    views: Mapping[str, str]
    better: str  # "high", "low" or "real": as near to the value of real images as can be
    needs_labels: bool = False  # makes no sense where no label was requested


ALL, BALLS = {"fake": "all"}, {"balls": "balls"}
FAKE_REAL = {"fake": "fake", "real": "real"}
COPIES = {
    name: name for name in ("distinct", "held_out", "train", "distances", "held_out_distances")
}

METRICS: dict[str, Metric] = {
    "judge_accuracy": Metric(accuracy, ALL, "high", needs_labels=True),
    "guide_accuracy": Metric(accuracy, {"fake": "guide"}, "high", needs_labels=True),
    "flattery": Metric(flattery, {"judge": "all", "guide": "guide"}, "real", needs_labels=True),
    "classifier_score": Metric(classifier_score, ALL, "high"),
    "fcd": Metric(fcd, FAKE_REAL, "low"),
    "precision": Metric(precision, BALLS, "high"),
    "recall": Metric(recall, BALLS, "high"),
    "density": Metric(density, BALLS, "real"),
    "coverage": Metric(coverage, BALLS, "high"),
    "gan_train_accuracy": Metric(accuracy, {"fake": "student"}, "high", needs_labels=True),
    "class_kl": Metric(class_kl, FAKE_REAL, "low"),
    "missing_classes": Metric(missing_classes, FAKE_REAL, "low"),
    "ndb": Metric(ndb, FAKE_REAL | {"train": "train"}, "low"),
    "intra_class_diversity": Metric(intra_class_diversity, FAKE_REAL, "real"),
    "duplicate_rate": Metric(duplicate_rate, BALLS, "low"),
    "copying_z": Metric(copying_z, COPIES, "real"),
}


def measure(name: str, views: Mapping[str, Any]) -> Value | None:
    """Return what a metric makes of the views, or None where one of those it needs is not there."""
    metric = METRICS[name]
    if any(views.get(view) is None for view in metric.views.values()):
        return None
    return metric.function(**{argument: views[view] for argument, view in metric.views.items()})
