"""The classifier score: the inception score with the judge's posteriors."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import GROUPS, Value, groups_of, jackknife


def classifier_score(*, fake: Features) -> Value:
    """Return exp(mean over images of KL(p(y|x) || p(y))), 1 to K, in float64.

    Salimans et al. 2016, section 4, without splits. Near K the judge is sure of every image and
    all classes are equally frequent. It does not measure variety within a class.
    """
    posteriors, surprises = _posteriors(fake.logits)
    groups = groups_of(fake)
    counts = np.bincount(groups, minlength=GROUPS).astype(np.float64)
    sums = np.stack([posteriors[groups == g].sum(axis=0) for g in range(GROUPS)])
    entropies = np.bincount(groups, weights=surprises, minlength=GROUPS)

    def score(n: float, total: NDArray[np.float64], entropy: float) -> float:
        mean = total / n
        return math.exp(entropy / n - float((mean * np.log(np.maximum(mean, 1e-300))).sum()))

    value = score(counts.sum(), sums.sum(axis=0), float(entropies.sum()))
    without = np.array(
        [
            score(counts.sum() - n, sums.sum(axis=0) - total, float(entropies.sum() - entropy))
            for n, total, entropy in zip(counts, sums, entropies, strict=True)
        ]
    )
    return jackknife(value, without, lowest=1.0, highest=float(fake.n_classes))


def _posteriors(
    logits: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return p(y|x) [N, K] and sum_y p log p [N] of logits, without overflow."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    posteriors = np.exp(logs)
    return posteriors, (posteriors * logs).sum(axis=1)
