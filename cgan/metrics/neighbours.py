"""Nearest neighbours among features, in blocks, so that memory does not grow with N squared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

Array = NDArray[np.float64]
ROWS = 2000  # queries between two updates of the progress bar
TINY = 1e-6  # of the typical length of a feature vector; smaller distances are rounding errors


@dataclass(frozen=True)
class Near:
    """The nearest others of each of N points: distances float64 [N, T] rising, indices [N, T]."""

    distances: Array
    indices: NDArray[np.int64]


def nearest_others(features: Array, count: int, progress: Progress | None = None) -> Near:
    """Return the `count` nearest other points of each point of `features` [N, F]; itself left out.

    The duplicate of a point is its neighbour at distance zero.

    Raises:
        InputError: there are not as many others.
    """
    n = len(features)
    if n <= count:
        raise InputError(f"{n} images are too few for {count} neighbours; take more than {count}")
    near = nearest_in(features, features, count + 1, progress)
    own = near.indices == np.arange(n)[:, None]
    own[:, -1] |= ~own.any(axis=1)  # among many duplicates a point may miss itself
    keep = ~own
    return Near(near.distances[keep].reshape(n, count), near.indices[keep].reshape(n, count))


def nearest_in(
    features: Array, among: Array, count: int = 1, progress: Progress | None = None
) -> Near:
    """Return the `count` points of `among` [M, F] nearest to each point of `features` [N, F]."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(among)
    blocks = []
    with (progress or Progress()).bar(len(features), "nearest neighbours") as bar:
        for start in range(0, len(features), ROWS):
            blocks.append(index.kneighbors(features[start : start + ROWS]))
            bar.advance(len(blocks[-1][0]))
    distances, indices = (np.concatenate(part) for part in zip(*blocks, strict=True))
    tiny = TINY * np.sqrt((among**2).sum(axis=1).mean())
    return Near(np.where(distances < tiny, 0.0, distances), indices)
