"""Collapse within a class: the variance of the images of one label, relative to real ones."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import Z95, Value

ENOUGH = 20  # images of a class; fewer give no valid interval


def diversity_per_class(*, fake: Features, real: Features) -> dict[int, Value]:
    """Return {class: {value, low, high}} for every class with ENOUGH images in both.

    The value is the total variance of the features (the trace of their covariance) of the
    generated images of a label, divided by that of the real images of the label: 1 for a perfect
    generator, 0 for one that always generates the same image. The 95% interval is that of a ratio
    of two means of squared distances (delta method, on the logarithm: a few odd images make up
    much of a variance, so the upper end is the further one).
    """
    found = {}
    for label in range(fake.n_classes):
        parts = [s.features[s.labels == label].astype(np.float64) for s in (fake, real)]
        if min(map(len, parts)) < ENOUGH:
            continue
        (spread, error), (spread_real, error_real) = (_spread(part) for part in parts)
        if spread_real == 0:
            continue
        ratio = spread / spread_real
        relative = math.hypot(error / spread if spread else 0.0, error_real / spread_real)
        factor = math.exp(Z95 * relative)
        found[label] = {"value": ratio, "low": ratio / factor, "high": ratio * factor}
    return found


def intra_class_diversity(*, fake: Features, real: Features) -> Value:
    """Return the mean over the classes of `diversity_per_class`, with its 95% interval."""
    rows = list(diversity_per_class(fake=fake, real=real).values())
    if not rows:
        return dict.fromkeys(("value", "low", "high"), math.nan)
    value = float(np.mean([row["value"] for row in rows]))
    below, above = (
        math.hypot(*(row[end] - row["value"] for row in rows)) / len(rows)
        for end in ("low", "high")
    )
    return {"value": value, "low": max(0.0, value - below), "high": value + above}


def _spread(features: NDArray[np.float64]) -> tuple[float, float]:
    """Return the total variance of [N, F] features and the standard error of that variance."""
    n = len(features)
    distances = ((features - features.mean(axis=0)) ** 2).sum(axis=1) * (n / (n - 1))
    return float(distances.mean()), float(distances.std(ddof=1) / math.sqrt(n))
