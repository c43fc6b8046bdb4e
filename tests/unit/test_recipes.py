from dataclasses import replace
from typing import Any

import pytest

from cgan.config.recipes import (
    ABOUT,
    CLASSIFIERS,
    RECIPES,
    classifier_config,
    gan_config,
    measured,
)
from cgan.config.schema import DataSize
from cgan.data.spec import description
from cgan.runtime.errors import InputError
from cgan.training.updates import guidance_at

DIGITS = description("digits").size


def test_flags_win_over_the_row_and_holes_are_filled_from_it() -> None:
    config = gan_config("guided", "mnist", d_every=2, g_lr=None)
    assert config.d_every == 2
    assert config.g_lr == RECIPES["guided"].g_lr


def test_flags_win_over_what_the_size_of_the_data_changes() -> None:
    assert gan_config("guided", "digits", DIGITS).epochs == 60
    assert gan_config("guided", "digits", DIGITS, epochs=3).epochs == 3


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_carries_its_own_name(name: str) -> None:
    assert RECIPES[name].recipe == name


@pytest.mark.parametrize("role", CLASSIFIERS)
def test_a_classifier_carries_its_own_role(role: str) -> None:
    assert CLASSIFIERS[role].role == role


def test_guide_and_judge_share_neither_network_nor_seed() -> None:
    guide, judge = CLASSIFIERS["guide"], CLASSIFIERS["judge"]
    assert guide.network != judge.network
    assert guide.seed != judge.seed


def test_a_misspelt_recipe_or_role_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'guided'"):
        gan_config("giuded", "mnist")
    with pytest.raises(InputError, match="did you mean 'judge'"):
        classifier_config("jduge", "mnist")


def test_a_misspelt_field_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        gan_config("guided", "mnist", d_evry=2)


def test_a_discriminator_that_learns_half_as_often_gets_twice_the_epochs() -> None:
    usual = gan_config("guided", "mnist").epochs
    assert gan_config("guided", "mnist", d_every=2).epochs == 2 * usual
    assert gan_config("guided", "mnist", d_every=2, epochs=3).epochs == 3
    assert gan_config("guided", "digits", DIGITS, d_every=3).epochs == 3 * 60


def test_older_systems_keep_their_rates_on_small_data_and_train_for_longer() -> None:
    config, row = gan_config("udacity", "digits", DIGITS), RECIPES["udacity"]
    assert config == replace(row, dataset="digits", epochs=6 * row.epochs)


def test_the_networks_of_another_recipe_can_be_taken() -> None:
    config = gan_config("udacity", "mnist", net="conv")
    assert (config.generator, config.discriminator) == ("transposed-conv", "conv")
    assert config.g_lr == RECIPES["udacity"].g_lr
    with pytest.raises(InputError, match="did you mean 'conv'"):
        gan_config("udacity", "mnist", net="cnov")
    colour = gan_config("r3gan", "x", DataSize(channels=3), net="guided")
    assert (colour.generator, colour.discriminator) == ("wide-shuffle-conv", "wide-projection-conv")


# z, noise, loss, smoothing, G's rate, D's rate, betas, batch, epochs, D on every n-th batch
PUBLISHED: dict[str, tuple[Any, ...]] = {
    "mlp": (100, "normal", "probability", 0, 1e-4, 1e-4, 0.9, 0.999, 8, 8, 1),
    "basic": (64, "normal", "logistic-halved", 0, 1e-5, 1e-5, 0.9, 0.999, 128, 200, 1),
    "udacity": (100, "uniform", "logistic", 0.1, 2e-3, 2e-3, 0.9, 0.999, 64, 100, 1),
    "conv": (100, "normal", "probability", 0, 2e-4, 2e-4, 0.5, 0.999, 64, 10, 1),
    "guided-original": (20, "normal", "probability", 0, 2e-4, 2e-4, 0.5, 0.999, 64, 20, 2),
}
FIELDS = (
    *("z_dim", "noise", "loss", "label_smoothing", "g_lr", "d_lr", "beta1", "beta2"),
    *("batch_size", "epochs", "d_every"),
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_older_systems_have_the_settings_that_were_published(name: str) -> None:
    row = RECIPES[name]
    assert tuple(getattr(row, field) for field in FIELDS) == pytest.approx(PUBLISHED[name])
    assert (row.schedule, row.ema, row.paced, row.modes) == ("constant", 0, False, 1)


def test_half_of_the_original_guided_loss_is_the_guides_and_stays_so() -> None:
    row = RECIPES["guided-original"]
    assert row.guidance_mixed
    assert [guidance_at(row, progress) for progress in (0, 0.5, 1)] == pytest.approx([0.5] * 3)
    assert all(RECIPES[name].guidance == 0 for name in RECIPES if name != "guided-original")


def test_every_recipe_is_told_about() -> None:
    assert set(ABOUT) == set(RECIPES)
    assert all(len(about.idea) > 20 for about in ABOUT.values())
    assert measured("unheard of") == ["not measured yet"]
