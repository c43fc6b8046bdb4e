from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.splits import scale, subset
from cgan.metrics import manifold
from cgan.metrics.accuracy import accuracy
from cgan.metrics.frechet import fcd
from cgan.models.base import Discriminator, Generator
from cgan.models.hub import load_classifier, load_generator
from cgan.models.judge import extract, extract_split
from cgan.models.mlp import MlpDiscriminator, MlpGenerator
from cgan.runtime.device import place
from cgan.training.validation import N_IMAGES, N_SHOWN, SEED, Validator


def classifiers() -> tuple:
    return tuple(
        place(load_classifier(f"digits-{role}").network, torch.device("cpu"))
        for role in ("guide", "judge")
    )


def discriminator() -> Discriminator:
    return MlpDiscriminator(load_split("digits", Path(), "validation").spec)


@pytest.fixture
def generator(digits_run: Folders) -> Generator:
    return load_generator("toy", digits_run.weights).network


def test_an_epoch_is_scored_as_the_full_evaluation_would(generator: Generator) -> None:
    guide, judge = classifiers()
    validation = load_split("digits", Path(), "validation")
    verdict = Validator(validation, guide, judge, torch.float32)(generator, discriminator())
    assert len(verdict.images) == min(N_IMAGES, 250)

    fake = extract(
        judge, [(torch.from_numpy(verdict.images), torch.tensor(verdict.by_guide.labels))]
    )
    real = extract_split(judge, validation, batch_size=250, dtype=torch.float32)
    expected = {
        "guide_accuracy": accuracy(fake=verdict.by_guide)["value"],
        "judge_accuracy": accuracy(fake=fake)["value"],
        "fcd": fcd(fake=fake, real=real)["value"],
        "coverage": manifold.coverage(balls=manifold.look(fake=fake, real=real))["value"],
    }
    assert verdict.scores == pytest.approx(expected, rel=1e-4)


def test_the_fixed_inputs_have_the_labels_of_the_validation_images_in_turn() -> None:
    guide, _ = classifiers()
    validation = load_split("digits", Path(), "validation")
    validator = Validator(validation, guide, None, torch.float32)
    assert validator.labels[:20].tolist() == [*range(10), *range(10)]
    assert torch.equal(validator.labels.bincount(), validation.labels.bincount())
    assert SEED > 2**30


def test_a_verdict_draws_nothing_from_torchs_random_state(generator: Generator) -> None:
    guide, judge = classifiers()
    validator = Validator(load_split("digits", Path(), "validation"), guide, judge, torch.float32)
    opponent = discriminator()
    before = torch.get_rng_state()
    validator(generator, opponent)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_that_always_draws_the_same_raises_an_alarm(generator: Generator) -> None:
    class Stuck(Generator):
        def __init__(self) -> None:
            super().__init__(generator.z_dim, n_classes=10)
            self.weight = torch.nn.Parameter(torch.zeros(1))
            real = load_split("digits", Path(), "validation")
            first = [int(torch.nonzero(real.labels == digit)[0]) for digit in range(10)]
            self.pictures = scale(real.images[first])

        def forward(
            self, z: torch.Tensor, labels: torch.Tensor, modes: torch.Tensor | None = None
        ) -> torch.Tensor:
            return self.pictures[labels]

    guide, judge = classifiers()
    validator = Validator(load_split("digits", Path(), "validation"), guide, judge, torch.float32)
    (alarm,) = validator(Stuck(), discriminator()).warnings
    assert alarm.startswith("Collapsed: the images of 0, 1, 2")


def test_without_a_judge_only_the_guide_speaks(generator: Generator) -> None:
    guide, _ = classifiers()
    validator = Validator(load_split("digits", Path(), "validation"), guide, None, torch.float32)
    verdict = validator(generator, discriminator())
    assert verdict.scores.keys() == {"guide_accuracy"}
    assert verdict.warnings == []


@pytest.mark.parametrize(("n", "missing"), [(96, {"fcd"}), (3, {"fcd", "coverage"})])
def test_few_validation_images_leave_out_what_needs_more(
    n: int, missing: set[str], generator: Generator
) -> None:
    guide, judge = classifiers()
    validation = subset(load_split("digits", Path(), "validation"), n)
    verdict = Validator(validation, guide, judge, torch.float32)(generator, discriminator())
    known = {"guide_accuracy", "judge_accuracy", "fcd", "coverage"}
    assert verdict.scores.keys() == known - missing


def test_a_generator_that_heeds_no_label_is_not_scored_by_labels() -> None:
    validation = load_split("digits", Path(), "validation")
    guide, judge = classifiers()
    generator = MlpGenerator(validation.spec, 5)
    verdict = Validator(validation, guide, judge, torch.float32)(generator, discriminator())
    assert verdict.scores.keys() == {"fcd", "coverage"}
    assert verdict.picture(3)[0] == "epoch-0003-unlabelled.png"


def test_the_pictures_tell_whether_the_discriminator_is_fooled(generator: Generator) -> None:
    class Sure(Discriminator):
        def logits(
            self, features: Sequence[torch.Tensor], labels: torch.Tensor, modes: torch.Tensor
        ) -> torch.Tensor:
            """Take what is told to be even for real, by two heads of three."""
            sign = torch.where(labels % 2 == 0, 1.0, -1.0)
            return torch.stack([sign, sign, -sign], dim=1)

    guide, _ = classifiers()
    validator = Validator(load_split("digits", Path(), "validation"), guide, None, torch.float32)
    verdict = validator(generator, Sure())
    assert verdict.fooled.tolist() == [label % 2 == 0 for label in validator.labels[:N_SHOWN]]
