"""The names of classes: which are allowed, and their order; labels from them; no torch."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgan.config.schema import LONGEST_CLASS_NAME, MOST_CLASSES
from cgan.runtime.errors import InputError

NUMBER = re.compile(r"[0-9]{1,18}")
SEPARATORS = re.compile(r"[/\\]")


def plain_name(path: Path) -> str:
    """Return a plain name for the data set in a file or a folder: ASCII, without spaces."""
    path = path.resolve()
    whole = path.name if path.is_dir() else re.sub(r"(\.tar)?\.[^.]+$", "", path.name)
    letters = unicodedata.normalize("NFKD", whole).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", letters).strip("-._")[:100] or "images"


def shown(text: str) -> str:
    """Return a text from a source for a message: what cannot be printed becomes a ?."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def labels_of(
    classes: Sequence[str], index: NDArray[np.integer], where: Path | str
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the classes in order, and the labels int64 [N], from 0.

    Args:
        classes: the name of each class that has an image, in any order.
        index: [N], the place of each image's class in `classes`.
        where: the source, which messages name.

    Raises:
        InputError: as `check_names`.
    """
    check_names(classes, where)
    names = ordered(classes)
    places = {name: label for label, name in enumerate(names)}
    table = np.array([places[name] for name in classes], np.int64)
    return names, table[index]


def ordered(classes: Iterable[str]) -> tuple[str, ...]:
    """Return the names in order: numbers by their value if all are numbers, else by letters."""
    names = sorted(classes)
    if all(NUMBER.fullmatch(name) for name in names):
        names.sort(key=int)
    return tuple(names)


def check_names(classes: Sequence[str], where: Path | str) -> None:
    """Check the names of the classes of a source.

    Raises:
        InputError: fewer than two or more than `MOST_CLASSES`; one that cannot be a name; or two
            that are too alike.
    """
    if len(classes) == 1:
        raise InputError(
            f"{where} holds one class, {shown(classes[0])!r:.120}; at least two are needed"
        )
    if len(classes) > MOST_CLASSES:
        raise InputError(
            f"{where} holds {len(classes):,} classes; at most {MOST_CLASSES:,} are possible, so "
            "merge some or leave some out"
        )
    seen: dict[str, str] = {}
    for name in sorted(classes):
        check_name(name, where)
        alike = seen.setdefault(_key(name), name)
        if alike != name:
            raise InputError(
                f"{where} holds the classes {alike!a:.130} and {name!a:.130}, which differ only in "
                "spelling; rename one, or merge them"
            )


def check_name(name: str, where: Path | str) -> None:
    """Check the name of one class.

    Raises:
        InputError: it is empty or too long, cannot be printed, or looks like a path out of a
            folder.
    """
    problem = ""
    if not name.strip():
        problem = "is empty"
    elif len(name) > LONGEST_CLASS_NAME:
        problem = f"has more than {LONGEST_CLASS_NAME} characters"
    elif not name.isprintable():
        problem = "has characters that cannot be printed"
    elif any(part in ("", ".", "..") for part in SEPARATORS.split(name)):
        problem = "is a path"
    if problem:
        raise InputError(f"{where}: the class name {name!a:.130} {problem}; use a plain word")


def _key(name: str) -> str:
    """Return what two names share that a reader would take for the same."""
    if NUMBER.fullmatch(name):
        return str(int(name))
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
