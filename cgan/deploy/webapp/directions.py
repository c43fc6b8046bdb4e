"""Directions of the noise that are worth moving along: slant, ink and width, and what else moves.

Images are drawn, and what they show is explained by a straight line in their noise (least squares
within each label). First slant, ink and width, which are measured: the steepest way up is the
direction. Then the pixels themselves: of all directions at right angles to those, the ones that
explain most. Where a class has several modes, the first number of the noise chooses among them, so
it is a direction of its own and in no other.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.models.base import Generator
from cgan.models.sampling import noise

N_DIRECTIONS = 6  # besides the choice of the mode
DRAWN, DRAWN_PER_NUMBER = 4000, 10  # images, at least that many for each number of the noise
LARGEST_SIDE = 32  # pixels to which larger images are shrunk before they are looked at
BATCH = 200
LEAST = 0.1  # share of a property's variance below which a straight line does not explain it
SEED = 1
KIND, OTHER = "kind", "movement"


@dataclass(frozen=True)
class Direction:
    """A direction of the noise: a name, a vector float [z_dim] of length one, what it explains.

    `share` (0 to 1) is that of the variance within a label: of slant, ink or width, or of the
    pixels where it is a movement. The choice of the mode explains nothing: there the image jumps.
    """

    name: str
    vector: Tensor
    share: float


@torch.no_grad()
def find_directions(generator: Generator, n_classes: int) -> list[Direction]:
    """Return directions at right angles to each other, the choice of the mode last if there is.

    The same generator has the same ones. It is left in evaluation mode, on the CPU.
    """
    n_images = max(DRAWN, DRAWN_PER_NUMBER * generator.z_dim)
    z = generator.prior(noise(SEED, n_images, generator.z_dim))
    labels = torch.arange(n_images) % (n_classes if generator.conditional else 1)
    seen = _seen(generator.eval(), z, torch.arange(n_images) % n_classes)
    n_fixed = int(generator.n_modes > 1)
    every = torch.eye(generator.z_dim)
    free = every[:, n_fixed:]  # a basis of what the directions may use
    z = _centred(z, labels)
    found = []
    for name, values in properties(seen).items():
        centred = _centred(values[:, None], labels)
        vector = torch.linalg.lstsq(z @ free, centred, driver="gelsd").solution[:, 0]
        vector = vector / vector.norm().clamp(min=1e-9)
        share = _explained(z @ free @ vector, centred)
        if share >= LEAST and free.shape[1] > 1:
            found.append(Direction(name, free @ vector, share))
            free = _without(free, vector)
    pixels = _centred(seen.flatten(1), labels)
    axes = free @ _strongest(z @ free, pixels, labels)
    for i, vector in enumerate(axes.T[: N_DIRECTIONS - len(found)]):
        share = _explained_apart(z @ vector, pixels, labels)
        found.append(Direction(f"{OTHER} {i + 1}", vector, share))
    return found + [Direction(KIND, every[0], 0.0)] * n_fixed


def properties(ink: Tensor) -> dict[str, Tensor]:
    """Return what is measured of brightness float [B, H, W] in [0, 1], each float [B].

    Ink is the mean. Width is the spread of the ink to either side of its middle, in pixels; slant
    is how far it moves to the right per pixel upwards.
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


def _seen(generator: Generator, z: Tensor, labels: Tensor) -> Tensor:
    """Return the brightness float [N, H, W] in [0, 1] of what is drawn, shrunk if it is large."""
    parts = []
    for some, wanted in zip(z.split(BATCH), labels.split(BATCH), strict=True):
        grey = (generator(some, wanted).mean(1, keepdim=True) + 1) / 2
        height, width = (min(side, LARGEST_SIDE) for side in grey.shape[2:])
        parts.append(F.adaptive_avg_pool2d(grey, (height, width))[:, 0])
    return torch.cat(parts)


def _centred(values: Tensor, labels: Tensor) -> Tensor:
    """Return values float [N, M] less the mean of their label."""
    centred = values.clone()
    for label in labels.unique():
        centred[labels == label] -= values[labels == label].mean(0)
    return centred


def _explained(place: Tensor, values: Tensor) -> float:
    """Return the share of the variance of values [N, M] that a place float [N] explains."""
    together = (place @ values).square().sum()
    apart = (place.square().sum() * values.square().sum()).clamp(min=1e-12)
    return float(together / apart)


def _explained_apart(place: Tensor, values: Tensor, labels: Tensor) -> float:
    """Return the share that a place float [N] explains where each label has slopes of its own."""
    whole = values.square().sum().clamp(min=1e-12)
    parts = [labels == label for label in labels.unique()]
    weights = [float(values[part].square().sum() / whole) for part in parts]
    shares = [_explained(place[part], values[part]) for part in parts]
    return sum(weight * share for weight, share in zip(weights, shares, strict=True))


def _without(basis: Tensor, vector: Tensor) -> Tensor:
    """Return a basis [z_dim, N - 1] of what `basis` [z_dim, N] spans at right angles to a vector.

    The vector [N], of length one, is in terms of the basis.
    """
    whole = torch.linalg.qr(vector[:, None], mode="complete").Q
    return basis @ whole[:, 1:]


def _strongest(z: Tensor, pixels: Tensor, labels: Tensor) -> Tensor:
    """Return directions [N, N] in columns, the one that explains most of the pixels first.

    A label may move differently along the same direction: each has slopes of its own, and what
    they explain is added up.
    """
    products = torch.zeros(z.shape[1], z.shape[1])
    for label in labels.unique():
        slopes = z[labels == label].T @ pixels[labels == label]
        products += slopes @ slopes.T
    return torch.linalg.eigh(products).eigenvectors.flip(1)
