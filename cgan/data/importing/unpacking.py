"""Opens zip and tar archives; what must be unpacked goes to files that vanish with the process."""

import bz2
import errno
import gzip
import lzma
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from cgan.data.importing.archives import (
    MOST_RATIO,
    UNSUSPECTED,
    ArchiveFiles,
    TarFiles,
    ZipFiles,
)
from cgan.data.importing.trees import PIECE
from cgan.io.files import TEMPORARY
from cgan.io.strict import MOST_MEMORY, first_line, open_plain
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

LARGEST = 2**42  # bytes of an archive
ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")  # the second of an empty one
MEGABYTE = 10**6


def open_archive(path: Path, progress: Progress) -> ArchiveFiles | None:
    """Return the files of a zip or tar archive, recognised by its content; None if it is neither.

    A tar archive that is compressed with gzip, bzip2 or xz is unpacked to a temporary file without
    a name, for its files cannot be read one by one.

    Raises:
        InputError: it is damaged, encrypted, suspicious, or there is no room to unpack it.
    """
    with refusing(path), ExitStack() as opened:
        stream = opened.enter_context(open_plain(path, LARGEST, links=True))
        about = os.fstat(stream.fileno())
        content: IO[bytes] = stream
        head = _head(content)
        for signature, unpack_stream in UNPACKERS.items():
            if head.startswith(signature):
                content = opened.enter_context(_unpacked(unpack_stream, stream, path, progress))
                head = _head(content)
        files: ArchiveFiles | None = None
        if head.startswith(ZIP_SIGNATURES) and content is stream:
            files = ZipFiles(path, content, about)
        elif _is_tar(head):
            files = TarFiles(path, content, about)
        if files is not None:
            opened.pop_all()  # the content stays open for as long as it is used
            if content is not stream:
                stream.close()
        return files


def unpack(files: ArchiveFiles, chosen: list[int]) -> "tempfile.TemporaryDirectory[str]":
    """Return a temporary folder with some files of an archive; it vanishes with the object.

    Raises:
        InputError: the archive is damaged, or there is no room.
    """
    folder = tempfile.TemporaryDirectory(prefix=TEMPORARY, ignore_cleanup_errors=True)
    with refusing(files.where):
        for index in chosen:
            target = Path(folder.name, files.paths[index])
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                for piece in files.pieces(index):
                    stream.write(piece)
    return folder


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn any error of a damaged archive, and a full disk, into an InputError."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a damaged archive may raise anything
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise InputError(
                f"there is no room in {tempfile.gettempdir()} to unpack {path}; set TMPDIR to "
                "another folder, or unpack it yourself and name its folder"
            ) from error
        raise InputError(
            f"{path} cannot be read ({first_line(error)}); fetch it or pack it again"
        ) from error


def _head(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    head = stream.read(tarfile.BLOCKSIZE)
    stream.seek(0)
    return head


def _is_tar(head: bytes) -> bool:
    """Return whether a block is the header of a tar archive, which has a checksum."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _unpacked(
    unpack: Callable[[BinaryIO], Iterator[bytes]], stream: BinaryIO, path: Path, progress: Progress
) -> IO[bytes]:
    """Return the content of a compressed file as an open temporary file without a name.

    Raises:
        InputError: it is a bomb.
    """
    size, total = os.fstat(stream.fileno()).st_size, 0
    target = tempfile.TemporaryFile(prefix=TEMPORARY)  # noqa: SIM115 - stays open
    title = f"unpacking {path.name}"
    with progress.bar(size // MEGABYTE + 1, title, unit="MB") as bar:
        done = 0
        for piece in unpack(stream):
            total += len(piece)
            if total > max(UNSUSPECTED, MOST_RATIO * size):
                raise InputError(
                    f"{path} unpacks to more than {MOST_RATIO} times its size; if you trust it, "
                    "unpack it yourself and name the folder"
                )
            target.write(piece)
            at = stream.tell() // MEGABYTE
            bar.advance(at - done)
            done = at
    target.flush()
    return target


def _gzip(stream: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        while piece := unpacked.read(PIECE):
            yield piece


def _bzip2(stream: BinaryIO) -> Iterator[bytes]:
    with bz2.BZ2File(stream) as unpacked:
        while piece := unpacked.read(PIECE):
            yield piece


def _xz(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the content of the first xz stream: others may demand any amount of memory."""
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)
    while not reader.eof:
        packed = stream.read(PIECE) if reader.needs_input else b""
        if reader.needs_input and not packed:
            raise EOFError("it ends early")
        yield reader.decompress(packed, PIECE)


UNPACKERS = {b"\x1f\x8b": _gzip, b"BZh": _bzip2, b"\xfd7zXZ\0": _xz}
