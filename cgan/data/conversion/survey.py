"""Decides, from a sample of the images, what is done to all of them; no torch."""

import math
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.config.schema import LARGEST_SIDE, ImportConfig
from cgan.data.conversion.fitting import TRANSPARENT, is_coloured, laid_on
from cgan.data.conversion.pixels import Conversion, Loaded, as_bytes, raw
from cgan.data.importing.found import FoundImages, UnreadableError
from cgan.runtime.progress import Progress

SAMPLE = 500  # images, evenly spaced
SIZES = (64, 32, 28, 16)  # chosen from if none is given
OPAQUE = 128  # of 255; below it the ground shows more than the image
# white, unless the opaque pixels beside transparent ones are so close to it on average (of 255)
NEARLY_WHITE = 64
FEW_LEVELS = 16  # images of 8 bits whose numbers end here are of fewer bits


@dataclass
class Survey:
    """What a sample of the images has.

    Attributes:
        config: the settings of the import.
        sides: the short side of each, in pixels.
        byte_top: the largest number in images of 8 bits; 0 if there are none.
        low: the smallest number in the others.
        high: the largest number there; below `low` if there are none.
        coloured: whether the channels of any image differ.
        edges: mean distance from white, 0 to 255, of the opaque pixels beside transparent ones, of
            each image that has such.
        transparent: whether the ground shows in any image.
    """

    config: ImportConfig
    sides: list[int] = field(default_factory=list)
    byte_top: int = 0
    low: float = math.inf
    high: float = -math.inf
    coloured: bool = False
    edges: list[float] = field(default_factory=list)
    transparent: bool = False

    def add(self, image: Loaded) -> None:
        """Add an image, as an `ImageReader` loads it.

        Raises:
            UnreadableError: it cannot be decoded.
        """
        found = raw(image, LARGEST_SIDE)
        self.sides.append(min(found.height, found.width))
        if found.picture is None:
            assert found.numbers is not None
            self.low = min(self.low, float(found.numbers.min()))
            self.high = max(self.high, float(found.numbers.max()))
            range_ = Conversion(LARGEST_SIDE, 3, low=self.low, high=max(self.high, self.low + 1))
            self._look(as_bytes(found, range_)[0])
        else:
            bands = found.picture.convert(found.picture.mode.removesuffix("A"))
            self.byte_top = max(self.byte_top, int(np.asarray(bands).max()))
            self._look(found.picture)

    def _look(self, picture: Image.Image) -> None:
        pixels = np.asarray(picture)
        if picture.mode in TRANSPARENT and (pixels[..., -1] < OPAQUE).any():
            self.transparent = True
            self.edges += _distances_from_white(pixels)
        if picture.mode in TRANSPARENT:
            ground = "corner" if self.config.ground == "corner" else "white"
            pixels = np.asarray(laid_on(picture, ground))
        if pixels.ndim == 3 and not self.coloured:
            self.coloured = is_coloured(pixels)

    def conversion(self) -> Conversion:
        """Return what to do to each image."""
        config = self.config
        median = float(np.median(self.sides)) if self.sides else 0.0
        size = config.size or next((one for one in SIZES if one <= median), SIZES[-1])
        colour = self.coloured if config.colour == "auto" else config.colour == "colour"
        ground = config.ground
        if ground == "auto":
            bright = self.edges and float(np.mean(self.edges)) < NEARLY_WHITE
            ground = "black" if bright else "white"
        padding = ground if self.transparent or config.ground != "auto" else "corner"
        low, high = _range(self.low, self.high)
        channels = 3 if colour else 1
        return Conversion(
            size, channels, config.fit, ground, padding, _byte_top(self.byte_top), low, high
        )


def survey(found: FoundImages, config: ImportConfig, progress: Progress) -> Survey:
    """Return what a sample of the images has; images that cannot be read are left out of it."""
    n = len(found)
    chosen = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).round().astype(np.int64))
    seen = Survey(config)
    with progress.bar(len(chosen), "looking at a sample") as bar:
        for index in chosen.tolist():
            with suppress(UnreadableError):
                seen.add(found.reader.load(index))
            bar.advance()
    return seen


def _range(low: float, high: float) -> tuple[float, float]:
    """Return which numbers are black and white, where the numbers of a sample end at these.

    A range that is common is chosen: 0 or -1 to 1, or 0 to what as few bits as possible hold, at
    least 8 of them; numbers up to 16 are of 4 bits. Else it is that of the sample.
    """
    if low > high:  # there are none
        return 0.0, 255.0
    if low < 0:
        return (-1.0, 1.0) if low >= -1 and high <= 1 else (low, max(high, low + 1))
    if high <= 1:
        return 0.0, 1.0
    if high <= FEW_LEVELS:
        return 0.0, float(FEW_LEVELS)
    for bits in range(8, 17):
        if high <= 2**bits - 1:
            return 0.0, float(2**bits - 1)
    return low, high


def _byte_top(top: int) -> int:
    """Return which number of a byte is white, where the numbers of a sample end at `top`."""
    return round(_range(0, top)[1]) if top else 255


def _distances_from_white(pixels: NDArray[np.uint8]) -> list[float]:
    """Return the mean distance from white along the edges of an image [H, W, C and alpha]."""
    opaque = pixels[..., -1] >= OPAQUE
    inside = np.pad(opaque, 1, constant_values=True)
    surrounded = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    edge = opaque & ~surrounded
    return [float((255 - pixels[edge][:, :-1].min(axis=1)).mean())] if edge.any() else []
