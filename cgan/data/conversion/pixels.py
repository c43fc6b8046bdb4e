"""Converts one image of any kind to uint8 [C, size, size]; no torch.

Downscaling is antialiased. An image that has the size and the mode already is not changed.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cgan.data.conversion.fitting import SPARE, TRANSPARENT, fitted, is_coloured, laid_on
from cgan.data.importing.found import UnreadableError
from cgan.data.importing.pictures import load_picture

MODES = {  # Pillow's, in words
    "1": "1-bit",
    "L": "grey",
    "LA": "grey, transparent",
    "La": "grey, transparent",
    "P": "palette",
    "PA": "palette, transparent",
    "RGB": "colour",
    "RGBA": "colour, transparent",
    "RGBa": "colour, transparent",
    "I": "32-bit grey",
    "F": "grey in floating-point numbers",
}


Loaded = Image.Image | NDArray[np.uint8]  # what an `ImageReader` returns


@dataclass(frozen=True)
class Conversion:
    """What is done to each image of a data set; decided once, so that it is the same for all.

    Attributes:
        size: height and width in the end.
        channels: 1 (grey) or 3 (colour).
        fit: how an image that is not square becomes one: "crop", "pad" or "stretch".
        ground: behind transparent images: "white", "black" or "corner", the colour of theirs.
        padding: beside images that are padded: one of the same.
        byte_top: the number that is white in images of 8 bits; nearly always 255.
        low: the number that is black in all other images, of 16 bits or in floating point.
        high: the number that is white there.
    """

    size: int
    channels: int
    fit: str = "crop"
    ground: str = "white"
    padding: str = "corner"
    byte_top: int = 255
    low: float = 0.0
    high: float = 255.0


class Converted(NamedTuple):
    """An image in the end, and what it was.

    Attributes:
        pixels: uint8 [C, size, size].
        height: of the image as it is to be seen.
        width: likewise.
        mode: of its pixels, in words.
        lost_colour: whether it was in colour and is grey now.
        clipped: whether numbers lay outside of the range that is black to white.
        transparent: whether the ground shows.
    """

    pixels: NDArray[np.uint8]
    height: int
    width: int
    mode: str
    lost_colour: bool = False
    clipped: bool = False
    transparent: bool = False


class Raw(NamedTuple):
    """An image upright and before its numbers are scaled.

    Attributes:
        picture: of mode L, LA, RGB or RGBA; None if the numbers are not bytes.
        numbers: [H, W] if they are not bytes, else None.
        height: of the original.
        width: of the original.
        mode: in words.
    """

    picture: Image.Image | None
    numbers: NDArray[np.generic] | None
    height: int
    width: int
    mode: str


def raw(image: Loaded, size: int) -> Raw:
    """Decode an image and turn it upright; a JPEG file at no more than it takes for `size`.

    Args:
        image: as Pillow opened it, or an array uint8 [H, W], [H, W, 3] or [H, W, 4].
        size: height and width that it will have.

    Raises:
        UnreadableError: it cannot be decoded.
    """
    if isinstance(image, np.ndarray):
        picture = Image.fromarray(image)
        return Raw(picture, None, picture.height, picture.width, MODES[picture.mode])
    mode = MODES.get(image.mode, image.mode)
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a photograph and its views
        mode += ", the first of several frames"
    (width, height), drafted = image.size, _draft(image, size)
    load_picture(image)
    if image.size != drafted:  # an icon, whose header tells of another
        width, height = drafted = image.size
    picture = _upright(image)
    if picture.size != drafted:  # turned by a quarter; of squares it does not matter
        width, height = height, width
    if picture.mode.startswith("I;16"):
        mode = "16-bit grey"
    if picture.mode[0] in "IF":
        numbers = np.asarray(picture)
        if not np.isfinite(numbers).all():
            raise UnreadableError("not made of finite numbers")
        return Raw(None, numbers, height, width, mode)
    return Raw(_plain(picture), None, height, width, mode)


def _draft(image: Image.Image, size: int) -> tuple[int, int]:
    """Let a JPEG file be decoded at no more than SPARE times a size; return width and height."""
    scale = SPARE * size / min(image.size)
    if scale < 1:
        image.draft(None, (round(image.width * scale), round(image.height * scale)))
    return image.size


def _upright(image: Image.Image) -> Image.Image:
    """Return an image as its camera was held, if it tells."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged data on the camera may raise anything; the pixels are fine
        return image


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture of 8 bits in mode L, LA, RGB or RGBA."""
    grey = picture.mode in ("1", "L", "LA", "La")
    wanted = "L" if grey else "RGB"
    if picture.has_transparency_data:
        wanted += "A"
    if picture.mode == "La":  # Pillow converts it to LA alone
        picture = picture.convert("LA")
    elif picture.mode == "RGBa":
        picture = picture.convert("RGBA")
    return picture if picture.mode == wanted else picture.convert(wanted)


def convert(image: Loaded, conversion: Conversion) -> Converted:
    """Return an image as it will be in the data set, and what it was.

    Args:
        image: as Pillow opened it, or an array uint8 [H, W], [H, W, 3] or [H, W, 4].
        conversion: what to do to it.

    Raises:
        UnreadableError: as `raw`.
    """
    if isinstance(image, np.ndarray) and _is_final(image, conversion):
        mode = MODES["L" if image.ndim == 2 else "RGB"]
        return Converted(_channels_first(image), conversion.size, conversion.size, mode)
    found = raw(image, conversion.size)
    picture, clipped = as_bytes(found, conversion)
    transparent = picture.mode in TRANSPARENT and picture.getextrema()[-1][0] < 255  # type: ignore[index]
    flat = laid_on(picture, conversion.ground) if picture.mode in TRANSPARENT else picture
    small = fitted(flat, conversion.size, conversion.fit, conversion.padding)
    lost = conversion.channels == 1 and small.mode == "RGB" and is_coloured(np.asarray(small))
    mode = "L" if conversion.channels == 1 else "RGB"
    pixels = _channels_first(np.asarray(small if small.mode == mode else small.convert(mode)))
    return Converted(pixels, found.height, found.width, found.mode, lost, clipped, transparent)


def _is_final(image: NDArray[np.uint8], conversion: Conversion) -> bool:
    """Return whether an array needs no change; a million of them are many times faster so."""
    depth = () if conversion.channels == 1 else (3,)
    return image.shape == (conversion.size, conversion.size, *depth) and conversion.byte_top == 255


def _channels_first(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)


def as_bytes(found: Raw, conversion: Conversion) -> tuple[Image.Image, bool]:
    """Return an image with pixels of 8 bits, and whether some of its numbers were out of range."""
    if found.picture is not None:
        top = conversion.byte_top
        if top == 255:
            return found.picture, False
        table = [min(255, round(255 * level / top)) for level in range(256)]
        bands = found.picture.getbands()
        tables = [level for band in bands for level in (range(256) if band == "A" else table)]
        return found.picture.point(tables), int(np.asarray(found.picture).max()) > top
    assert found.numbers is not None
    numbers = found.numbers.astype(np.float32)
    low, high = float(numbers.min()), float(numbers.max())
    scaled = (numbers - conversion.low) * (255 / (conversion.high - conversion.low))
    levels = scaled.round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(levels), low < conversion.low or high > conversion.high
