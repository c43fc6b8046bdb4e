"""Finds directions of the noise with a visible effect: slant, ink, width, and further movements.

Images are generated, and their properties are fitted by a linear function of the noise (least
squares within each label). The gradient of the fit is the direction. First slant, ink and width are
fitted. Then, among the directions orthogonal to these, those that explain most of the variance of
the pixels. If a class has several modes, the first number of the noise chooses the mode. It is a
direction of its own, and the others do not use it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.models.base import Generator
from cgan.models.sampling import noise

N_DIRECTIONS = 6  # besides the choice of the mode
DRAWN, DRAWN_PER_NUMBER = 4000, 10  # images, at least that many for each number of the noise
LARGEST_SIDE = 32  # pixels; larger images are shrunk to this
BATCH = 200
LEAST = 0.1  # of a property's variance; a fit that explains less is not used
SEED = 1
KIND, OTHER = "kind", "movement"


@dataclass(frozen=True)
class Direction:
    """A direction of the noise: a name, a unit vector float [z_dim], and the explained variance.

    `share` (0 to 1) is the explained share of the variance within a label: of slant, ink or width,
    or for a movement of the pixels. It is 0 for the choice of the mode, which is not linear.
    """

    name: str
    vector: Tensor
    share: float


@torch.no_grad()
def find_directions(generator: Generator, n_classes: int) -> list[Direction]:
    """Return orthogonal directions; the choice of the mode, if there is one, is the last.

    The result depends on the generator only, which is left in evaluation mode on the CPU.
    """
    n_images = max(DRAWN, DRAWN_PER_NUMBER * generator.z_dim)
    z = generator.prior(noise(SEED, n_images, generator.z_dim))
    labels = torch.arange(n_images) % (n_classes if generator.conditional else 1)
    brightness = _brightness(generator.eval(), z, torch.arange(n_images) % n_classes)
    n_fixed = int(generator.n_modes > 1)
    every = torch.eye(generator.z_dim)
    free = every[:, n_fixed:]  # a basis of the space of the directions
    z = _centred(z, labels)
    found = []
    for name, values in properties(brightness).items():
        centred = _centred(values[:, None], labels)
        vector = torch.linalg.lstsq(z @ free, centred, driver="gelsd").solution[:, 0]
        vector = vector / vector.norm().clamp(min=1e-9)
        share = _explained(z @ free @ vector, centred)
        if share >= LEAST and free.shape[1] > 1:
            found.append(Direction(name, free @ vector, share))
            free = _without(free, vector)
    pixels = _centred(brightness.flatten(1), labels)
    axes = free @ _strongest(z @ free, pixels, labels)
    for i, vector in enumerate(axes.T[: N_DIRECTIONS - len(found)]):
        share = _explained_per_label(z @ vector, pixels, labels)
        found.append(Direction(f"{OTHER} {i + 1}", vector, share))
    return found + [Direction(KIND, every[0], 0.0)] * n_fixed


def properties(ink: Tensor) -> dict[str, Tensor]:
    """Return properties, each float [B], of brightness float [B, H, W] in [0, 1].

    Ink is the mean. Width is the standard deviation of the ink across, in pixels. Slant is the
    shift of the ink to the right per pixel upwards.
    """
    total = ink.sum((1, 2)).clamp(min=1e-6)
    down, right = (torch.arange(n, dtype=ink.dtype) for n in ink.shape[1:])
    rows, columns = ink.sum(2), ink.sum(1)
    down = down - (rows @ down / total)[:, None]
    right = right - (columns @ right / total)[:, None]
    tall = (rows * down.square()).sum(1).clamp(min=1e-6)
    leaning = torch.einsum("bhw,bh,bw->b", ink, down, right)
    wide = (columns * right.square()).sum(1) / total
    return {"slant": -leaning / tall, "ink": ink.mean((1, 2)), "width": wide.sqrt()}


def _brightness(generator: Generator, z: Tensor, labels: Tensor) -> Tensor:
    """Return the brightness float [N, H, W] in [0, 1] of the images, shrunk if they are large."""
    parts = []
    for some, wanted in zip(z.split(BATCH), labels.split(BATCH), strict=True):
        grey = (generator(some, wanted).mean(1, keepdim=True) + 1) / 2
        height, width = (min(side, LARGEST_SIDE) for side in grey.shape[2:])
        parts.append(F.adaptive_avg_pool2d(grey, (height, width))[:, 0])
    return torch.cat(parts)


def _centred(values: Tensor, labels: Tensor) -> Tensor:
    """Return values float [N, M] minus the mean of their label."""
    centred = values.clone()
    for label in labels.unique():
        centred[labels == label] -= values[labels == label].mean(0)
    return centred


def _explained(coordinate: Tensor, values: Tensor) -> float:
    """Return the share of the variance of values [N, M] that a coordinate float [N] explains."""
    together = (coordinate @ values).square().sum()
    apart = (coordinate.square().sum() * values.square().sum()).clamp(min=1e-12)
    return float(together / apart)


def _explained_per_label(coordinate: Tensor, values: Tensor, labels: Tensor) -> float:
    """Return the share that a coordinate float [N] explains with separate slopes for each label."""
    whole = values.square().sum().clamp(min=1e-12)
    parts = [labels == label for label in labels.unique()]
    weights = [float(values[part].square().sum() / whole) for part in parts]
    shares = [_explained(coordinate[part], values[part]) for part in parts]
    return sum(weight * share for weight, share in zip(weights, shares, strict=True))


def _without(basis: Tensor, vector: Tensor) -> Tensor:
    """Return a basis [z_dim, N - 1] of the part of a space that is orthogonal to a vector.

    The space has the basis `basis` [z_dim, N]. The unit vector [N] is in terms of that basis.
    """
    whole = torch.linalg.qr(vector[:, None], mode="complete").Q
    return basis @ whole[:, 1:]


def _strongest(z: Tensor, pixels: Tensor, labels: Tensor) -> Tensor:
    """Return directions [N, N] in columns, sorted by the explained variance of the pixels.

    Each label has separate slopes, because the same direction may change labels differently. The
    explained variances are added.
    """
    products = torch.zeros(z.shape[1], z.shape[1])
    for label in labels.unique():
        slopes = z[labels == label].T @ pixels[labels == label]
        products += slopes @ slopes.T
    return torch.linalg.eigh(products).eigenvectors.flip(1)
