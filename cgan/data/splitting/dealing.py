"""Deals groups of images to splits: each class in proportion, each group whole; no torch."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def leading_labels(
    labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different groups, ascending, and the most frequent label of each.

    Of labels that are equally frequent, it is the first. Labels and groups are int64 [N].
    """
    order = np.lexsort((labels, groups))
    labels, groups = labels[order], groups[order]
    starts = np.flatnonzero(_changes(labels) | _changes(groups))
    counts = np.diff(starts, append=len(labels))
    best = np.lexsort((labels[starts], -counts, groups[starts]))
    first = best[_changes(groups[starts][best])]
    return groups[starts][first], labels[starts][first]


def _changes(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where a value differs from the one before; the first one does."""
    return np.concatenate([np.ones(min(1, len(values)), bool), values[1:] != values[:-1]])


@dataclass(frozen=True)
class Groups:
    """Groups of images in the order in which they are dealt.

    Attributes:
        members: int64 [N], the group of each image, as a position in the other arrays.
        labels: int64 [G], the label for which a group counts.
        sizes: int64 [G], images.
        order: int64 [G]: by label, the largest first, at random among equal ones.
    """

    members: NDArray[np.int64]
    labels: NDArray[np.int64]
    sizes: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        keys: NDArray[np.uint64],
        seed: int,
    ) -> "Groups":
        """Return the groups of images with labels, groups and checksums [N].

        The random order depends on the checksums, not on the order of the images.
        """
        different, lead = leading_labels(labels, groups)
        members = np.searchsorted(different, groups)
        sizes = np.bincount(members, minlength=len(different))
        lowest = np.full(len(different), np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(lowest, members, keys)
        return cls(members, lead, sizes, np.lexsort((mixed(lowest, seed), -sizes, lead)))

    def sentences(self) -> list[str]:
        """Return a sentence on the groups of several images; nothing if there are none."""
        several = self.sizes[self.sizes > 1]
        if len(several) == 0:
            return []
        kept = "one group" if len(several) == 1 else f"{len(several):,} groups"
        return [f"{several.sum():,} duplicates in {kept}, kept on one side"]

    def dealt(self, shares: Mapping[int, float]) -> NDArray[np.int8]:
        """Return the split of each image, int8 [N].

        Every label has at least one group in each split, if it has as many groups as there are
        splits. Large groups are dealt first, each to the split that lacks most images of the label.

        Args:
            shares: of the images of each label, by split; the first split takes what rounding
                leaves.
        """
        splits = list(shares)
        dealt = np.empty(len(self.order), np.int8)
        lacking = [0.0] * len(splits)  # of all labels so far; decides between equals
        starts = np.flatnonzero(_changes(self.labels[self.order]))
        for own in np.split(self.order, starts[1:]):
            sizes = self.sizes[own].tolist()
            wanted = [max(1.0, share * sum(sizes)) for share in shares.values()]
            wanted[0] = sum(sizes) - sum(wanted[1:])
            lacking = [total + more for total, more in zip(lacking, wanted, strict=True)]
            for group, side in zip(own, _sides(sizes, wanted, lacking), strict=True):
                dealt[group] = splits[side]
        return dealt[self.members]


def _sides(sizes: list[int], wanted: list[float], lacking: list[float]) -> list[int]:
    """Return the side of each group of one label; `lacking` is brought up to date."""
    missing, empty, sides = list(wanted), {*range(len(wanted))}, []
    for number, size in enumerate(sizes):
        last = len(sizes) - number <= len(empty)  # the others go to the empty sides
        side = max(
            empty if last else range(len(wanted)), key=lambda n: (missing[n], lacking[n], -n)
        )
        missing[side] -= size
        lacking[side] -= size
        empty.discard(side)
        sides.append(side)
    return sides


def mixed(keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Return random numbers uint64 [N] that depend on each key and the seed (SplitMix64)."""
    salt = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    value = keys ^ np.frombuffer(salt, "<u8")
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
