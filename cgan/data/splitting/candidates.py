"""Finds pairs of images with close thumbnails, without comparing each with each; no torch.

An inverted file: some images, chosen at random, are the centres of cells. Every image lies in the
cell of its nearest centre, and is compared with the images in the nearest few cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.splitting.thumbnails import (
    Floats,
    Pictures,
    distance,
    nearness,
    restored,
    shifts,
    thumbnails,
)
from cgan.runtime.progress import Bar

IN_CELL = 128  # images, on average
MOST_CELLS = 4096
PROBES = 3  # cells in which an image is compared
COMPARED = IN_CELL * PROBES  # no more than these are compared each with each
MOST_PARTNERS = 5  # of one image; the nearest
MOST_COMPARED = 4096  # images of a cell; more are in one only if they hardly differ
MANY = 32  # close images for each of some; not all of them are returned
ROWS = 2048  # vectors in memory at one time


@dataclass(frozen=True)
class Candidates:
    """Pairs of a moved picture and a fixed one, arrays [P].

    Attributes:
        moved: position of the first picture.
        fixed: position of the second one.
        distance: of their thumbnails, in units of contrast.
        shift: number of the shift in `shifts`.
    """

    moved: NDArray[np.int64]
    fixed: NDArray[np.int64]
    distance: NDArray[np.float32]
    shift: NDArray[np.int64]

    def chosen(self, which: NDArray[np.intp]) -> "Candidates":
        """Return some of them."""
        return Candidates(*(part[which] for part in self.columns()))

    def once(self, *, directed: bool = False) -> "Candidates":
        """Return each pair once, with its nearest shift.

        If `directed`, a pair with the other one moved is another pair.
        """
        low, high = self.moved, self.fixed
        if not directed:
            low, high = np.minimum(low, high), np.maximum(low, high)
        order = np.lexsort((self.shift, self.moved, self.distance, high, low))
        low, high = low[order], high[order]
        first = np.ones(len(order), bool)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        return self.chosen(order[first])

    def nearest(self, most: int) -> "Candidates":
        """Return the nearest pairs of each moved picture."""
        order = np.lexsort((self.fixed, self.distance, self.moved))
        moved = self.moved[order]
        rank = np.arange(len(order)) - np.searchsorted(moved, moved)
        return self.chosen(order[rank < most])

    def columns(self) -> tuple[NDArray[Any], ...]:
        """Return all arrays, in their order."""
        return self.moved, self.fixed, self.distance, self.shift


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Return the pairs of several lists."""
    columns = zip(*(part.columns() for part in parts), strict=True)
    return Candidates(*map(np.concatenate, columns))


def candidates(pictures: Pictures, limits: NDArray[np.float32], bar: Bar) -> Candidates:
    """Return the pairs of pictures whose thumbnails are nearer than the limits [n] of both.

    Each pair is returned once. `bar` advances by one for each picture.
    """
    cells = _Cells(pictures.small, limits)
    found = []
    for positions, block in pictures.read():
        hits = [
            cells.close(positions, vectors, number)
            for number, vectors in enumerate(thumbnails(block, shifts(pictures.images)))
        ]
        found.append(joined(hits).once(directed=True).nearest(MOST_PARTNERS))
        bar.advance(len(positions))
    return joined(found).once()


class _Cells:
    """Thumbnails by the cell in which they lie."""

    def __init__(self, small: NDArray[np.int8], limits: NDArray[np.float32]):
        self._small, self._limits = small, limits
        self._centres = restored(small[: min(MOST_CELLS, -(-len(small) // IN_CELL))])
        cells = np.concatenate(
            [
                self._nearest(restored(small[start : start + ROWS]), 1)[:, 0]
                for start in range(0, len(small), ROWS)
            ]
        )
        self._members = np.argsort(cells, kind="stable")
        self._starts = np.searchsorted(cells[self._members], np.arange(len(self._centres) + 1))

    def close(self, positions: NDArray[np.int64], vectors: Floats, shift: int) -> Candidates:
        """Return the pairs of moved pictures, their positions and thumbnails, with others."""
        probed = np.concatenate(
            [
                self._nearest(vectors[start : start + ROWS], PROBES)
                for start in range(0, len(vectors), ROWS)
            ]
        )
        rows = np.repeat(np.arange(len(vectors)), probed.shape[1])
        order = np.argsort(probed, axis=None, kind="stable")
        cells, rows = probed.ravel()[order], rows[order]
        ends = np.flatnonzero(np.diff(cells, append=-1)) + 1
        parts, start = [], 0
        for end in ends:
            for first in range(start, end, ROWS):
                some = rows[first : min(first + ROWS, end)]
                parts.append(self._within(cells[first], positions[some], vectors[some]))
            start = int(end)
        moved, fixed, near = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Candidates(moved, fixed, near, np.full(len(moved), shift))

    def _nearest(self, vectors: Floats, most: int) -> NDArray[np.int32]:
        """Return the numbers of the nearest cells of vectors [N, D], int32 [N, `most`] or less."""
        if most >= len(self._centres):
            every = np.arange(len(self._centres), dtype=np.int32)
            return np.broadcast_to(every, (len(vectors), len(every)))
        rows = nearness(vectors, self._centres)
        return np.argpartition(rows, -most, axis=1)[:, -most:].astype(np.int32)

    def _within(
        self, cell: np.int32, own: NDArray[np.int64], vectors: Floats
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Return the close pairs of moved pictures with those in a cell: both, and distances."""
        members = self._members[self._starts[cell] : self._starts[cell + 1]][:MOST_COMPARED]
        near = nearness(vectors, restored(self._small[members]))
        least = -(self._limits[own] ** 2) / 2
        close = near >= least[:, None]
        if np.count_nonzero(close) > MANY * len(own) and len(members) > MANY:
            close &= near >= np.partition(near, -MANY, axis=1)[:, -MANY, None]
        one, two = np.nonzero(close)
        moved, fixed, far = own[one], members[two], distance(near[one, two])
        kept = (far <= self._limits[fixed]) & (moved != fixed)
        return moved[kept], fixed[kept], far[kept]
