"""The pages of a mapped file: they count as memory of the process until they are released."""

import mmap
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RELEASE_AFTER = 2**28  # bytes
PIECE = 64  # items from anywhere in the file that are read before they are counted
AROUND = 2**21  # bytes: with a page that is read, the system maps up to so many around it


class Pages:
    """The pages of a mapped array that were read since they were last released.

    Released pages stay in the system's cache, so that it is fast to read them again.
    """

    def __init__(self, mapping: mmap.mmap):
        """Start with no page read."""
        self._mapping, self._bytes = mapping, 0

    @staticmethod
    def of(array: NDArray[np.uint8]) -> "Pages | None":
        """Return the pages of an array; None if it is in memory, or the system has no madvise."""
        mapping = array.base
        if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            return Pages(mapping)
        return None

    @staticmethod
    def pieces(n_items: int) -> Iterator[slice]:
        """Yield slices of `n_items` items; count each piece, so that few pages are held at once."""
        for start in range(0, n_items, PIECE):
            yield slice(start, start + PIECE)

    def count(self, n_items: int, n_bytes: int) -> None:
        """Count items that were read, `n_bytes` in all; release all pages if they are many.

        Arrays of the mapped file stay valid: what was released is mapped again when it is read.
        """
        self._bytes += n_bytes + n_items * AROUND
        if self._bytes >= RELEASE_AFTER:
            self._mapping.madvise(mmap.MADV_DONTNEED)
            self._bytes = 0
