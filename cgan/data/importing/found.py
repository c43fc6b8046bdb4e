"""The labelled images that a source holds, before any of them is decoded; no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NOT_GIVEN = -1  # the split of an image whose source does not say


class ImageReader(Protocol):
    """Decodes the images of a source, one at a time."""

    def place(self, index: int) -> str:
        """Return what messages call an image: its path within the source, or `row 17`."""

    def load(self, index: int) -> "Image.Image | NDArray[np.generic]":
        """Return an image as Pillow opened it, or pixels [H, W] or [H, W, C] of any known dtype.

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
        splits: int8 [N], index into `cgan.data.splits.SPLITS`, or NOT_GIVEN.
        reader: decodes them.
        fingerprint: checksum of what tells whether the source has changed (paths, sizes and times
            of files), without reading their contents.
        skipped: files that are no images of a class, by reason.
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

    def __len__(self) -> int:
        """Return N."""
        return len(self.labels)
