"""The latent space of a generator: vector arithmetic, interpolation, nearest neighbours."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.data.grids import film_bytes, sheet_bytes
from cgan.data.splits import unscale
from cgan.models.base import Generator
from cgan.models.hub import GanRun
from cgan.models.sampling import noise

STEPS = 10  # images of an interpolation
FILM_STEPS = 24
POOL = 10_000  # seeds in the search for nearest neighbours
NEIGHBOURS = 9


@dataclass(frozen=True)
class LatentPicture:
    """A picture of images uint8 [rows x columns, C, H, W]: its name, title and headings."""

    name: str
    title: str
    images: NDArray[np.uint8]
    columns: list[str]
    rows: list[str]


def latent_files(gan: GanRun, seed: int = 1) -> dict[str, bytes]:
    """Return a PNG of every picture by name, and a film of an interpolation between seeds.

    They show the classes that the generator saw images of.

    Args:
        gan: the run; its network stays on its device.
        seed: of the noise. Row i uses the vectors 2i and 2i + 1 of its random stream.
    """
    generator = gan.network.eval()
    trained = [label for label in range(gan.spec.n_classes) if label not in gan.untrained]
    labels = torch.tensor(trained)
    sheets = [
        arithmetic(generator, labels, seed),
        interpolation(generator, labels, seed, spherical=False),
        interpolation(generator, labels, seed, spherical=True),
        neighbours(generator, labels, seed),
    ]
    if generator.conditional:
        sheets.append(between_labels(generator, labels, seed))
    files = {
        f"{sheet.name}.png": sheet_bytes(sheet.images, sheet.columns, sheet.rows, sheet.title)
        for sheet in sheets
    }
    frames = film(generator, labels, seed)
    files["interpolation.gif"] = film_bytes(frames, [""] * len(frames), seconds=0.08, cell=56)
    return files


def arithmetic(generator: Generator, labels: Tensor, seed: int) -> LatentPicture:
    """Return z1, z2, their difference and sum, and both rescaled to the length of the prior.

    The sum of two independent vectors is √2 times as long as the noise used in training, so
    it is outside the prior.
    """
    first, second = _pairs(generator, labels, seed)
    root = 2**0.5
    seeds = [first, second, first - second, first + second]
    seeds += [(first - second) / root, (first + second) / root]
    return LatentPicture(
        "arithmetic",
        "arithmetic with two seeds; z1 - z2 and z1 + z2 are √2 times as long as training noise,\n"
        "the last two columns are rescaled to its length",
        _drawn(generator, seeds, labels),
        ["z1", "z2", "z1 - z2", "z1 + z2", "(z1-z2)/√2", "(z1+z2)/√2"],
        _names(generator, labels),
    )


def interpolation(
    generator: Generator, labels: Tensor, seed: int, *, spherical: bool
) -> LatentPicture:
    """Return interpolations between two seeds, one row per label: linear or spherical.

    Halfway along the straight line, the noise is shorter than any used in training. Spherical
    interpolation keeps its length (White 2016, "Sampling Generative Networks", section 2).
    """
    first, second = _pairs(generator, labels, seed)
    shares = torch.linspace(0, 1, STEPS).tolist()
    seeds = [between(first, second, share, spherical=spherical) for share in shares]
    kind = "spherical" if spherical else "linear"
    title = f"{kind} interpolation between two seeds"
    if not spherical:
        title += ": halfway, the noise is shorter than in training"
    return LatentPicture(
        f"interpolation-{kind}",
        title,
        _drawn(generator, seeds, labels),
        [f"{share:.2f}" for share in shares],
        _names(generator, labels),
    )


def between_labels(generator: Generator, labels: Tensor, seed: int) -> LatentPicture:
    """Return interpolations between the embeddings of each label and the next, with one seed."""
    device = next(generator.parameters()).device
    z = generator.prior(noise(seed, len(labels), generator.z_dim)).to(device)
    one = labels.to(device)
    other = one.roll(-1)
    shares = torch.linspace(0, 1, STEPS).tolist()
    with torch.no_grad():
        start = generator.embed(z, one, generator.choose_modes(z, one))
        end = generator.embed(z, other, generator.choose_modes(z, other))
        painted = [generator.synthesize(z, torch.lerp(start, end, share)) for share in shares]
    return LatentPicture(
        "labels",
        "interpolation between labels with the same noise; mixed labels were not in the training",
        _in_rows(painted),
        [f"{share:.2f}" for share in shares],
        [f"{a} to {b}" for a, b in zip(one.tolist(), other.tolist(), strict=True)],
    )


def neighbours(generator: Generator, labels: Tensor, seed: int) -> LatentPicture:
    """Return a seed of each label and its nearest neighbours among POOL others, nearest first."""
    first, _ = _pairs(generator, labels, seed)
    pool = generator.prior(noise(seed + 1, POOL, generator.z_dim))
    distances, nearest = torch.cdist(first, pool).topk(NEIGHBOURS, largest=False)
    seeds = [first, *(pool[nearest[:, i]] for i in range(NEIGHBOURS))]
    usual = (pool[::2] - pool[1::2]).norm(dim=1).mean()
    alike = ", with the same label" if generator.conditional else ""
    return LatentPicture(
        "neighbours",
        f"a seed and its nearest neighbours among {POOL:,} seeds{alike}\n"
        "above: mean distance as a share of the mean distance of two random seeds",
        _drawn(generator, seeds, labels),
        ["seed", *(f"{share:.2f}" for share in (distances.mean(0) / usual).tolist())],
        _names(generator, labels),
    )


def film(generator: Generator, labels: Tensor, seed: int) -> list[NDArray[np.uint8]]:
    """Return frames [K, C, H, W] of a spherical interpolation, there and back, per label."""
    first, second = _pairs(generator, labels, seed)
    there = torch.linspace(0, 1, FILM_STEPS // 2 + 1)[:-1].tolist()
    steps = [between(first, second, share, spherical=True) for share in there]
    steps += [between(second, first, share, spherical=True) for share in there]
    return [_drawn(generator, [z], labels) for z in steps]


def between(first: Tensor, second: Tensor, share: float, *, spherical: bool) -> Tensor:
    """Return the interpolation of `first` and `second` [B, N] at `share` (0 to 1).

    On the sphere the direction turns at a constant rate (Shoemake 1985, section 3.3). The length
    is interpolated linearly.
    """
    if not spherical:
        return torch.lerp(first, second, share)
    lengths = first.norm(dim=1, keepdim=True), second.norm(dim=1, keepdim=True)
    one, other = first / lengths[0], second / lengths[1]
    angle = (one * other).sum(1, keepdim=True).clamp(-1, 1).acos()
    turned = ((1 - share) * angle).sin() * one + (share * angle).sin() * other
    return torch.lerp(*lengths, share) * turned / angle.sin().clamp(min=1e-9)


def _pairs(generator: Generator, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return two seeds [K, z_dim] for each of K labels."""
    both = generator.prior(noise(seed, 2 * len(labels), generator.z_dim))
    return both[::2], both[1::2]


@torch.no_grad()
def _drawn(generator: Generator, seeds: list[Tensor], labels: Tensor) -> NDArray[np.uint8]:
    """Generate a column for each of the `seeds` [K, z_dim], a row for each of the labels [K]."""
    device = next(generator.parameters()).device
    columns = [generator(z.to(device), labels.to(device)) for z in seeds]
    return _in_rows(columns)


def _in_rows(columns: list[Tensor]) -> NDArray[np.uint8]:
    return unscale(torch.stack(columns, dim=1).flatten(0, 1)).cpu().numpy()


def _names(generator: Generator, labels: Tensor) -> list[str]:
    return [str(i) if generator.conditional else "" for i in labels.tolist()]
