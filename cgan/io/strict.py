"""Reads untrusted files: regular files only, of limited size; JSON of limited depth."""

import json
import lzma
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

DEEPEST = 20  # levels of JSON; ours have seven
MOST_MEMORY = 2**27  # bytes that unpacking may take in addition to its output


def open_plain(path: Path, largest: int, *, links: bool = False) -> BinaryIO:
    """Open a regular file to read its bytes, without blocking.

    Args:
        path: the file.
        largest: the largest allowed size in bytes.
        links: whether the file may be a link. In an untrusted folder, a link could expose a file
            that the folder's owner must not see.

    Raises:
        OSError: it is missing, not readable, a link, a folder, a pipe, a device, or too large. The
            message is the reason alone.
    """
    kind = (path.stat() if links else path.lstat()).st_mode
    if stat.S_ISLNK(kind):
        raise OSError("it is a link, not the file itself")
    if not stat.S_ISREG(kind):
        raise OSError("it is not a regular file")
    # if something else replaces the file from here on, do not follow a link or wait for a pipe
    safely = getattr(os, "O_NONBLOCK", 0) | (0 if links else getattr(os, "O_NOFOLLOW", 0))
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | safely)
    about = os.fstat(handle)
    if stat.S_ISREG(about.st_mode) and about.st_size <= largest:
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(f"it has {about.st_size:,} bytes, and {largest:,} is the maximum")


def read_plain(path: Path, largest: int, *, links: bool = False) -> bytes:
    """Return the bytes of a file, `largest` at most.

    Raises:
        OSError: as `open_plain`; or the file grew while it was read.
    """
    with open_plain(path, largest, links=links) as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise OSError("it grew while it was read")
    return content


def read_json(path: Path, largest: int) -> Any:
    """Return the content of a JSON file; numbers are not checked; NaN and infinity are refused.

    Raises:
        OSError: as `open_plain`.
        ValueError: as `parse_json`.
    """
    return parse_json(read_plain(path, largest).decode())


def parse_json(text: str) -> Any:
    """Return the content of a JSON text; numbers are not checked; NaN and infinity are refused.

    Raises:
        ValueError: it is not JSON, or has more than `DEEPEST` levels.
    """
    try:
        content = json.loads(text, parse_constant=_refuse)
        _check_depth(content, DEEPEST)
    except RecursionError as error:
        raise ValueError(f"it has more than {DEEPEST} levels") from error
    return content


class FormatError(ValueError):
    """A file has a format that this version cannot read; the message follows the file's name."""


def format_of(content: Any, known: int) -> int:
    """Return the format number of a JSON object; 1 if it has none.

    Every JSON file that cgan writes has the entry `"format": n`. Files of version 0.1 have none.

    Args:
        content: the parsed file.
        known: the highest format that the caller reads.

    Raises:
        FormatError: a newer or malformed format. The message completes a sentence that begins
            with the name of the file.
        ValueError: the content is not an object.
    """
    if not isinstance(content, Mapping):
        raise ValueError("it is not a JSON object")
    number = content.get("format", 1)
    if type(number) is not int or number < 1:
        raise FormatError(f"has the format {number!a:.40}, which is not a whole number from 1")
    if number > known:
        raise FormatError(
            f"is of format {number}, which a newer cgan wrote; this one reads up to {known}"
        )
    return number


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _check_depth(value: Any, left: int) -> None:
    if not isinstance(value, dict | list) or not value:
        return
    if left < 1:
        raise RecursionError
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):  # there may be a million numbers
            _check_depth(one, left - 1)


def first_line(error: BaseException) -> str:
    """Return what an error says, as a short line."""
    text = next(iter(str(error).splitlines()), "") or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def unpack_xz(packed: bytes, largest: int) -> bytes:
    """Return the unpacked content of an xz file, cut off after `largest` + 1 bytes.

    Raises:
        lzma.LZMAError: it is damaged, or would take more than `MOST_MEMORY`.
    """
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)
    return reader.decompress(packed, max_length=largest + 1)
