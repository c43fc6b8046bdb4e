"""Generated images with their requested labels, and how a notebook shows them; no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.grids import grid_bytes, write_images
from cgan.runtime.errors import InputError

MOST_SHOWN = 100  # images in a notebook


@dataclass(frozen=True, repr=False, eq=False)
class Images:
    """Images uint8 [N, C, H, W] and labels int64 [N], numpy arrays, one label per image.

    `requested` is False for an unconditional generator, whose labels mean nothing. In a notebook,
    the last line of a cell shows the first hundred as a grid, row by row, ten in a row.

    Raises:
        InputError: arrays of another kind or shape, or not as many labels as images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    requested: bool = True

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        images, labels = self.images, self.labels
        known = isinstance(images, np.ndarray) and isinstance(labels, np.ndarray)
        if not known or images.dtype != np.uint8 or images.ndim != 4:
            raise InputError("images must be a numpy array of uint8, of the shape [N, C, H, W]")
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise InputError(f"labels must be a numpy array of {len(images)} int64, one per image")

    def __len__(self) -> int:
        """Return N."""
        return len(self.labels)

    def __iter__(self) -> Iterator["Images"]:
        """Yield each image, as Images of one."""
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> "Images":
        """Return the images at `index`, with their labels; any numpy index of one axis works.

        A single number gives Images of one.

        Raises:
            IndexError: `index` is out of range, or is not an index of one axis.
        """
        if isinstance(index, tuple):
            raise IndexError("Images have one axis; index their array `images` for the others")
        chosen = np.atleast_1d(np.arange(len(self))[index])
        return Images(self.images[chosen], self.labels[chosen], self.requested)

    def __repr__(self) -> str:
        """Return the number of images and their size."""
        channels, height, width = self.images.shape[1:]
        return f"<{len(self):,} Images of {channels}x{height}x{width}>"

    def _repr_png_(self) -> bytes | None:
        """Return an enlarged grid of the first images for a notebook; None if there are none."""
        if not len(self):
            return None
        shown = self.images[:MOST_SHOWN]
        rest = len(self) - len(shown)
        return grid_bytes(shown, f"and {rest:,} more" if rest else "")

    def save(self, path: str | Path) -> None:
        """Write the images as `cgan sample --out` does.

        Args:
            path: FILE.png: a grid, pixel for pixel; FILE.npz: arrays `images` and `labels`; without
                a suffix: a folder with one PNG per image, named by its number and its label.

        Raises:
            InputError: another suffix, no images, or a path that cannot be written to.
        """
        if not len(self):
            raise InputError("there are no images to save")
        write_images(self.images, self.labels, Path(path))
