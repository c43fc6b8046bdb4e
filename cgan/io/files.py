"""JSON and CSV as bytes; atomic writes of files."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cgan.runtime.errors import InputError

Row = Mapping[str, float | int | str]


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: a temporary file in the same folder, fsync, rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON, indented; NaN and infinity become null."""
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """Return rows as CSV; a row may lack columns that others have."""
    stream = io.StringIO()
    keys = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(stream, fieldnames=keys, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


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


def require_writable(folder: Path, flag: str) -> None:
    """Check that a folder can be written to, or created, without creating it.

    Raises:
        InputError: it cannot; the message names `flag`, which selects another folder.
    """
    if reason := why_not_writable(folder):
        raise InputError(f"cannot write to {folder} ({reason}); choose another with {flag}")


def nearest_existing(folder: Path) -> Path:
    """Return a folder, or its nearest parent that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if os.path.lexists(place))


def why_not_writable(folder: Path) -> str | None:
    """Return why a folder cannot be written to or created; None if it can."""
    place = nearest_existing(folder)
    if not place.is_dir():
        return f"{place} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return error.strerror or str(error)


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
