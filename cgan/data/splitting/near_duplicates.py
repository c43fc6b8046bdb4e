"""Groups of images that belong together: exact copies, and nearly equal pictures; no torch."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cgan.data.pages import Pages
from cgan.data.splitting.candidates import COMPARED
from cgan.data.splitting.pairs import NearPairs, near_pairs
from cgan.data.splitting.thumbnails import Pictures, blocks
from cgan.runtime.progress import Progress

LARGEST, LARGEST_SHARE = 100, 10  # different pictures in a group; at most one in so many of the set
SMALL = 10  # a group of so many is never too large
EXAMPLES = 20  # pairs


@dataclass(frozen=True)
class DuplicateGroups:
    """Which images belong together.

    Attributes:
        keys: uint64 [N], checksum of an image's pixels; equal for exact copies.
        groups: int64 [N], equal for images that belong together; numbered from 0.
        exact: images that have the same pixels as another one.
        near: images that are nearly equal to an image with other pixels.
        near_groups: groups of these.
        largest: different pictures in the largest group.
        apart: nearly equal pairs that are in two groups, because one would be too large.
        threshold: the difference up to which a typical pair is nearly equal: in the part of the
            picture where it is largest, in units of the picture's contrast.
        examples: int64 [E, 2], indices of nearly equal pairs; the most different ones first.
    """

    keys: NDArray[np.uint64]
    groups: NDArray[np.int64]
    exact: int
    near: int
    near_groups: int
    largest: int
    apart: int
    threshold: float
    examples: NDArray[np.int64]

    def sentences(self) -> list[str]:
        """Return what was found, and how."""
        n = len(np.unique(self.keys))
        repeated = n - (len(self.keys) - self.exact)
        told = []
        if self.exact:
            told.append(f"exact copies: {self.exact:,} images of {repeated:,} different pictures")
        if self.near:
            told.append(
                f"near duplicates: {self.near:,} images, at most {self.largest} different pictures "
                "in a group"
            )
        if self.apart:
            told.append(
                f"near duplicates in different groups: {self.apart:,}, because one group would "
                f"have more than {most_together(n)} pictures"
            )
        others = "all others" if n <= COMPARED else "a few hundred that resemble it, not with all"
        return [*(told or ["none"]), f"each image was compared with {others}"]


def near_duplicates(images: NDArray[np.uint8], progress: Progress | None = None) -> DuplicateGroups:
    """Find images that are equal, or nearly so.

    Nearly equal is the same picture stored again with losses, made a little brighter, moved by a
    pixel or cropped a little, and a frame that follows it in a film. Pictures that are joined by a
    chain of such pairs are in one group, unless it would have more than 100 different pictures or a
    tenth of the set. The order of the images makes no difference. Memory is about 250 bytes for
    each image, and 64 more for each further channel.

    Args:
        images: uint8 [N, C, H, W], at least one; it may be a mapped file.
        progress: shows how many are done.
    """
    progress = progress or Progress()
    # many small products of matrices: more threads would wait for each other
    with threadpool_limits(1), progress.bar(len(images), "looking for duplicates") as bar:
        keys = checksums(images)
        _, first, number, copies = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        bar.advance(len(images) - len(first))
        found = near_pairs(Pictures(images, first), bar)
    joined, apart = join(len(first), found)
    sizes = np.bincount(joined)
    in_near = (sizes[joined] > 1)[number]
    widest = np.argsort(-found.ratios, kind="stable")[:EXAMPLES]
    return DuplicateGroups(
        keys,
        joined[number],
        exact=int(copies[copies > 1].sum()),
        near=int(in_near.sum()),
        near_groups=int((sizes > 1).sum()),
        largest=int(sizes.max()),
        apart=apart,
        threshold=found.threshold,
        examples=first[found.pairs[widest]],
    )


def checksums(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a checksum of each image's pixels, uint64 [N]."""
    keys, pages = np.empty(len(images), np.uint64), Pages.of(images)
    for block in blocks(len(images), images):
        pixels = np.array(images[block], order="C")
        if pages is not None:
            pages.count(1, pixels.nbytes)
        digests = b"".join(hashlib.blake2b(image, digest_size=8).digest() for image in pixels)
        keys[block] = np.frombuffer(digests, "<u8")
    return keys


def most_together(n: int) -> int:
    """Return how many of `n` different pictures may be in one group."""
    return max(SMALL, min(LARGEST, n // LARGEST_SHARE))


def join(n: int, found: NearPairs) -> tuple[NDArray[np.int64], int]:
    """Return the groups of `n` pictures, int64 [n] from 0, and how many pairs are left apart.

    The nearest pairs are joined first. Two groups that are too large together stay apart, else
    chains of pairs could join a whole class.
    """
    most = most_together(n)
    parent, size = list(range(n)), [1] * n

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    apart = 0
    low, high = found.pairs.min(axis=1), found.pairs.max(axis=1)
    for number in np.lexsort((high, low, found.ratios)).tolist():
        one, two = root(int(low[number])), root(int(high[number]))
        if one == two:
            continue
        if size[one] + size[two] > most:
            apart += 1
            continue
        parent[two] = one
        size[one] += size[two]
    roots = np.array([root(position) for position in range(n)], np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64), apart
