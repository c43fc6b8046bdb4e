"""Generated images with their requested labels, in a notebook and in files; no torch."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.grids import grid_bytes, plain_grid_bytes
from cgan.data.spec import file_forms
from cgan.io.files import output_folder, require_writable, require_writable_file, write_files
from cgan.runtime.errors import InputError

MOST_SHOWN = 100  # images in a notebook


@dataclass(frozen=True, repr=False, eq=False)
class Images:
    """Images uint8 [N, C, H, W] and labels int64 [N], numpy arrays, one label per image.

    `requested` is False for an unconditional generator, whose labels mean nothing. `names` are
    those of the classes, by label; empty: classes are called by their labels. In a notebook, the
    last line of a cell shows the first hundred as a grid, row by row, ten in a row.

    Raises:
        InputError: arrays of another kind or shape, or not as many labels as images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    requested: bool = True
    names: tuple[str, ...] = ()

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
        return replace(self, images=self.images[chosen], labels=self.labels[chosen])

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
            path: FILE.png: a grid, pixel for pixel; FILE.npz: arrays `images` and `labels`, and
                `names` if the classes have names; without a suffix: a folder with one PNG per
                image, named by its number and its class.

        Raises:
            InputError: another suffix, no images, or a path that cannot be written to.
        """
        if not len(self):
            raise InputError("there are no images to save")
        write_images(self.images, self.labels, Path(path), self.names)


def require_images_target(out: Path) -> None:
    """Check, before anything is computed, that images can be written to `out`.

    Raises:
        InputError: another suffix, or a path that cannot be written to.
    """
    if out.suffix not in (".png", ".npz", ""):
        raise InputError(f"--out {out}: end it in .png or .npz, or name a folder without a dot")
    if out.suffix:
        require_writable_file(out, "--out")
    else:
        require_writable(out, "--out")


def write_images(
    images: NDArray[np.uint8], labels: NDArray[np.int64], out: Path, names: Sequence[str] = ()
) -> None:
    """Write images uint8 [N, C, H, W] and labels int64 [N] in the format that `out` selects.

    FILE.png: a grid. FILE.npz: arrays `images` and `labels`. Without a suffix: a folder with one
    PNG per image, named by its number and its label (00012-label-7.png). With the names of the
    classes, the npz file has them as `names`, and a PNG is named by that of its class
    (00012-cat.png), as far as file names can have it.

    Raises:
        InputError: another suffix, or a path that cannot be written to.
        OSError: not all files can be written; none is.
    """
    require_images_target(out)
    with output_folder(out if out.suffix == "" else out.parent, "--out"):
        if out.suffix == "":
            write_files(out, _each(images, labels, names))
            return
        content = plain_grid_bytes(images) if out.suffix == ".png" else _npz(images, labels, names)
        write_files(out.parent, [(out.name, content)])


def _each(
    images: NDArray[np.uint8], labels: NDArray[np.int64], names: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the PNG of each image."""
    forms = file_forms(names)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        form = forms[label] if forms else f"label-{label}"
        yield f"{i:05d}-{form}.png", plain_grid_bytes(image[None], gap=0)


def _npz(images: NDArray[np.uint8], labels: NDArray[np.int64], names: Sequence[str]) -> bytes:
    stream = io.BytesIO()
    arrays: dict[str, NDArray[Any]] = {"images": images, "labels": labels}
    if names:
        arrays["names"] = np.array(names)
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()
