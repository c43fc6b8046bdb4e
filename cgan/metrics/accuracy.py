"""How often the judged class is the requested one, with Wilson intervals; the confusion matrix."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.samples import Samples

Z95 = 1.959963984540054  # two-sided 95% point of the normal distribution


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927; Brown, Cai and DasGupta 2001, eq. 4).

    Args:
        successes: 0 to `n`.
        n: number of trials, 1 or more.
        z: normal point of the confidence, 1.96 for 95%.

    Raises:
        ValueError: `n` is not positive or `successes` lies outside 0 to `n`.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials is no proportion")
    p = successes / n
    middle = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    # Rounding must not leave the proportion itself, nor 0 to 1, outside.
    return max(0.0, min(p, (middle - half) / scale)), min(1.0, max(p, (middle + half) / scale))


def proportion(hits: NDArray[np.bool_]) -> dict[str, float]:
    """Return {value, low, high} of the share of True, with its 95% Wilson interval."""
    n, successes = len(hits), int(hits.sum())
    low, high = wilson(successes, n)
    return {"value": successes / n, "low": low, "high": high}


def accuracy(*, fake: Samples, real: Samples | None = None) -> dict[str, float]:
    """Return the share of `fake` whose judged class is its label, with its 95% interval."""
    return proportion(fake.judged == fake.labels)


def accuracy_per_class(*, fake: Samples) -> list[dict[str, float]]:
    """Return {digit, n, accuracy, low, high} for every class that has samples."""
    rows = []
    for digit in range(fake.n_classes):
        mine = fake.labels == digit
        if mine.any():
            share = proportion(fake.judged[mine] == digit)
            rows.append(
                {
                    "digit": digit,
                    "n": int(mine.sum()),
                    "accuracy": share["value"],
                    "low": share["low"],
                    "high": share["high"],
                }
            )
    return rows


def confusion(*, fake: Samples) -> NDArray[np.int64]:
    """Return counts int64 [K, K]: rows the requested class, columns the judged one."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(fake.labels, fake.judged, labels=list(range(fake.n_classes)))
