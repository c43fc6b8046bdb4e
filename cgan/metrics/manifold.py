"""Precision, recall, density and coverage, from k-nearest-neighbour balls."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import HALVINGS, T95, Value, groups_of, halves_error, halves_of, share
from cgan.metrics.neighbours import TINY, Array, Near, nearest_others
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

K = 5
LEAST_NEIGHBOURS = 4  # images, of which two halves have a neighbour each
BLOCK = 2**22  # distances in memory at a time


@dataclass(frozen=True)
class Balls:
    """Every point's ball reaches to its k-th nearest other point of its own kind, inclusive.

    The first row of each array [1 + HALVINGS, ...] is for all points. In row 1 + s the points are
    split at random into two halves, and each half is evaluated on its own.
    """

    k: int
    fake_halves: NDArray[np.bool_]  # [HALVINGS, M]
    real_halves: NDArray[np.bool_]  # [HALVINGS, N]
    fake_near: Near  # the nearest other generated images of each generated one
    fake_groups: NDArray[np.int64]  # [M]
    real_near: Near
    holders: NDArray[np.int64]  # [., M] how many real balls hold each generated image
    recalled: NDArray[np.bool_]  # [., N] whether any generated ball holds each real image
    covered: NDArray[np.bool_]  # [., N] whether each real ball holds any generated image


def neighbours_of(n: int) -> int:
    """Return k for `n` images: K, or fewer if half of them have no K others; 0: too few images."""
    return min(K, n // 2 - 1) if n >= LEAST_NEIGHBOURS else 0


def look(*, fake: Features, real: Features, k: int = K, progress: Progress | None = None) -> Balls:
    """Compare every generated with every real image, in blocks of at most BLOCK distances.

    Raises:
        InputError: no more than k images on a side.
    """
    few = min(len(fake), len(real))
    if few <= k:
        raise InputError(f"{few} images are too few for k = {k} neighbours; take more than {k}")
    progress = progress or Progress()
    centre = real.features.mean(axis=0, dtype=np.float64)
    points, reals = (samples.features - centre for samples in (fake, real))
    # more than k, because the k-th nearest in a half is further down the list
    near = [nearest_others(x, min(len(x) - 1, 4 * k + 20), progress) for x in (points, reals)]
    halves = [halves_of(samples) for samples in (fake, real)]
    radii = [_squared_radii(n, h, k) for n, h in zip(near, halves, strict=True)]
    holders = np.zeros((1 + HALVINGS, len(points)), np.int64)
    recalled = np.zeros((1 + HALVINGS, len(reals)), bool)
    covered = np.zeros((1 + HALVINGS, len(reals)), bool)
    rows = max(1, BLOCK // len(points))
    with progress.bar(len(reals), "precision and recall") as bar:
        for start in range(0, len(reals), rows):
            block = slice(start, start + rows)
            squared = _squared(reals[block], points)
            own, theirs = halves[1][:, block], halves[0]
            # pairs, because few points lie in a ball, so that each further split is cheap
            i, j, d = _pairs(squared, radii[1][:, block].max(axis=0)[:, None])
            for row, radius in enumerate(radii[1][:, block]):
                inside = d <= radius[i]
                if row:
                    inside &= own[row - 1, i] == theirs[row - 1, j]
                holders[row] += np.bincount(j[inside], minlength=len(points))
                covered[row, block] = np.bincount(i[inside], minlength=len(squared)) > 0
            i, j, d = _pairs(squared, radii[0].max(axis=0)[None, :])
            for row, radius in enumerate(radii[0]):
                inside = d <= radius[j]
                if row:
                    inside &= own[row - 1, i] == theirs[row - 1, j]
                recalled[row, block] = np.bincount(i[inside], minlength=len(squared)) > 0
            bar.advance(len(squared))
    return Balls(
        k,
        fake_halves=halves[0],
        real_halves=halves[1],
        fake_near=near[0],
        fake_groups=groups_of(fake),
        real_near=near[1],
        holders=holders,
        recalled=recalled,
        covered=covered,
    )


def precision(*, balls: Balls) -> Value:
    """Return the share of generated images in any real ball (Kynkäänniemi et al. 2019, eq. 2)."""
    return _share(balls.holders > 0, balls.fake_halves)


def recall(*, balls: Balls) -> Value:
    """Return the share of real images in any generated ball (Kynkäänniemi et al. 2019, eq. 2)."""
    return _share(balls.recalled, balls.real_halves)


def density(*, balls: Balls) -> Value:
    """Return how many real balls hold a generated image, by k (Naeem et al. 2020, eq. 3); real 1.

    Unlike precision, it is not inflated by the large ball of an outlier among the real images.
    """
    counts = balls.holders / balls.k
    value = float(counts[0].mean())
    half = T95 * halves_error(*_by_halves(counts, balls.fake_halves))
    return {"value": value, "low": max(0.0, value - half), "high": value + half}


def coverage(*, balls: Balls) -> Value:
    """Return the share of real balls that hold any generated image (Naeem et al. 2020, eq. 4)."""
    return _share(balls.covered, balls.real_halves)


def coverage_per_class(*, balls: Balls, real: Features) -> dict[int, float]:
    """Return {class: share of its real images whose ball holds any generated image}."""
    return {
        int(label): float(balls.covered[0][real.labels == label].mean())
        for label in np.unique(real.labels)
    }


def _share(hits: NDArray[np.bool_], halves: NDArray[np.bool_]) -> Value:
    """Return the share of hits [1 + HALVINGS, N] in row 0, with its interval."""
    return share(hits[0], halves_error(*_by_halves(hits, halves)))


def _by_halves(
    values: NDArray[np.float64] | NDArray[np.bool_], halves: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return the means [HALVINGS] of rows 1 + s over the first and over the second half of s."""
    pairs = zip(values[1:], halves, strict=True)
    means = np.array([(row[half].mean(), row[~half].mean()) for row, half in pairs])
    return means[:, 0], means[:, 1]


def _squared_radii(near: Near, halves: NDArray[np.bool_], k: int) -> Array:
    """Return squared radii [1 + HALVINGS, N]: row 0 among all points, then within each's own half.

    Where the list of neighbours is too short for a half, its last one stands in. A billionth is
    added, because the same distance is computed twice and rounded twice: it must count as equal.
    """
    radii = np.empty((1 + HALVINGS, len(near.distances)))
    radii[0] = near.distances[:, k - 1]
    for split, half in enumerate(halves):
        rank = (half[near.indices] == half[:, None]).cumsum(axis=1) >= k
        last = np.where(rank.any(axis=1), rank.argmax(axis=1), rank.shape[1] - 1)
        radii[1 + split] = near.distances[np.arange(len(half)), last]
    return radii**2 * (1 + 1e-9)


def _squared(rows: Array, columns: Array) -> Array:
    """Return squared distances [R, C]; what is rounding only is zero."""
    products = rows @ columns.T
    products *= -2.0
    products += (rows**2).sum(axis=1)[:, None]
    products += (columns**2).sum(axis=1)[None, :]
    tiny = TINY**2 * (columns**2).sum(axis=1).mean()
    products[products < tiny] = 0.0
    return products


def _pairs(squared: Array, bound: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return rows, columns and squared distances of the pairs within `bound`."""
    row, column = np.nonzero(squared <= bound)
    return row, column, squared[row, column]
