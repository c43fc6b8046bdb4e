"""One split of a data set: uint8 tensors, batched by indexing, scaled in one place."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cgan.data.spec import DataSpec, listed

SPLITS = ("train", "validation", "test")
RARE = 0.2  # of an equal share of the images; a class with fewer is rare


@dataclass(frozen=True)
class Split:
    """One split of a data set: images uint8 [N, C, H, W] and labels int64 [N].

    `checksum` is what `sha256` returns, if it is known already; images in a mapped file are large.
    """

    spec: DataSpec
    images: Tensor
    labels: Tensor
    checksum: str | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def to(self, device: torch.device) -> "Split":
        """Return the same split in the memory of `device`."""
        images, labels = self.images.to(device), self.labels.to(device)
        return Split(self.spec, images, labels, self.checksum)

    def class_counts(self) -> list[int]:
        """Return the number of images of each class."""
        return self.labels.bincount(minlength=self.spec.n_classes).tolist()

    def sha256(self) -> str:
        """Return the checksum of the images' and labels' bytes, for provenance."""
        if self.checksum is not None:
            return self.checksum
        digest = hashlib.sha256(self.images.cpu().numpy().tobytes())
        digest.update(self.labels.cpu().numpy().tobytes())
        return digest.hexdigest()


def scale(images: Tensor) -> Tensor:
    """Return uint8 images [..., 0 to 255] as float32 in [-1, 1], the range of every network."""
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def unscale(images: Tensor) -> Tensor:
    """Return float images in [-1, 1] as uint8 [0 to 255], rounded to the nearest level."""
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def batches(
    split: Split, batch_size: int, random: torch.Generator | None = None, *, drop_last: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images float32 [B, C, H, W] in [-1, 1], labels int64 [B]) for one pass over the split.

    Args:
        split: the images, on any device.
        batch_size: B; the last batch is smaller unless `drop_last`.
        random: a CPU generator that shuffles the images; None keeps their order.
        drop_last: leave out a last batch of fewer than `batch_size` images.
    """
    n = len(split)
    order = torch.arange(n) if random is None else torch.randperm(n, generator=random)
    end = n - n % batch_size if drop_last else n
    order = order[:end].to(split.labels.device)
    for chosen in order.split(batch_size):
        yield scale(split.images[chosen]), split.labels[chosen]


class BatchSampler:
    """Selects the images of full batches, endlessly, in a new order in each pass over the data.

    Between two batches its state is `order`, `position` and the state of `random`.
    """

    def __init__(self, n_images: int, batch_size: int, random: torch.Generator):
        """Start before the first pass; `random` is a CPU generator that shuffles the images."""
        self.n_images, self.batch_size, self.random = n_images, batch_size, random
        self.order = torch.empty(0, dtype=torch.int64)  # of the images in this pass
        self.position = 0  # in `order`, of the next batch

    def next_batch(self) -> Tensor:
        """Return the indices int64 [batch_size] of the next batch's images, on the CPU."""
        if self.position + self.batch_size > len(self.order):
            self.order = torch.randperm(self.n_images, generator=self.random)
            self.position = 0
        chosen = self.order[self.position : self.position + self.batch_size]
        self.position += self.batch_size
        return chosen


def interleaved(labels: Tensor) -> Tensor:
    """Return an order int64 [N] in which the classes alternate, as long as they have images left.

    The first images then show every class, whatever the class distribution of labels int64 [N].
    """
    rank = torch.empty_like(labels)
    for digit in labels.unique():
        mine = labels == digit
        rank[mine] = torch.arange(int(mine.sum()))
    return torch.argsort(rank * (int(labels.max()) + 1) + labels)


def unequal_classes(train: Split) -> str | None:
    """Return a line on the classes without or with few training images; None if there are none."""
    counts, noun = train.class_counts(), train.spec.noun
    enough = RARE * len(train) / len(counts)
    absent = [str(label) for label, n in enumerate(counts) if n == 0]
    rare = [f"{label} ({n})" for label, n in enumerate(counts) if 0 < n < enough]
    parts = []
    if absent:
        parts.append(f"no training image of {listed(absent, noun)}")
    if rare:
        parts.append(f"few of {listed(rare, noun)}")
    return "; ".join(parts) or None


def of_classes(split: Split, classes: set[int]) -> Split:
    """Return the images of some classes, in their order."""
    kept = torch.isin(split.labels, torch.tensor(sorted(classes), device=split.labels.device))
    return Split(split.spec, split.images[kept], split.labels[kept])


def subset(split: Split, n: int) -> Split:
    """Return `n` images of a split, or all if it has fewer: the same ones each time.

    They are chosen at random, because files may be ordered (the first half of MNIST's test images
    is easier), and then interleaved.
    """
    random = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(split), generator=random)[:n]
    chosen = chosen[interleaved(split.labels[chosen])]
    return Split(split.spec, split.images[chosen], split.labels[chosen])


def balanced_labels(n: int, n_classes: int) -> Tensor:
    """Return int64 labels [n] that cycle through the classes, each equally often up to one."""
    return torch.arange(n) % n_classes
