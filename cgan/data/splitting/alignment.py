"""How far two images are from showing the same picture, moved and stretched a little; no torch.

The second image is compared with the first one after small changes of it, in the linear
approximation (the tangent distance of Simard, LeCun and Denker, 1993).
"""

import numpy as np
from numpy.typing import NDArray

from cgan.data.splitting.thumbnails import Floats, averaging, contrast, reduced, standardised

CELLS, PARTS = 16, 4  # along a side: cells that are compared, parts that are averaged
BORDER = 1  # cells around these that are not: what moves in there is new
GRID = CELLS + 2 * BORDER
MOST_STRETCH = 0.045  # a change of size
MOST_GAIN = 1.35  # a ratio of contrasts
MOST_OFFSET = 32.0  # grey levels between the means
TONE = 0.3  # a further change of contrast or brightness, in units of contrast
BELIEF = 1 / 1.5  # standard deviation of a change by these units; larger ones need more evidence
NOISE = 0.02  # contrast of the noise in a cell


def differences(
    some: NDArray[np.uint8], others: NDArray[np.uint8], shift: tuple[int, int]
) -> Floats:
    """Return how much the images of each pair differ where they differ most, float32 [N].

    The images are divided into 4x4 parts. The value is the root mean square of the difference in
    the worst part, in units of contrast, after the best small change of position, size, brightness
    and contrast. It is infinite where brightness or contrast are too different.

    Args:
        some: uint8 [N, C, H, W].
        others: of the same shape.
        shift: moves `some` by (rows, columns) pixels first.
    """
    height, width = some.shape[2:]
    rows, columns = (_smoothing() @ averaging(size, GRID) for size in (height, width))
    moved = [
        _smoothing() @ averaging(size, GRID, by)
        for size, by in zip((height, width), shift, strict=True)
    ]
    one, two = reduced(some, moved[0], moved[1]), reduced(others, rows, columns)
    gains, offsets = contrast(two) / contrast(one), two.mean((1, 2, 3)) - one.mean((1, 2, 3))
    one, two = standardised(one), standardised(two)
    left = _unexplained(one, two, GRID / height, GRID / width)
    squares = (left**2).mean(axis=1)
    parts = squares.reshape(len(left), PARTS, CELLS // PARTS, PARTS, CELLS // PARTS)
    worst = np.sqrt(parts.mean(axis=(2, 4)).max(axis=(1, 2)))
    alike = np.abs(np.log(gains[:, 0, 0, 0])) <= np.log(MOST_GAIN)
    return np.where(alike & (np.abs(offsets) <= MOST_OFFSET), worst, np.inf).astype(np.float32)


def _smoothing() -> Floats:
    """Return the matrix that averages neighbours, 1:2:1; derivatives of the result are smooth."""
    padded = np.pad(np.eye(GRID, dtype=np.float32), ((1, 1), (0, 0)), mode="edge")
    return np.float32(0.25) * (padded[:-2] + 2 * padded[1:-1] + padded[2:])


def _inner(images: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return images [N, C, GRID, GRID] without their border, [N, C, CELLS, CELLS]."""
    return images[:, :, BORDER:-BORDER, BORDER:-BORDER]


def _unexplained(
    one: Floats, two: Floats, pixel_rows: float, pixel_columns: float
) -> NDArray[np.floating]:
    """Return `two` - `one` without what small changes explain, and without the border.

    Args:
        one: float32 [N, C, GRID, GRID].
        two: of the same shape.
        pixel_rows: cells in a pixel's height.
        pixel_columns: cells in a pixel's width.
    """
    mean = (one + two) / 2
    down, right = np.gradient(mean, axis=2), np.gradient(mean, axis=3)
    place = np.linspace(-1, 1, GRID, dtype=np.float32)
    stretch = MOST_STRETCH * GRID / 2  # how far it moves the edges, in cells
    changes: list[tuple[NDArray[np.floating], float]] = [
        (down, pixel_rows),
        (right, pixel_columns),
        (down * place[:, None], stretch),
        (right * place, stretch),
        (mean, TONE),
        (np.ones_like(mean), TONE),
    ]
    n = len(one)
    flat = [(_inner(change) * most).reshape(n, -1) for change, most in changes]
    basis, target = np.stack(flat, axis=1, dtype=np.float32), _inner(two - one)
    ridge = np.float32(basis.shape[2] * (NOISE / BELIEF) ** 2) * np.eye(6, dtype=np.float32)
    across = basis @ basis.transpose(0, 2, 1) + ridge
    amounts = np.linalg.solve(across, basis @ target.reshape(n, -1, 1))
    explained = np.clip(amounts, -1, 1).transpose(0, 2, 1) @ basis
    return target - explained.reshape(target.shape)
