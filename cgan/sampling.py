"""Draws images from a generator, the same ones whatever the batch size."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan import data
from cgan.errors import InputError
from cgan.machine import autocast, choose_device, choose_precision, place
from cgan.networks import Generator


@torch.no_grad()
def sample(
    generator: Generator,
    labels: Tensor,
    *,
    seed: int,
    batch_size: int = 200,
    dtype: torch.dtype = torch.float32,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images uint8 [B, C, H, W], labels int64 [B]) for every requested label, in order.

    The noise of all images comes from one stream of its own, read in order: image i depends on
    `seed`, its label and i alone, never on the batch size or on torch's random state. (Matrix
    kernels round differently for different batch sizes, so a pixel may still move by one level.)

    Args:
        generator: a network with a `z_dim`; left in evaluation mode.
        labels: int64 [N], on any device.
        seed: seed of the noise.
        batch_size: B.
        dtype: number format of the products and convolutions.
    """
    device = next(generator.parameters()).device
    stream = _stream(seed)
    generator.eval()
    for chosen in labels.split(batch_size):
        normal = _normal(stream, len(chosen), generator.z_dim)
        z, requested = generator.prior(normal.to(device)), chosen.to(device)
        with autocast(device, dtype):
            images = generator(z, requested)
        yield data.unscale(images), requested


def noise(seed: int, n: int, z_dim: int) -> Tensor:
    """Return the normal numbers float32 [n, z_dim] that `sample` makes its first n images of."""
    return _normal(_stream(seed), n, z_dim)


def _stream(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def _normal(stream: np.random.Generator, n: int, z_dim: int) -> Tensor:
    return torch.from_numpy(stream.standard_normal((n, z_dim), dtype=np.float32))


def draw(
    generator: Generator,
    n_classes: int,
    n: int,
    *,
    digit: int | None = None,
    seed: int = 1,
    device: str = "auto",
    precision: str = "fp32",
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw `n` images of one digit, or of each of `n_classes` labels equally often.

    Returns:
        Images uint8 [n, C, H, W] and labels int64 [n].

    Raises:
        InputError: a digit that the generator was not trained on.
    """
    if digit is not None and not 0 <= digit < n_classes:
        raise InputError(f"--digit {digit}: the generator draws the labels 0 to {n_classes - 1}")
    labels = data.balanced_labels(n, n_classes) if digit is None else torch.full((n,), digit)
    where = choose_device(device)
    dtype = choose_precision(precision, where)
    images, labels = collect(sample(place(generator, where), labels, seed=seed, dtype=dtype))
    return images.cpu().numpy(), labels.cpu().numpy()


def collect(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Join batches of (images, labels) into one pair of tensors."""
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)
