"""NDB: in how many regions of feature space the generator draws too often or too rarely."""

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import Z95, Value, proportion

BINS = 100
LEAST = 20  # real images a bin, on average; with fewer images there are fewer bins
FITTED = 10_000  # training images by which the bins are drawn


def ndb(*, fake: Features, real: Features, train: Features) -> Value:
    """Return the share of bins whose counts differ at the 5% level (Richardson and Weiss 2018).

    The bins are the k-means cells of the training features, BINS of them or one for every LEAST
    real images. In each, the shares of generated and of held-out real images are compared by a
    two-proportion z-test (their section 2). Images drawn like the real ones come out near 0.05;
    the value grows with N. The interval is Wilson's over the bins.
    """
    from sklearn.cluster import KMeans

    n_bins = max(2, min(BINS, len(real) // LEAST))
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
