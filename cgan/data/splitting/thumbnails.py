"""Small versions of images whose distances ignore brightness and contrast; no torch."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cgan.data.pages import Pages

SIDE = 8  # cells along a side of a thumbnail
FLAT = 5.0  # grey levels of contrast that are added to that of a picture: blank ones stay blank
STEPS = 16.0  # of a stored thumbnail, for one unit of contrast
BLOCK = 2**23  # bytes of images in memory at one time
TRAVEL = 32  # a picture may be moved by one part in this many of its side

Floats = NDArray[np.float32]


def blocks(n: int, images: NDArray[np.uint8]) -> Iterator[slice]:
    """Yield slices of `n` items, one image each, that fit in memory as floats."""
    length = max(1, BLOCK // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, n, length):
        yield slice(start, min(start + length, n))


def averaging(size: int, cells: int, shift: int = 0) -> Floats:
    """Return the matrix [cells, size] that averages a row of pixels over equal cells.

    With a shift the row is moved first, by that many pixels; its first or last pixel is repeated.
    """
    edges = np.linspace(0, size, cells + 1)
    pixel = np.arange(size)
    ends, starts = np.minimum(edges[1:, None], pixel + 1), np.maximum(edges[:-1, None], pixel)
    weights = np.maximum(0, ends - starts) * (cells / size)
    moved = np.zeros((size, cells))
    np.add.at(moved, np.clip(pixel + shift, 0, size - 1), weights.T)
    return moved.T.astype(np.float32)


def reduced(images: NDArray[np.uint8], rows: Floats, columns: Floats) -> Floats:
    """Return images [N, C, H, W] as float32 [N, C, S, T]: `rows` [S, H] @ image @ `columns`.T."""
    lines = images.reshape(-1, images.shape[-1]).astype(np.float32)
    narrow = (lines @ columns.T).reshape(*images.shape[:-1], len(columns))  # one large product
    return rows @ narrow


def contrast(images: Floats) -> Floats:
    """Return the standard deviation of each image [N, C, H, W] over all its numbers, plus FLAT."""
    return np.sqrt(images.var(axis=(1, 2, 3), keepdims=True) + np.float32(FLAT**2))


def standardised(images: Floats) -> Floats:
    """Return images [N, C, H, W] in units of their contrast, around their mean over channels."""
    return (images - images.mean(axis=(1, 2, 3), keepdims=True)) / contrast(images)


def thumbnails(
    images: NDArray[np.uint8], moves: Sequence[tuple[int, int]] = ((0, 0),)
) -> list[Floats]:
    """Return thumbnails float32 [N, C * 64] of images uint8 [N, C, H, W], for each move.

    The Euclidean distance of two is the root mean square of their difference in units of contrast.
    It is 0 for one picture in two brightnesses, and about 1.4 for unrelated pictures.

    Args:
        images: the images.
        moves: by how many (rows, columns) of pixels the pictures are moved first.
    """
    downs, rights = (sorted({move[axis] for move in moves}) for axis in (0, 1))
    rows = np.concatenate([averaging(images.shape[2], SIDE, by) for by in downs])
    columns = np.concatenate([averaging(images.shape[3], SIDE, by) for by in rights])
    every = reduced(images, rows, columns)
    found = []
    for down, right in moves:
        row, column = SIDE * downs.index(down), SIDE * rights.index(right)
        one = standardised(every[:, :, row : row + SIDE, column : column + SIDE])
        found.append(one.reshape(len(images), -1) / np.float32(SIDE * np.sqrt(images.shape[1])))
    return found


def stored(vectors: Floats) -> NDArray[np.int8]:
    """Return thumbnails in a byte for each number; contrast beyond 8 units is cut off."""
    scale = STEPS * np.sqrt(vectors.shape[1])
    return np.clip(np.rint(vectors * scale), -127, 127).astype(np.int8)


def restored(vectors: NDArray[np.int8]) -> Floats:
    """Return what `stored` stored, rounded."""
    return vectors.astype(np.float32) / np.float32(STEPS * np.sqrt(vectors.shape[1]))


def nearness(some: Floats, others: Floats) -> Floats:
    """Return minus half the squared distances [A, B] of vectors [A, D] and [B, D].

    This is one product of matrices; the exact distances would take several passes over them.
    """
    one, two = (-np.einsum("nd,nd->n", each, each) / 2 for each in (some, others))
    left = np.column_stack([some, one, np.ones_like(one)])
    return left @ np.column_stack([others, np.ones_like(two), two]).T


def distance(nearness: Floats) -> Floats:
    """Return the distances that `nearness` stands for."""
    return np.sqrt(np.maximum(0, -2 * nearness))


def shifts(images: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return how pictures are moved before they are compared: by (rows, columns) pixels.

    Both pictures of a pair are moved, so one of two opposite directions is enough.
    """
    down, right = (max(1, round(size / TRAVEL)) for size in images.shape[2:])
    return [(0, 0), (0, right), (down, -right), (down, 0), (down, right)]


class Pictures:
    """Different images in an order that depends on their content alone, with thumbnails."""

    def __init__(self, images: NDArray[np.uint8], index: NDArray[np.int64]):
        """Take the images `index` [n] of `images` [N, C, H, W], which may be a mapped file."""
        self.images, self._index = images, index
        self._pages = Pages.of(images)
        self._by_place = np.argsort(index)  # a file is read from its beginning to its end
        width = SIDE * SIDE * images.shape[1]
        self.small = np.empty((len(index), width), np.int8)
        for positions, block in self.read():
            self.small[positions] = stored(thumbnails(block)[0])

    def __len__(self) -> int:
        """Return n."""
        return len(self._index)

    def read(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield all pictures in blocks: their positions, and their pixels [B, C, H, W]."""
        for block in blocks(len(self), self.images):
            positions = self._by_place[block]
            yield positions, self.pixels(positions)

    def pixels(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the pictures at some positions, uint8 [B, C, H, W]."""
        index = self._index[positions]
        if self._pages is None:
            return np.asarray(self.images[index])
        pixels = np.empty((len(index), *self.images.shape[1:]), np.uint8)
        for piece in self._pages.pieces(len(index)):
            pixels[piece] = self.images[index[piece]]
            self._pages.count(len(pixels[piece]), pixels[piece].nbytes)
        return pixels
