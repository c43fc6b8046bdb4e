"""Reads images and labels from an untrusted npz file; headers are checked before contents."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgan.config.schema import MOST_CLASSES
from cgan.data.spec import DataSpec
from cgan.io.npz import Archive, Claim, open_archive
from cgan.io.strict import first_line
from cgan.runtime.errors import InputError, nearest
from cgan.runtime.wording import clipped

LARGEST = 2**28  # bytes of unpacked images; more is refused before allocating memory


def read_npz(path: Path, spec: DataSpec) -> tuple[NDArray[np.uint8], NDArray[np.integer] | None]:
    """Return the images uint8 [N, C, H, W] and the labels [N] of an npz file.

    Nothing in it is executed: an array of objects (a pickle) is refused. Headers are compared with
    `spec`, with each other and with the size of the contents before memory is allocated. If it
    has the names of the classes as `names`, its labels are changed to those of the same names in
    `spec`.

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
    if labels is not None and spec.names and "names" in archive.names:
        labels = _relabelled(labels, archive, path, spec)
    if images.ndim == 3:
        images = images[:, None]
    return images.transpose(0, 3, 1, 2) if channels_last else images, labels


def _relabelled(
    labels: NDArray[np.integer], archive: Archive, path: Path, spec: DataSpec
) -> NDArray[np.integer]:
    """Return the labels that classes have in `spec`, found by the names in the file.

    Raises:
        InputError: the names are not one text a class, or `spec` lacks one of them.
    """
    claim = archive.claim("names")
    if claim.dtype.kind != "U" or len(claim.shape) != 1 or claim.shape[0] > MOST_CLASSES:
        raise InputError(f"{path}: `names` must be one text for each class, or be left out")
    names = [str(name) for name in archive.read("names")]
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
        raise InputError(f"{path}: `names` has {len(names)} names, and some labels have none")
    strange = next((name for name in names if name not in spec.names), None)
    if strange is not None:
        near = nearest(strange, spec.names)
        raise InputError(f"{path}: {spec.dataset} has no class {clipped(strange)!a}{near}")
    return np.array([spec.names.index(name) for name in names])[labels]


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
