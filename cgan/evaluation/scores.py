"""Computes scores from features: metrics with their values for real images, per class, warnings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cgan.metrics.accuracy import accuracy_per_class, confusion
from cgan.metrics.collapse import LEAST
from cgan.metrics.diversity import ENOUGH, diversity_per_class
from cgan.metrics.frechet import fcd_per_class
from cgan.metrics.intervals import Value
from cgan.metrics.manifold import LEAST_NEIGHBOURS, coverage_per_class
from cgan.metrics.registry import METRICS, Inputs, Metric
from cgan.metrics.results import (
    ClassRow,
    HistogramRow,
    QualityWarning,
    Score,
    finite,
    histogram_rows,
)
from cgan.metrics.warnings import Found, find_warnings

NO_LABELS = "it needs requested classes, and these images have none"
NO_GUIDE = "no guide is known; --guide names the classifier that guided the training"
NO_STUDENT = "left out to save time; --gan-train-images sets the number of training images"
NO_COPYING = "left out to save time; --copying adds the search of all training images"
NEEDED = {
    "guide_accuracy": NO_GUIDE,
    "guide_gap": NO_GUIDE,
    "gan_train_accuracy": NO_STUDENT,
    "copying_z": NO_COPYING,
}
NO_COVARIANCE = "it needs {least} images to compare with, and there are {n}"
NO_BALLS = f"it needs {LEAST_NEIGHBOURS} images to compare with, and there are {{n}}"
TOO_FEW = {
    "fcd": NO_COVARIANCE,
    **dict.fromkeys(("precision", "recall", "density", "coverage", "duplicate_rate"), NO_BALLS),
    "ndb": f"it needs {2 * LEAST} images to compare with, and there are {{n}}",
    "copying_z": "too few distinct images",
    "intra_class_diversity": f"every {{noun}} has fewer than {ENOUGH} images",
}


@dataclass(frozen=True)
class Scores:
    """The parts of results.json that compare generated with real images."""

    metrics: dict[str, Score]
    left_out: dict[str, str]  # why a metric has no score
    per_class: list[ClassRow]
    confusion: list[list[int]] | None
    histogram: list[HistogramRow]
    warnings: list[QualityWarning]


def score(
    fake: Inputs, real: Inputs, *, noun: str, nouns: str, names: Sequence[str] = ()
) -> Scores:
    """Score generated images, and held-out real images the same way.

    Args:
        fake: inputs of the generated images.
        real: inputs of held-out real images, compared with the same reference.
        noun: the word for a class of the data set.
        nouns: its plural.
        names: of the classes; empty: they are called by their labels.
    """
    scores: dict[str, Score] = {}
    left_out: dict[str, str] = {}
    requested = fake.all.requested
    for name, metric in METRICS.items():
        value = metric.compute(fake) if requested or not metric.needs_labels else None
        if value is None or math.isnan(value["value"]):
            few = value is not None or name not in NEEDED
            reason = TOO_FEW.get(name, "too few images") if few else NEEDED[name]
            if metric.needs_labels and not requested:
                reason = NO_LABELS
            facts = {"n": len(fake.real), "least": fake.real.features.shape[1] + 1, "noun": noun}
            left_out[name] = reason.format(**facts)
        else:
            scores[name] = _beside_real(metric, value, fake, real)
    per_class = _per_class(fake, real)
    counts = histogram_rows(fake.all, fake.real)
    table = confusion(fake=fake.all).tolist() if requested else None
    warnings = find_warnings(Found(scores, per_class, counts, nouns, names))
    return Scores(scores, left_out, per_class, table, counts, warnings)


def _beside_real(metric: Metric, value: Value, fake: Inputs, real: Inputs) -> Score:
    known: Mapping[str, float] = metric.compute(real) or {}
    return Score(
        value=float(value["value"]),
        low=finite(value["low"]),
        high=finite(value["high"]),
        extrapolated=finite(value.get("extrapolated")),
        real=finite(known.get("value")),
        real_low=finite(known.get("low")),
        real_high=finite(known.get("high")),
        n=metric.counted(fake),
        real_n=metric.counted(real),
    )


def _per_class(fake: Inputs, real: Inputs) -> list[ClassRow]:
    """Return a row for every requested class, or without requests for every predicted class."""
    requested, reference = fake.fake.requested, fake.real
    diversity = diversity_per_class(fake=fake.fake, real=reference)
    distances = fcd_per_class(fake=fake.fake, real=reference)
    real_distances = fcd_per_class(fake=real.fake, real=reference)
    covered, real_covered = (
        {} if each.balls is None else coverage_per_class(balls=each.balls, real=reference)
        for each in (fake, real)
    )
    rows = []
    for label, share in accuracy_per_class(fake=fake.all).items():
        spread, distance = diversity.get(label, {}), distances.get(label, {})
        rows.append(
            ClassRow(
                label=label,
                n=int(share["n"]),
                accuracy=share["value"] if requested else None,
                low=share["low"] if requested else None,
                high=share["high"] if requested else None,
                coverage=finite(covered.get(label)),
                coverage_real=finite(real_covered.get(label)),
                diversity=finite(spread.get("value")),
                diversity_low=finite(spread.get("low")),
                diversity_high=finite(spread.get("high")),
                fcd=finite(distance.get("value")),
                fcd_low=finite(distance.get("low")),
                fcd_high=finite(distance.get("high")),
                fcd_real=finite(real_distances.get(label, {}).get("value")),
            )
        )
    return rows
