"""Bytes of JSON and CSV; files that are written whole or not at all."""

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
    """Write a file whole or not at all: a temporary neighbour, fsync, rename."""
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
    """Return rows as CSV; a row may lack what others have."""
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
    """Create a folder for results and prove that it can be written to.

    Raises:
        InputError: it cannot; the message names `flag`, which chooses another.
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
        InputError: it cannot; the message names `flag`, which chooses another.
    """
    if reason := why_not_writable(folder):
        raise InputError(f"cannot write to {folder} ({reason}); choose another with {flag}")


def nearest_existing(folder: Path) -> Path:
    """Return a folder, or the first one above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if os.path.lexists(place))


def why_not_writable(folder: Path) -> str | None:
    """Return what keeps a folder from being written to, or created; None if nothing does."""
    place = nearest_existing(folder)
    if not place.is_dir():
        return f"{place} is no folder"
    try:
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return error.strerror or str(error)


def write_through(path: Path, content: bytes) -> None:
    """Write a file, making the folders above it.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
