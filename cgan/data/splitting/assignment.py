"""Divides images into training, validation and test, each group of duplicates whole; no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgan.data.importing.found import NOT_GIVEN
from cgan.data.spec import SPLITS
from cgan.data.splitting.dealing import Groups, leading_labels
from cgan.data.splitting.near_duplicates import DuplicateGroups
from cgan.data.splitting.overlap import conflicts, overlaps, told_conflicts, told_overlaps
from cgan.runtime.errors import InputError
from cgan.runtime.wording import clipped, enumerated

TRAIN = SPLITS.index("train")
SHARE = 0.1  # of the images, for each split but the first
LEFT_OUT = -1


@dataclass(frozen=True)
class Assignment:
    """The split of each image.

    Attributes:
        splits: int8 [N], index into SPLITS, or LEFT_OUT.
        left_out: names of the classes that are left out.
        overlaps: (exact copies, nearly equal ones) among the images of one given split that are
            also in another one, by the names of these two.
        conflicts: int64 [K, 2], pairs of duplicates with different labels.
        sentences: what was done and found.
    """

    splits: NDArray[np.int8]
    left_out: tuple[str, ...]
    overlaps: dict[tuple[str, str], tuple[int, int]]
    conflicts: NDArray[np.int64]
    sentences: tuple[str, ...]


def assign_splits(
    labels: NDArray[np.int64],
    given: NDArray[np.int8],
    duplicates: DuplicateGroups,
    names: Sequence[str],
    *,
    seed: int,
    drop_rare: bool = False,
    place: Callable[[int], str] = "image {}".format,
) -> Assignment:
    """Divide images into training, validation and test images.

    Given splits are kept. One that is missing is a tenth of the training images. If there is only
    one, or none, all images are divided 80:10:10. In what is divided here, groups of duplicates are
    on one side, and every class has its share of each split, as nearly as its groups allow. The
    result depends on the images, labels and seed, and not on the order of the images.

    Args:
        labels: int64 [N], indices into `names`.
        given: int8 [N], indices into SPLITS, or NOT_GIVEN.
        duplicates: of these images.
        names: of the classes.
        seed: of the random order.
        drop_rare: leave out classes that are too small, instead of refusing them.
        place: returns what a sentence calls an image, given its index.

    Raises:
        InputError: a class has too few images, or none in a given split, without `drop_rare`; fewer
            than two classes remain; or the given splits include no training images.
    """
    splits, missing, sentences = _prepared(given)
    groups = duplicates.groups
    rare = _rare(labels, splits, groups, len(names), missing)
    if rare and not drop_rare:
        raise InputError(_told_rare(rare, names, missing))
    if len(names) - len(rare) < 2:
        raise InputError(
            f"{len(names) - len(rare)} of {len(names)} classes have enough images; two are needed"
        )
    kept = ~np.isin(labels, list(rare))
    splits[~kept] = LEFT_OUT
    found = overlaps(splits, duplicates)
    if missing:
        pool = np.flatnonzero(splits == TRAIN)
        dealing = Groups.of(labels[pool], groups[pool], duplicates.keys[pool], seed)
        shares = {TRAIN: 1 - SHARE * len(missing), **dict.fromkeys(missing, SHARE)}
        splits[pool] = dealing.dealt(shares)
        sentences += dealing.sentences()
    pairs = conflicts(np.where(kept, labels, LEFT_OUT), duplicates)
    left_out = tuple(names[label] for label in rare)
    if left_out:
        n = np.count_nonzero(~kept)
        sentences.append(f"left out, too few images: {enumerated(left_out)} ({n:,} images)")
    sentences += told_overlaps(found)
    sentences += told_conflicts(pairs, labels, names, place)
    return Assignment(splits, left_out, found, pairs, tuple(sentences))


def _prepared(given: NDArray[np.int8]) -> tuple[NDArray[np.int8], list[int], list[str]]:
    """Return splits in which all images that are to be divided are training images.

    Also return the missing splits, and sentences.

    Raises:
        InputError: the given splits include no training images.
    """
    loose = int((given == NOT_GIVEN).sum())
    present = {*given[given != NOT_GIVEN].tolist()}
    if present and loose:
        present.add(TRAIN)
    missing = [split for split in range(len(SPLITS)) if split not in present and split != TRAIN]
    if len(present) < 2:
        shares = ":".join(f"{100 * share:.0f}" for share in (1 - SHARE * 2, SHARE, SHARE))
        told = f"divided {shares} at random, every class in this proportion"
        if present:
            told += f"; only {SPLITS[present.pop()]} was given"
        others = [split for split in range(len(SPLITS)) if split != TRAIN]
        return np.full(len(given), TRAIN, np.int8), others, [told]
    if TRAIN not in present:
        raise InputError(
            "the given splits are validation and test, without training images; add a folder or "
            "a split named train"
        )
    kept = " and ".join(SPLITS[split] for split in sorted(present))
    sentences = [f"{kept} are kept as given"]
    sentences += [f"{SPLITS[one]}: a tenth of the training images, at random" for one in missing]
    if loose:
        sentences.append(f"{loose:,} images without a split are training images")
    return np.where(given == NOT_GIVEN, np.int8(TRAIN), given), missing, sentences


def _rare(
    labels: NDArray[np.int64],
    splits: NDArray[np.int8],
    groups: NDArray[np.int64],
    n_classes: int,
    missing: Sequence[int],
) -> dict[int, str]:
    """Return the classes that cannot be in every split, each with what it has."""
    pool = splits == TRAIN
    _, lead = leading_labels(labels[pool], groups[pool])
    apart = np.bincount(lead, minlength=n_classes)
    counts = [np.bincount(labels[splits == n], minlength=n_classes) for n in range(len(SPLITS))]
    given = [n for n in range(len(SPLITS)) if n != TRAIN and n not in missing]
    rare = {}
    for label in range(n_classes):
        n = int(counts[TRAIN][label])
        if apart[label] <= len(missing):
            copies = f" in {apart[label]} groups of duplicates" if apart[label] < n else ""
            rare[label] = f"{n:,}{' for training' if given else ''}{copies}"
            continue
        without = [SPLITS[split] for split in given if counts[split][label] == 0]
        if without:
            rare[label] = f"none for {' and '.join(without)}"
    return rare


def _told_rare(rare: dict[int, str], names: Sequence[str], missing: Sequence[int]) -> str:
    """Return the message that refuses classes."""
    who = enumerated(f"{clipped(names[label])} ({has})" for label, has in rare.items())
    classes = "1 class has" if len(rare) == 1 else f"{len(rare)} classes have"
    needed = f"{len(missing) + 1} that are no duplicates of each other" if missing else "one"
    return (
        f"{classes} too few images: {who}; add images, at least {needed} for each class, or leave "
        "these classes out with --drop-rare"
    )
