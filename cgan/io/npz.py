"""Reads arrays from untrusted npz files: each is known before it is read; none holds objects."""

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
LONGEST_PART = 2**20  # of a zip file, such as its list of contents
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's; others may claim any memory
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Claim(NamedTuple):
    """What the header of an array says it is."""

    shape: tuple[int, ...]
    fortran: bool  # whether the first index runs fastest
    dtype: np.dtype


class Archive:
    """An open npz file: what its arrays claim to be, and their contents."""

    def __init__(self, archive: zipfile.ZipFile):
        """List the arrays."""
        self._archive = archive
        self._members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
        self.names = list(self._members)

    def claim(self, name: str) -> Claim:
        """Return what the header of an array says, once its length is found to agree.

        Raises:
            ValueError: it is no array, one of objects, or one of another length. A damaged file
                raises other exceptions besides.
        """
        member = self._members[name]
        with self._archive.open(member) as stream:
            return _header(stream, member)

    def read(self, name: str) -> NDArray[Any]:
        """Return an array; whether there is memory for it must be known from its claim.

        Raises:
            ValueError: as `claim`; a damaged file raises other exceptions besides.
        """
        member = self._members[name]
        with self._archive.open(member) as stream:
            assert isinstance(stream, zipfile.ZipExtFile)  # what it is, and not what it says it is
            claim = _header(stream, member)
            array = np.empty(claim.shape, claim.dtype, order="F" if claim.fortran else "C")
            flat = memoryview(array.reshape(-1, order="A").view(np.uint8))  # type: ignore[arg-type]
            at = 0
            while at < len(flat):
                got = stream.readinto(flat[at : at + PIECE])
                if not got:
                    raise EOFError(f"{member.filename} ends early")
                at += got
            stream.read(1)  # the end, where the checksum is compared
        return array


@contextmanager
def open_archive(path: Path, largest: int, advice: str) -> Iterator[Archive]:
    """Open an npz file of anybody's; nothing in it is run.

    Args:
        path: the file, or a link to it.
        largest: the number of bytes that it may unpack to.
        advice: what to do where it does.

    Raises:
        InputError: it unpacks to more.
        OSError: as `cgan.io.strict.open_plain`; a damaged file raises other exceptions besides.
    """
    with (
        open_plain(path, largest + LONGEST_PART, links=True) as raw,
        zipfile.ZipFile(_Parts(raw.fileno(), closefd=False)) as archive,
    ):
        size = sum(member.file_size for member in archive.infolist())
        if size > largest:
            raise InputError(f"{path} unpacks to {size / 2**20:.0f} MiB; {advice}")
        yield Archive(archive)


class _Parts(io.FileIO):
    """A file of which no large part is read at once: not even where it claims to have one."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; all that are left where `size` is negative.

        Raises:
            ValueError: too many were asked for.
        """
        asked = LONGEST_PART + 1 if size is None or size < 0 else size
        content = super().read(min(asked, LONGEST_PART + 1))
        if content is None or asked > LONGEST_PART < len(content):
            raise ValueError("a part of it is too long")
        return content


def _header(stream: IO[bytes], member: zipfile.ZipInfo) -> Claim:
    """Read a member's header and compare it with the member's length.

    Raises:
        ValueError: it is no array, one of objects, or one of another length.
    """
    if member.compress_type not in PACKINGS:
        raise ValueError(f"{member.filename} is packed in another way than numpy's")
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"{member.filename} is an array of another version")
    claim = Claim(*HEADERS[version](stream))
    if claim.dtype.hasobject:
        raise ValueError(f"{member.filename} holds objects, which could run code")
    if math.prod(claim.shape) * claim.dtype.itemsize != member.file_size - stream.tell():
        raise ValueError(f"{member.filename} is not as long as its header says")
    return claim
