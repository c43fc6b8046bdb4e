"""Reads images and labels from an npz file of anybody's, each array known before it is read."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cgan.config import DataSpec
from cgan.errors import InputError
from cgan.reading import first_line, open_plain

LARGEST = 2**28  # bytes of images, unpacked; refused before memory is taken
PIECE = 2**18  # bytes that are unpacked at once
LONGEST_PART = 2**20  # of a zip file, such as its list of contents
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's; others may claim any memory
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Claim(NamedTuple):
    """What the header of an array says it is."""

    shape: tuple[int, ...]
    fortran: bool  # whether the first index runs fastest
    dtype: np.dtype


def read_npz(path: Path, spec: DataSpec) -> tuple[NDArray[np.uint8], NDArray[np.integer] | None]:
    """Return the images uint8 [N, C, H, W] and the labels [N] of an npz file.

    Nothing in it is run: an array of objects, a pickle, is refused. Headers are compared with
    `spec`, with each other and with what the file holds before memory is taken.

    Raises:
        InputError: it cannot be read, holds too much, or not images of `spec` and a label of each.
    """
    try:
        with open_plain(path, LARGEST + LONGEST_PART, links=True) as raw:
            return _read(_Parts(raw.fileno(), closefd=False), path, spec)
    except InputError:
        raise
    except Exception as error:  # a damaged archive raises what it likes
        raise InputError(
            f"{path} cannot be read ({first_line(error)}); save it with "
            "numpy.savez(FILE, images=..., labels=...)"
        ) from error


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


def _read(
    raw: _Parts, path: Path, spec: DataSpec
) -> tuple[NDArray[np.uint8], NDArray[np.integer] | None]:
    with zipfile.ZipFile(raw) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise InputError(f"{path} unpacks to {size / 2**20:.0f} MiB; split it")
        members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
        if "images" not in members:
            known = ", ".join(ascii(name)[1:-1] for name in list(members)[:5]) or "none"
            raise InputError(f"{path} has no array `images` (only {known:.200})")
        claim = _claim(archive, members["images"])
        channels_last = _has_channels_last(claim, spec, path)
        if "labels" in members:
            _check_labels(_claim(archive, members["labels"]), claim.shape[0], path)
        images = _content(archive, members["images"])
        labels = _content(archive, members["labels"]) if "labels" in members else None
    if images.ndim == 3:
        images = images[:, None]
    return images.transpose(0, 3, 1, 2) if channels_last else images, labels


def _claim(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Claim:
    with archive.open(member) as stream:
        return _header(stream, member)


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


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Return the array of a member whose header was found right."""
    with archive.open(member) as stream:
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


def _has_channels_last(claim: Claim, spec: DataSpec, path: Path) -> bool:
    """Return whether images are [N, H, W, C]; else they are [N, C, H, W], or [N, H, W] of one.

    Raises:
        InputError: they are not uint8, or of another shape.
    """
    c, h, w = spec.image_shape
    if claim.dtype != np.uint8:
        kind = f"{claim.dtype!s:.100}"
        raise InputError(
            f"{path}: the images are {kind}; save them as uint8, from 0 (background) to 255"
        )
    if claim.shape[1:] == (c, h, w) or (claim.shape[1:] == (h, w) and c == 1):
        return False
    if claim.shape[1:] == (h, w, c):
        return True
    raise InputError(
        f"{path}: the images have the shape {list(claim.shape)}; {spec.dataset} needs "
        f"[N, {c}, {h}, {w}]"
    )


def _check_labels(claim: Claim, n: int, path: Path) -> None:
    if claim.shape != (n,) or claim.dtype.kind not in "iu":
        kind = f"{claim.dtype!s:.100} {list(claim.shape)}"
        raise InputError(
            f"{path}: `labels` is {kind}; it must be one whole number for each of the {n} images, "
            "or be left out"
        )
