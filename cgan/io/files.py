"""JSON and CSV as bytes; atomic writes of files."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cgan.runtime.errors import InputError

Row = Mapping[str, float | int | str]
FORMULA_STARTS = "=+-@"  # spreadsheets compute a cell that begins with one of these
TEMPORARY = ".cgan-"  # begins the names of temporary folders


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: a temporary file in the same folder, fsync, rename.

    Raises:
        OSError: it cannot be written; an older file of that name is unchanged.
    """
    write_files(path.parent, [(path.name, content)])


def write_files(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files to an existing folder, given by name and content: all of them or none.

    They are written to a temporary folder in it, then renamed.

    Raises:
        OSError: one cannot be written; older files of these names are unchanged.
    """
    name, names = "", []
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=TEMPORARY) as place:
            for name, content in files:
                write_through(Path(place, name), content)
                names.append(name)
            for name in names:
                Path(place, name).replace(folder / name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"cannot write {folder / name} ({reason})") from error


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON, indented; NaN and infinity become null."""
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """Return rows as CSV; a row may lack columns that others have."""
    stream = io.StringIO()
    keys = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(safe_cell, keys))
    writer.writerows([safe_cell(row.get(key, "")) for key in keys] for row in rows)
    return stream.getvalue().encode()


def safe_cell(value: Any) -> Any:
    """Return the value of a CSV cell so that no spreadsheet takes it for a formula.

    A text that begins with a control character or one of FORMULA_STARTS gets an apostrophe in
    front, unless it is a number.
    """
    if not isinstance(value, str) or not value:
        return value
    if value[0] not in FORMULA_STARTS and value[0].isprintable():
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def make_folder(folder: Path, flag: str) -> Path:
    """Create a folder for results and check that it can be written to.

    Raises:
        InputError: it cannot; the message names `flag`, which selects another folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot write to {folder} ({reason}); choose another with {flag}"
        ) from error


@contextmanager
def output_folder(folder: Path, flag: str) -> Iterator[None]:
    """Create a folder for results, as `make_folder` does, while they are written.

    If that fails, the folders that were created are removed, unless they hold something.
    """
    made = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        make_folder(folder, flag)
        yield
    except BaseException:
        for place in made:
            with suppress(OSError):  # it holds something, or is gone
                place.rmdir()
        raise


def require_writable(folder: Path, flag: str) -> None:
    """Check that a folder can be written to, or created, without creating it.

    Raises:
        InputError: it cannot; the message names `flag`, which selects another folder.
    """
    if reason := why_not_writable(folder):
        raise InputError(f"cannot write to {folder} ({reason}); choose another with {flag}")


def require_writable_file(path: Path, flag: str) -> None:
    """Check that a file can be written, without creating it or its folder.

    Raises:
        InputError: it cannot; the message names `flag`, which selects another file.
    """
    reason = _impossible(path) or why_not_writable(path.parent)
    if os.path.isdir(path):
        reason = "it is a folder"
    if reason:
        raise InputError(f"cannot write to {path} ({reason}); choose another with {flag}")


def nearest_existing(folder: Path) -> Path:
    """Return a folder, or its nearest parent that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if os.path.lexists(place))


def why_not_writable(folder: Path) -> str | None:
    """Return why a folder cannot be written to or created; None if it can."""
    place = nearest_existing(folder)
    if not place.is_dir():
        return f"{place} is not a folder"
    if reason := _impossible(folder):
        return reason
    try:
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _impossible(path: Path) -> str | None:
    """Return why no file or folder can have a path, such as a name that is too long, else None."""
    place = nearest_existing(path)
    parts = path.absolute().relative_to(place).parts
    for new in (path, *(place / part for part in parts)):
        try:
            os.lstat(new)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:  # ValueError: it has a null character
            return getattr(error, "strerror", None) or str(error)
    return None


def write_through(path: Path, content: bytes) -> None:
    """Write a file through to the disk, creating its parent folders.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk, if the system supports it."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
