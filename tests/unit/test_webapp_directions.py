"""Directions of the noise: found where they were put, at right angles, named only when true."""

from pathlib import Path

import pytest
import torch
from conftest import TOY
from torch import Tensor

from cgan.deploy.webapp.directions import DRAWN, FEWEST_PER_CLASS, Direction, find_directions
from cgan.deploy.webapp.measurements import drawn, measurements
from cgan.models.base import Generator
from cgan.models.conv import ShuffleGenerator
from cgan.models.hub import load_generator
from cgan.models.mlp import MlpGenerator


class Leaning(Generator):
    """Draws an upright bar: numbers 2 and 3 of its noise are its slant and its thickness."""

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        down, right = torch.arange(28.0)[:, None], torch.arange(28.0)
        middle = 13.5 + (13.5 - down) * 0.2 * z[:, 2, None, None]
        thickness = 2 + 0.3 * z[:, 3, None, None]
        inside = torch.sigmoid(4 * (thickness - (right - middle).abs()))
        return 2 * inside * ((down > 5) & (down < 22)) - 1


class Blank(Generator):
    """Draws nothing, whatever it is given."""

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        return torch.full((len(z), 1, 8, 8), -1.0)


class Channelled(Leaning):
    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        return super().synthesize(z, embedding)[:, None]


def test_slant_and_ink_are_found_where_they_lie() -> None:
    found = {one.name: one for one in find_directions(Channelled(8, 3), range(3))}
    assert found["slant"].vector[2] > 0.99
    assert found["ink"].vector[3] > 0.99
    assert found["slant"].share > 0.8
    assert "width" not in found  # of a bar it follows from the others, to no side
    assert "kind" not in found


class Coloured(Generator):
    """Draws a square on white: numbers 1, 2 and 3 are its size, the red in it, and blue noise.

    The blue is too little to be seen.
    """

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        far = (torch.arange(24.0) - 11.5).abs()
        distance = torch.maximum(far[:, None], far)
        inside = torch.sigmoid(6 + z[:, 1, None, None] - distance)[:, None]
        colour = torch.stack([0.5 * z[:, 2].tanh(), 0 * z[:, 2], 1e-4 * z[:, 3]], 1)
        return 1 - inside * (1 - colour[:, :, None, None])


def test_colour_and_size_are_found_where_images_have_them() -> None:
    found = {one.name: one for one in find_directions(Coloured(8, 3), range(3))}
    assert found["warmth"].vector[2] > 0.9
    assert found["size"].vector[1] > 0.9
    assert min(found[name].share for name in ("warmth", "size")) > 0.8
    assert "slant" not in found
    check_right_angles(list(found.values()))


def test_only_drawings_have_a_slant_and_only_images_on_a_plain_ground_a_size() -> None:
    strokes = torch.zeros(4, 1, 16, 16)
    strokes[:, :, 4:12, 7:9] = 1.0
    assert (
        list(measurements(strokes)) == list(measurements(1 - strokes)) == ["slant", "ink", "width"]
    )
    assert measurements(1 - strokes)["ink"][0] == pytest.approx(16 / 256)  # black on white, too
    red = strokes * torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    colour = measurements(red)
    assert list(colour) == ["brightness", "contrast", "warmth", "saturation", "size"]
    assert [colour[name][0] for name in ("warmth", "saturation", "size")] == pytest.approx(
        [1 / 16] * 3
    )
    photograph = torch.rand(4, 3, 16, 16) * torch.linspace(0, 1, 16)
    assert "size" not in measurements(photograph)
    assert list(measurements(photograph.mean(1, keepdim=True))) == ["brightness", "contrast"]


def test_so_many_classes_are_measured_that_there_are_enough_images_of_each() -> None:
    drawn_classes: set[int] = set()

    class Noting(Blank):
        def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
            drawn_classes.update(embedding[:, 0].int().tolist())
            return super().synthesize(z, embedding)

    generator = Noting(4, 1000)
    generator.embed = Labels()
    find_directions(generator, [label for label in range(1000) if label % 50 > 5])
    assert len(drawn_classes) == DRAWN // FEWEST_PER_CLASS
    assert all(label % 50 > 5 for label in drawn_classes)


class Labels(torch.nn.Module):
    """An embedding that is the label itself."""

    def forward(self, z: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        return labels[:, None].float()


def test_where_nothing_is_to_be_seen_no_direction_has_the_name_of_a_property() -> None:
    found = find_directions(Blank(8, 3), range(3))
    assert [one.name for one in found] == [f"principal {i}" for i in range(1, 7)]
    check_right_angles(found)


def check_right_angles(found: list[Direction]) -> None:
    vectors = torch.stack([one.vector for one in found])
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(len(found)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("z_dim", [1, 2, 5])
def test_there_are_no_more_directions_than_numbers(z_dim: int) -> None:
    torch.manual_seed(0)
    found = find_directions(MlpGenerator(TOY, z_dim, 1), range(TOY.n_classes))
    assert len(found) == z_dim
    check_right_angles(found)


@pytest.mark.parametrize("run", ["mnist", "digits"])
def test_the_directions_of_what_ships_explain_something_and_leave_the_kind_alone(run: str) -> None:
    gan = load_generator(run, Path("none"))
    found = find_directions(gan.network, range(10))
    check_right_angles(found)
    assert len(found) == 7
    shares = {one.name: one.share for one in found}
    assert shares["slant"] > 0.15
    assert shares["ink"] > 0.25
    assert found[-1].name == "kind"
    assert all(one.vector[0].abs() < 1e-5 for one in found[:-1])
    again = find_directions(gan.network, range(10))
    assert all(torch.equal(a.vector, b.vector) for a, b in zip(found, again, strict=True))


def test_moving_along_a_direction_changes_what_it_is_named_after() -> None:
    gan = load_generator("mnist", Path("none"))
    z, labels = torch.randn(60, gan.network.z_dim), torch.arange(60) % 10
    for one in find_directions(gan.network, range(10))[:3]:
        here = [z + step * one.vector for step in (-2, 2)]
        with torch.no_grad():
            seen = [(gan.network(point, labels)[:, 0] + 1) / 2 for point in here]
        low, high = (drawn(ink)[one.name] for ink in seen)
        assert (high > low).float().mean() > 0.9, one.name


def test_properties_of_images_made_by_hand() -> None:
    ink = torch.zeros(3, 9, 9)
    ink[0, 1:8, 4] = 1.0  # upright
    for row in range(1, 8):
        ink[1, row, 8 - row] = 1.0  # leaning to the right: /
        ink[2, row, row] = 0.5  # leaning to the left, in grey
    seen = drawn(ink)
    torch.testing.assert_close(seen["slant"], torch.tensor([0.0, 1.0, -1.0]))
    torch.testing.assert_close(seen["ink"], torch.tensor([7.0, 7.0, 3.5]) / 81)
    torch.testing.assert_close(seen["width"], torch.tensor([0.0, 2.0, 2.0]))


def test_toys_have_no_size_of_their_own() -> None:
    """A generator of three channels and odd shapes has directions as well."""
    found = find_directions(ShuffleGenerator(TOY, 6, 2), range(TOY.n_classes))
    assert [one.name for one in found][-1] == "kind"
    assert len(found) == 6
