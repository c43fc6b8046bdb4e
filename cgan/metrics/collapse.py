"""Mode collapse, by class and by region of feature space, compared with real images."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import (
    GROUPS,
    Z95,
    Value,
    groups_of,
    jackknife,
    proportion,
    wilson,
)

MISSING_BELOW = 0.1  # a class with less than this share of its expected count is missing
BINS = 100
LEAST = 20  # real images per bin on average; fewer images give fewer bins
FITTED = 10_000  # training images to which the bins are fitted


def expected_shares(
    *, fake: Features, real: Features, pseudo_count: float = 0.0
) -> NDArray[np.float64]:
    """Return the judged shares [K] that real images of the requested classes would have.

    Real images are reweighted to the label distribution of `fake`, so that an unbalanced test set
    does not count against a generator with balanced labels. Without requested labels, real images
    are not weighted. `pseudo_count` images are added
    to every judged class.
    """
    k = fake.n_classes
    weights = np.ones(k)
    if fake.requested:
        requested = np.bincount(fake.labels, minlength=k)
        present = np.bincount(real.labels, minlength=k)
        weights = requested / np.maximum(present, 1) * (len(real) / len(fake))
    shares = np.bincount(real.judged, weights=weights[real.labels], minlength=k) + pseudo_count
    return shares / shares.sum()


def judged_shares(samples: Features) -> NDArray[np.float64]:
    """Return the shares [K] of the judged classes."""
    return np.bincount(samples.judged, minlength=samples.n_classes) / len(samples)


def divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Return the Kullback-Leibler divergence of p [K] from q [K], in nats; 0 log 0 = 0.

    Infinite where p has mass and q has none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return max(float(terms.sum()), 0.0)


def class_kl(*, fake: Features, real: Features) -> Value:
    """Return the divergence of the judged shares from the expected ones, in nats.

    Half an image is added to each expected class (Jeffreys' prior), so that a class without any
    real image does not make it infinite.
    """
    fake_groups, real_groups = groups_of(fake), groups_of(real)

    def value(one: Features, other: Features) -> float:
        expected = expected_shares(fake=one, real=other, pseudo_count=0.5)
        return divergence(judged_shares(one), expected)

    whole = value(fake, real)
    without = [
        value(fake.take(fake_groups != g), real.take(real_groups != g)) for g in range(GROUPS)
    ]
    # its root is nearly normal; the divergence itself is skewed like chi-square
    root = jackknife(math.sqrt(whole), np.sqrt(without), lowest=0.0)
    return {"value": whole, "low": root["low"] ** 2, "high": root["high"] ** 2}


def histogram(*, fake: Features, real: Features) -> list[dict[str, float]]:
    """Return {class, generated, low, high, real} for every class.

    `generated` is the number of images that the judge assigns to the class, `low` and `high` the
    ends of its 95% Wilson interval as counts. `real` is the number expected from real images.
    """
    counts = np.bincount(fake.judged, minlength=fake.n_classes)
    expected = expected_shares(fake=fake, real=real) * len(fake)
    rows = []
    for label, (count, due) in enumerate(zip(counts, expected, strict=True)):
        low, high = (end * len(fake) for end in wilson(int(count), len(fake)))
        row = {
            "class": label,
            "generated": int(count),
            "low": low,
            "high": high,
            "real": float(due),
        }
        rows.append(row)
    return rows


def missing_classes(*, fake: Features, real: Features) -> Value:
    """Return how many classes have less than a tenth of the count expected from real images.

    The interval counts the classes whose 95% Wilson interval lies below that, or reaches below. A
    class without real images cannot be missing, even if a real image of another one is judged so.
    """
    present = set(real.labels.tolist())
    rows = [row for row in histogram(fake=fake, real=real) if row["class"] in present]
    value, low, high = (
        float(sum(row[end] < MISSING_BELOW * row["real"] for row in rows))
        for end in ("generated", "high", "low")
    )
    return {"value": value, "low": low, "high": high}


def ndb(*, fake: Features, real: Features, train: Features) -> Value:
    """Return the share of bins whose counts differ at the 5% level (Richardson and Weiss 2018).

    The bins are the k-means cells of the training features, BINS of them or one for every LEAST
    real images. In each, the shares of generated and of held-out real images are compared by a
    two-proportion z-test (their section 2). Images of the real distribution have about 0.05; the
    value grows with N. The interval is Wilson's over the bins. NaN if there are real images for one
    bin only.
    """
    from sklearn.cluster import KMeans

    n_bins = min(BINS, len(real) // LEAST)
    if n_bins < 2:
        return dict.fromkeys(("value", "low", "high"), math.nan)
    chosen = np.random.default_rng(0).permutation(len(train))[:FITTED]
    cells = KMeans(n_bins, n_init=1, random_state=0)
    cells.fit(train.features[chosen].astype(np.float64))
    counts = [
        np.bincount(cells.predict(samples.features.astype(np.float64)), minlength=n_bins)
        for samples in (fake, real)
    ]
    return proportion(different_bins(*counts))


def different_bins(fake: NDArray[np.int64], real: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for which bins [B] the proportions differ by a pooled z-test at the 5% level."""
    n, m = fake.sum(), real.sum()
    pooled = (fake + real) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    gap = np.abs(fake / n - real / m)
    return gap > Z95 * error
