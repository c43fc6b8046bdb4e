"""The columns of a Parquet file: which holds the images, and which the labels; needs pyarrow."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cgan.data.formats.array_keys import IMAGES, LABELS, WORDS
from cgan.data.importing.class_names import shown
from cgan.runtime.errors import InputError


class Columns(NamedTuple):
    """The columns of a data set.

    Attributes:
        image: holds the bytes of a picture, or a struct with `bytes`.
        label: holds numbers or words.
        names: of the classes, from the metadata; empty if there are none.
    """

    image: str
    label: str
    names: Sequence[str]


def columns_of(schema: Any, path: Path) -> Columns:
    """Return which columns hold the images and the labels.

    Args:
        schema: a `pyarrow.Schema`.
        path: the file, for messages.

    Raises:
        InputError: it is not clear.
    """
    classes = _class_names(schema)
    images = [field.name for field in schema if _holds_pictures(field.type)]
    labels = [field.name for field in schema if _holds_labels(field.type)]
    known = ", ".join(f"{field.name} ({field.type})" for field in schema)
    image = _preferred(images, WORDS[IMAGES])
    if image is None:
        raise InputError(
            f"{path} has no column of images that is clear (only {shown(known):.300}); name a "
            "column of picture files `image`"
        )
    label = _preferred(labels, WORDS[LABELS], list(classes))
    if label is None:
        raise InputError(
            f"{path} has no column of labels that is clear (only {shown(known):.300}); name a "
            "column of numbers or words `label`"
        )
    return Columns(image, label, classes.get(label, ()))


def _preferred(
    columns: Sequence[str], words: Sequence[str], first: Sequence[str] = ()
) -> str | None:
    """Return the column of a known name, else the only one of `first`, else the only column."""
    by_name = {column.lower(): column for column in columns}
    for word in words:
        if word in by_name:
            return by_name[word]
    usable = [column for column in first if column in columns] or columns
    return usable[0] if len(usable) == 1 else None


def _holds_pictures(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(part.name == "bytes" and _holds_pictures(part.type) for part in kind)
    return types.is_binary(kind) or types.is_large_binary(kind)


def _holds_labels(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    is_one = (types.is_integer, types.is_floating, types.is_boolean)
    is_word = (types.is_string, types.is_large_string)
    return any(test(kind) for test in (*is_one, *is_word))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Return the names of the classes of columns, from Hugging Face's metadata."""
    try:
        facts = json.loads((schema.metadata or {})[b"huggingface"])
        features = facts["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}  # another program wrote the file, or its names are not usable
