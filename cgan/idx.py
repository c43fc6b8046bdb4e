"""Reads the idx files in which MNIST and its kin are kept, gzipped or not."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cgan.errors import InputError

UNSIGNED_BYTE = 8  # the only element type that these data sets use
LARGEST = 2**30  # bytes; twenty times MNIST, refused before memory is taken


def read_idx(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    """Return the array in an idx file (http://yann.lecun.com/exdb/mnist, "file format").

    Args:
        path: the file; a gzip stream is told by its first two bytes, not by its name.
        n_dimensions: 3 for images, 1 for labels.

    Returns:
        uint8 array of the header's shape.

    Raises:
        InputError: the header is not that of an idx file of bytes with `n_dimensions`, or the
            file is shorter or longer than its header says, or the gzip stream is damaged.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            if zipped:
                with gzip.GzipFile(fileobj=raw) as stream:
                    return _read(stream, path, n_dimensions)  # type: ignore[arg-type]
            return _read(raw, path, n_dimensions)
        except (EOFError, zlib.error, OSError) as error:
            raise InputError(f"{path} is damaged ({error}); fetch it again") from error


def _read(stream: BinaryIO, path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    header_length = 4 + 4 * n_dimensions
    header = stream.read(header_length)
    expected = bytes([0, 0, UNSIGNED_BYTE, n_dimensions])
    if header[:4] != expected:
        raise InputError(
            f"{path} is no idx file of {n_dimensions}-dimensional bytes: it starts with "
            f"{header[:4].hex() or 'nothing'} and should start with {expected.hex()}"
        )
    if len(header) < header_length:
        raise InputError(f"{path} is truncated: it ends within its header; fetch it again")
    shape = struct.unpack(f">{n_dimensions}I", header[4:])
    size = math.prod(shape)
    if not 0 < size <= LARGEST:
        raise InputError(f"{path} claims the shape {shape}; it is damaged or not one of ours")
    body = stream.read(size + 1)
    if len(body) != size:
        state = "truncated" if len(body) < size else "longer than its header says"
        raise InputError(f"{path} is {state} ({size} bytes announced); fetch it again")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)
