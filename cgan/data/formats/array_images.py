"""Images in arrays: their layout and range of numbers are inferred; unclear ones are refused."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cgan.io.rows import HeldRows, Rows
from cgan.runtime.errors import InputError

EDGE = 1e-3  # how far rounding errors may move a number out of its range
DARK = -0.5  # images from -1 to 1 have darker pixels than this: their background is near -1
AS_BYTES = "give uint8, from 0 (background) to 255"
CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
DEPTHS = (8, 10, 12, 14, 16)  # bits of the whole numbers that cameras and scanners write
SMALLEST_FLAT = 8  # pixels along a side of an image that is given as a row of numbers
LAYOUTS = "[N, H, W], [N, H, W, C] or [N, C, H, W] with 1, 3 or 4 channels"


class Scale(NamedTuple):
    """Makes uint8 of numbers: (number + shift) * factor, rounded."""

    factor: float = 1.0
    shift: float = 0.0

    def applied(self, numbers: NDArray[Any]) -> NDArray[np.uint8]:
        """Return numbers of any kind as uint8 of the same shape."""
        if self == Scale():
            return numbers if numbers.dtype == np.uint8 else _rounded(numbers)
        if numbers.dtype.kind != "f" or numbers.dtype.itemsize < 4:
            numbers = numbers.astype(np.float32)  # holds whole numbers of 16 bits
        return _rounded((numbers + self.shift) * self.factor)


def float_scale(low: float, high: float, what: str = "the images are floats") -> Scale:
    """Return how floats from `low` to `high` become uint8.

    Raises:
        InputError: they are neither from 0 to 1 nor from -1 to 1, or it is unclear from which; the
            message begins with `what`.
    """
    if not np.isfinite([low, high]).all():
        raise InputError(f"{what}, some of which are not finite; {AS_BYTES}")
    told = f"{what} from {low:.3g} to {high:.3g}"
    if high > 1 + EDGE or low < -1 - EDGE:
        raise InputError(f"{told}, not from 0 to 1 or from -1 to 1; {AS_BYTES}")
    if DARK < low < -EDGE:
        raise InputError(f"{told}, which may mean 0 to 1 or -1 to 1; {AS_BYTES}")
    return Scale(255.0) if low >= -EDGE else Scale(127.5, 1.0)


class Layout(NamedTuple):
    """How the numbers of one image are arranged.

    Attributes:
        side: pixels along a side of an image that is a row of numbers; else 0.
        channels_first: whether an image is [C, H, W]; else it is [H, W] or [H, W, C].
        transposed: whether rows and columns are exchanged, as in EMNIST's files.
    """

    side: int = 0
    channels_first: bool = False
    transposed: bool = False

    def arranged(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return an image as [H, W] or [H, W, C]."""
        if self.side:
            image = image.reshape(self.side, self.side)
        if self.channels_first:
            image = np.moveaxis(image, 0, -1)
        if image.ndim == 3 and image.shape[-1] == 1:
            image = image[..., 0]
        return image.swapaxes(0, 1) if self.transposed else image


def layout_of(shape: tuple[int, ...], where: str) -> Layout:
    """Return how the images in an array of a shape are arranged.

    Raises:
        InputError: it is unclear, or they are no images; the message begins with `where`.
    """
    given = f"{where} has the shape {list(shape)}"
    if 0 in shape:
        raise InputError(f"{given}: it holds no images")
    if len(shape) == 2:
        side = round(shape[1] ** 0.5)
        if side < SMALLEST_FLAT or side * side != shape[1]:
            raise InputError(f"{given}, which is not square images; save {LAYOUTS}")
        return Layout(side)
    if len(shape) == 3:
        return Layout()
    if len(shape) != 4 or not {shape[1], shape[3]} & {*CHANNELS}:
        raise InputError(f"{given}; save {LAYOUTS}")
    if shape[1] in CHANNELS and shape[3] in CHANNELS:
        raise InputError(
            f"{given}: either end may be the channels; save images that are larger than "
            f"{CHANNELS[-1]} pixels"
        )
    return Layout(channels_first=shape[1] in CHANNELS)


class ArrayPart(NamedTuple):
    """Some of a source's images, such as those of one split.

    Attributes:
        name: of the array, for messages.
        rows: the images.
    """

    name: str
    rows: Rows


class ArrayReader:
    """Reads the images of arrays as uint8; an `ImageReader`."""

    def __init__(self, parts: Sequence[ArrayPart], layout: Layout, scale: Scale):
        """Read the images of all parts, one after the other."""
        self.parts, self.layout, self.scale = parts, layout, scale
        sizes = [part.rows.shape[0] for part in parts]
        self._starts = [0, *accumulate(sizes)]

    def place(self, index: int) -> str:
        """Return what messages call an image: `row 17 of train_images`."""
        part, row = self._find(index)
        return f"row {row} of {part.name}"

    def load(self, index: int) -> NDArray[np.uint8]:
        """Return an image as uint8 [H, W] or [H, W, C] with C 3 or 4.

        Raises:
            InputError: the file is damaged.
        """
        part, row = self._find(index)
        image = self.scale.applied(self.layout.arranged(part.rows.row(row)))
        return np.ascontiguousarray(image)

    def _find(self, index: int) -> tuple[ArrayPart, int]:
        place = bisect_right(self._starts, index) - 1
        return self.parts[place], index - self._starts[place]


def array_reader(parts: Sequence[ArrayPart], where: str) -> tuple[ArrayReader, list[str]]:
    """Return a reader of the images in arrays, and sentences on how it reads them.

    All parts are scaled by one rule. uint8 is taken as it is, unless all numbers are 0 or 1.

    Args:
        parts: at least one, each with at least one image.
        where: the source, with which messages begin.

    Raises:
        InputError: a layout or range that is not known or not clear, parts of different layouts, or
            a damaged file.
    """
    layouts = [layout_of(part.rows.shape, f"{where}: {part.name}") for part in parts]
    if len({*layouts}) > 1:
        shapes = " and ".join(str(list(part.rows.shape)) for part in parts)
        raise InputError(f"{where}: the splits have images of the shapes {shapes}; save them alike")
    scale, told = _scale_of([part.rows for part in parts], where)
    notes = [told] if told else []
    if side := layouts[0].side:
        notes.append(f"each row of {side * side} numbers is an image of {side}x{side} pixels")
    return ArrayReader(parts, layouts[0], scale), notes


def held(name: str, array: NDArray[Any]) -> ArrayPart:
    """Return an array in memory as a part of a source."""
    return ArrayPart(name, HeldRows(array))


def as_array(values: Any) -> NDArray[Any]:
    """Return an array or a tensor as a numpy array, or a list as one.

    Raises:
        InputError: it is none of these.
    """
    if hasattr(values, "detach"):  # a tensor; torch need not be imported to tell
        return values.detach().cpu().numpy()
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(f"give an array, not a {type(values).__name__} of this kind") from error


def _scale_of(arrays: Sequence[Rows], where: str) -> tuple[Scale, str]:
    """Return how the numbers of arrays become uint8, and a sentence that says so."""
    kinds = {array.dtype.kind for array in arrays}
    if kinds == {"b"}:
        return Scale(255.0), "false and true become 0 and 255"
    types = ", ".join(sorted({f"{array.dtype!s:.60}" for array in arrays}))
    if not kinds <= set("iuf") or (len(kinds) > 1 and "f" in kinds):
        raise InputError(f"{where}: the images are {types}; {AS_BYTES}")
    if all(array.dtype == np.uint8 for array in arrays):
        return _byte_scale(arrays)
    low, high = _range_of(arrays)
    if "f" in kinds:
        what = f"{where}: the images are floats"
        is_bytes = low >= -EDGE and 127.5 < high <= 255 + EDGE
        scale = Scale() if is_bytes else float_scale(low, high, what)
        ends = {Scale(): "0 to 255", Scale(255.0): "0 to 1"}.get(scale, "-1 to 1")
        return scale, f"floats from {ends} become whole numbers from 0 to 255"
    return _integer_scale(int(low), int(high), types, where)


def _byte_scale(arrays: Sequence[Rows]) -> tuple[Scale, str]:
    """Return no change, unless uint8 images hold nothing but 0 and 1."""
    if any(piece.max() > 1 for array in arrays for piece in array.pieces()):  # ends early
        return Scale(), ""
    return Scale(255.0), "0 and 1 become 0 and 255"


def _integer_scale(low: int, high: int, types: str, where: str) -> tuple[Scale, str]:
    told = f"{where}: the images are {types} from {low} to {high}"
    if low < 0 or high >= 2 ** DEPTHS[-1]:
        raise InputError(f"{told}; {AS_BYTES}")
    if high <= 1:
        return Scale(255.0), "0 and 1 become 0 and 255"
    depth = next(bits for bits in DEPTHS if high < 2**bits)
    if depth == DEPTHS[0]:
        return Scale(), ""
    largest = 2**depth - 1
    return Scale(255.0 / largest), f"{depth}-bit numbers, 0 to {largest}, are scaled to 0 to 255"


def _range_of(arrays: Sequence[Rows]) -> tuple[float, float]:
    """Return the lowest and the highest number; NaN if one is NaN."""
    pieces = (piece for array in arrays for piece in array.pieces())
    ends = np.array([(piece.min(), piece.max()) for piece in pieces], np.float64)
    return float(ends[:, 0].min()), float(ends[:, 1].max())


def _rounded(numbers: NDArray[Any]) -> NDArray[np.uint8]:
    return numbers.round().clip(0, 255).astype(np.uint8)
