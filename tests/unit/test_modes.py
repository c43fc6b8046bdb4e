from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import TOY, toy_sight

from cgan.data.splits import Split, scale
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.frozen_features import Sight
from cgan.models.registry import DISCRIMINATORS, GENERATORS
from cgan.training.modes import study


def two_kinds(n: int) -> Split:
    """Return images of two classes, a third of each bright at the left, the others at the right."""
    images = torch.randint(0, 20, (n, *TOY.image_shape), dtype=torch.uint8)
    left = torch.arange(n) // 2 % 3 == 0
    images[left, ..., :6] += 200
    images[~left, ..., 6:] += 200
    return Split(replace(TOY, n_classes=2), images, torch.arange(n) % 2)


def guide_of(split: Split) -> torch.nn.Module:
    return CLASSIFIERS["leaky-cnn"](split.spec).eval().requires_grad_(False)


def test_the_two_kinds_of_image_in_each_class_are_its_two_modes() -> None:
    split = two_kinds(600)
    found = study(guide_of(split), split, 2, torch.float32)  # type: ignore[arg-type]
    assert torch.equal(found.conditions // 2, split.labels)
    rare = torch.arange(600) // 2 % 3 == 0
    assert torch.equal(found.conditions % 2 == 1, rare)  # the more frequent mode comes first
    assert found.frequencies.numpy() == pytest.approx(np.array([[2 / 3, 1 / 3]] * 2), abs=1e-6)


def test_one_mode_is_the_class_itself() -> None:
    split = two_kinds(20)
    found = study(guide_of(split), split, 1, torch.float32)  # type: ignore[arg-type]
    assert torch.equal(found.conditions, split.labels)
    assert torch.equal(found.frequencies, torch.ones(2, 1))


def test_a_class_of_fewer_images_than_modes_has_as_many_modes_as_images() -> None:
    split = two_kinds(6)
    found = study(guide_of(split), split, 5, torch.float32)  # type: ignore[arg-type]
    assert found.frequencies.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert (found.frequencies > 0).sum(dim=1).tolist() == [3, 3]


def test_a_class_without_images_is_no_obstacle() -> None:
    split = two_kinds(20)
    split = Split(replace(split.spec, n_classes=3), split.images, split.labels)
    found = study(guide_of(split), split, 2, torch.float32)  # type: ignore[arg-type]
    assert found.frequencies[2].tolist() == [0, 0]


def test_what_the_guide_sees_has_unit_spread_and_lets_gradients_pass() -> None:
    split = two_kinds(50)
    found = study(guide_of(split), split, 1, torch.float32)  # type: ignore[arg-type]
    discriminator = DISCRIMINATORS["guided-conv"](TOY, found.sight, 1)
    discriminator.set_scales(found.scales)
    images = scale(split.images).requires_grad_()
    _, local, features = discriminator.look(images)
    assert float(local.detach().std()) == pytest.approx(1, abs=1e-4)
    assert float(features.detach().std()) == pytest.approx(1, abs=1e-4)
    (local.sum() + features.sum()).backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_sight_shows_what_the_guide_itself_sees(name: str) -> None:
    guide = CLASSIFIERS[name](TOY)
    images = torch.randint(0, 256, (20, *TOY.image_shape), dtype=torch.uint8)
    guide(scale(images))  # moves the running statistics of its batch norms from their start
    sight = Sight(guide, torch.float32)
    scales = sight.scales(images)
    seen = guide.eval().look(scale(images))
    for part, wanted, factor in zip(sight(scale(images)), seen, scales, strict=True):
        assert torch.allclose(part, wanted, rtol=1e-3, atol=1e-4)
        assert float(factor) == pytest.approx(1 / float(wanted.detach().std()), rel=1e-4)


def test_sight_in_a_short_number_format_is_nearly_the_same() -> None:
    guide = CLASSIFIERS["leaky-cnn"](TOY).eval()
    images = torch.randint(0, 256, (20, *TOY.image_shape), dtype=torch.uint8)
    sight = Sight(guide, torch.bfloat16)
    exact = sight(scale(images))
    with torch.autocast("cpu", torch.bfloat16):
        short = sight(scale(images))
    for one, other in zip(short, exact, strict=True):
        assert one.dtype == torch.bfloat16
        assert other.dtype == torch.float32
        assert torch.allclose(one.float(), other, atol=0.1)


def test_the_guide_is_no_part_of_the_discriminator_that_looks_through_it() -> None:
    sight = toy_sight()
    discriminator = DISCRIMINATORS["guided-conv"](TOY, sight, 1)
    assert not any("guide" in name for name in discriminator.state_dict())
    discriminator.train()
    assert not any(guide.training for guide in sight.guides.values())


def test_modes_are_drawn_as_often_as_they_are_in_the_data() -> None:
    generator = GENERATORS["shuffle-conv"](TOY, 5, 3)
    shares = torch.tensor([[0.5, 0.3, 0.2], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    generator.set_modes(shares)
    labels = torch.arange(8000) % 4
    drawn = generator.conditions(torch.randn(8000, 5), labels)
    assert torch.equal(drawn // 3, labels)
    counts = torch.bincount(drawn, minlength=12).view(4, 3) / 2000
    assert counts.numpy() == pytest.approx(shares.numpy(), abs=0.04)
