"""Reads untrusted files: plain files alone, no larger than they may be; JSON of few levels."""

import json
import lzma
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

DEEPEST = 20  # levels of JSON; ours have seven
MOST_MEMORY = 2**27  # bytes that unpacking may take beside what comes out


def open_plain(path: Path, largest: int, *, links: bool = False) -> BinaryIO:
    """Open a file to read its bytes, without waiting for any.

    Args:
        path: the file.
        largest: the number of bytes that it may have.
        links: whether the file may be a link. In a folder of somebody else's it could lead to a
            file that they must not learn of.

    Raises:
        OSError: it is not there or must not be read; or a link, a folder, a pipe, a device or a
            larger file. The message is the reason alone.
    """
    kind = (path.stat() if links else path.lstat()).st_mode
    if stat.S_ISLNK(kind):
        raise OSError("it is a link, not the file itself")
    if not stat.S_ISREG(kind):
        raise OSError("it is no plain file")
    # what takes the file's place from here on is neither followed nor waited for
    safely = getattr(os, "O_NONBLOCK", 0) | (0 if links else getattr(os, "O_NOFOLLOW", 0))
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | safely)
    about = os.fstat(handle)
    if stat.S_ISREG(about.st_mode) and about.st_size <= largest:
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(f"it has {about.st_size:,} bytes, and {largest:,} is the most")


def read_plain(path: Path, largest: int, *, links: bool = False) -> bytes:
    """Return the bytes of a file, `largest` at most.

    Raises:
        OSError: as `open_plain`; or the file grew meanwhile.
    """
    with open_plain(path, largest, links=links) as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise OSError("it grows while it is read")
    return content


def read_json(path: Path, largest: int) -> Any:
    """Return what a JSON file holds, numbers not yet checked; NaN and infinity are no JSON.

    Raises:
        OSError: as `open_plain`.
        ValueError: as `parse_json`.
    """
    return parse_json(read_plain(path, largest).decode())


def parse_json(text: str) -> Any:
    """Return what a JSON text holds, numbers not yet checked; NaN and infinity are no JSON.

    Raises:
        ValueError: it is no JSON, or has more than `DEEPEST` levels.
    """
    try:
        content = json.loads(text, parse_constant=_refuse)
        _check_depth(content, DEEPEST)
    except RecursionError as error:
        raise ValueError(f"it has more than {DEEPEST} levels") from error
    return content


class FormatError(ValueError):
    """A file of a format that this version does not read; the message follows the file's name."""


def format_of(content: Any, known: int) -> int:
    """Return the format number of a JSON object; 1 if it has none.

    Every JSON file that cgan writes has the entry `"format": n`. Files of version 0.1 have none.

    Args:
        content: of the file.
        known: the highest format that the caller reads.

    Raises:
        FormatError: another or a malformed format. The message completes a sentence that begins
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
    raise ValueError(f"{name} is no number")


def _check_depth(value: Any, left: int) -> None:
    if left < 0:
        raise RecursionError
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for one in inner:
            _check_depth(one, left - 1)


def first_line(error: BaseException) -> str:
    """Return what an error says, as a short line."""
    text = next(iter(str(error).splitlines()), "") or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def unpack_xz(packed: bytes, largest: int) -> bytes:
    """Return what an xz file unpacks to; of more than `largest` bytes, one too many and no more.

    Raises:
        lzma.LZMAError: it is damaged, or would take more than `MOST_MEMORY`.
    """
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)
    return reader.decompress(packed, max_length=largest + 1)
