"""The length of a GAN training: how many steps and evaluations its settings amount to."""

import math
from dataclasses import dataclass
from fractions import Fraction

from cgan.config.schema import GanConfig

ROUNDING = Fraction(1, 10**9)  # of a step; the number of epochs is a float


@dataclass(frozen=True)
class Length:
    """The length of a training, and the epochs that its steps amount to.

    A step of another batch size, or of other data, is another part of an epoch. So what was done
    under other settings is carried over in epochs.
    """

    epochs: float
    steps: int
    evaluations: int
    steps_per_evaluation: int
    steps_per_epoch: int

    def epochs_at(self, step: int) -> Fraction:
        """Return the number of passes over the images after a step, not rounded."""
        return Fraction(self.epochs) * step / self.steps

    def step_at(self, epochs: Fraction) -> int:
        """Return the last step that is not beyond a number of passes over the images.

        It is rounded down, so that an evaluation that was not made yet is not skipped.
        """
        return math.floor(epochs * self.steps / Fraction(self.epochs) + ROUNDING)


def length_of(config: GanConfig, n_images: int) -> Length:
    """Return the length of a training on `n_images` images; a dry run has one step."""
    steps_per_epoch = n_images // min(config.batch_size, n_images)
    if config.dry_run:
        return Length(config.epochs, 1, 1, 1, steps_per_epoch)
    evaluations = max(1, round(config.epochs * config.checks))
    between = max(1, int(config.epochs * steps_per_epoch / evaluations))
    return Length(config.epochs, evaluations * between, evaluations, between, steps_per_epoch)
