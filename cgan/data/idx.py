"""Reads the idx files of MNIST and similar data sets, gzipped or not."""

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cgan.io.rows import StreamedRows
from cgan.io.strict import open_plain
from cgan.runtime.errors import InputError

UNSIGNED_BYTE = 8  # the only element type that these data sets use
LARGEST = 2**28  # bytes; five times MNIST; larger files are refused before allocating memory
LARGEST_STREAM = 2**42  # bytes of a file that is read in pieces
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
        with _opened(path, LARGEST + PIECE) as stream:
            return _read(stream, path, n_dimensions)
    except (EOFError, zlib.error, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); fetch it again") from error


def idx_rows(path: Path, dimensions: tuple[int, ...]) -> StreamedRows:
    """Return the array in an idx file of any size, uint8, of which a few rows are read at a time.

    Args:
        path: as for `read_idx`.
        dimensions: the allowed numbers of dimensions, such as 3 and 4.

    Raises:
        InputError: as `read_idx`; a length that does not fit the header is found at the end.
    """
    try:
        with _opened(path, LARGEST_STREAM) as stream:
            shape = _shape(stream, path, dimensions)
            packed = isinstance(stream, _Unzipped)
    except (EOFError, zlib.error, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); fetch it again") from error
    offset = 4 + 4 * len(shape)
    if not packed and path.stat().st_size != offset + math.prod(shape):
        raise InputError(f"{path} is not as long as its header {list(shape)} says; fetch it again")

    @contextmanager
    def opened() -> "Iterator[BinaryIO | _Unzipped]":
        with _opened(path, LARGEST_STREAM) as stream:
            stream.read(offset)
            yield stream

    return StreamedRows(path, opened, shape, np.dtype(np.uint8), None if packed else offset)


@contextmanager
def _opened(path: Path, largest: int) -> "Iterator[BinaryIO | _Unzipped]":
    """Open a file, and unpack it if it is a gzip stream."""
    with open_plain(path, largest, links=True) as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield _Unzipped(raw) if zipped else raw


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
    shape = _shape(stream, path, (n_dimensions,))
    size = math.prod(shape)
    if size > LARGEST:
        raise InputError(f"{path} declares the shape {shape}; it is damaged or not supported")
    body = stream.read(size + 1)
    if len(body) != size:
        state = "truncated" if len(body) < size else "longer than its header says"
        raise InputError(f"{path} is {state} ({size} bytes expected); fetch it again")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)


def _shape(
    stream: BinaryIO | _Unzipped, path: Path, dimensions: tuple[int, ...]
) -> tuple[int, ...]:
    """Read the header.

    Raises:
        InputError: it is not that of an idx file of bytes with one of the numbers of dimensions.
    """
    magic = bytes(stream.read(4))
    expected = [bytes([0, 0, UNSIGNED_BYTE, n]) for n in dimensions]
    if magic not in expected:
        raise InputError(
            f"{path} is not an idx file of {' or '.join(map(str, dimensions))}-dimensional bytes: "
            f"it starts with {magic.hex() or 'nothing'} and should start with "
            f"{' or '.join(start.hex() for start in expected)}"
        )
    length = 4 * magic[3]
    header = stream.read(length)
    if len(header) < length:
        raise InputError(f"{path} is truncated: it ends within its header; fetch it again")
    shape = struct.unpack(f">{magic[3]}I", header)
    if not 0 < math.prod(shape) <= LARGEST_STREAM:
        raise InputError(f"{path} declares the shape {shape}; it is damaged or not supported")
    return shape
