"""Data copying: whether generated images are nearer to the training images than new real ones."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import GROUPS, Value, groups_of, jackknife

CELLS = 10
LEAST = 50  # images per cell on average; fewer images give fewer cells
FEWEST = 20  # images of each kind in a cell that counts
FITTED = 10_000  # training images to which the cells are fitted


def copying_z(
    *,
    distinct: Features,
    held_out: Features,
    train: Features,
    distances: NDArray[np.float64],
    held_out_distances: NDArray[np.float64],
) -> Value:
    """Return C_T, the data-copying statistic of Meehan et al. 2020 (section 3, eq. 2).

    Within each of at most CELLS k-means cells of the training features, the Mann-Whitney z of the
    generated images' distances to the nearest training image against those of held-out real
    images; then their mean, weighted by the held-out images in each cell. Far below 0:
    training images are memorised. Near 0: the images are as far from the training images as
    held-out real ones. Above: they are further away, so the generator underfits.
    It grows with the root of N; NaN where no cell holds FEWEST images of each kind.

    Args:
        distinct: generated images without repeats, which are no new evidence.
        held_out: real images that the generator was not trained on.
        train: the images that it was trained on.
        distances: float64 [len(distinct)], to the nearest training image.
        held_out_distances: float64 [len(held_out)], to the nearest training image.
    """
    from sklearn.cluster import KMeans

    n_cells = max(1, min(CELLS, len(distinct) // LEAST, len(held_out) // LEAST))
    chosen = np.random.default_rng(0).permutation(len(train))[:FITTED]
    fitted = KMeans(n_cells, n_init=1, random_state=0)
    fitted.fit(train.features[chosen].astype(np.float64))
    cells = [
        fitted.predict(samples.features.astype(np.float64)) for samples in (distinct, held_out)
    ]
    counts = [np.bincount(mine, minlength=n_cells) for mine in cells]
    counted = np.flatnonzero(np.minimum(*counts) >= FEWEST)
    if not len(counted):
        return dict.fromkeys(("value", "low", "high"), math.nan)
    groups = [groups_of(samples) for samples in (distinct, held_out)]

    def statistic(left_out: int) -> float:
        kept = [g != left_out for g in groups]
        scores = [
            mann_whitney_z(
                distances[kept[0] & (cells[0] == cell)],
                held_out_distances[kept[1] & (cells[1] == cell)],
            )
            for cell in counted
        ]
        return float(np.average(scores, weights=counts[1][counted]))

    return jackknife(statistic(-1), np.array([statistic(g) for g in range(GROUPS)]))


def mann_whitney_z(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the normal score of the U statistic; below 0 where `one` tends to be smaller.

    Ties count half, and the variance is corrected for them (Mann and Whitney 1947). 0 where all
    values are equal.
    """
    n, m = len(one), len(other)
    ranked = np.sort(other)
    below = np.searchsorted(ranked, one, "left") + np.searchsorted(ranked, one, "right")
    u = float(below.sum()) / 2  # pairs in which `one` is larger
    _, ties = np.unique(np.concatenate([one, other]), return_counts=True)
    total = n + m
    variance = (
        n
        * m
        / 12
        * (total + 1 - float((ties.astype(float) ** 3 - ties).sum()) / (total * (total - 1)))
    )
    return (u - n * m / 2) / math.sqrt(variance) if variance > 0 else 0.0
