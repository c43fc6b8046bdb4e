"""Pictures on a ground, and as squares of one size; resizing is antialiased; no torch."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TINTED = 8  # of 255 levels; channels that differ by no more count as equal (JPEG stores colour so)
SPARE = 3.0  # times the size: to what a large picture is reduced by averaging, before it is resized
TRANSPARENT = ("LA", "RGBA")
GREYS = {"white": 255, "black": 0}  # of grounds


def laid_on(picture: Image.Image, ground: str) -> Image.Image:
    """Return a picture of mode LA or RGBA without its transparency, on a ground."""
    behind = Image.new(picture.mode[:-1], picture.size, _ground_colour(picture, ground))
    behind.paste(picture.convert(picture.mode[:-1]), mask=picture.getchannel("A"))
    return behind


def is_coloured(pixels: NDArray[np.uint8]) -> bool:
    """Return whether the channels of an image uint8 [H, W, 3] differ visibly."""
    red, green, blue = (pixels[:, :, channel] for channel in range(3))
    most = np.maximum(np.maximum(red, green), blue)  # faster than max(axis=2)
    least = np.minimum(np.minimum(red, green), blue)
    return bool((most - least > TINTED).any())


def _ground_colour(picture: Image.Image, ground: str) -> int | tuple[int, ...]:
    """Return the colour of a ground for a picture, in its mode without transparency."""
    bands = len(picture.getbands()) - (picture.mode in TRANSPARENT)
    if ground in GREYS:
        return GREYS[ground] if bands == 1 else (GREYS[ground],) * bands
    corner = picture.getpixel((0, 0))
    assert corner is not None
    if not isinstance(corner, tuple):
        return int(corner)
    return int(corner[0]) if bands == 1 else tuple(map(int, corner[:bands]))


def fitted(picture: Image.Image, size: int, fit: str, padding: str) -> Image.Image:
    """Return a picture of mode L or RGB as a square of `size` pixels a side.

    Args:
        picture: itself, if it is such a square.
        size: height and width.
        fit: "crop", "pad" or "stretch", if it is no square.
        padding: "white", "black" or "corner", for "pad".
    """
    width, height = picture.size
    if (width, height) == (size, size):
        return picture
    if fit == "stretch":
        return _resized(picture, (size, size), (0, 0, width, height))
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return _resized(picture, (size, size), (left, top, left + side, top + side))
    side = max(width, height)
    inner = max(1, round(width * size / side)), max(1, round(height * size / side))
    square = Image.new(picture.mode, (size, size), _ground_colour(picture, padding))
    small = _resized(picture, inner, (0, 0, width, height))
    square.paste(small, ((size - inner[0]) // 2, (size - inner[1]) // 2))
    return square


def _resized(
    picture: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int]
) -> Image.Image:
    """Resize a part of a picture, antialiased; bicubic where it becomes larger."""
    smaller = box[2] - box[0] > size[0] or box[3] - box[1] > size[1]
    filter_ = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    return picture.resize(size, filter_, box=box, reducing_gap=SPARE)
