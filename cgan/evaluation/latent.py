"""The latent space of a generator: vector arithmetic, interpolation, nearest neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.data.grids import film_bytes, sheet_bytes, spread
from cgan.data.splits import unscale
from cgan.models.base import Generator
from cgan.models.hub import GanRun
from cgan.models.sampling import noise
from cgan.runtime.errors import InputError
from cgan.runtime.wording import clipped

STEPS = 10  # images of an interpolation
FILM_STEPS = 24
POOL = 10_000  # seeds in the search for nearest neighbours
NEIGHBOURS = 9
MOST_ROWS = 10  # classes, unless they are chosen
LONGEST_ROW = 18  # characters of the name of a class beside a row
Names = Sequence[str]  # of the classes; empty: they are called by their labels


@dataclass(frozen=True)
class LatentPicture:
    """A picture of images uint8 [rows x columns, C, H, W]: its name, title and headings."""

    name: str
    title: str
    images: NDArray[np.uint8]
    columns: list[str]
    rows: list[str]


def latent_files(gan: GanRun, seed: int = 1, chosen: Sequence[int] = ()) -> dict[str, bytes]:
    """Return a PNG of every picture by name, and a film of an interpolation between seeds.

    Without a choice they show classes that the generator saw images of: all of them, or of more
    than `MOST_ROWS` some that are evenly spread.

    Args:
        gan: the run; its network stays on its device.
        seed: of the noise. Row i uses the vectors 2i and 2i + 1 of its random stream.
        chosen: labels of classes, a row each; none: no choice.

    Raises:
        InputError: a chosen class of which the generator saw no image.
    """
    generator = gan.network.eval()
    labels = _rows(gan, chosen)
    names = gan.spec.names
    sheets = [
        arithmetic(generator, labels, seed, names),
        interpolation(generator, labels, seed, names, spherical=False),
        interpolation(generator, labels, seed, names, spherical=True),
        neighbours(generator, labels, seed, names),
    ]
    if generator.conditional:
        sheets.append(between_labels(generator, labels, seed, names))
    files = {
        f"{sheet.name}.png": sheet_bytes(sheet.images, sheet.columns, sheet.rows, sheet.title)
        for sheet in sheets
    }
    frames = film(generator, labels, seed)
    files["interpolation.gif"] = film_bytes(frames, [""] * len(frames), seconds=0.08, cell=56)
    return files


def _rows(gan: GanRun, chosen: Sequence[int]) -> Tensor:
    """Return the labels int64 [K] of the classes to show.

    Raises:
        InputError: a chosen class of which the generator saw no image.
    """
    for label in gan.untrained.intersection(chosen):
        name = gan.spec.name_of(label)
        raise InputError(f"class {name}: the generator was trained without an image of it")
    if chosen:
        return torch.tensor(chosen)
    trained = [label for label in range(gan.spec.n_classes) if label not in gan.untrained]
    return torch.tensor([trained[i] for i in spread(len(trained), MOST_ROWS)])


def arithmetic(generator: Generator, labels: Tensor, seed: int, names: Names = ()) -> LatentPicture:
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
        _names(generator, labels, names),
    )


def interpolation(
    generator: Generator, labels: Tensor, seed: int, names: Names = (), *, spherical: bool
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
        _names(generator, labels, names),
    )


def between_labels(
    generator: Generator, labels: Tensor, seed: int, names: Names = ()
) -> LatentPicture:
    """Return interpolations between the embeddings of each label and the next, with one seed."""
    device = next(generator.parameters()).device
    z = generator.prior(noise(seed, len(labels), generator.z_dim)).to(device)
    one = labels.to(device)
    other = one.roll(-1)
    ends = one.tolist(), other.tolist()
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
        [_from_to(_called(a, names), _called(b, names)) for a, b in zip(*ends, strict=True)],
    )


def neighbours(generator: Generator, labels: Tensor, seed: int, names: Names = ()) -> LatentPicture:
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
        _names(generator, labels, names),
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


def _names(generator: Generator, labels: Tensor, names: Names) -> list[str]:
    return [_called(i, names) if generator.conditional else "" for i in labels.tolist()]


def _from_to(first: str, second: str) -> str:
    """Return two classes in one line, or in two lines if they are longer than numbers."""
    return (
        f"{first} to {second}" if first.isdigit() and second.isdigit() else f"{first} to\n{second}"
    )


def _called(label: int, names: Names) -> str:
    """Return the name of a class, shortened, or its label if it has none."""
    return clipped(names[label], LONGEST_ROW) if names else str(label)
