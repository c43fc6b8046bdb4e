"""Reads images and labels from an untrusted npz file; headers are checked before contents."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgan.data.spec import DataSpec
from cgan.io.npz import Archive, Claim, open_archive
from cgan.io.strict import first_line
from cgan.runtime.errors import InputError

LARGEST = 2**28  # bytes of unpacked images; more is refused before allocating memory


def read_npz(path: Path, spec: DataSpec) -> tuple[NDArray[np.uint8], NDArray[np.integer] | None]:
    """Return the images uint8 [N, C, H, W] and the labels [N] of an npz file.

    Nothing in it is executed: an array of objects (a pickle) is refused. Headers are compared with
    `spec`, with each other and with the size of the contents before memory is allocated.

    Raises:
        InputError: it cannot be read, is too large, its images do not fit `spec`, or its labels are
            not one per image.
    """
    try:
        with open_archive(path, LARGEST, "split it") as archive:
            return _read(archive, path, spec)
    except InputError:
        raise
    except Exception as error:  # a damaged archive may raise anything
        raise InputError(
            f"{path} cannot be read ({first_line(error)}); save it with "
            "numpy.savez(FILE, images=..., labels=...)"
        ) from error


def _read(
    archive: Archive, path: Path, spec: DataSpec
) -> tuple[NDArray[np.uint8], NDArray[np.integer] | None]:
    if "images" not in archive.names:
        known = ", ".join(ascii(name)[1:-1] for name in archive.names[:5]) or "none"
        raise InputError(f"{path} has no array `images` (only {known:.200}); add one")
    claim = archive.claim("images")
    if claim.dtype != np.uint8:
        kind = f"{claim.dtype!s:.100}"
        raise InputError(
            f"{path}: the images are {kind}; save them as uint8, from 0 (background) to 255"
        )
    channels_last = has_channels_last(claim.shape, spec, path)
    labelled = "labels" in archive.names
    if labelled:
        _check_labels(archive.claim("labels"), claim.shape[0], path)
    images = archive.read("images")
    labels = archive.read("labels") if labelled else None
    if images.ndim == 3:
        images = images[:, None]
    return images.transpose(0, 3, 1, 2) if channels_last else images, labels


def has_channels_last(shape: tuple[int, ...], spec: DataSpec, where: Path | str) -> bool:
    """Return whether images are [N, H, W, C]; else they are [N, C, H, W], or [N, H, W] of one.

    Raises:
        InputError: they have another shape; the message names `where`.
    """
    c, h, w = spec.image_shape
    if shape[1:] == (c, h, w) or (shape[1:] == (h, w) and c == 1):
        return False
    if shape[1:] == (h, w, c):
        return True
    raise InputError(
        f"{where}: the images have the shape {list(shape)}; {spec.dataset} needs [N, {c}, {h}, {w}]"
    )


def _check_labels(claim: Claim, n: int, path: Path) -> None:
    if claim.shape != (n,) or claim.dtype.kind not in "iu":
        kind = f"{claim.dtype!s:.100} {list(claim.shape)}"
        raise InputError(
            f"{path}: `labels` is {kind}; it must be one whole number for each of the {n} images, "
            "or be left out"
        )
