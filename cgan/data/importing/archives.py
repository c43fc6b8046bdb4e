"""The files of an untrusted zip or tar archive, read in place; nothing is unpacked by its name."""

import hashlib
import os
import re
import stat
import struct
import tarfile
import threading
import weakref
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from cgan.data.importing.class_names import shown
from cgan.data.importing.trees import LINKED, NOT_REGULAR, PIECE, FileList, unwanted
from cgan.io.npz import PACKINGS, LimitedReads
from cgan.io.strict import first_line
from cgan.runtime.errors import InputError

MOST_RATIO, UNSUSPECTED = 100, 2**30  # a larger archive that unpacks to so many times its size...
LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a file in a zip archive: the lengths of what follows
LOCAL_SIGNATURE = b"PK\x03\x04"
DRIVE = re.compile(r"[A-Za-z]:")
OTHER_PACKING = "packed by a rare method"


class ArchiveFiles(FileList):
    """The files of an archive, which stays open as long as they exist; links are not followed."""

    def __init__(self, where: Path, stream: IO[bytes], about: os.stat_result):
        """List nothing yet. `stream` is the archive, and `about` the file that it comes from."""
        super().__init__(where)
        self._stream, self._lock = stream, threading.Lock()
        weakref.finalize(self, stream.close)
        self._offsets = array("q")
        self._fingerprint = hashlib.sha256(f"{about.st_size} {about.st_mtime_ns}".encode())
        self._size = os.fstat(stream.fileno()).st_size
        self._names: set[str] = set()
        self._total = 0

    def fingerprint(self, chosen: NDArray[np.integer]) -> str:
        """Return a checksum of the size of the archive and of its time of change."""
        return self._fingerprint.hexdigest()

    def at(self, offset: int, size: int) -> bytes:
        """Return bytes of the archive, from any thread or forked process.

        Raises:
            ValueError: it ends before.
        """
        if hasattr(os, "pread"):
            content = os.pread(self._stream.fileno(), size, offset)
        else:
            with self._lock:
                self._stream.seek(offset)
                content = self._stream.read(size)
        if len(content) < size:
            raise ValueError("it ends early")
        return content

    def add_member(self, name: str, size: int, offset: int, packed: int) -> bool:
        """List a member that is a file; return whether it was listed.

        Raises:
            InputError: its name leads outside, there are two of that name, or it is a bomb.
        """
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or DRIVE.match(name):
            raise InputError(
                f"{self.where} holds {shown(name)!r:.120}, whose name leads outside of it; do not "
                "trust this archive, or pack it again with plain names"
            )
        path = "/".join(parts)
        if path in self._names:
            raise InputError(f"{self.where} holds {shown(path)!r:.120} twice; pack it again")
        self._names.add(path)
        self._total += size
        if self._total > max(UNSUSPECTED, MOST_RATIO * self._size):
            raise InputError(
                f"{self.where} unpacks to more than {MOST_RATIO} times its size; if you trust it, "
                "unpack it yourself and name the folder"
            )
        if size < 0 or packed < 0 or offset < 0 or offset + packed > self._size:
            raise ValueError("a file in it goes beyond its end")
        if reason := next(filter(None, map(unwanted, parts)), ""):
            self.skip(reason, path)
            return False
        if not self.add(path, size):
            return False
        self._offsets.append(offset)
        return True

    def close_list(self) -> None:
        """Forget what is only needed while the list is made."""
        self._names.clear()


class TarFiles(ArchiveFiles):
    """The files of a tar archive, not compressed."""

    def __init__(self, where: Path, stream: IO[bytes], about: os.stat_result):
        """Read the headers of all members.

        Raises:
            InputError: as `add_member`.
            ValueError, OSError, tarfile.TarError: it is damaged.
        """
        super().__init__(where, stream, about)
        with LimitedReads(stream.fileno(), closefd=False) as limited:
            limited.seek(0)
            archive = tarfile.open(fileobj=limited, mode="r:")  # noqa: SIM115 - nothing to close
            before = 0
            while (member := archive.next()) is not None:
                if archive.offset <= before:  # a negative size leads back
                    raise ValueError(f"it is damaged at byte {before:,}")
                before = archive.offset
                archive.members = []  # type: ignore[attr-defined] # or it would keep them all
                self._take(member)
            end = archive.offset
        # tarfile takes damage for the end; two blocks of zeros are the end
        if end + tarfile.BLOCKSIZE > self._size or any(self.at(end, tarfile.BLOCKSIZE)):
            raise ValueError(f"it is cut off or damaged at byte {end:,}")
        self.close_list()

    def _take(self, member: tarfile.TarInfo) -> None:
        if member.isdir():
            return
        if member.issym() or member.islnk():
            self.skip(LINKED, member.name)
        elif not member.isreg() or member.issparse():
            self.skip(NOT_REGULAR, member.name)
        else:
            self.add_member(member.name, member.size, member.offset_data, member.size)

    def pieces(self, index: int) -> Iterator[bytes]:
        """Yield the content of a file in pieces.

        Raises:
            ValueError: the archive ends early.
        """
        offset, left = self._offsets[index], self.sizes[index]
        while left > 0:
            piece = self.at(offset, min(PIECE, left))
            offset, left = offset + len(piece), left - len(piece)
            yield piece


class ZipFiles(ArchiveFiles):
    """The files of a zip archive."""

    def __init__(self, where: Path, stream: IO[bytes], about: os.stat_result):
        """Read the list of contents.

        Raises:
            InputError: as `add_member`; or a member is encrypted.
            ValueError, OSError, zipfile.BadZipFile: it is damaged.
        """
        super().__init__(where, stream, about)
        self._packed, self._crcs, self._methods = array("q"), array("L"), bytearray()
        with (
            _ZipContents(stream.fileno(), closefd=False) as limited,
            zipfile.ZipFile(limited) as archive,
        ):
            for member in archive.infolist():
                self._take(member)
        self._check_overlaps()
        self.close_list()

    def _take(self, member: zipfile.ZipInfo) -> None:
        name, mode = member.filename.replace("\\", "/"), member.external_attr >> 16
        if name.endswith("/"):
            return
        if member.flag_bits & 1:
            raise InputError(f"{self.where} is encrypted; unpack it yourself and name the folder")
        if stat.S_ISLNK(mode):
            self.skip(LINKED, name)
        elif member.compress_type not in PACKINGS:
            self.skip(OTHER_PACKING, name)
        elif self.add_member(name, member.file_size, member.header_offset, member.compress_size):
            self._packed.append(member.compress_size)
            self._crcs.append(member.CRC)
            self._methods.append(member.compress_type)

    def _check_overlaps(self) -> None:
        """Refuse members that share bytes: so a small archive unpacks to any size.

        Raises:
            ValueError: two do.
        """
        begins, lengths = np.array(self._offsets, np.int64), np.array(self._packed, np.int64)
        order = np.argsort(begins)
        if ((begins + lengths + LOCAL_HEADER.size)[order][:-1] > begins[order][1:]).any():
            raise ValueError("files in it overlap")

    def pieces(self, index: int) -> Iterator[bytes]:
        """Yield the content of a file in pieces.

        Raises:
            ValueError: it is damaged.
        """
        checksum, size = 0, 0
        for piece in self._unpacked(index):
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            if size > self.sizes[index]:
                break
            yield piece
        if size != self.sizes[index] or checksum != self._crcs[index]:
            raise ValueError("its checksum is wrong")

    def _unpacked(self, index: int) -> Iterator[bytes]:
        offset, left = self._offsets[index], self._packed[index]
        signature, name_length, extra_length = LOCAL_HEADER.unpack(
            self.at(offset, LOCAL_HEADER.size)
        )
        if signature != LOCAL_SIGNATURE:
            raise ValueError("its header is missing")
        offset += LOCAL_HEADER.size + name_length + extra_length
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        while left > 0:
            packed = self.at(offset, min(PIECE, left))
            offset, left = offset + len(packed), left - len(packed)
            if self._methods[index] == zipfile.ZIP_STORED:
                yield packed
                continue
            while packed and not inflate.eof:
                yield _inflated(inflate, packed)
                packed = inflate.unconsumed_tail
        yield inflate.flush()


def _inflated(inflate: "zlib._Decompress", packed: bytes) -> bytes:
    """Return the next bytes, `PIECE` at most.

    Raises:
        ValueError: the stream is damaged.
    """
    try:
        return inflate.decompress(packed, PIECE)
    except zlib.error as error:
        raise ValueError(first_line(error)) from error


class _ZipContents(LimitedReads):
    """A zip file whose list of contents is limited to that of some million files."""

    longest = 2**27
