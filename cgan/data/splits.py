"""One split of a data set: uint8 tensors, read and scaled in one place each."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cgan.data.pages import Pages
from cgan.data.spec import DataSpec, listed
from cgan.runtime.device import free_memory
from cgan.runtime.wording import clipped

RARE = 0.2  # of an equal share of the images; a class with fewer is rare
MOST_RARE = 5  # classes that a warning names
LONGEST_SHOWN = 30  # letters of a class's name in a warning
DEVICE_SHARE = 1 / 8  # of the free memory of a GPU; a training needs the rest
PART = 1000  # images that are moved to a GPU at once
LARGEST_COPY = 2**30  # bytes of images that are copied from a mapped file to memory


@dataclass(frozen=True)
class Split:
    """One split of a data set: images uint8 [N, C, H, W] and labels int64 [N].

    The images may lie in a mapped file, or on the CPU while the labels are on a GPU. Read them with
    `take` or `parts`, which use constant memory and return them on the device of the split.

    Attributes:
        spec: image shape and classes.
        images: all of them.
        labels: on the device of the split.
        checksum: what `sha256` returns, if it is known already.
        pages: those of a mapped file; None: the images are in memory.
    """

    spec: DataSpec
    images: Tensor
    labels: Tensor
    checksum: str | None = None
    pages: Pages | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """The device that the images are used on."""
        return self.labels.device

    def to(self, device: torch.device) -> "Split":
        """Return the same split for use on `device`.

        Images that would take more than `DEVICE_SHARE` of its free memory stay where they are.
        """
        labels = self.labels.to(device)
        if device == self.images.device or not self._fits(device):
            return Split(self.spec, self.images, labels, self.checksum, self.pages)
        images = torch.empty_like(self.images, device=device)
        for start, (part, _) in zip(range(0, len(self), PART), self.parts(PART), strict=True):
            images[start : start + PART] = part
        return Split(self.spec, images, labels, self.checksum)

    def _fits(self, device: torch.device) -> bool:
        free = free_memory(device)
        return self.pages is None if free is None else self.images.nbytes <= DEVICE_SHARE * free

    def take(self, indices: Tensor) -> Tensor:
        """Return the images uint8 [B, C, H, W] at `indices` int64 [B], on the split's device.

        Indices on the CPU are best: those on a GPU must be waited for if the images are not there.
        """
        chosen = indices.to(self.images.device)
        if self.pages is None:
            return self._on_device(self.images[chosen])
        images = torch.empty((len(chosen), *self.images.shape[1:]), dtype=torch.uint8)
        for piece in self.pages.pieces(len(chosen)):
            images[piece] = self.images[chosen[piece]]
            self.pages.count(len(chosen[piece]), images[piece].nbytes)
        return self._on_device(images)

    def parts(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all images uint8 [B, C, H, W] and labels int64 [B] in their order, B = `size`.

        The last part may be smaller.
        """
        for images, labels in zip(self.images.split(size), self.labels.split(size), strict=True):
            if self.pages is not None:
                self.pages.count(1, images.nbytes)
            yield self._on_device(images), labels

    def _on_device(self, images: Tensor) -> Tensor:
        """Return images on the split's device."""
        if images.device == self.device:
            return images
        if self.device.type == "cuda":  # from pinned memory, while the GPU computes
            return images.pin_memory().to(self.device, non_blocking=True)
        return images.to(self.device)

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


def interleaved(labels: Tensor) -> Tensor:
    """Return an order int64 [N] in which the classes alternate, as long as they have images left.

    The first images then show every class, whatever the class distribution of labels int64 [N].
    """
    by_class = torch.argsort(labels, stable=True)
    counts = labels.bincount()
    first = counts.cumsum(0) - counts  # place of each class's first image in `by_class`
    rank = torch.empty_like(labels)
    rank[by_class] = torch.arange(len(labels)) - first[labels[by_class]]
    return torch.argsort(rank * (int(labels.max()) + 1) + labels)


def unequal_classes(train: Split) -> str | None:
    """Return a line on the classes without or with few training images; None if there are none.

    It names the classes with the fewest images first, and of many only these.
    """
    counts, noun = train.class_counts(), train.spec.noun
    enough = RARE * len(train) / len(counts)
    names = [clipped(train.spec.name_of(label), LONGEST_SHOWN) for label in range(len(counts))]
    absent = [name for name, n in zip(names, counts, strict=True) if n == 0]
    few = sorted((n, label) for label, n in enumerate(counts) if 0 < n < enough)
    rare = [f"{names[label]} ({n})" for n, label in few]
    parts = []
    if absent:
        parts.append(f"no training image of {listed(absent, noun, MOST_RARE)}")
    if rare:
        parts.append(f"few of {listed(rare, noun, MOST_RARE)}")
    return "; ".join(parts) or None


def of_classes(split: Split, classes: set[int]) -> Split:
    """Return the images of some classes, in their order.

    Of a mapped file only as many as `LARGEST_COPY` holds, chosen at random.
    """
    kept = torch.isin(split.labels, torch.tensor(sorted(classes), device=split.device))
    chosen = kept.nonzero()[:, 0]
    if split.pages is not None:
        chosen = chosen[_at_random(len(chosen), copied_at_most(split))].sort().values
    return Split(split.spec, split.take(chosen), split.labels[chosen])


def copied_at_most(split: Split) -> int:
    """Return how many images of a split are copied to memory at most."""
    return LARGEST_COPY // split.images[0].nbytes


def subset(split: Split, n: int) -> Split:
    """Return `n` images of a split, or all if it has fewer: the same ones each time."""
    chosen = subset_indices(split, n)
    return Split(split.spec, split.take(chosen), split.labels[chosen])


def subset_indices(split: Split, n: int) -> Tensor:
    """Return the indices int64 [n] of the images that `subset` takes.

    They are chosen at random, because files may be ordered (the first half of MNIST's test images
    is easier), and then interleaved.
    """
    chosen = _at_random(len(split), n)
    return chosen[interleaved(split.labels[chosen])]


def _at_random(n_images: int, n: int) -> Tensor:
    """Return at most `n` of the indices 0 to `n_images` - 1, the same ones each time."""
    return torch.randperm(n_images, generator=torch.Generator().manual_seed(0))[:n]


def balanced_labels(n: int, n_classes: int) -> Tensor:
    """Return int64 labels [n] that cycle through the classes, each equally often up to one."""
    return torch.arange(n) % n_classes
