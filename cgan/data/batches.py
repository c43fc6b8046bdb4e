"""Batches of a split's images: one pass in order or shuffled, or endlessly for a training."""

from collections.abc import Iterator

import torch
from torch import Tensor

from cgan.data.splits import Split, scale
from cgan.runtime.errors import InputError


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
    for chosen in order[:end].split(batch_size):
        yield scale(split.take(chosen)), split.labels[chosen.to(split.device)]


class BatchSampler:
    """Selects the images of full batches, endlessly, in a new order in each pass over the data.

    Between two batches its state is `order`, `position` and the state of `random`.
    """

    def __init__(
        self,
        n_images: int,
        batch_size: int,
        random: torch.Generator,
        labels: Tensor | None = None,
    ):
        """Start before the first pass.

        Args:
            n_images: a pass has as many.
            batch_size: images of a batch.
            random: a CPU generator that shuffles the images.
            labels: int64 [n_images], to draw every class equally often; None: every image once in
                each pass.
        """
        self.n_images, self.batch_size, self.random = n_images, batch_size, random
        self.labels = None if labels is None else labels.cpu()
        self.order = torch.empty(0, dtype=torch.int64)  # of the images in this pass
        self.position = 0  # in `order`, of the next batch

    def next_batch(self) -> Tensor:
        """Return the indices int64 [batch_size] of the next batch's images, on the CPU."""
        if self.position + self.batch_size > len(self.order):
            if self.labels is None:
                self.order = torch.randperm(self.n_images, generator=self.random)
            else:
                self.order = balanced_order(self.labels, self.random)
            self.position = 0
        chosen = self.order[self.position : self.position + self.batch_size]
        self.position += self.batch_size
        return chosen

    def restore(self, order: Tensor, position: int) -> None:
        """Restore the state with this order and position.

        Raises:
            InputError: they belong to other images.
        """
        fits = order.dtype == torch.int64 and order.shape in ((0,), (self.n_images,))
        if fits and len(order) and self.labels is None:
            fits = torch.equal(order.sort().values, torch.arange(self.n_images))
        elif fits and len(order):
            fits = bool(order.min() >= 0) and bool(order.max() < self.n_images)
        if not fits or type(position) is not int or not 0 <= position <= len(order):
            raise InputError("the checkpoint's position in the data does not fit this data set")
        self.order, self.position = order, position


def balanced_order(labels: Tensor, random: torch.Generator) -> Tensor:
    """Return indices int64 [N] in which all classes of labels int64 [N] are equally frequent.

    The classes take turns, in a new order in each round. Each class goes through its images in
    random order, and again in another one if they are too few, so images of rare classes repeat.
    """
    n, present = len(labels), labels.unique()
    rounds = -(-n // len(present))
    turns = torch.rand(rounds, len(present), generator=random, dtype=torch.float64).argsort(dim=1)
    classes = present[turns.flatten()[:n]]
    order = torch.empty(n, dtype=torch.int64)
    for label in present:
        mine, places = (labels == label).nonzero()[:, 0], (classes == label).nonzero()[:, 0]
        passes = -(-len(places) // len(mine))
        shuffled = torch.rand(passes, len(mine), generator=random, dtype=torch.float64).argsort(
            dim=1
        )
        order[places] = mine[shuffled.flatten()[: len(places)]]
    return order
