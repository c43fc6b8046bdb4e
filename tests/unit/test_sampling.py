import numpy as np
import pytest
import torch
from conftest import TOY

from cgan.data.splits import balanced_labels
from cgan.models.base import Generator
from cgan.models.registry import GENERATORS
from cgan.models.sampling import collect, draw, sample
from cgan.runtime.errors import InputError

LABELS = balanced_labels(37, TOY.n_classes)


@pytest.fixture(params=list(GENERATORS))
def generator(request: pytest.FixtureRequest) -> Generator:
    return GENERATORS[request.param](TOY, 5, 2)


@pytest.mark.parametrize("batch_size", [1, 5, 36, 100])
def test_samples_do_not_depend_on_the_batch_size(generator: Generator, batch_size: int) -> None:
    whole, _ = collect(sample(generator, LABELS, seed=3, batch_size=37))
    parts, labels = collect(sample(generator, LABELS, seed=3, batch_size=batch_size))
    assert torch.equal(labels, LABELS)
    # rounding in the kernels may move a pixel by one level, and no more
    assert int((whole.int() - parts.int()).abs().max()) <= 1


def test_an_image_depends_on_the_seed_its_label_and_its_place_alone(
    generator: Generator,
) -> None:
    long, _ = collect(sample(generator, LABELS, seed=3))
    torch.manual_seed(99)
    short, _ = collect(sample(generator, LABELS[:7], seed=3))
    other, _ = collect(sample(generator, LABELS, seed=4))
    assert int((long[:7].int() - short.int()).abs().max()) <= 1
    assert not torch.equal(long, other)


def test_sampling_does_not_disturb_torchs_random_state(generator: Generator) -> None:
    before = torch.get_rng_state()
    collect(sample(generator, LABELS, seed=3))
    assert torch.equal(torch.get_rng_state(), before)


def test_drawing_one_class_gives_that_class(generator: Generator) -> None:
    images, labels = draw(generator, TOY.n_classes, 6, label=2, device="cpu")
    assert images.shape == (6, *TOY.image_shape)
    assert images.dtype == "uint8"
    assert labels.tolist() == [2] * 6


def test_drawing_without_a_class_gives_all_of_them(generator: Generator) -> None:
    _, labels = draw(generator, TOY.n_classes, 6, device="cpu")
    assert labels.tolist() == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("label", [-1, TOY.n_classes])
def test_a_class_that_does_not_exist_is_refused(generator: Generator, label: int) -> None:
    with pytest.raises(InputError, match="0 to 3"):
        draw(generator, TOY.n_classes, 6, label=label)


def test_a_class_without_a_training_image_is_not_drawn(generator: Generator) -> None:
    _, labels = draw(generator, TOY.n_classes, 5, untrained={1, 3}, device="cpu")
    assert labels.tolist() == [0, 2, 0, 2, 0]
    _, labels = draw(generator, TOY.n_classes, 3, label=[2, 0], untrained={1, 3}, device="cpu")
    assert labels.tolist() == [2, 0, 2]
    for label in (3, [0, 3], [1]):
        with pytest.raises(InputError, match=r"^class [13]: .* was trained without an image of it"):
            draw(generator, TOY.n_classes, 6, label=label, untrained={1, 3})


def test_a_shorter_number_format_draws_nearly_the_same(generator: Generator) -> None:
    exact, _ = draw(generator, TOY.n_classes, 20, seed=2, device="cpu")
    short, _ = draw(generator, TOY.n_classes, 20, seed=2, device="cpu", precision="bf16")
    difference = np.abs(exact.astype(int) - short.astype(int))
    assert 0 < difference.mean() < 4  # of 255 levels
