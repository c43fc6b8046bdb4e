"""Reads tables of files and labels: metadata.csv or .jsonl, labels.csv, dataset.json; no torch."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cgan.data.importing.class_folders import split_of
from cgan.data.importing.class_names import shown
from cgan.data.importing.found import NOT_GIVEN
from cgan.data.importing.trees import FileList
from cgan.io.strict import first_line, parse_json
from cgan.runtime.errors import InputError

NAMES = ("metadata.csv", "metadata.jsonl", "labels.csv", "labels.jsonl", "dataset.json")
LARGEST = 2**28  # bytes
FILE_COLUMNS = ("file_name", "path", "filename", "file", "image")
LABEL_COLUMNS = ("label", "class", "category")  # of several, the first
SPLIT_COLUMNS = ("split",)
PAIR = {"file": "file", "label": "label"}
DELIMITERS = (",", ";", "\t")
DRIVE = re.compile(r"[A-Za-z]:")
NEGATIVE = re.compile(r"-[0-9]+")


class Row(NamedTuple):
    """What a table says about one file; `line` is what messages call the row."""

    line: str
    file: str
    label: str
    split: str


class NoTableError(ValueError):
    """A file has the name of a table, but does not list files with labels."""


def tables_of(files: FileList) -> list[int]:
    """Return the indices of the files that are tables by their name."""
    found = (
        index for index, path in enumerate(files.paths) if path.rpartition("/")[2].lower() in NAMES
    )
    return sorted(found, key=files.paths.__getitem__)


def read_table(files: FileList, index: int) -> Iterator[Row]:
    """Yield the rows of a table.

    Raises:
        NoTableError: it does not list files with labels.
        InputError: it is damaged.
    """
    path = files.paths[index]
    where = f"{files.where}: {shown(path)}"
    if files.sizes[index] > LARGEST:
        raise InputError(f"{where} has more than {LARGEST // 2**20} MiB; shorten it")
    read = next(READERS[ending] for ending in READERS if path.lower().endswith(ending))
    try:
        yield from read(files.read(index))
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not UTF-8; save it as UTF-8") from error
    except NoTableError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{where} cannot be read ({first_line(error)}); correct it") from error


def _csv_rows(content: bytes) -> Iterator[Row]:
    stream = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="")
    header = stream.readline()
    delimiter = max(DELIMITERS, key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    columns = _columns(names)
    rows = csv.reader(stream, delimiter=delimiter)
    for cells in rows:
        if any(cells):
            row = dict(zip(names, cells, strict=False))
            yield _row(f"line {rows.line_num + 1}", row, columns)


def _jsonl_rows(content: bytes) -> Iterator[Row]:
    columns: Mapping[str, str] = {}
    for number, line in enumerate(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig"), 1):
        if not line.strip():
            continue
        row = parse_json(line)
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is not a JSON object")
        columns = columns or _columns(row)
        yield _row(f"line {number}", row, columns)


def _dataset_rows(content: bytes) -> Iterator[Row]:
    table = parse_json(content.decode("utf-8-sig"))
    if isinstance(table, dict):
        if "labels" not in table:
            raise NoTableError
        table = table["labels"]
    if table is None:
        raise ValueError("its labels are null: it was written for images without labels")
    pairs = list(table.items()) if isinstance(table, dict) else table
    if not isinstance(pairs, list):
        raise NoTableError
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"entry {number} is not a list [file, label]")
        yield _row(f"entry {number}", dict(zip(PAIR, pair, strict=True)), PAIR)


def _columns(names: Any) -> Mapping[str, str]:
    """Return the names of the columns of files, labels and splits, as a table writes them.

    Raises:
        NoTableError: those of files or of labels are missing.
    """
    known = {str(name).strip().lower(): name for name in names}
    columns = {}
    for kind, words in (("file", FILE_COLUMNS), ("label", LABEL_COLUMNS), ("split", SPLIT_COLUMNS)):
        found = [known[word] for word in words if word in known]
        if found:
            columns[kind] = found[0]
        elif kind != "split":
            raise NoTableError(", ".join(map(str, names)))
    return columns


def _row(line: str, row: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
    """Return what a row says.

    Raises:
        ValueError: a cell is missing or of another kind, or the file lies outside.
    """
    file, label, split = (row.get(columns.get(kind, "")) for kind in ("file", "label", "split"))
    if not isinstance(file, str) or not file.strip():
        raise ValueError(f"{line} names no file")
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, bool) or not isinstance(label, str | int) or not str(label).strip():
        raise ValueError(f"{line} has the label {label!a:.60}, which is not a word or a number")
    if NEGATIVE.fullmatch(str(label).strip()):
        raise ValueError(f"{line} has the label {label!a:.60}; numbers begin with 0 or 1")
    if split is not None and split_of(str(split)) == NOT_GIVEN:
        raise ValueError(f"{line} has the split {split!a:.60}, not train, validation or test")
    return Row(line, _relative(line, file), str(label).strip(), str(split or ""))


def _relative(line: str, file: str) -> str:
    """Return the path of a file as lists of files write it.

    Raises:
        ValueError: it leads outside.
    """
    path = file.strip().replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or path.startswith("/") or DRIVE.match(path):
        raise ValueError(f"{line} names {file!a:.130}, which is not below the folder of the table")
    return "/".join(parts)


READERS = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".json": _dataset_rows}
