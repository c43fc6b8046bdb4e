"""Real MNIST images that ship with cgan: 10,000 for training, 2,000 held out; no torch.

The file holds only pixels, compressed by xz: one split after the other, each with the classes from
0 to 9 in order and the same number of images per class. The position of an image therefore gives
its label. scripts/embed_mnist writes the file. Its licence, which is not cgan's, is in the same
folder.
"""

import hashlib
import lzma
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgan.io.strict import first_line, read_plain, unpack_xz
from cgan.runtime.errors import InputError

FILE = Path(__file__).parent / "embedded/mnist-sample.xz"
LICENCE = FILE.with_name("mnist-sample.LICENSE.txt")
N_CLASSES, SIDE = 10, 28  # classes; pixels along one side of an image
PER_CLASS = {"train": 1000, "validation": 100, "test": 100}  # images, in the order of the file
SIZE = N_CLASSES * sum(PER_CLASS.values()) * SIDE * SIDE  # bytes of all pixels
LARGEST_PACKED = 2_500_000  # bytes of the file
SHA256 = "12c88ed1fdb3772afb816b6687b2608d777efd41b47e8a7254b9fa5c3cda9178"  # of all pixels


def read_sample(split: str, path: Path = FILE) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return one split: images uint8 [N, 28, 28] and labels int64 [N]; the classes alternate.

    Args:
        split: a name in PER_CLASS.
        path: the file.

    Raises:
        InputError: it is missing or is not the file that ships.
    """
    place, count = list(PER_CLASS).index(split), PER_CLASS[split]
    start = N_CLASSES * sum(list(PER_CLASS.values())[:place])
    images = _read_pixels(path)[start : start + N_CLASSES * count]
    by_class = images.reshape(N_CLASSES, count, SIDE, SIDE)
    labels = np.tile(np.arange(N_CLASSES, dtype=np.int64), count)
    return by_class.swapaxes(0, 1).reshape(-1, SIDE, SIDE), labels


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    """Return all images of the file, uint8 [N, 28, 28]."""
    try:
        content = unpack_xz(read_plain(path, LARGEST_PACKED), SIZE)
    except (OSError, lzma.LZMAError) as error:
        raise InputError(
            f"the embedded images in {path} are missing or damaged ({first_line(error)}); install "
            "cgan again"
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise InputError(f"{path} is not the file of images that cgan ships; install cgan again")
    return np.frombuffer(content, np.uint8).reshape(-1, SIDE, SIDE)
