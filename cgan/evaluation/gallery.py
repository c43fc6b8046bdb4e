"""Selects the images shown in a report: by class, most and least certain, mistakes, near copies."""

from dataclasses import dataclass

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from cgan.data.grids import COLUMNS, mosaic_bytes, spread
from cgan.data.splits import interleaved
from cgan.evaluation.comparison import Neighbours, Reference
from cgan.metrics import results as schema
from cgan.metrics.accuracy import accuracy_per_class
from cgan.metrics.features import Features
from cgan.metrics.registry import Copies, Inputs

N_CLASSES = 20  # the most classes whose samples are shown
N_WORST = 8  # of these, with the lowest accuracy, if there are more classes
N_SURE, N_CERTAIN = 2, 40  # of each class, of all
N_UNSURE = 20
N_MISTAKES = 40
N_PAIRS = 20  # generated images beside their nearest training images
N_ALIKE = 2  # most pairs per class: some classes, such as ones, look alike
GAP = 4  # pixels between the images of a sheet, and between pairs


@dataclass(frozen=True)
class GallerySheet:
    """Images uint8 [N, C, H, W], the number of columns, and the facts about each image."""

    images: NDArray[np.uint8]
    columns: int
    cells: list[schema.Cell]

    def facts(self) -> schema.Sheet:
        """Return its entry in results.json."""
        return schema.Sheet(columns=self.columns, gap=GAP, cells=self.cells)

    def picture(self) -> bytes:
        """Return the images as a PNG, pixel for pixel, `columns` in a row, with gaps."""
        return mosaic_bytes(self.images, self.columns, GAP)


def choose(
    images: torch.Tensor, inputs: Inputs, neighbours: Neighbours | None, reference: Reference
) -> dict[str, GallerySheet]:
    """Return sheets by name: samples, certain, uncertain, and, if there are any, mistakes, copies.

    Samples are the first images of each class, without selection. Of more than N_CLASSES classes
    they show some that are evenly spread, then those with the lowest accuracy. Without requested
    labels they are the first of all.

    Args:
        images: the generated images, uint8 [N, C, H, W].
        inputs: the inputs of the metrics for them.
        neighbours: their nearest training images; None: there was no search.
        reference: holds the training images.
    """
    seen, pixels = inputs.all, images.cpu().numpy()
    certainty = _certainty(seen)
    right = seen.judged == seen.labels
    order = np.argsort(-certainty, kind="stable")
    sure = _few_of_each(order[right[order]], seen.judged, N_SURE)[:N_CERTAIN]
    sure = _in_turns(sure, seen.judged)
    wrong = _in_turns(np.flatnonzero(~right), seen.labels)[:N_MISTAKES]
    samples, columns = _samples(seen)
    chosen = {
        "samples": samples,
        "certain": sure,
        "uncertain": order[::-1][:N_UNSURE],
        "mistakes": wrong,
    }
    sheets = {
        name: GallerySheet(
            pixels[index],
            columns if name == "samples" else min(COLUMNS, len(index)),
            [_cell(seen, certainty, i) for i in index],
        )
        for name, index in chosen.items()
        if len(index)
    }
    if inputs.copies is not None and neighbours is not None:
        sheets["copies"] = _pairs(pixels, inputs.copies, neighbours, reference)
    return sheets


def _certainty(seen: Features) -> NDArray[np.float64]:
    """Return the judge's probability of the class that it predicts, for each image."""
    logits = seen.logits.astype(np.float64)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares.max(axis=1) / shares.sum(axis=1)


def _cell(seen: Features, certainty: NDArray[np.float64], i: int) -> schema.Cell:
    return schema.Cell(
        label=int(seen.labels[i]) if seen.requested else None,
        judged=int(seen.judged[i]),
        certainty=float(certainty[i]),
    )


def _samples(seen: Features) -> tuple[NDArray[np.int64], int]:
    """Return the indices of a row of each class to show, equally long, and that length."""
    if not seen.requested:
        return np.arange(min(COLUMNS * COLUMNS, len(seen))), min(COLUMNS, len(seen))
    rows = [np.flatnonzero(seen.labels == label) for label in _shown(seen)]
    length = min(COLUMNS, *map(len, rows))
    return np.concatenate([row[:length] for row in rows]), length


def _shown(seen: Features) -> list[int]:
    """Return the classes whose samples are shown, in order."""
    classes = [int(label) for label in np.unique(seen.labels)]
    if len(classes) <= N_CLASSES:
        return classes
    some = [classes[i] for i in spread(len(classes), N_CLASSES - N_WORST)]
    shares = {label: share["value"] for label, share in accuracy_per_class(fake=seen).items()}
    others = sorted({*classes} - {*some}, key=lambda label: (shares[label], label))
    return some + others[:N_WORST]


def _in_turns(index: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `index` reordered so that classes alternate; within a class the order is kept."""
    if not len(index):
        return index
    return index[interleaved(torch.from_numpy(classes[index])).numpy()]


def _pairs(
    pixels: NDArray[np.uint8], copies: Copies, neighbours: Neighbours, reference: Reference
) -> GallerySheet:
    """Return the generated images nearest to a training image, each above that training image."""
    near, distances = copies.distinct, copies.distances
    order = _nearest_few(distances, near.judged)
    above, below = neighbours.kept[order], neighbours.nearest[order]
    pairs = [pixels[above], reference.train_images[below]]
    usual = float(np.median(copies.held_out_distances))
    certainty = _certainty(near)
    cells = [
        msgspec.structs.replace(
            _cell(near, certainty, i),
            distance=float(distances[i]),
            share_of_usual=float(distances[i] / usual) if usual > 0 else None,
        )
        for i in order
    ]
    return GallerySheet(np.concatenate(pairs, axis=2), min(COLUMNS, len(order)), cells)


def _nearest_few(distances: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of the N_PAIRS smallest distances, at most N_ALIKE of a class."""
    order = np.argsort(distances, kind="stable")
    return _few_of_each(order, classes, N_ALIKE)[:N_PAIRS]


def _few_of_each(
    index: NDArray[np.int64], classes: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """Return `index` in its order, limited to the first `most` of each class."""
    mine = classes[index]
    rank = np.empty(len(mine), np.int64)
    for one in np.unique(mine):
        rank[mine == one] = np.arange((mine == one).sum())
    return index[rank < most]
