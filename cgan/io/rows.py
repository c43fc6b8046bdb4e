"""Rows of large arrays, a few at a time: from memory, a file, or a compressed stream."""

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cgan.io.strict import first_line
from cgan.runtime.errors import InputError

PIECE = 2**21  # bytes that are read at once, if a row is not larger


class ByteStream(Protocol):
    """What a row is read from."""

    def read(self, size: int, /) -> bytes | bytearray:
        """Return the next bytes, fewer than `size` only at the end."""


class Rows(Protocol):
    """An array whose rows are read one at a time, mostly in their order."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def row(self, index: int) -> NDArray[Any]:
        """Return a row."""

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the array in pieces of several rows, in order."""


class HeldRows:
    """The rows of an array in memory or in a mapped file."""

    def __init__(self, array: NDArray[Any]):
        """Hold an array of at least one dimension."""
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def row(self, index: int) -> NDArray[Any]:
        """Return a row."""
        return self.array[index]

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the array in pieces of several rows, in order."""
        step = rows_in_piece(self.shape, self.dtype)
        for start in range(0, self.shape[0], step):
            yield self.array[start : start + step]


class StreamedRows:
    """The rows of an array in C order in a stream, such as a compressed file.

    Reading a row before the last one starts the stream again, unless the stream can seek.
    """

    def __init__(
        self,
        path: Path,
        opened: Callable[[], AbstractContextManager[ByteStream]],
        shape: tuple[int, ...],
        dtype: np.dtype,
        offset: int | None = None,
    ):
        """Read nothing yet.

        Args:
            path: the file, for messages.
            opened: opens the stream at the first row.
            shape: of the array.
            dtype: of the array.
            offset: where the first row begins, if the stream can seek.
        """
        self.path, self.shape, self.dtype = path, shape, dtype
        self._opened, self._offset = opened, offset
        self._bytes = math.prod(shape[1:]) * dtype.itemsize
        self._open: ExitStack | None = None
        self._next = 0  # the row at which the stream is
        self._start, self._piece = 0, np.empty((0, *shape[1:]), dtype)

    def row(self, index: int) -> NDArray[Any]:
        """Return a row, as a part of the piece that was read last.

        Raises:
            InputError: the file is damaged.
        """
        if not self._start <= index < self._start + len(self._piece):
            self._go_to(index)
            while index >= self._next:
                self._read_piece()
        return self._piece[index - self._start]

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the array in pieces of several rows, in order.

        Raises:
            InputError: the file is damaged.
        """
        done = 0
        while done < self.shape[0]:
            self.row(done)
            yield self._piece[done - self._start :]
            done = self._start + len(self._piece)

    def close(self) -> None:
        """Close the stream; reading another row opens it again."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def __del__(self) -> None:
        """Close the stream."""
        if getattr(self, "_open", None) is not None:
            self.close()

    def _go_to(self, index: int) -> None:
        """Open the stream if needed, and bring it to a row, or to one before."""
        if self._offset is None and index < self._next:
            self.close()
        if self._open is None:
            self._open = ExitStack()
            self._stream: Any = self._guarded(lambda: self._enter())
            self._next = 0
        if self._offset is not None and index != self._next:
            place = self._offset + index * self._bytes
            self._guarded(lambda: self._stream.seek(place))
            self._next = index

    def _enter(self) -> ByteStream:
        assert self._open is not None
        return self._open.enter_context(self._opened())

    def _read_piece(self) -> None:
        n = min(rows_in_piece(self.shape, self.dtype), self.shape[0] - self._next)
        content = self._guarded(lambda: self._stream.read(n * self._bytes))
        if len(content) < n * self._bytes:
            raise InputError(f"{self.path} ends early; it is damaged or still being written")
        self._piece = np.frombuffer(content, self.dtype).reshape(n, *self.shape[1:])
        self._start, self._next = self._next, self._next + n
        if self._next == self.shape[0]:
            if self._guarded(lambda: self._stream.read(1)):  # checksums are compared at the end
                raise InputError(f"{self.path} is longer than its header says; save it again")
            self.close()

    def _guarded(self, read: Callable[[], Any]) -> Any:
        """Return what `read` returns.

        Raises:
            InputError: the file is damaged or cannot be read.
        """
        try:
            return read()
        except InputError:
            raise
        except (EOFError, OSError, ValueError, zlib.error, zipfile.BadZipFile) as error:
            raise InputError(
                f"{self.path} is damaged or cannot be read ({first_line(error)}); save it again"
            ) from error


def rows_in_piece(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Return the number of rows that are read at once."""
    return max(1, PIECE // max(1, math.prod(shape[1:]) * dtype.itemsize))
