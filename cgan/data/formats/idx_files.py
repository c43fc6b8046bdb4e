"""Finds pairs of idx files, gzipped or not, of any size and number of classes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cgan.data.formats.array_images import ArrayPart, ArrayReader, array_reader
from cgan.data.formats.labels import class_labels
from cgan.data.formats.torchvision_sets import EMNIST_NAMES
from cgan.data.idx import idx_rows, read_idx
from cgan.data.importing.class_names import plain_name, shown
from cgan.data.importing.found import SPLIT_WORDS, FoundImages, files_fingerprint, given_splits
from cgan.runtime.errors import InputError

# any prefix, a split, what it holds: emnist-letters-train-images-idx3-ubyte.gz
NAME = re.compile(
    r"(?i)(?P<prefix>.*?)[\W_]*(?P<split>train|t10k|test|val|valid|validation)?[\W_]*"
    r"(?P<role>images|labels)[\W_]?idx[1-4][\W_]?ubyte(\.gz)?"
)
SPLITS_OF_FILES = {**SPLIT_WORDS, "t10k": 2}
EMNIST = re.compile(r"(?i)(?<![a-z])emnist(?![a-z])")  # its files have rows and columns exchanged
UPRIGHT = "EMNIST's files hold images that lie on their side; they are turned upright"


class Pair(NamedTuple):
    """The files of a split."""

    images: Path
    labels: Path


def idx_images(path: Path) -> FoundImages:
    """Return the labelled images in idx files; images are read later, a few at a time.

    Args:
        path: a folder that holds a pair of files for each split, such as
            `train-images-idx3-ubyte.gz` and `train-labels-idx1-ubyte`, or one pair without a split;
            or one of the files. Names may have a prefix.

    Raises:
        InputError: a file of a pair is missing, they do not belong together, one is damaged, or a
            folder holds several sets.
    """
    prefix, pairs = _pairs(path)
    labels = [read_idx(pair.labels, 1) for pair in pairs.values()]
    parts = [ArrayPart(pair.images.name, idx_rows(pair.images, (3, 4))) for pair in pairs.values()]
    for pair, part, numbers in zip(pairs.values(), parts, labels, strict=True):
        if part.rows.shape[0] != len(numbers):
            raise InputError(
                f"{pair.images} holds {part.rows.shape[0]} images but {pair.labels.name} "
                f"{len(numbers)} labels; they do not belong together"
            )
    reader, notes = array_reader(parts, str(path))
    names: Sequence[str] = ()
    if EMNIST.search(prefix):
        reader = ArrayReader(parts, reader.layout._replace(transposed=True), reader.scale)
        notes.append(UPRIGHT)
        names = next((EMNIST_NAMES[name] for name in EMNIST_NAMES if name in prefix.lower()), ())
    where = " and ".join(str(pair.labels) for pair in pairs.values())
    used, classes = class_labels(np.concatenate(labels), names, where, from_zero=True)
    splits = [split or 0 for split, n in zip(pairs, labels, strict=True) for _ in range(len(n))]
    folder = path if path.is_dir() else path.resolve().parent
    return FoundImages(
        plain_name(Path(prefix)) if prefix else plain_name(folder),
        path.resolve(),
        "idx files",
        used,
        classes,
        given_splits(splits),
        reader,
        files_fingerprint(file for pair in pairs.values() for file in pair),
        notes=notes,
    )


def is_idx_name(name: str) -> bool:
    """Return whether a file has the name of one of a pair of idx files."""
    return NAME.fullmatch(name) is not None


def _pairs(path: Path) -> tuple[str, dict[int | None, Pair]]:
    """Return the prefix of the names of files, and the pairs by split.

    Raises:
        InputError: there is no pair, one of a pair is missing, or there are several sets.
    """
    folder = path if path.is_dir() else path.parent
    found = _sets(sorted(folder.iterdir()))
    if not path.is_dir():
        match = NAME.fullmatch(path.name)
        prefix = match["prefix"] if match else ""
        found = {prefix: found[prefix]} if prefix in found else {}
    if not found:
        raise InputError(
            f"{path} has no name of idx files; call them train-images-idx3-ubyte, "
            "train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte"
        )
    if len(found) > 1:
        sets = ", ".join(sorted(found)[:8])
        one = next(iter(next(iter(found.values())).values()))
        raise InputError(
            f"{path} holds the idx files of several sets ({shown(sets)}); name a file of one, such "
            f"as {next(iter(one.values()))}"
        )
    ((prefix, splits),) = found.items()
    for files in splits.values():
        if len(files) < 2:
            (role,) = files
            other = "labels" if role == "images" else "images"
            raise InputError(f"{files[role]} lacks the file of its {other} beside it; add that")
    order = sorted(splits, key=lambda split: -1 if split is None else split)
    return prefix, {split: Pair(**splits[split]) for split in order}


def _sets(files: Iterable[Path]) -> dict[str, dict[int | None, dict[str, Path]]]:
    """Return idx files by prefix, split and role; an unpacked file is preferred to its .gz."""
    found: dict[str, dict[int | None, dict[str, Path]]] = {}
    for file in files:
        match = NAME.fullmatch(file.name)
        if match is None:
            continue
        split = SPLITS_OF_FILES[match["split"].lower()] if match["split"] else None
        roles = found.setdefault(match["prefix"], {}).setdefault(split, {})
        inner = file / file.name if file.is_dir() else file  # as some programs unpack archives
        if inner.is_file():
            roles.setdefault(match["role"].lower(), inner)
    return {prefix: sets for prefix, splits in found.items() if (sets := _filled(splits))}


def _filled(splits: Mapping[int | None, dict[str, Path]]) -> dict[int | None, dict[str, Path]]:
    return {split: roles for split, roles in splits.items() if roles}
