"""Decides which pairs of different images are nearly equal; no torch.

A pair is nearly equal if its difference is small compared with the distances to other images around
both. No fixed limit would do: sets of digits are dense, sets of photographs are not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgan.data.splitting.alignment import differences
from cgan.data.splitting.candidates import ROWS, Candidates, candidates
from cgan.data.splitting.thumbnails import Pictures, blocks, distance, nearness, restored, shifts
from cgan.runtime.progress import Bar

NEIGHBOUR = 100  # the distance to the neighbour of this rank is what pairs are compared with
SHARE = 5  # but at most this part of the set: one in so many
SAMPLE = 4096  # images among which neighbours are counted
UNRELATED = 1.0  # distances beyond this are between pictures with little in common
CANDIDATE, ACCEPTED = 0.4, 0.28  # of that distance: of thumbnails, and of aligned images
SAME = 0.03  # units of contrast; what differs less is noise


@dataclass(frozen=True)
class NearPairs:
    """Pairs of different images that are nearly equal.

    Attributes:
        pairs: int64 [P, 2], positions in the list of images that were compared.
        ratios: float32 [P], their difference as a part of what is allowed, at most 1.
        threshold: the median over all images of the difference that is allowed, in contrast units.
    """

    pairs: NDArray[np.int64]
    ratios: NDArray[np.float32]
    threshold: float


def near_pairs(pictures: Pictures, bar: Bar) -> NearPairs:
    """Return the pairs of nearly equal pictures.

    `bar` advances by one for each picture.
    """
    if len(pictures) < 2:
        return NearPairs(np.empty((0, 2), np.int64), np.empty(0, np.float32), SAME)
    scale = local_scale(pictures.small)
    found = candidates(pictures, np.maximum(SAME, CANDIDATE * scale), bar)
    allowed: NDArray[np.floating] = np.maximum(
        SAME, ACCEPTED * np.minimum(scale[found.moved], scale[found.fixed])
    )
    ratios = (_aligned(pictures, found) / allowed).astype(np.float32)
    near = ratios <= 1
    pairs = np.stack([found.moved, found.fixed], axis=1)[near]
    return NearPairs(pairs, ratios[near], max(SAME, ACCEPTED * float(np.median(scale))))


def local_scale(small: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the distance of each thumbnail [N, D] to its hundredth neighbour, estimated, [N]."""
    n = len(small)
    sample = restored(small[:SAMPLE])
    rank = min(n - 1, max(2, round(min(NEIGHBOUR, n / SHARE) * len(sample) / n)))
    scale = np.empty(n, np.float32)
    for start in range(0, n, ROWS):
        rows = nearness(restored(small[start : start + ROWS]), sample)
        own = np.arange(start, min(start + ROWS, len(sample)))
        rows[own - start, own] = -np.inf
        scale[start : start + ROWS] = np.partition(rows, -rank, axis=1)[:, -rank]
    return np.minimum(distance(scale), UNRELATED)


def _aligned(pictures: Pictures, found: Candidates) -> NDArray[np.float32]:
    """Return the differences of pairs of pictures after alignment, in contrast units."""
    differing = np.empty(len(found.moved), np.float32)
    for number, shift in enumerate(shifts(pictures.images)):
        chosen = np.flatnonzero(found.shift == number)
        for block in blocks(len(chosen), pictures.images):
            some = chosen[block]
            moved, fixed = pictures.pixels(found.moved[some]), pictures.pixels(found.fixed[some])
            differing[some] = differences(moved, fixed, shift)
    return differing
