from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import TOY, toy_extractor

from cgan.data.splits import Split, scale
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.frozen_features import FrozenFeatures
from cgan.models.registry import DISCRIMINATORS, GENERATORS
from cgan.runtime.errors import InputError
from cgan.training.modes import cluster_modes


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
    clusters = cluster_modes(guide_of(split), split, 2, torch.float32)  # type: ignore[arg-type]
    rare = torch.arange(600) // 2 % 3 == 0
    assert torch.equal(clusters.modes == 1, rare)  # the more frequent mode comes first
    assert clusters.frequencies.numpy() == pytest.approx(np.array([[2 / 3, 1 / 3]] * 2), abs=1e-6)


def test_one_mode_is_the_class_itself() -> None:
    split = two_kinds(20)
    clusters = cluster_modes(guide_of(split), split, 1, torch.float32)  # type: ignore[arg-type]
    assert torch.equal(clusters.modes, torch.zeros(20, dtype=torch.int64))
    assert torch.equal(clusters.frequencies, torch.ones(2, 1))


def test_a_class_of_fewer_images_than_modes_has_as_many_modes_as_images() -> None:
    split = two_kinds(6)
    clusters = cluster_modes(guide_of(split), split, 5, torch.float32)  # type: ignore[arg-type]
    assert clusters.frequencies.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert (clusters.frequencies > 0).sum(dim=1).tolist() == [3, 3]


def test_a_class_without_images_is_no_obstacle() -> None:
    split = two_kinds(20)
    split = Split(replace(split.spec, n_classes=3), split.images, split.labels)
    clusters = cluster_modes(guide_of(split), split, 2, torch.float32)  # type: ignore[arg-type]
    assert clusters.frequencies[2].tolist() == [0, 0]


def test_modes_that_are_known_are_used_or_refused() -> None:
    split = two_kinds(20)
    guide = guide_of(split)
    known = torch.arange(20) // 2 % 2
    clusters = cluster_modes(guide, split, 2, torch.float32, known)  # type: ignore[arg-type]
    assert torch.equal(clusters.modes, known)
    assert clusters.frequencies.tolist() == [[0.5, 0.5]] * 2
    for wrong in (known[:9], known - 1, known + 1, known.float(), known[:, None]):
        with pytest.raises(InputError, match="belong to other images"):
            cluster_modes(guide, split, 2, torch.float32, wrong)  # type: ignore[arg-type]


def test_features_have_unit_standard_deviation_and_pass_gradients() -> None:
    split = two_kinds(50)
    extractor = FrozenFeatures(guide_of(split), torch.float32)  # type: ignore[arg-type]
    discriminator = DISCRIMINATORS["guided-conv"](TOY, extractor, 1)
    discriminator.set_feature_scales(extractor.scales(split.images))
    images = scale(split.images).requires_grad_()
    _, local, features = discriminator.extract(images)
    assert float(local.detach().std()) == pytest.approx(1, abs=1e-4)
    assert float(features.detach().std()) == pytest.approx(1, abs=1e-4)
    (local.sum() + features.sum()).backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_frozen_features_are_those_of_the_guide(name: str) -> None:
    guide = CLASSIFIERS[name](TOY)
    images = torch.randint(0, 256, (20, *TOY.image_shape), dtype=torch.uint8)
    guide(scale(images))  # moves the running statistics of its batch norms from their start
    extractor = FrozenFeatures(guide, torch.float32)
    scales = extractor.scales(images)
    features = guide.eval().local_and_global(scale(images))
    for part, wanted, factor in zip(extractor(scale(images)), features, scales, strict=True):
        assert torch.allclose(part, wanted, rtol=1e-3, atol=1e-4)
        assert float(factor) == pytest.approx(1 / float(wanted.detach().std()), rel=1e-4)


def test_features_in_bf16_are_nearly_the_same() -> None:
    guide = CLASSIFIERS["leaky-cnn"](TOY).eval()
    images = torch.randint(0, 256, (20, *TOY.image_shape), dtype=torch.uint8)
    extractor = FrozenFeatures(guide, torch.bfloat16)
    exact = extractor(scale(images))
    with torch.autocast("cpu", torch.bfloat16):
        short = extractor(scale(images))
    for one, other in zip(short, exact, strict=True):
        assert one.dtype == torch.bfloat16
        assert other.dtype == torch.float32
        assert torch.allclose(one.float(), other, atol=0.1)


def test_the_guide_is_no_part_of_the_discriminator_that_uses_its_features() -> None:
    extractor = toy_extractor()
    discriminator = DISCRIMINATORS["guided-conv"](TOY, extractor, 1)
    assert not any("guide" in name for name in discriminator.state_dict())
    discriminator.train()
    assert not any(guide.training for guide in extractor.guides.values())


def test_modes_are_drawn_as_often_as_they_are_in_the_data() -> None:
    generator = GENERATORS["shuffle-conv"](TOY, 5, 3)
    shares = torch.tensor([[0.5, 0.3, 0.2], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    generator.set_mode_frequencies(shares)
    labels = torch.arange(8000) % 4
    modes = generator.choose_modes(torch.randn(8000, 5), labels)
    counts = torch.bincount(labels * 3 + modes, minlength=12).view(4, 3) / 2000
    assert counts.numpy() == pytest.approx(shares.numpy(), abs=0.04)
