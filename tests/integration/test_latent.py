import io
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from conftest import TOY
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cgan.config.schema import Folders
from cgan.evaluation import latent
from cgan.evaluation.latent import (
    FILM_STEPS,
    NEIGHBOURS,
    STEPS,
    arithmetic,
    between,
    between_labels,
    film,
    interpolation,
    latent_files,
    neighbours,
)
from cgan.models.base import Generator
from cgan.models.hub import load_generator
from cgan.models.registry import GENERATORS
from cgan.models.sampling import noise

K = TOY.n_classes


@pytest.fixture
def generator() -> Generator:
    return GENERATORS["labelled-conv"](TOY, 6, 1).eval()


def drawn(generator: Generator, z: torch.Tensor, label: int) -> np.ndarray:
    """Return what the generator draws of one seed, as the pictures show it."""
    with torch.no_grad():
        image = generator(z[None], torch.tensor([label]))
    return ((image[0] + 1) * 127.5).round().to(torch.uint8).numpy()


def shown(images: np.ndarray, columns: int, row: int, column: int) -> np.ndarray:
    return images[row * columns + column].astype(int)


def test_the_sums_are_of_two_seeds_and_the_last_two_of_the_length_of_the_prior(
    generator: Generator,
) -> None:
    sheet = arithmetic(generator, torch.arange(K), seed=3)
    assert sheet.images.shape == (K * 6, *TOY.image_shape)
    seeds = noise(3, 2 * K, generator.z_dim)
    for label in range(K):
        one, other = seeds[2 * label], seeds[2 * label + 1]
        root = 2**0.5
        wanted = [one, other, one - other, one + other, (one - other) / root, (one + other) / root]
        for column, z in enumerate(wanted):
            difference = shown(sheet.images, 6, label, column) - drawn(generator, z, label)
            assert abs(difference).max() <= 1


@pytest.mark.parametrize("spherical", [False, True])
def test_an_interpolation_begins_at_one_seed_and_ends_at_the_other(
    generator: Generator, spherical: bool
) -> None:
    sheet = interpolation(generator, torch.arange(K), seed=3, spherical=spherical)
    seeds = noise(3, 2 * K, generator.z_dim)
    for label in range(K):
        for column, z in ((0, seeds[2 * label]), (STEPS - 1, seeds[2 * label + 1])):
            difference = shown(sheet.images, STEPS, label, column) - drawn(generator, z, label)
            assert abs(difference).max() <= 1


@given(st.floats(0, 1), st.integers(0, 1000))
def test_the_sphere_keeps_the_length_and_the_straight_line_is_shorter(
    share: float, seed: int
) -> None:
    ends = noise(seed, 2, 16)
    first, second = ends[:1], 3 * ends[1:]
    turned = between(first, second, share, spherical=True)
    length = (1 - share) * first.norm() + share * second.norm()
    assert float(turned.norm()) == pytest.approx(float(length), rel=1e-4)
    straight = between(first, second, share, spherical=False)
    assert torch.allclose(straight, (1 - share) * first + share * second, atol=1e-5)
    assert float(straight.norm()) <= float(length) * 1.0001


def test_halfway_on_the_sphere_the_direction_is_between_both() -> None:
    turned = between(torch.tensor([[2.0, 0]]), torch.tensor([[0, 4.0]]), 0.5, spherical=True)
    assert turned[0].tolist() == pytest.approx([3 / 2**0.5, 3 / 2**0.5])


def test_from_one_label_to_the_next_the_noise_stays(generator: Generator) -> None:
    sheet = between_labels(generator, torch.arange(K), seed=3)
    seeds = noise(3, K, generator.z_dim)
    for row in range(K):
        for column, label in ((0, row), (STEPS - 1, (row + 1) % K)):
            wanted = drawn(generator, seeds[row], label)
            assert abs(shown(sheet.images, STEPS, row, column) - wanted).max() <= 1
    assert sheet.rows == ["0 to 1", "1 to 2", "2 to 3", "3 to 0"]
    assert between_labels(generator, torch.tensor([0, 2]), seed=3).rows == ["0 to 2", "2 to 0"]


def test_sums_of_uniform_noise_are_sums_of_what_it_learned_from() -> None:
    generator = GENERATORS["mlp"](TOY, 6, 1).eval()
    generator.noise = "uniform"
    sheet = arithmetic(generator, torch.arange(1), seed=3)
    one, other = generator.prior(noise(3, 2, 6))
    wanted = drawn(generator, one + other, 0)
    assert abs(shown(sheet.images, 6, 0, 3) - wanted).max() <= 1


def test_between_labels_the_modes_of_a_seed_stay_too() -> None:
    generator = GENERATORS["shuffle-conv"](TOY, 6, 3).eval()
    sheet = between_labels(generator, torch.arange(K), seed=3)
    wanted = drawn(generator, noise(3, K, 6)[2], 2)
    assert abs(shown(sheet.images, STEPS, 2, 0) - wanted).max() <= 1


def test_neighbours_are_nearer_than_seeds_usually_are_and_in_order(generator: Generator) -> None:
    sheet = neighbours(generator, torch.arange(K), seed=3)
    assert sheet.images.shape == (K * (1 + NEIGHBOURS), *TOY.image_shape)
    shares = [float(name) for name in sheet.columns[1:]]
    assert shares == sorted(shares)
    assert shares[-1] < 0.7
    wanted = drawn(generator, noise(3, 1, generator.z_dim)[0], 0)
    assert abs(shown(sheet.images, 1 + NEIGHBOURS, 0, 0) - wanted).max() <= 1


def test_the_film_comes_back_to_where_it_began(generator: Generator) -> None:
    frames = film(generator, torch.arange(K), seed=3)
    assert len(frames) == FILM_STEPS
    around = [*frames, frames[0]]
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(around)]
    assert max(steps) < 3 * np.median(steps)  # no jump, at the end neither


def test_all_of_it_is_drawn_for_a_run(digits_run: Folders) -> None:
    files = latent_files(load_generator("toy", digits_run.weights))
    assert set(files) == {
        *("arithmetic.png", "interpolation-linear.png", "interpolation-spherical.png"),
        *("neighbours.png", "labels.png", "interpolation.gif"),
    }
    for name, content in files.items():
        with Image.open(io.BytesIO(content)) as picture:
            assert max(picture.size) > 200
            assert getattr(picture, "n_frames", 1) == (FILM_STEPS if name.endswith("gif") else 1)


def test_a_class_without_a_training_image_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    honest = latent._drawn

    def recording(generator: Generator, seeds: Any, labels: torch.Tensor) -> Any:
        asked.append(labels.tolist())
        return honest(generator, seeds, labels)

    monkeypatch.setattr(latent, "_drawn", recording)
    latent_files(replace(load_generator("digits"), class_counts=(9, 0, 4, *[0] * 7)))
    assert asked
    assert all(labels == [0, 2] for labels in asked)


def test_what_heeds_no_label_has_no_way_between_labels() -> None:
    run = load_generator("digits")
    unlabelled = replace(run, network=GENERATORS["mlp"](run.spec, 5, 1))
    names = set(latent_files(unlabelled))
    assert "labels.png" not in names
    assert "arithmetic.png" in names
