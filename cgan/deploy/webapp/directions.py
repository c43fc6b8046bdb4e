"""Finds directions of the noise with a visible effect: named ones, and principal directions.

Images are generated and measured, and each measurement is fitted by a linear function of the noise
(least squares within each class). The gradient of the fit is the direction, named after the
measurement if the fit explains enough of it. Then, among the directions orthogonal to these, those
that explain most of the variance of the pixels. If a class has several modes, the first number of
the noise chooses the mode. It is a direction of its own, and the others do not use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.deploy.webapp.measurements import measurements
from cgan.models.base import Generator
from cgan.models.sampling import noise

N_DIRECTIONS = 6  # besides the choice of the mode
LEAST_PRINCIPAL = 3  # of them, or more directions
DRAWN, FEWEST_DRAWN = 4000, 1500  # images; of large ones fewer, because they take long
FEWEST_PER_NUMBER, FEWEST_PER_CLASS = 10, 200  # of them: for a number of the noise, and of a class
LARGEST_SIDE = 32  # pixels; larger images are shrunk to this
BATCH = 200
LEAST = 0.1  # of a measurement's variance; a fit that explains less is not used
VISIBLE = 0.005  # standard deviation of a measurement; a smaller one is not seen
SEED = 1
KIND, PRINCIPAL = "kind", "principal"


@dataclass(frozen=True)
class Direction:
    """A direction of the noise: a name, a unit vector float [z_dim], and the explained variance.

    `share` (0 to 1) is the explained share of the variance within a class: of the measurement that
    it is named after, or for a principal direction of the pixels. It is 0 for the choice of the
    mode, which is not linear.
    """

    name: str
    vector: Tensor
    share: float


@torch.no_grad()
def find_directions(generator: Generator, classes: Sequence[int]) -> list[Direction]:
    """Return orthogonal directions; the choice of the mode, if there is one, is the last.

    The result depends on the generator and its trained `classes` only. The generator is left in
    evaluation mode on the CPU.
    """
    n_images = _n_images(generator, classes[0])
    z = generator.prior(noise(SEED, n_images, generator.z_dim))
    drawn = torch.tensor(_spread(classes, n_images // FEWEST_PER_CLASS))
    drawn = drawn[torch.arange(n_images) % len(drawn)]
    images = _images(generator, z, drawn)
    labels = drawn if generator.conditional else torch.zeros_like(drawn)
    n_fixed = int(generator.n_modes > 1)
    every = torch.eye(generator.z_dim)
    free = every[:, n_fixed:]  # a basis of the space of the directions
    z = _centred(z, labels)
    measured = {
        name: _centred(values[:, None], labels) for name, values in measurements(images).items()
    }
    found, free = _named(z, free, measured)
    pixels = _centred(images.flatten(1), labels)
    n_principal = max(LEAST_PRINCIPAL, N_DIRECTIONS - len(found))
    found += _principal(z, free, pixels, labels, n_principal)
    return found + [Direction(KIND, every[0], 0.0)] * n_fixed


def _named(
    z: Tensor, free: Tensor, measured: Mapping[str, Tensor]
) -> tuple[list[Direction], Tensor]:
    """Return the directions of measurements, in their order, and a basis of those left free.

    The measurement that is explained best comes first, because the directions of the others are
    orthogonal to it.

    Args:
        z: noise float [N, z_dim].
        free: a basis [z_dim, M] of the space of the directions.
        measured: measurements float [N, 1] by name, minus the means of their classes.
    """
    left = {name: values for name, values in measured.items() if float(values.std()) >= VISIBLE}
    found: dict[str, Direction] = {}
    while left and free.shape[1] > 1:
        fits = {name: _fitted(z @ free, values) for name, values in left.items()}
        name, (vector, share) = max(fits.items(), key=lambda item: item[1][1])
        if share < LEAST:
            break
        found[name] = Direction(name, free @ vector, share)
        free = _without(free, vector)
        del left[name]
    return [found[name] for name in measured if name in found], free


def _principal(z: Tensor, free: Tensor, pixels: Tensor, labels: Tensor, n: int) -> list[Direction]:
    """Return `n` directions in the space of `free` that explain most of pixels float [N, M]."""
    found = []
    for i, vector in enumerate((free @ _strongest(z @ free, pixels, labels)).T[:n]):
        brightens = float((z @ vector) @ pixels.mean(1)) >= 0
        oriented = vector if brightens else -vector  # the sign of an eigenvector is arbitrary
        share = _explained_per_label(z @ vector, pixels, labels)
        found.append(Direction(f"{PRINCIPAL} {i + 1}", oriented, share))
    return found


def _fitted(z: Tensor, values: Tensor) -> tuple[Tensor, float]:
    """Return the unit vector [M] along which noise [N, M] explains values [N, 1], and how much."""
    vector = torch.linalg.lstsq(z, values, driver="gelsd").solution[:, 0]
    vector = vector / vector.norm().clamp(min=1e-9)
    return vector, _explained(z @ vector, values)


def _n_images(generator: Generator, label: int) -> int:
    """Return how many images are measured, by their size."""
    z = torch.zeros(1, generator.z_dim)
    image = generator.eval()(z, torch.tensor([label]))
    drawn = DRAWN * LARGEST_SIDE**2 // image[0, 0].numel()
    return max(FEWEST_PER_NUMBER * generator.z_dim, FEWEST_DRAWN, min(DRAWN, drawn))


def _spread(classes: Sequence[int], most: int) -> list[int]:
    """Return all classes, or `most` of them, evenly spread."""
    n = min(len(classes), most)
    return [classes[i * len(classes) // n] for i in range(n)]


def _images(generator: Generator, z: Tensor, labels: Tensor) -> Tensor:
    """Return the images float [N, C, H, W] in [0, 1], shrunk if they are large."""
    parts = []
    for some, wanted in zip(z.split(BATCH), labels.split(BATCH), strict=True):
        images = (generator(some, wanted) + 1) / 2
        height, width = (min(side, LARGEST_SIDE) for side in images.shape[2:])
        parts.append(F.adaptive_avg_pool2d(images, (height, width)))
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
