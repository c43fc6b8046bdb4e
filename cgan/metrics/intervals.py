"""95% intervals: Wilson's for a proportion; for the rest the jackknife, or random halves."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features

Value = dict[str, float]
Z95 = 1.959963984540054  # two-sided 95% point of the normal distribution
GROUPS = 20  # of the jackknife
HALVINGS = 19  # into random halves
T95 = 2.093024054408263  # the same of Student's t with 19 degrees of freedom


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
    return _score(successes / n, n, z)


def _score(p: float, n: float, z: float) -> tuple[float, float]:
    middle = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    # Rounding must not leave the proportion itself, nor 0 to 1, outside.
    return max(0.0, min(p, (middle - half) / scale)), min(1.0, max(p, (middle + half) / scale))


def proportion(hits: NDArray[np.bool_]) -> Value:
    """Return {value, low, high} of the share of True, with its 95% Wilson interval."""
    n, successes = len(hits), int(hits.sum())
    low, high = wilson(successes, n)
    return {"value": successes / n, "low": low, "high": high}


def mean_proportion(successes: NDArray[np.int64], trials: NDArray[np.int64]) -> Value:
    """Return {value, low, high} of the mean of the proportions of K strata, of equal weight.

    The interval is Wilson's for the effective number of trials: as many independent ones as have
    the variance of the mean (Korn and Graubard 1998), sum p (1 - p) / (n - 1) / K^2. It is at most
    K^2 / sum(1 / n), their number if all proportions are equal, because a stratum without a failure
    hides its variance.

    Args:
        successes: [K].
        trials: n, 1 or more, [K].
    """
    shares = successes / trials
    p, k = float(shares.mean()), len(shares)
    variance = float((shares * (1 - shares) / np.maximum(trials - 1, 1)).sum()) / k**2
    most = k**2 / float((1 / trials).sum())
    effective = min(most, p * (1 - p) / variance) if variance > 0 else most
    low, high = _score(p, effective, Z95)
    return {"value": p, "low": low, "high": high}


def groups_of(samples: Features) -> NDArray[np.int64]:
    """Return the jackknife group [N], 0 to GROUPS - 1, of each sample.

    Random with a fixed seed, and stratified by class: the number of images of each class is
    fixed, so it is no source of uncertainty.
    """
    return _dealt(samples, GROUPS, np.random.default_rng(0))


def halves_of(samples: Features) -> NDArray[np.bool_]:
    """Return HALVINGS random halves, bool [HALVINGS, N], stratified by class."""
    random = np.random.default_rng(0)
    return np.stack([_dealt(samples, 2, random) == 0 for _ in range(HALVINGS)])


def _dealt(samples: Features, hands: int, random: np.random.Generator) -> NDArray[np.int64]:
    order = random.permutation(len(samples))
    by_class = order[np.argsort(samples.labels[order], kind="stable")]
    dealt = np.empty(len(samples), np.int64)
    dealt[by_class] = np.arange(len(samples)) % hands
    return dealt


def jackknife(
    value: float,
    without: NDArray[np.float64],
    *,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> Value:
    """Return {value, low, high} with the 95% interval of the delete-a-group jackknife.

    The standard error is sqrt((G - 1) / G * sum((x_g - mean x)^2)) over the G values `without` one
    group each (Efron and Tibshirani 1993, eq. 11.5, on groups), times Student's t. It is used
    where a bootstrap is misleading: resampled images repeat, so they are nearest neighbours at
    distance zero, and they are further from the true distribution than the images themselves.

    Args:
        value: of all samples.
        without: [GROUPS], the value with one group of the samples left out, of the generated and
            of the real ones at once (they are independent, so their variances add).
        lowest: the interval ends here.
        highest: and here.
    """
    error = jackknife_error(without)
    low, high = value - T95 * error, value + T95 * error
    return {"value": value, "low": max(lowest, low), "high": min(highest, high)}


def jackknife_error(without: NDArray[np.float64]) -> float:
    """Return the standard error from the values [GROUPS] without one group each."""
    count = len(without)
    return math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))


def halves_error(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the standard error from the values [HALVINGS] of both halves of each random split.

    Two halves that share no sample are independent, so half the mean of (a - b)^2 over the splits
    is an unbiased variance at N / 2, and half of that the variance at N, even if the samples
    interact. The jackknife counts an interaction of r samples r times, and nearest-neighbour balls
    consist of such interactions.

    Args:
        first: of the first half of each split.
        second: of the second half.
    """
    return math.sqrt(float(((first - second) ** 2).mean()) / 4)


def share(hits: NDArray[np.bool_], error: float) -> Value:
    """Return {value, low, high} of a share whose hits also depend on the other samples.

    The interval is Wilson's, for as many independent hits as would have the standard error
    `error`, and never more than there are (the effective sample size of survey statistics).
    """
    n, p, variance = len(hits), float(hits.mean()), error**2
    effective = min(n, p * (1 - p) / variance) if variance > 0 and 0 < p < 1 else n
    low, high = _score(p, effective, T95)
    return {"value": p, "low": low, "high": high}
