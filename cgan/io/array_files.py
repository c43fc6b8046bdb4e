"""Named arrays in npz and npy files, read a few rows at a time; nothing in them is executed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cgan.io.npz import Archive, Claim, ObjectsError, open_archive, read_header
from cgan.io.rows import HeldRows, Rows, StreamedRows
from cgan.io.strict import first_line, open_plain
from cgan.runtime.errors import InputError

LARGEST = 2**42  # bytes of all arrays; they are read in pieces
LARGEST_HELD = 2**27  # bytes of a packed array that is kept in memory while its rows are read
LARGEST_WHOLE = 2**28  # bytes of an array that is read at once, such as labels
ADVICE = "save it with numpy.savez(FILE, images=..., labels=...)"


class ArrayFile(Protocol):
    """Named arrays in one or several files. All methods raise InputError for damaged files."""

    def names(self) -> Sequence[str]:
        """Return the names of the arrays."""

    def claim(self, key: str) -> Claim:
        """Return the header of an array; one of Python objects is refused."""

    def rows(self, key: str) -> Rows:
        """Return the rows of an array."""

    def whole(self, key: str) -> NDArray[Any]:
        """Return an array of at most LARGEST_WHOLE bytes."""


class NpzArrays:
    """The arrays in an npz file; an `ArrayFile`."""

    def __init__(self, path: Path):
        """Read nothing yet."""
        self._path = path

    def names(self) -> Sequence[str]:
        """Return the names of the arrays."""
        with self._open("") as archive:
            return archive.names

    def claim(self, key: str) -> Claim:
        """Return the header of an array; one of Python objects is refused."""
        with self._open(key) as archive:
            return archive.claim(key)

    def rows(self, key: str) -> Rows:
        """Return the rows of an array; a large one is unpacked in pieces."""
        claim = self.claim(key)
        if size_of(claim) <= LARGEST_HELD:
            return HeldRows(self.whole(key))
        if claim.fortran:
            raise InputError(
                f"{self._path}: {key} is large and stored in Fortran order; save "
                f"numpy.ascontiguousarray({key})"
            )
        return StreamedRows(self._path, lambda: self._stream(key), claim.shape, claim.dtype)

    def whole(self, key: str) -> NDArray[Any]:
        """Return an array of at most LARGEST_WHOLE bytes."""
        require_size(self.claim(key), key, self._path)
        with self._open(key) as archive:
            return archive.read(key)

    @contextmanager
    def _open(self, key: str) -> Iterator[Archive]:
        with refusing(self._path, key), open_archive(self._path, LARGEST, "split it") as archive:
            yield archive

    @contextmanager
    def _stream(self, key: str) -> Iterator[IO[bytes]]:
        with self._open(key) as archive, archive.stream(key) as stream:
            yield stream


class NpyArrays:
    """Arrays in npy files of their names; an `ArrayFile`."""

    def __init__(self, files: Mapping[str, Path]):
        """Read nothing yet; the keys are the names."""
        self._files = files

    def names(self) -> Sequence[str]:
        """Return the names of the arrays."""
        return list(self._files)

    def claim(self, key: str) -> Claim:
        """Return the header of an array; one of Python objects is refused."""
        return self._header(key)[0]

    def rows(self, key: str) -> Rows:
        """Return the rows of an array, which are read from the disk."""
        path = self._files[key]
        claim, offset = self._header(key)
        if claim.fortran:
            return HeldRows(np.memmap(path, claim.dtype, "r", offset, claim.shape, order="F"))
        return file_rows(path, claim.shape, claim.dtype, offset)

    def whole(self, key: str) -> NDArray[Any]:
        """Return an array of at most LARGEST_WHOLE bytes."""
        require_size(self.claim(key), key, self._files[key])
        with refusing(self._files[key], key):
            return np.load(self._files[key], allow_pickle=False)

    def _header(self, key: str) -> tuple[Claim, int]:
        path = self._files[key]
        with refusing(path, key), open_plain(path, LARGEST, links=True) as stream:
            return read_header(stream, path.name, path.stat().st_size), stream.tell()


def file_rows(path: Path, shape: tuple[int, ...], dtype: np.dtype, offset: int) -> StreamedRows:
    """Return the rows of an array in C order that begins at `offset` in a file."""

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with open_plain(path, LARGEST, links=True) as stream:
            stream.seek(offset)
            yield stream

    return StreamedRows(path, opened, shape, dtype, offset)


@contextmanager
def refusing(path: Path, key: str) -> Iterator[None]:
    """Turn what a damaged file raises into an InputError; `key` is the array that is read."""
    try:
        yield
    except InputError:
        raise
    except ObjectsError as error:
        raise InputError(
            f"{path}: {key} holds Python objects, which could run code; save plain numbers or "
            f"words, such as numpy.array({key}.tolist())"
        ) from error
    except Exception as error:  # a damaged archive may raise anything
        raise InputError(f"{path} cannot be read ({first_line(error)}); {ADVICE}") from error


def size_of(claim: Claim) -> int:
    """Return the bytes of an array."""
    return math.prod(claim.shape) * claim.dtype.itemsize


def require_size(claim: Claim, key: str, path: Path) -> None:
    """Check that an array may be read at once.

    Raises:
        InputError: it is larger than LARGEST_WHOLE.
    """
    if size_of(claim) > LARGEST_WHOLE:
        raise InputError(
            f"{path}: {key} has {size_of(claim) / 2**20:.0f} MiB, and {LARGEST_WHOLE // 2**20} MiB "
            "is the maximum; save one short label for each image"
        )
