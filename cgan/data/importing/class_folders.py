"""Labels and splits from the names of folders, and labels from those of files; no torch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cgan.data.importing.class_names import NUMBER, shown
from cgan.data.importing.found import NOT_GIVEN, SPLIT_WORDS, given_splits
from cgan.data.importing.trees import FileList, listed_paths
from cgan.data.spec import NUMBERED
from cgan.runtime.errors import InputError

WORDS = re.compile(r"[^a-z]+")
IN_NO_CLASS = "in no folder of a class"
NOT_IN_NAME = "without a label in the name"


@dataclass(frozen=True)
class Labelled:
    """The pictures of a source that have labels.

    Attributes:
        chosen: int32 [N], their indices in the list of files.
        classes: names, in no particular order.
        index: int32 [N], the place of each picture's class in `classes`.
        splits: int8 [N], index into SPLITS, or NOT_GIVEN.
        kind: where the labels come from, in a few words.
        used: indices of other files that the labels come from.
        skipped: files that have no label, by reason.
    """

    chosen: NDArray[np.int32]
    classes: Sequence[str]
    index: NDArray[np.int32]
    splits: NDArray[np.int8]
    kind: str
    used: Sequence[int] = ()
    skipped: Mapping[str, Sequence[str]] = field(default_factory=dict)


def split_of(word: str) -> int:
    """Return the index into SPLITS of a word such as `Training`, or NOT_GIVEN for any other."""
    return SPLIT_WORDS.get(word.strip().lower(), NOT_GIVEN)


def by_folder(files: FileList, pictures: NDArray[np.int32]) -> Labelled:
    """Return the pictures that lie in folders of classes.

    The class is the first folder below the root, or below the folder of a split. Folders further
    below belong to it. The root is the first folder that holds several folders with pictures.
    Names are those of splits only if all folders below the root have such names, and folders of
    classes in them. A single split is none.

    Raises:
        InputError: it is not clear which folders are splits; or the name of a file has the label of
            another class than that of its folder.
    """
    folders, folder_of = folders_of(files.paths, pictures)
    parts = below_root(folders)
    splits = _splits(parts, files)
    if given := any(split != NOT_GIVEN for split in splits):
        parts = _below_splits(parts)
    classes = list(dict.fromkeys(part[0] for part in parts if part))
    places = {name: place for place, name in enumerate(classes)}
    index = np.array([places[part[0]] if part else -1 for part in parts], np.int32)[folder_of]
    kept = index >= 0
    _compare_names(files, pictures[kept], [classes[place] for place in index[kept].tolist()])
    stray = listed_paths(files.paths, pictures[~kept])
    return Labelled(
        pictures[kept],
        classes,
        index[kept],
        given_splits(np.array(splits, np.int8)[folder_of][kept]),
        "a folder for each class" + (", below folders of splits" if given else ""),
        skipped={IN_NO_CLASS: stray} if stray else {},
    )


def by_file_name(files: FileList, pictures: NDArray[np.int32]) -> Labelled:
    """Return the pictures whose names end in their labels: `00012-label-7.png`."""
    labels = [_label_in(files.paths[file]) for file in pictures.tolist()]
    classes = sorted({label for label in labels if label is not None})
    kept = np.array([label is not None for label in labels], bool)
    places = {label: place for place, label in enumerate(classes)}
    index = [places[label] for label in labels if label is not None]
    stray = listed_paths(files.paths, pictures[~kept])
    return Labelled(
        pictures[kept],
        [str(label) for label in classes],
        np.array(index, np.int32),
        np.full(len(index), NOT_GIVEN, np.int8),
        "labels in the names of files",
        skipped={NOT_IN_NAME: stray} if stray else {},
    )


def _label_in(path: str) -> int | None:
    match = NUMBERED.search(path.rpartition(".")[0]) if "label-" in path else None
    return int(match[1]) if match else None


def _compare_names(files: FileList, chosen: NDArray[np.int32], names: Sequence[str]) -> None:
    """Compare the labels in the names of files with the classes of these, if those are numbers.

    Raises:
        InputError: a file has the label of another class.
    """
    numbers = {name: int(name) for name in set(names) if NUMBER.fullmatch(name)}
    known = set(numbers.values())
    for file, name in zip(chosen.tolist(), names, strict=True):
        label = _label_in(files.paths[file])
        if label in known and numbers.get(name) != label:
            raise InputError(
                f"{files.where}: {shown(files.paths[file])} has the label {label} in its name, but "
                f"lies in the folder {shown(name)!r:.60}; rename it, or move it"
            )


def folders_of(
    paths: Sequence[str], chosen: NDArray[np.integer]
) -> tuple[list[str], NDArray[np.int32]]:
    """Return the different folders of some paths, and the place of each path's folder in them."""
    places: dict[str, int] = {}
    index = np.empty(len(chosen), np.int32)
    for at, file in enumerate(chosen.tolist()):
        index[at] = places.setdefault(paths[file].rpartition("/")[0], len(places))
    return list(places), index


def below_root(folders: Sequence[str]) -> list[list[str]]:
    """Return the names of folders below the root of them all; none for the root and above it."""
    parts = [folder.split("/") if folder else [] for folder in folders]
    while len({part[0] for part in parts if part}) == 1:
        inner = {part[1] for part in parts if len(part) > 1}
        holds_pictures = any(len(part) == 1 for part in parts)
        if not inner or (holds_pictures and len(inner) == 1):  # it is the only class
            break
        parts = [part[1:] for part in parts]
    return parts


def _below_splits(parts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the names of folders below those of splits, and below a root in each of these."""
    tops: dict[str, list[int]] = {}
    for at, part in enumerate(parts):
        if part:
            tops.setdefault(part[0], []).append(at)
    below = [list(part[1:]) for part in parts]
    while True:
        groups = [[below[at] for at in group] for group in tops.values()]
        if not all(len(part) > 1 and part[0] == group[0][0] for group in groups for part in group):
            return below
        below = [part[1:] for part in below]


def _splits(parts: Sequence[Sequence[str]], files: FileList) -> list[int]:
    """Return the split of each folder, an index into SPLITS, or NOT_GIVEN for all of them.

    Raises:
        InputError: some folders look like splits, but not all.
    """
    first = sorted({part[0] for part in parts if part})
    nested = {part[0] for part in parts if len(part) > 1}
    others = [name for name in first if split_of(name) == NOT_GIVEN]
    words = [name for name in first if split_of(name) != NOT_GIVEN]
    if others:  # then a flat folder `train` may be the class of trains
        words = [name for name in words if name in nested]
    if words and others:
        raise InputError(
            f"{files.where} holds the split {shown(words[0])!r:.60} and beside it the folder "
            f"{shown(others[0])!r:.120}; move one of them away, or rename it"
        )
    if len(nested) > 1 and not words and all(_resembles_split(name) for name in first):
        raise InputError(
            f"{files.where}: {shown(first[0])!r:.120} looks like a split and not like a "
            "class; name such folders train, validation and test"
        )
    return [split_of(part[0]) if words and part else NOT_GIVEN for part in parts]


def _resembles_split(name: str) -> bool:
    return any(split_of(word) != NOT_GIVEN for word in WORDS.split(name.lower()))
