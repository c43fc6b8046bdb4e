"""Mode collapse by class: how the judged classes of generated images differ from real ones."""

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.samples import Samples

REPETITIONS = 1000
MISSING_BELOW = 0.1  # a class with less than this share of its due is missing


def expected_shares(*, fake: Samples, real: Samples) -> NDArray[np.float64]:
    """Return the judged shares [K] that real images of the requested classes would have.

    Real images are weighted class by class to the mix of labels in `fake`, so a generator that
    is asked for every digit equally often is not blamed for the unequal counts of a test set.
    """
    k = fake.n_classes
    requested = np.bincount(fake.labels, minlength=k)
    present = np.bincount(real.labels, minlength=k)
    weights = requested / np.maximum(present, 1)
    shares = np.bincount(real.judged, weights=weights[real.labels], minlength=k)
    return shares / shares.sum()


def judged_shares(samples: Samples) -> NDArray[np.float64]:
    """Return the shares [K] of the judged classes."""
    return np.bincount(samples.judged, minlength=samples.n_classes) / len(samples)


def divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Kullback-Leibler divergence of p [..., K] from q [K], in nats; 0 log 0 = 0.

    Infinite where p has mass and q has none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return np.maximum(terms.sum(axis=-1), 0.0)


def class_kl(*, fake: Samples, real: Samples) -> dict[str, float]:
    """Return the divergence of the judged shares from the expected ones, in nats.

    The 95% interval is a basic bootstrap over the judged classes: it is reflected about the
    value, because resampled histograms are further from the truth than the observed one.
    """
    expected = expected_shares(fake=fake, real=real)
    observed = judged_shares(fake)
    value = float(divergence(observed, expected))
    draws = np.random.default_rng(0).multinomial(len(fake), observed, size=REPETITIONS)
    low, high = np.quantile(divergence(draws / len(fake), expected), [0.025, 0.975])
    return {
        "value": value,
        "low": max(0.0, 2 * value - float(high)),
        "high": max(value, 2 * value - float(low)),
    }


def missing_classes(*, fake: Samples, real: Samples) -> dict[str, float]:
    """Return how many classes get less than a tenth of the share that real images would give.

    The interval counts the classes whose 95% Wilson interval lies below, or reaches below, it.
    """
    from cgan.metrics.accuracy import wilson

    due = MISSING_BELOW * expected_shares(fake=fake, real=real)
    counts = np.bincount(fake.judged, minlength=fake.n_classes)
    bounds = np.array([wilson(int(count), len(fake)) for count in counts])
    return {
        "value": float((counts / len(fake) < due).sum()),
        "low": float((bounds[:, 1] < due).sum()),
        "high": float((bounds[:, 0] < due).sum()),
    }
