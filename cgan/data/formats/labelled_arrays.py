"""Finds images, labels and class names in npz and npy files by the names of the arrays."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.formats.array_images import ArrayPart, array_reader, as_array
from cgan.data.formats.array_keys import IMAGES, LABELS, NAMES, Key, Roles, parse_key, roles_of
from cgan.data.formats.labels import absent_names, class_labels
from cgan.data.importing.class_names import plain_name
from cgan.data.importing.found import (
    NOT_GIVEN,
    FoundImages,
    files_fingerprint,
    given_splits,
)
from cgan.io.array_files import ArrayFile, NpyArrays, NpzArrays
from cgan.io.rows import HeldRows
from cgan.runtime.errors import InputError


def npz_images(path: Path) -> FoundImages:
    """Return the labelled images in an npz file; images are read later, a few at a time.

    Args:
        path: the file. It may hold `images`, `labels` and optionally `names`; or `x_train`,
            `y_train`, `x_test` and so on; or `train_images`, `val_labels` and so on; see WORDS.

    Raises:
        InputError: arrays are missing, unclear, or do not fit each other; they hold Python objects;
            the file is damaged. The message says what to do.
    """
    return _found(NpzArrays(path), path, "arrays in an npz file", [path])


def npy_images(path: Path) -> FoundImages:
    """Return the labelled images in a pair of npy files, or in a pair for each split.

    Args:
        path: the folder that holds `images.npy` and `labels.npy`, or files of other known names; or
            one of the files.

    Raises:
        InputError: as `npz_images`.
    """
    folder = path if path.is_dir() else path.parent
    files = {file.stem: file for file in sorted(folder.glob("*.npy")) if file.is_file()}
    if not path.is_dir():
        files = _belonging(files, path)
    known = {stem: file for stem, file in files.items() if parse_key(stem) is not None}
    return _found(NpyArrays(known), path, "arrays in npy files", list(known.values()))


def array_images(
    images: Any, labels: Any, names: Sequence[str] | None = None, name: str = "images"
) -> FoundImages:
    """Return labelled images that are given in Python.

    Args:
        images: [N, H, W], [N, H, W, C] or [N, C, H, W], an array or a tensor: whole numbers from 0
            to 255, or floats from 0 to 1 or from -1 to 1.
        labels: [N], numbers or words.
        names: of the classes, if the labels are numbers.
        name: of the data set.

    Raises:
        InputError: images or labels that cannot be used, or that do not belong together.
    """
    pixels, values = as_array(images), as_array(labels)
    if not pixels.shape or pixels.shape[:1] != values.shape[:1]:
        raise InputError(
            f"the images have the shape {list(pixels.shape)} and the labels {list(values.shape)}; "
            "give one label for each image"
        )
    reader, notes = array_reader([ArrayPart("the images", HeldRows(pixels))], "the array")
    used, classes = class_labels(values, [] if names is None else list(names), "the labels")
    digest = hashlib.sha256(f"{pixels.shape} {pixels.dtype}".encode())
    for piece in HeldRows(pixels).pieces():
        digest.update(np.ascontiguousarray(piece).data)
    digest.update("\0".join(used[label] for label in classes.tolist()).encode())
    return FoundImages(
        plain_name(Path(name)),
        Path(name),
        "arrays",
        used,
        classes,
        np.full(len(classes), NOT_GIVEN, np.int8),
        reader,
        digest.hexdigest(),
        notes=[*notes, *absent_names(names or [], used)],
    )


def _belonging(files: Mapping[str, Path], given: Path) -> dict[str, Path]:
    """Return the files that belong to one of them: of the same prefix, and no rival of it.

    Raises:
        InputError: its name does not say whether it holds images or labels.
    """
    key = parse_key(given.stem)
    if key is None:
        raise InputError(
            f"{given} holds one array, and its name does not say which; call the two files "
            "images.npy and labels.npy"
        )
    chosen = {given.stem: given}
    for stem, file in files.items():
        other = parse_key(stem)
        if other is None or other.prefix != key.prefix or stem == given.stem:
            continue
        is_rival = other.split == key.split and any(map(other.means, _roles(key)))
        if not is_rival and (other.split is None) == (key.split is None or other.means(NAMES)):
            chosen[stem] = file
    return chosen


def _roles(key: Key) -> list[str]:
    return [role for role in (IMAGES, LABELS) if key.means(role)]


def _found(source: ArrayFile, path: Path, kind: str, files: Sequence[Path]) -> FoundImages:
    """Return the labelled images of arrays, after checking that they belong together."""
    roles = roles_of(source, path)
    counts = {split: _count(source, path, split, roles) for split in roles.images}
    counts = {split: count for split, count in counts.items() if count}
    if not counts:
        raise InputError(f"{path} holds no images")
    parts = [ArrayPart(roles.images[split], source.rows(roles.images[split])) for split in counts]
    reader, notes = array_reader(parts, str(path))
    where = f"{path}: {' and '.join(roles.labels[split] for split in counts)}"
    values = _joined([source.whole(roles.labels[split]) for split in counts], where)
    names = [] if roles.names is None else _names(source.whole(roles.names), roles.names, path)
    used, labels = class_labels(values, names, where)
    notes += absent_names(names, used)
    return FoundImages(
        plain_name(path if path.is_dir() or len(files) == 1 else path.resolve().parent),
        path.resolve(),
        kind,
        used,
        labels,
        given_splits([split or 0 for split, count in counts.items() for _ in range(count)]),
        reader,
        files_fingerprint(files),
        notes=notes,
    )


def _count(source: ArrayFile, path: Path, split: int | None, roles: Roles) -> int:
    """Return the number of images in a split.

    Raises:
        InputError: there is another number of labels.
    """
    images, labels = roles.images[split], roles.labels[split]
    shapes = source.claim(images).shape, source.claim(labels).shape
    n_images, n_labels = (shape[0] if shape else 0 for shape in shapes)
    if n_images != n_labels:
        advice = "give one label for each image"
        if shapes[0] and shapes[0][-1] == n_labels:
            advice = "the images are counted by its last dimension, so move that to the front"
        raise InputError(
            f"{path}: {images} has the shape {list(shapes[0])} and {labels} {list(shapes[1])}; "
            f"{advice}"
        )
    return n_images


def _joined(values: Sequence[NDArray[Any]], where: str) -> NDArray[Any]:
    """Return the labels of all splits as one array.

    Raises:
        InputError: they are of different forms.
    """
    forms = {(array.shape[1:], array.dtype.kind in "US") for array in values}
    if len(forms) > 1:
        raise InputError(f"{where}: the labels of the splits have different forms; save them alike")
    return np.concatenate(values)


def _names(array: NDArray[Any], key: str, path: Path) -> list[str]:
    """Return the names of classes in an array [K] of words or numbers.

    Raises:
        InputError: it is something else.
    """
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        raise InputError(f"{path}: {key} is {array.dtype!s:.60} {list(array.shape)}; give K words")
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    return [str(name) for name in array.tolist()]
