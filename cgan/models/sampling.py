"""Samples images from a generator; the images do not depend on the batch size."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.config.schema import EvalConfig
from cgan.data.splits import balanced_labels, unscale
from cgan.models.base import Generator
from cgan.runtime.device import autocast, choose_device, choose_precision, place
from cgan.runtime.errors import InputError

N_DRAWN = 64  # images, if no number is given


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

    The noise of all images comes from one random stream in order. So image i depends only on
    `seed`, its label and i, not on the batch size or on torch's random state. (Matrix kernels round
    differently for different batch sizes, so a pixel may still differ by one level.)

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
        yield unscale(images), requested


def noise(seed: int, n: int, z_dim: int) -> Tensor:
    """Return the normal numbers float32 [n, z_dim] from which `sample` makes its first n images."""
    return _normal(_stream(seed), n, z_dim)


def _stream(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def _normal(stream: np.random.Generator, n: int, z_dim: int) -> Tensor:
    return torch.from_numpy(stream.standard_normal((n, z_dim), dtype=np.float32))


def requested_labels(
    n_classes: int,
    n: int | None = None,
    label: int | Sequence[int] | None = None,
    untrained: Collection[int] = (),
    names: Sequence[str] = (),
) -> Tensor:
    """Return the labels int64 [n] of the images to generate.

    Args:
        n_classes: number of classes; labels run from 0 to `n_classes` - 1.
        n: how many images, 1 to 1,000,000; None: as many as there are labels, or 64.
        label: one, or several that the images take in turn; None: every label equally often.
        untrained: labels that the generator saw no image of, so that they are not drawn.
        names: of the classes, for messages; empty: they are called by their labels.

    Raises:
        InputError: an unknown or untrained label, more labels than images, or a number out of
            range.
    """
    labels = _labels(label)
    n = N_DRAWN if n is None and labels.ndim == 0 else n
    n = EvalConfig(n_samples=len(labels) if n is None else _whole(n)).n_samples  # checks the range
    if label is None:
        known = torch.tensor([one for one in range(n_classes) if one not in untrained])
        return known[balanced_labels(n, len(known))]
    if labels.ndim and len(labels) > n:
        raise InputError(f"there are {len(labels)} labels for {n} images; ask for more images")
    for one in np.unique(labels):
        if not 0 <= one < n_classes:
            raise InputError(f"class {one}: the generator draws the classes 0 to {n_classes - 1}")
        if one in untrained:
            name = names[one] if names else one
            raise InputError(f"class {name}: the generator was trained without an image of it")
    return torch.from_numpy(np.resize(labels, n))


def _whole(number: int) -> int:
    """Return numpy's whole numbers as Python's; other values are returned as they are."""
    return int(number) if isinstance(number, np.integer) else number


def _labels(label: int | Sequence[int] | None) -> NDArray[np.int64]:
    """Return one label, or a list of labels, as an int64 array without an axis or with one.

    Raises:
        InputError: they are not whole numbers.
    """
    try:
        labels = np.array(0 if label is None else label)
    except ValueError:  # rows of different lengths
        labels = np.array("")
    if labels.ndim > 1 or labels.dtype.kind not in "iu":
        raise InputError("a label must be a whole number or the name of a class, or a list of them")
    return labels.astype(np.int64)


def draw(
    generator: Generator,
    n_classes: int,
    n: int | None,
    *,
    label: int | Sequence[int] | None = None,
    untrained: Collection[int] = (),
    names: Sequence[str] = (),
    seed: int = 1,
    device: str = "auto",
    precision: str = "fp32",
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Generate `n` images of the labels that `requested_labels` returns.

    Returns:
        Images uint8 [n, C, H, W] and labels int64 [n].

    Raises:
        InputError: a class that the generator was not trained on, more labels than images, a
            number out of range, a missing device, or an unknown precision.
    """
    seed = EvalConfig(seed=_whole(seed)).seed  # checks the range
    wanted = requested_labels(n_classes, n, label, untrained, names)
    where = choose_device(device)
    dtype = choose_precision(precision, where)
    images, labels = collect(sample(place(generator, where), wanted, seed=seed, dtype=dtype))
    return images.cpu().numpy(), labels.cpu().numpy()


def collect(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Join batches of (images, labels) into one pair of tensors."""
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)
