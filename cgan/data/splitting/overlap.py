"""What duplicates say about given splits and labels, as numbers and as sentences; no torch."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cgan.data.spec import SPLITS
from cgan.data.splitting.near_duplicates import DuplicateGroups
from cgan.runtime.wording import clipped

Overlaps = dict[tuple[str, str], tuple[int, int]]
SHOWN = 3  # pairs of images in a sentence


def overlaps(splits: NDArray[np.int8], duplicates: DuplicateGroups) -> Overlaps:
    """Return how many images of a later split are also in an earlier one: exact and near ones.

    Args:
        splits: int8 [N], indices into SPLITS; of images with another number nothing is said.
        duplicates: among these images.
    """
    found = {}
    for later in range(1, len(SPLITS)):
        for earlier in range(later):
            some, others = splits == later, splits == earlier
            exact = np.isin(duplicates.keys[some], duplicates.keys[others])
            shared = np.isin(duplicates.groups[some], duplicates.groups[others])
            if shared.any():
                counts = int(exact.sum()), int((shared & ~exact).sum())
                found[SPLITS[later], SPLITS[earlier]] = counts
    return found


def told_overlaps(found: Mapping[tuple[str, str], tuple[int, int]]) -> list[str]:
    """Return a sentence on each overlap of given splits."""
    why = {
        "train": "scores on them are too good",
        "validation": "what was selected on them is scored on them",
    }
    return [
        f"given {later} images that are also in {earlier}: {exact + near:,} ({exact:,} exact, "
        f"{near:,} near duplicates); {why[earlier]}"
        for (later, earlier), (exact, near) in found.items()
    ]


def conflicts(labels: NDArray[np.int64], duplicates: DuplicateGroups) -> NDArray[np.int64]:
    """Return pairs of images that are duplicates but have different labels, int64 [K, 2].

    For each group it is one pair for each further label. Exact copies come first.

    Args:
        labels: int64 [N]; negative where nothing is to be said about an image.
        duplicates: among these images.
    """
    used = np.flatnonzero(labels >= 0)
    found = []
    for alike in (duplicates.keys, duplicates.groups):
        order = used[np.lexsort((labels[used], alike[used]))]
        one, two = order[:-1], order[1:]
        found.append(
            np.stack([one, two], axis=1)[(alike[one] == alike[two]) & (labels[one] != labels[two])]
        )
    exact, every = found
    known = duplicates.groups[exact[:, 0]]
    return np.concatenate([exact, every[~np.isin(duplicates.groups[every[:, 0]], known)]])


def told_conflicts(
    pairs: NDArray[np.int64],
    labels: NDArray[np.int64],
    names: Sequence[str],
    place: Callable[[int], str],
) -> list[str]:
    """Return a sentence on duplicates with different labels, with examples; else nothing."""
    if len(pairs) == 0:
        return []

    def told(index: int) -> str:
        return f"{clipped(place(index))} ({clipped(names[labels[index]])})"

    shown = "; ".join(f"{told(one)} and {told(two)}" for one, two in pairs[:SHOWN].tolist())
    return [f"duplicates with different labels: {len(pairs):,}, such as {shown}; check the labels"]
