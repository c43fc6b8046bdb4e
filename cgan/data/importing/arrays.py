"""Images given as arrays: their range and layout are inferred; unclear ones are refused."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgan.data.formats.array_images import AS_BYTES, as_array, float_scale
from cgan.data.importing.folders import ImportedImages, require_contents, require_range
from cgan.data.importing.npz import has_channels_last
from cgan.data.spec import DataSpec
from cgan.runtime.errors import InputError

WHERE = "the array"  # what messages call it


@dataclass(frozen=True)
class ArrayImages:
    """Images and labels as given in Python; the labels are None if none were requested.

    Attributes:
        images: whole numbers from 0 to 255, or floats from 0 to 1 or from -1 to 1: an array or a
            tensor [N, C, H, W], [N, H, W, C], or [N, H, W] where there is one channel.
        labels: whole numbers [N].
        name: name of the report.
    """

    images: Any
    labels: Any = None
    name: str = "images"

    def __str__(self) -> str:
        """Return what messages call the images."""
        return WHERE

    def imported(self, spec: DataSpec) -> ImportedImages:
        """Return the images and labels, checked and ready to be scored.

        Raises:
            InputError: as `pixels` and `classes`.
        """
        images = pixels(self.images, spec)
        labels = None if self.labels is None else classes(self.labels, len(images), spec)
        tensors = (None if array is None else torch.from_numpy(array) for array in (images, labels))
        return ImportedImages(self.name, *tensors)  # type: ignore[arg-type]


def pixels(images: Any, spec: DataSpec) -> NDArray[np.uint8]:
    """Return images of `spec` as uint8 [N, C, H, W], contiguous.

    Args:
        images: as in `ArrayImages`.
        spec: the required image shape.

    Raises:
        InputError: another shape, numbers whose range is unknown or ambiguous, or images that are
            blank or all the same.
    """
    array = as_array(images)
    c, last = spec.channels, has_channels_last(array.shape, spec, WHERE)
    if array.ndim == 3 and c == 1:
        array = array[:, None]
    if len(array):
        array = _as_bytes(array)
    require_contents(array, WHERE)
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2) if last else array, np.uint8)


def classes(labels: Any, n: int, spec: DataSpec) -> NDArray[np.int64]:
    """Return labels of `n` images as int64 [n].

    Raises:
        InputError: they are not one whole number each, or not classes of `spec`.
    """
    array = as_array(labels)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise InputError(
            f"labels are {array.dtype!s:.100} {list(array.shape)}; give one whole number for each "
            f"of the {n} images, or none"
        )
    require_range(array, spec, WHERE)
    return array.astype(np.int64)


def _as_bytes(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Return numbers of any known range, at least one, as uint8.

    Raises:
        InputError: the range is unknown or ambiguous.
    """
    kind = images.dtype.kind
    if images.dtype == np.uint8:
        return images
    if kind not in "iuf":
        raise InputError(f"the images are {images.dtype!s:.100}; {AS_BYTES}")
    low, high = images.min(), images.max()
    if kind in "iu":
        if low >= 0 and high <= 255:
            return images.astype(np.uint8)
        raise InputError(f"the images run from {low} to {high}; {AS_BYTES}")
    return float_scale(float(low), float(high)).applied(images)
