"""What was done under other settings is carried over in epochs."""

from fractions import Fraction

import pytest

from cgan.config.length import length_of
from cgan.config.schema import GanConfig

N = 1297  # the images of digits, of which no batch size has a whole number


@pytest.mark.parametrize("epochs", [0.3, 1, 1.5, 3, 7.1])
@pytest.mark.parametrize("checks", [1, 3, 4])
def test_with_the_same_settings_every_step_stays(epochs: float, checks: int) -> None:
    length = length_of(GanConfig(epochs=epochs, checks=checks, batch_size=64), N)
    for step in range(length.steps + 1):
        assert length.step_at(length.epochs_at(step)) == step


@pytest.mark.parametrize("batch_size", [1, 32, 63, 256, 2000])
@pytest.mark.parametrize("checks", [1, 2, 3])
@pytest.mark.parametrize("n_images", [N, 500, 9000])
def test_no_evaluation_is_made_twice_and_none_is_left_out(
    batch_size: int, checks: int, n_images: int
) -> None:
    before = length_of(GanConfig(epochs=2, batch_size=64), N)
    now = length_of(GanConfig(epochs=3, batch_size=batch_size, checks=checks), n_images)
    for step in range(before.steps + 1):
        done = before.epochs_at(step)
        start = now.step_at(done)
        ahead = [
            now.epochs_at(one)
            for one in range(start + 1, now.steps + 1)
            if one % now.steps_per_evaluation == 0
        ]
        wanted = [Fraction(k, checks) for k in range(1, 3 * checks + 1)]
        assert ahead == [epoch for epoch in wanted if epoch > done]
