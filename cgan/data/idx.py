"""Reads the idx files of MNIST and similar data sets, gzipped or not."""

import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cgan.io.strict import open_plain
from cgan.runtime.errors import InputError

UNSIGNED_BYTE = 8  # the only element type that these data sets use
LARGEST = 2**28  # bytes; five times MNIST; larger files are refused before allocating memory
PIECE = 2**16  # bytes that are read or unpacked at once


def read_idx(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    """Return the array in an idx file (http://yann.lecun.com/exdb/mnist, "file format").

    Args:
        path: the file; a gzip stream is recognised by its first two bytes, not by its name.
        n_dimensions: 3 for images, 1 for labels.

    Returns:
        uint8 array of the header's shape.

    Raises:
        InputError: the file cannot be read or is not a regular file, the header is not that of an
            idx file of bytes with `n_dimensions`, the file is shorter or longer than its header
            says, or the gzip stream is damaged or not the only one.
    """
    try:
        with open_plain(path, LARGEST + PIECE, links=True) as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return _read(_Unzipped(raw) if zipped else raw, path, n_dimensions)
    except (EOFError, zlib.error, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); fetch it again") from error


class _Unzipped:
    """The content of one gzip stream, unpacked only as far as it is read.

    Python's own reader continues with further streams, and a small file may hold millions of them.
    """

    def __init__(self, raw: BinaryIO):
        self.raw, self.inflate = raw, zlib.decompressobj(wbits=31)

    def read(self, size: int) -> bytearray:
        """Return the next `size` bytes, or fewer at the end.

        Raises:
            EOFError: the file ends within the stream.
            zlib.error: the stream is damaged, or other data follow it.
        """
        content = bytearray()
        while len(content) < size and not self.inflate.eof:
            packed = self.inflate.unconsumed_tail or self.raw.read(PIECE)
            if not packed:
                raise EOFError("its gzip stream is truncated")
            content += self.inflate.decompress(packed, min(PIECE, size - len(content)))
        if self.inflate.eof and (self.inflate.unused_data or self.raw.read(1)):
            raise zlib.error("other data follow its gzip stream")
        return content


def _read(stream: BinaryIO | _Unzipped, path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    header_length = 4 + 4 * n_dimensions
    header = stream.read(header_length)
    expected = bytes([0, 0, UNSIGNED_BYTE, n_dimensions])
    if header[:4] != expected:
        raise InputError(
            f"{path} is not an idx file of {n_dimensions}-dimensional bytes: it starts with "
            f"{header[:4].hex() or 'nothing'} and should start with {expected.hex()}"
        )
    if len(header) < header_length:
        raise InputError(f"{path} is truncated: it ends within its header; fetch it again")
    shape = struct.unpack(f">{n_dimensions}I", header[4:])
    size = math.prod(shape)
    if not 0 < size <= LARGEST:
        raise InputError(f"{path} declares the shape {shape}; it is damaged or not supported")
    body = stream.read(size + 1)
    if len(body) != size:
        state = "truncated" if len(body) < size else "longer than its header says"
        raise InputError(f"{path} is {state} ({size} bytes expected); fetch it again")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)
