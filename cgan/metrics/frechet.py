"""FCD, the Fréchet classifier distance between two sets of features, modelled as Gaussians."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cgan.metrics.features import Features
from cgan.metrics.intervals import GROUPS, Value, groups_of, jackknife
from cgan.runtime.errors import InputError

Array = NDArray[np.float64]


def frechet_distance(mean: Array, cov: Array, other_mean: Array, other_cov: Array) -> float:
    """Return |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), 0 or more.

    Dowson and Landau 1982, eq. 5; Heusel et al. 2017, eq. 6. The trace of the root is the sum of
    the roots of the eigenvalues of C^(1/2) C' C^(1/2), which is symmetric: no matrix root of an
    asymmetric matrix, no imaginary parts.

    Args:
        mean: float64 [F].
        cov: float64 [F, F].
        other_mean: float64 [F].
        other_cov: float64 [F, F].
    """
    values, vectors = np.linalg.eigh(cov)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ other_cov @ root)
    shared = np.sqrt(np.maximum(product, 0.0)).sum()
    distance = ((mean - other_mean) ** 2).sum() + np.trace(cov) + np.trace(other_cov) - 2 * shared
    return max(0.0, float(distance))


def fcd(*, fake: Features, real: Features) -> Value:
    """Return {value, low, high, extrapolated} of the distance of the features' moments.

    The value is too large by an amount that falls as 1/N, most visibly for a good generator, so
    compare values of equal N only; `extrapolated` is the jackknife's estimate for N to infinity
    (Quenouille 1956: G x - (G - 1) mean x_g), which can be below zero by chance. The interval is
    for the value at this N.

    Raises:
        InputError: no more images than features, so that a covariance is singular.
    """
    require_covariance(min(len(fake), len(real)), fake.features.shape[1])
    parts = [_Moments(samples, real.features.mean(axis=0)) for samples in (fake, real)]
    with threadpool_limits(1, "blas"):  # on matrices this small, threads only add overhead
        value, *without = (
            frechet_distance(*parts[0].without(g), *parts[1].without(g))
            for g in (None, *range(GROUPS))
        )
    extrapolated = GROUPS * value - (GROUPS - 1) * float(np.mean(without))
    return {**jackknife(value, np.array(without), lowest=0.0), "extrapolated": extrapolated}


def has_covariance(n: int, n_features: int) -> bool:
    """Return whether `n` images have a covariance of full rank."""
    return n > n_features


def require_covariance(n: int, n_features: int) -> None:
    """Check that `n` images have a covariance of full rank.

    Raises:
        InputError: no more images than features.
    """
    if not has_covariance(n, n_features):
        raise InputError(
            f"{n} images are too few for a covariance of {n_features} features; take "
            f"{n_features + 1} or more"
        )


def fcd_per_class(*, fake: Features, real: Features) -> dict[int, Value]:
    """Return {class: `fcd`} for every class with more images than features on both sides."""
    n_features = fake.features.shape[1]
    found = {}
    for label in range(fake.n_classes):
        mine, theirs = fake.labels == label, real.labels == label
        if has_covariance(min(mine.sum(), theirs.sum()), n_features):
            found[label] = fcd(fake=fake.take(mine), real=real.take(theirs))
    return found


class _Moments:
    """Counts, sums and products of features by group, so that leaving one out is cheap."""

    def __init__(self, samples: Features, centre: NDArray[np.float32]):
        """Sum the features about `centre` [F], which keeps the products small and exact."""
        groups = groups_of(samples)
        parts = [(samples.features[groups == g].astype(np.float64) - centre) for g in range(GROUPS)]
        self.counts = np.array([len(part) for part in parts])
        self.sums = np.stack([part.sum(axis=0) for part in parts])
        self.products = np.stack([part.T @ part for part in parts])
        self.totals = self.sums.sum(axis=0), self.products.sum(axis=0)

    def without(self, group: int | None) -> tuple[Array, Array]:
        """Return mean [F] and covariance [F, F] (divided by N - 1) without a group, or of all."""
        n, (total, product) = int(self.counts.sum()), self.totals
        if group is not None:
            n -= int(self.counts[group])
            total, product = total - self.sums[group], product - self.products[group]
        mean = total / n
        return mean, (product - n * np.outer(mean, mean)) / (n - 1)
