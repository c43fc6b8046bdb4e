"""The images of a report's page, cut out of the sheets that the evaluation wrote."""

import base64
import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.data.grids import mosaic_bytes
from cgan.metrics.results import Cell, Sheet
from cgan.runtime.errors import InputError

LARGEST_SIDE = 8192  # pixels of a sheet


@dataclass(frozen=True)
class Tile:
    """One image or a row of images as a data URL, and what is known of each."""

    address: str
    width: int  # pixels, as is the height
    height: int
    cells: list[Cell]  # one for each image in it


def tiles(name: str, sheet: Sheet, content: bytes, *, rows: bool = False) -> list[Tile]:
    """Return the images of a sheet, one by one, or a row at a time.

    Args:
        name: of the sheet, for the message.
        sheet: what results.json holds of it.
        content: of its PNG.
        rows: keep rows together.

    Raises:
        InputError: it is not the picture that `sheet` describes.
    """
    columns, cells = sheet.columns, sheet.cells
    pixels = _pixels(name, content)
    n_rows = -(-len(cells) // columns)
    if pixels.shape[0] % n_rows or pixels.shape[1] % columns:
        raise _other_picture(name)
    height, width = pixels.shape[0] // n_rows, pixels.shape[1] // columns
    across = columns if rows else 1
    found = []
    for first in range(0, len(cells), across):
        top, left = (first // columns) * height, (first % columns) * width
        shown = cells[first : first + across]
        part = pixels[top : top + height, left : left + width * len(shown)]
        found.append(Tile(_address(part), part.shape[1], part.shape[0], shown))
    return found


def embedded(content: bytes) -> str:
    """Return a picture, PNG or GIF, as a data URL."""
    kind = "gif" if content.startswith(b"GIF") else "png"
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()


def _address(pixels: NDArray[np.uint8]) -> str:
    channels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return embedded(mosaic_bytes(channels[None], 1))


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
