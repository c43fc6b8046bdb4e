"""Reads labelled images from Parquet files, as in data sets of Hugging Face; needs pyarrow."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.data.formats.labels import absent_names, class_labels
from cgan.data.formats.parquet_columns import Columns, columns_of
from cgan.data.importing.class_names import plain_name
from cgan.data.importing.found import (
    SPLIT_WORDS,
    FoundImages,
    UnreadableError,
    files_fingerprint,
    given_splits,
)
from cgan.data.importing.pictures import open_picture
from cgan.io.strict import first_line
from cgan.runtime.errors import InputError

BATCH = 64  # rows that are read at once
BUFFER = 2**20  # bytes of a column that are read at once
SHARD = re.compile(r"[\W_]+")  # between the words of a file's name
NO_LABEL = "without a label"
UNNAMED = "data"  # the folder of the files in Hugging Face's repositories
HIDDEN = -1  # the label in test files whose labels are kept secret


def parquet_images(path: Path) -> FoundImages:
    """Return the labelled images in Parquet files; images are read later, a few rows at a time.

    Args:
        path: a file, or a folder of files whose names say their split, such as
            `train-00000-of-00002.parquet`; below it they may lie in folders. The images are a
            column of bytes, or of structs with `bytes`; the labels are numbers or words.

    Raises:
        InputError: pyarrow is not installed, a file is damaged, or the columns are not found.
    """
    pq = _pyarrow()
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    files = [file for file in files if not any(p.startswith(".") for p in _inside(file, path))]
    if not files:
        raise InputError(f"{path} holds no files that end in .parquet")
    columns = columns_of(_opened(pq, files[0]).schema_arrow, files[0])
    read = [_label_column(pq, file, columns) for file in files]
    numbers = [np.flatnonzero(present) for _, present in read]
    values = np.concatenate([values[present] for values, present in read])
    where = f"{path}: the column {columns.label}"
    if not len(values):
        raise InputError(f"{where} holds no labels")
    names, labels = class_labels(values, columns.names, where, from_zero=True)
    splits = [_split(file, path) for file in files]
    rows = [_Rows(file, place) for file, place in zip(files, numbers, strict=True)]
    without = [
        f"row {row} of {file.name}"
        for file, (_, present) in zip(files, read, strict=True)
        for row in np.flatnonzero(~present).tolist()
    ]
    place = path.resolve()
    return FoundImages(
        plain_name(place.parent if place.is_dir() and place.name == UNNAMED else place),
        path.resolve(),
        "Parquet",
        names,
        labels,
        given_splits(np.repeat([split or 0 for split in splits], [len(n) for n in numbers])),
        ParquetReader(rows, columns.image),
        files_fingerprint(files),
        {NO_LABEL: without} if without else {},
        absent_names(columns.names, names),
    )


def _label_column(
    pq: ModuleType, path: Path, columns: Columns
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the labels [N] of a file, and which of them are present, bool [N].

    Raises:
        InputError: the file has no such columns, or is damaged.
    """
    file = _opened(pq, path)
    if missing := {columns.image, columns.label} - {*file.schema_arrow.names}:
        raise InputError(f"{path} has no column {missing.pop()!r}, which the first file has")
    try:
        column = file.read(columns=[columns.label]).column(0).combine_chunks()
    except Exception as error:  # pyarrow has many
        raise _damaged(path, error) from error
    if hasattr(column, "dictionary_decode"):
        column = column.dictionary_decode()
    present = ~np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool)
    values = column.drop_null().to_numpy(zero_copy_only=False)
    if values.dtype == object:
        values = values.astype(np.str_)
    filled = np.zeros(len(present), values.dtype)
    filled[present] = values
    if filled.dtype.kind == "i":
        present &= filled != HIDDEN
    return filled, present


class _Rows(NamedTuple):
    """The rows of a file that are images, in order."""

    path: Path
    numbers: NDArray[np.int64]


class ParquetReader:
    """Decodes the pictures in Parquet files, mostly in their order; an `ImageReader`."""

    def __init__(self, files: Sequence[_Rows], column: str):
        """Read nothing yet."""
        self._files, self._column = files, column
        self._starts = [0, *accumulate(len(rows.numbers) for rows in files)]
        self._open: tuple[int, _Column] | None = None  # the file that is being read

    def place(self, index: int) -> str:
        """Return what messages call an image: `row 17 of train-00000-of-00002.parquet`."""
        file, row = self._find(index)
        return f"row {row} of {self._files[file].path.name}"

    def load(self, index: int) -> Image.Image:
        """Return a picture as Pillow opens it.

        Raises:
            UnreadableError: it is missing, damaged, or of no known format.
            InputError: the file itself is damaged.
        """
        file, row = self._find(index)
        if self._open is None or self._open[0] != file:
            self._open = file, _Column(self._files[file].path, self._column)
        picture = self._open[1].value(row)
        content = picture.get("bytes") if isinstance(picture, dict) else picture
        if not content:
            raise UnreadableError("not in the file")
        name = picture.get("path") if isinstance(picture, dict) else None
        return open_picture(content, name if isinstance(name, str) else "")

    def _find(self, index: int) -> tuple[int, int]:
        """Return the file of an image and its row there."""
        file = bisect_right(self._starts, index) - 1
        return file, int(self._files[file].numbers[index - self._starts[file]])


class _Column:
    """The values of a column of a file, of which a few rows of one row group are in memory."""

    def __init__(self, path: Path, name: str):
        self._path, self._name = path, name
        self._file = _opened(_pyarrow(), path)
        groups = range(self._file.metadata.num_row_groups)
        sizes = [self._file.metadata.row_group(group).num_rows for group in groups]
        self._starts = [0, *accumulate(sizes)]  # of the row groups
        self._group, self._start, self._batch = -1, 0, []  # type: int, int, Sequence[Any]

    def value(self, row: int) -> Any:
        """Return the value in a row. In a row group, it is faster to go on than back.

        Raises:
            InputError: the file is damaged.
        """
        group = bisect_right(self._starts, row) - 1
        try:
            if group != self._group or row < self._start:
                self._group, self._start, self._batch = group, self._starts[group], []
                self._batches = self._file.iter_batches(
                    BATCH, [group], columns=[self._name], use_threads=False
                )
            while row >= self._start + len(self._batch):
                self._start += len(self._batch)
                self._batch = next(self._batches).column(0)
            return self._batch[row - self._start].as_py()
        except Exception as error:  # pyarrow has many
            raise _damaged(self._path, error) from error


def _opened(pq: ModuleType, path: Path) -> Any:
    """Return an open `pyarrow.parquet.ParquetFile`.

    Raises:
        InputError: the file is damaged or cannot be read.
    """
    try:
        return pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
    except Exception as error:  # pyarrow has many
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is damaged or cannot be read ({first_line(error)}); save it again")


def _pyarrow() -> ModuleType:
    """Return `pyarrow.parquet`.

    Raises:
        InputError: it is not installed.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "reading Parquet needs pyarrow, which is not installed; run: pip install pyarrow"
        ) from error
    return parquet


def _inside(file: Path, top: Path) -> tuple[str, ...]:
    return file.relative_to(top).parts if file != top else (file.name,)


def _split(file: Path, top: Path) -> int | None:
    """Return the split that a file's name or its folder says: `train-00000-of-00002.parquet`."""
    for part in reversed(_inside(file, top)):
        for word in SHARD.split(Path(part).stem.lower()):
            if word in SPLIT_WORDS:
                return SPLIT_WORDS[word]
    return None
