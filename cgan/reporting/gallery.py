"""The images of reports on a page, cut out of the sheets that the evaluation wrote."""

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.data.grids import GROUND
from cgan.metrics.results import Cell, Results, Sheet
from cgan.reporting.read import read_picture
from cgan.runtime.errors import InputError

LARGEST_SIDE = 8192  # pixels of a sheet
LARGEST_TILE = 64  # pixels along a side of an image; a page has many
GAP = 2  # pixels between the images of a row, and between the two of a pair
STRIP = 10  # most images of a strip


@dataclass(frozen=True)
class Tile:
    """One image or a row of images as a data URL, and what is known of each."""

    address: str
    width: int  # pixels, as is the height
    height: int
    cells: Sequence[Cell]  # one for each image in it


def tiles(
    name: str, sheet: Sheet, content: bytes, *, rows: bool = False, pairs: bool = False
) -> list[Tile]:
    """Return the images of a sheet, one by one, or a row at a time.

    Args:
        name: of the sheet, for the message.
        sheet: what results.json holds of it.
        content: of its PNG.
        rows: keep rows together.
        pairs: each image is a pair, one above the other.

    Raises:
        InputError: it is not the picture that `sheet` describes.
    """
    grid = _grid(name, sheet, content)
    across = sheet.columns if rows else 1
    found = []
    for first in range(0, len(sheet.cells), across):
        row, column = divmod(first, sheet.columns)
        cells = sheet.cells[first : first + across]
        images = grid[row, column : column + len(cells)]
        if pairs:
            if images.shape[1] % 2:
                raise _other_picture(name)
            found.append(_tile(np.stack(np.split(images[0], 2)), cells, axis=0))
        else:
            found.append(_tile(images, cells))
    return found


def read_samples(folder: Path, results: Results) -> list[Tile]:
    """Return the rows of a report's sheet of samples; none where there is no sheet.

    Raises:
        InputError: it is not the picture that `results` describes.
    """
    sheet, content = results.gallery.samples, read_picture(folder / "samples.png")
    if sheet is None or content is None:
        return []
    return tiles("samples", sheet, content, rows=True)


def read_strip(folder: Path, results: Results) -> Tile | None:
    """Return the first image of each row of a report's sheet of samples, at most `STRIP`.

    Where classes were requested, a row is a class. None where there is no sheet.

    Raises:
        InputError: it is not the picture that `results` describes.
    """
    sheet, content = results.gallery.samples, read_picture(folder / "samples.png")
    if sheet is None or content is None:
        return None
    cells = sheet.cells[:: sheet.columns][:STRIP]
    return _tile(_grid("samples", sheet, content)[: len(cells), 0], cells)


def embedded(content: bytes) -> str:
    """Return a picture, PNG or GIF, as a data URL."""
    kind = "gif" if content.startswith(b"GIF") else "png"
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()


def _grid(name: str, sheet: Sheet, content: bytes) -> NDArray[np.uint8]:
    """Return the images of a PNG as uint8 [rows, columns, height, width], colours last."""
    pixels = _pixels(name, content)
    n_rows, colours = -(-len(sheet.cells) // sheet.columns), pixels.shape[2:]
    # a gap follows the last image too, so that all take the same room
    pixels = np.pad(pixels, ((0, sheet.gap), (0, sheet.gap), *[(0, 0)] * len(colours)))
    height, width = pixels.shape[0] // n_rows, pixels.shape[1] // sheet.columns
    if pixels.shape[:2] != (n_rows * height, sheet.columns * width) or sheet.gap >= min(
        height, width
    ):
        raise _other_picture(name)
    grid = pixels.reshape(n_rows, height, sheet.columns, width, *colours).swapaxes(1, 2)
    return grid[:, :, : height - sheet.gap, : width - sheet.gap]


def _tile(images: NDArray[np.uint8], cells: Sequence[Cell], axis: int = 1) -> Tile:
    """Return images, uint8 [N, height, width], colours last, side by side or, if 0, in a column.

    Large ones are reduced.
    """
    part = round(max(images.shape[1:3]) / LARGEST_TILE)
    if part > 1:
        images = np.stack([np.asarray(Image.fromarray(image).reduce(part)) for image in images])
    shape = list(images.shape[1:])
    shape[axis] = GAP
    gap = np.full(shape, GROUND, np.uint8)
    parts = [part for image in images for part in (gap, image)]
    pixels = np.concatenate(parts[1:], axis)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png", optimize=True)
    return Tile(embedded(stream.getvalue()), pixels.shape[1], pixels.shape[0], cells)


def _pixels(name: str, content: bytes) -> NDArray[np.uint8]:
    """Return a PNG as uint8 [height, width] or [height, width, 3]."""
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(content), formats=("PNG",)) as picture,
        ):
            if max(picture.size) > LARGEST_SIDE or picture.mode not in ("L", "RGB"):
                raise _other_picture(name)  # read from the header, before decompression
            return np.asarray(picture)
    except InputError:
        raise
    except Exception as error:  # a damaged picture may raise any exception
        raise _other_picture(name) from error


def _other_picture(name: str) -> InputError:
    return InputError(
        f"{name}.png is not the picture that results.json describes; run cgan evaluate again"
    )
