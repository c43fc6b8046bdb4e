"""The labelled images that a source holds, before any of them is decoded; no torch."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NOT_GIVEN = -1  # the split of an image whose source does not say
# what folders, files and arrays of a split are called; the values are indices into SPLITS
SPLIT_WORDS = {
    "train": 0,
    "training": 0,
    "val": 1,
    "valid": 1,
    "validation": 1,
    "dev": 1,
    "test": 2,
    "testing": 2,
}


class ImageReader(Protocol):
    """Decodes the images of a source, one at a time."""

    def place(self, index: int) -> str:
        """Return what messages call an image: its path within the source, or `row 17`."""

    def load(self, index: int) -> "Image.Image | NDArray[np.uint8]":
        """Return an image as Pillow opened it, or pixels uint8 [H, W] or [H, W, 3 or 4].

        Raises:
            UnreadableError: it cannot be decoded; the import leaves it out and says so.
        """


class UnreadableError(ValueError):
    """One image cannot be decoded; the message is a short reason, the same for images alike."""


@dataclass(frozen=True)
class FoundImages:
    """The labelled images of a source, none of them decoded yet.

    Attributes:
        name: a plain name for the data set, from that of the folder or the file.
        path: of the source, resolved.
        kind: the form of the source in a few words, such as "a folder for each class".
        names: of the classes, in the order of their labels.
        labels: int64 [N], from 0.
        splits: int8 [N], index into `cgan.data.spec.SPLITS`, or NOT_GIVEN.
        reader: decodes them.
        fingerprint: checksum of what tells whether the source has changed (paths, sizes and times
            of files), without reading their contents.
        skipped: files that are no images of a class, by reason.
        notes: short sentences on what the reader does to all images, such as how it scales floats.
        noun: the word for one of its classes, if the source is a known data set.
    """

    name: str
    path: Path
    kind: str
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: NDArray[np.int8]
    reader: ImageReader
    fingerprint: str
    skipped: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    noun: str = ""

    def __len__(self) -> int:
        """Return N."""
        return len(self.labels)


def files_fingerprint(paths: Iterable[Path]) -> str:
    """Return a checksum of the paths, sizes and times of files, without reading their contents.

    Raises:
        OSError: one is missing or not accessible.
    """
    digest = hashlib.sha256()
    for path in paths:
        about = path.stat()
        digest.update(f"{path.resolve()}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def given_splits(splits: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int8]:
    """Return the splits of images, or NOT_GIVEN for all of them if there is only one split."""
    given = np.asarray(splits, np.int8)
    return given if len(np.unique(given)) > 1 else np.full_like(given, NOT_GIVEN)
