from dataclasses import asdict, replace
from typing import Any

import pytest

from cgan.config.length import length_of
from cgan.config.recipes import CLASSIFIERS, RECIPES, classifier_config, gan_config
from cgan.config.rules import GAN_EPOCHS, RULED, epochs_by, gan_settings, n_modes
from cgan.config.schema import MOST_CLASSES, DataSize
from cgan.data.spec import description

MNIST = DataSize()
# images a second that one core trains on: guide, judge, networks of the recipe guided
SPEEDS = {28: (5400, 870, 1240), 32: (1660, 780, 320), 64: (1350, 630, 160)}
CORES = 1.7  # how much faster two cores are


def seconds(size: DataSize) -> float:
    """Return about how long two cores train the guide, the judge and the generator."""
    configs: list[Any] = [classifier_config(role, "x", size) for role in ("guide", "judge")]
    configs.append(gan_config("guided", "x", size))
    speeds = SPEEDS[size.height]
    return sum(c.epochs * size.n_train / n for c, n in zip(configs, speeds, strict=True)) / CORES


@pytest.mark.parametrize(
    ("dataset", "gan", "guide", "judge"),
    [
        ("mnist", (10, 128, 8, 2e-3, 0), (4, 256), (6, 256)),
        ("fashion-mnist", (10, 128, 8, 2e-3, 0), (4, 256), (6, 256)),
        ("mnist-sample", (30, 128, 16, 2e-3, 0), (6, 64), (6, 64)),
        ("digits", (60, 64, 8, 1e-3, 3), (30, 64), (30, 64)),
    ],
)
def test_the_data_sets_that_rules_were_found_on_have_the_settings_found(
    dataset: str, gan: tuple[Any, ...], guide: tuple[int, int], judge: tuple[int, int]
) -> None:
    size = description(dataset).size
    config = gan_config("guided", dataset, size)
    found = (config.epochs, config.batch_size, config.modes, config.g_lr, config.d_shift)
    assert found == gan
    assert (config.d_lr, config.checks) == (config.g_lr, 1)
    assert (config.generator, config.discriminator) == ("shuffle-conv", "guided-conv")
    for role, wanted in (("guide", guide), ("judge", judge)):
        classifier = classifier_config(role, dataset, size)
        assert (classifier.epochs, classifier.batch_size) == wanted
        assert classifier.max_shift == 2


def test_between_and_beyond_the_known_sizes_nothing_jumps() -> None:
    epochs = [epochs_by(GAN_EPOCHS, n) for n in (1_297, 5_000, 10_000, 30_000, 55_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert len(set(epochs)) == 5
    for n in (100, 1_000):  # as many steps as for 1,297
        assert n * epochs_by(GAN_EPOCHS, n) == pytest.approx(1_297 * 60)
    assert 110_000 * epochs_by(GAN_EPOCHS, 110_000) == pytest.approx(550_000)
    assert epochs_by(GAN_EPOCHS, 10**7) == 1


@pytest.mark.parametrize(
    ("n_train", "n_classes", "modes"),
    [
        (55_000, 10, 8),
        (10_000, 10, 16),
        (1_297, 10, 8),
        (400, 10, 4),
        (4_600, 242, 1),
        (30, 3, 1),
        (200_000, 10, 8),
        (200_001, 10, 1),
    ],
)
def test_a_class_has_a_mode_for_ten_images_at_most_and_one_in_a_large_data_set(
    n_train: int, n_classes: int, modes: int
) -> None:
    assert n_modes(DataSize(n_train, n_classes)) == modes


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("n_train", [6, 60, 1_296])
def test_a_tiny_data_set_has_as_many_steps_and_evaluations_as_a_small_one(
    recipe: str, n_train: int
) -> None:
    tiny, small = (gan_config(recipe, "x", DataSize(n, 2), batch_size=1) for n in (n_train, 1_297))
    if tiny.epochs < 10_000:  # no more are allowed
        steps = [length_of(tiny, n_train).steps, length_of(small, 1_297).steps]
        assert steps[0] == pytest.approx(steps[1], rel=0.05)
    assert length_of(tiny, n_train).evaluations <= 1.01 * length_of(small, 1_297).evaluations


def test_colour_and_large_images_get_larger_networks_and_only_recipe_guided_does() -> None:
    for size in (replace(MNIST, channels=3), replace(MNIST, width=64)):
        config = gan_config("guided", "x", size)
        assert config.generator == "wide-shuffle-conv"
        assert config.discriminator == "wide-projection-conv"
        few = gan_config("guided", "x", replace(size, n_train=2_000))
        assert (few.generator, few.discriminator) == ("shuffle-conv", "deep-guided-conv")
        assert gan_config("r3gan", "x", size).generator == "residual"
    assert gan_config("guided", "x", replace(MNIST, height=32)).generator == "shuffle-conv"


def test_shifts_grow_with_the_images() -> None:
    for side, shifts in ((16, (2, 1)), (28, (3, 2)), (64, (7, 5)), (128, (14, 9))):
        size = DataSize(1_000, 10, 1, side, side)
        assert gan_config("guided", "x", size).d_shift == shifts[0]
        assert classifier_config("judge", "x", size).max_shift == shifts[1]


def test_more_classes_take_longer_up_to_a_limit() -> None:
    few, many, most = (
        classifier_config("guide", "x", DataSize(4_600, n)).epochs for n in (2, 242, MOST_CLASSES)
    )
    assert 2 * few < many <= most <= 3 * few + 2
    lengths = [gan_config("guided", "x", DataSize(4_600, n)).epochs for n in (10, 242)]
    assert 1.4 * lengths[0] < lengths[1] < 2 * lengths[0]


@pytest.mark.parametrize("n_classes", [2, 10, 50])
@pytest.mark.parametrize(("channels", "side", "minutes"), [(1, 28, 8), (3, 32, 8), (3, 64, 16)])
def test_five_thousand_images_take_minutes_on_two_cores(
    n_classes: int, channels: int, side: int, minutes: float
) -> None:
    for n in (100, 1_297, 3_000, 4_999, 5_000):
        assert seconds(DataSize(n, n_classes, channels, side, side)) < 60 * minutes


def test_a_million_images_are_seen_once_or_twice() -> None:
    size = DataSize(10**6, 100, 3, 64, 64)
    assert gan_config("guided", "x", size).epochs == 1
    assert [classifier_config(role, "x", size).epochs for role in CLASSIFIERS] == [1, 1]


def test_the_fields_that_rules_set_are_listed() -> None:
    sizes = (MNIST, DataSize(20, 2), DataSize(9_000, 300, 3, 64, 64))
    found = {field for r in RECIPES for size in sizes for field in gan_settings(r, 5, size)}
    assert found == RULED
    assert set(asdict(RECIPES["guided"])) > RULED
