"""Labels in arrays: whole numbers, words or one-hot rows; others are refused; no torch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.importing.class_names import check_names, labels_of
from cgan.data.spec import listed
from cgan.runtime.errors import InputError

ONE_EACH = "give each image one whole number or one word"


def class_labels(
    values: NDArray[Any], names: Sequence[str], where: str, *, from_zero: bool = False
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the classes that have images, and the labels int64 [N], from 0.

    Args:
        values: labels [N] or [N, 1]: whole numbers of any kind, booleans or words; or [N, K] with a
            single 1 in each row.
        names: of the classes, if the labels are numbers. Empty: the numbers as text.
        where: the array, with which messages begin.
        from_zero: whether the first name is surely that of the label 0. Else it may be that of 1,
            if no label is 0.

    Raises:
        InputError: other labels, several classes for one image, numbers that have no name, or names
            that cannot be used.
    """
    values = _single(values, where)
    kind = values.dtype.kind
    if kind in "US":
        texts, index = np.unique(_words(values, where), return_inverse=True)
        return labels_of(texts.tolist(), index, where)
    if kind not in "biuf":
        raise InputError(f"{where} is {values.dtype!s:.60}; {ONE_EACH}")
    numbers = _whole(values, where)
    present, index = np.unique(numbers, return_inverse=True)
    if present[0] < 0:
        raise InputError(
            f"{where} has the label {present[0]}; leave out the images that have no class"
        )
    if not names:
        return labels_of([str(number) for number in present.tolist()], index, where)
    named = [names[place] for place in _places(present, len(names), where, from_zero)]
    check_names(named, where)
    return tuple(named), index.astype(np.int64)


def absent_names(names: Sequence[str], used: Sequence[str]) -> list[str]:
    """Return a sentence on the names of classes that have no image, if there are any."""
    absent = sorted({*names} - {*used})
    verb = "has no image and is" if len(absent) == 1 else "have no image and are"
    return [f"{listed(absent, 'class')} {verb} left out"] if absent else []


def _single(values: NDArray[Any], where: str) -> NDArray[Any]:
    """Return labels of any form as [N].

    Raises:
        InputError: the images have several labels.
    """
    if values.ndim > 1 and values.shape[1:] == (1,) * (values.ndim - 1):
        return values.reshape(len(values))
    if values.ndim == 1:
        return values
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(f"{where} has the shape {list(values.shape)}; {ONE_EACH}")
    if not np.isin(values, (0, 1)).all():
        raise InputError(
            f"{where} has {values.shape[1]} numbers for each image, which are not one 1 and else 0;"
            f" {ONE_EACH}"
        )
    found = np.count_nonzero(values, axis=1)
    if (wrong := np.flatnonzero(found != 1)).size:
        raise InputError(
            f"{where} gives row {wrong[0]} {found[wrong[0]]} classes; several labels for an image, "
            f"or none, are not supported, so {ONE_EACH}"
        )
    return values.argmax(axis=1)


def _words(values: NDArray[Any], where: str) -> NDArray[np.str_]:
    if values.dtype.kind == "U":
        return values
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} holds bytes that are not UTF-8; save it as text") from error


def _whole(values: NDArray[Any], where: str) -> NDArray[np.int64]:
    """Return numbers as int64.

    Raises:
        InputError: they are not whole.
    """
    if values.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
        if wrong.size:
            raise InputError(
                f"{where} has the label {values[wrong[0]]:g} in row {wrong[0]}, which is not a "
                f"whole number; {ONE_EACH}"
            )
    if np.abs(values.astype(np.float64)).max(initial=0) >= 2**53:
        raise InputError(f"{where} has a label of 2^53 or more; number the classes from 0")
    return values.astype(np.int64)


def _places(
    present: NDArray[np.int64], n_names: int, where: str, from_zero: bool
) -> NDArray[np.int64]:
    """Return the places of labels in the list of names.

    Raises:
        InputError: a label has none, or it is unclear whether the labels count from 0 or from 1.
    """
    low, high = present[0], present[-1]
    first = 0 if from_zero or low == 0 else 1
    if first and high < n_names:
        raise InputError(
            f"{where} runs from {low} to {high}, and there are {n_names} names, so it may count "
            "from 0 or from 1; give only the names of these labels"
        )
    if high - first >= n_names:
        raise InputError(
            f"{where} runs from {low} to {high}, but there are {n_names} names; give one name for "
            "each number"
        )
    return present - first
