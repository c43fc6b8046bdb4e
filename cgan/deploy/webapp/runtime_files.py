"""Unpacks and checks ONNX Runtime Web, which runs the networks in a browser.

It is third-party software (runtime/LICENSE.txt). scripts/browser_runtime packs it.
"""

import hashlib
import lzma
from pathlib import Path
from typing import Any

from cgan.io.run_layout import PLAIN_NAME
from cgan.io.strict import (
    FormatError,
    first_line,
    format_of,
    read_json,
    read_plain,
    unpack_xz,
)
from cgan.runtime.errors import InputError

RUNTIME = Path(__file__).parent / "runtime"
CONTENTS = "runtime.json"
FORMAT = 1  # of runtime.json
LICENCE = "LICENSE.txt"
PACKED = ".xz"
LARGEST_CONTENTS = 2**16  # bytes of runtime.json
LARGEST_PACKED = 2**23  # bytes of a packed file; the shipped ones have two million
LARGEST_FILE = 2**25  # bytes of an unpacked file


def unpack(folder: Path = RUNTIME) -> dict[str, bytes]:
    """Return the runtime's files by name, its licence and runtime.json among them.

    Raises:
        InputError: one of them is missing, or is not what runtime.json says.
    """
    try:
        licence = read_plain(folder / LICENCE, LARGEST_CONTENTS)
        files = {LICENCE: licence, CONTENTS: read_plain(folder / CONTENTS, LARGEST_CONTENTS)}
        contents = read_json(folder / CONTENTS, LARGEST_CONTENTS)
        format_of(contents, FORMAT)
        for name, about in dict(contents["files"]).items():
            files[name] = _unpacked(folder, name, about)
    except FormatError as error:
        raise InputError(f"{folder / CONTENTS} {error}; install cgan again") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, lzma.LZMAError) as error:
        raise InputError(
            f"the runtime in {folder} is missing or damaged ({first_line(error)}); install cgan "
            "again"
        ) from error
    return files


def _unpacked(folder: Path, name: str, about: dict[str, Any]) -> bytes:
    """Return the content of one file.

    Raises:
        OSError: it cannot be read.
        ValueError: a name, a size or a checksum is wrong.
        lzma.LZMAError: it is damaged.
    """
    size, sha256 = about["bytes"], about["sha256"]
    if not PLAIN_NAME.fullmatch(name):
        raise ValueError(f"{name!a:.99} is no file name")
    if not isinstance(size, int) or not 0 < size <= LARGEST_FILE:
        raise ValueError(f"{name} would have {size!r:.20} bytes")
    packed = read_plain(folder / (name + PACKED), LARGEST_PACKED)
    content = unpack_xz(packed, size)
    if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{name} is not what {CONTENTS} says")
    return content
