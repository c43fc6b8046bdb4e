"""Reads arrays from untrusted npz files: headers are checked first, arrays of objects refused."""

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cgan.io.strict import open_plain
from cgan.runtime.errors import InputError

PIECE = 2**18  # bytes that are unpacked at once
LONGEST_PART = 2**20  # bytes of a part of a zip file, such as its list of contents
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's; others may take any memory
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class ObjectsError(ValueError):
    """An array holds Python objects, a pickle, which could run code."""


class Claim(NamedTuple):
    """What the header of an array declares."""

    shape: tuple[int, ...]
    fortran: bool  # whether the first index runs fastest
    dtype: np.dtype


class Archive:
    """An open npz file: the headers of its arrays, and their contents."""

    def __init__(self, archive: zipfile.ZipFile):
        """List the arrays."""
        self._archive = archive
        self._members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
        self.names = list(self._members)

    def claim(self, name: str) -> Claim:
        """Return the header of an array, after checking that the length of the array agrees.

        Raises:
            ValueError: it is not an array, holds objects, or has another length. A damaged file
                may also raise other exceptions.
        """
        member = self._members[name]
        with self._archive.open(member) as stream:
            return _header(stream, member)

    @contextmanager
    def stream(self, name: str) -> Iterator[IO[bytes]]:
        """Open the elements of an array in the order in which they are stored.

        Raises:
            ValueError: as `claim`; a damaged file may also raise other exceptions.
        """
        member = self._members[name]
        with self._archive.open(member) as stream:
            _header(stream, member)
            yield stream

    def read(self, name: str) -> NDArray[Any]:
        """Return an array; check with `claim` first that it fits into memory.

        Raises:
            ValueError: as `claim`; a damaged file may also raise other exceptions.
        """
        member = self._members[name]
        with self._archive.open(member) as stream:
            assert isinstance(stream, zipfile.ZipExtFile)  # more than the type of `open` says
            claim = _header(stream, member)
            array = np.empty(claim.shape, claim.dtype, order="F" if claim.fortran else "C")
            flat = memoryview(array.reshape(-1, order="A").view(np.uint8))  # type: ignore[arg-type]
            at = 0
            while at < len(flat):
                got = stream.readinto(flat[at : at + PIECE])
                if not got:
                    raise EOFError(f"{member.filename} ends early")
                at += got
            stream.read(1)  # reaches the end, where zipfile compares the checksum
        return array


@contextmanager
def open_archive(path: Path, largest: int, advice: str) -> Iterator[Archive]:
    """Open an untrusted npz file; nothing in it is executed.

    Args:
        path: the file, or a link to it.
        largest: the largest allowed size of its contents in bytes.
        advice: what the user should do if they are larger.

    Raises:
        InputError: its contents are larger.
        OSError: as `cgan.io.strict.open_plain`; a damaged file may also raise other exceptions.
    """
    with (
        open_plain(path, largest + LONGEST_PART, links=True) as raw,
        zipfile.ZipFile(LimitedReads(raw.fileno(), closefd=False)) as archive,
    ):
        size = sum(member.file_size for member in archive.infolist())
        if size > largest:
            raise InputError(f"{path} unpacks to {size / 2**20:.0f} MiB; {advice}")
        yield Archive(archive)


class LimitedReads(io.FileIO):
    """A file that refuses to read a large part at once, even if the zip file declares one."""

    longest = LONGEST_PART

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, or all that are left if `size` is negative.

        Raises:
            ValueError: too many were requested.
        """
        asked = self.longest + 1 if size is None or size < 0 else size
        content = super().read(min(asked, self.longest + 1))
        if content is None or asked > self.longest < len(content):
            raise ValueError("a part of it is too long")
        return content


def _header(stream: IO[bytes], member: zipfile.ZipInfo) -> Claim:
    """Read a member's header and compare it with the member's length.

    Raises:
        ValueError: it is not an array, holds objects, or has another length.
    """
    if member.compress_type not in PACKINGS:
        raise ValueError(f"{member.filename} has a compression that numpy does not use")
    return read_header(stream, member.filename, member.file_size)


def read_header(stream: IO[bytes], name: str, size: int) -> Claim:
    """Read the header of an npy file of `size` bytes; the stream is then at the first element.

    Raises:
        ValueError: it is not an array, holds objects (ObjectsError), or has another length. A
            damaged file may also raise other exceptions.
    """
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"{name} has an unknown npy version")
    claim = Claim(*HEADERS[version](stream))
    if claim.dtype.hasobject:
        raise ObjectsError(f"{name} holds objects, which could run code")
    if math.prod(claim.shape) * claim.dtype.itemsize != size - stream.tell():
        raise ValueError(f"{name} is not as long as its header says")
    return claim
