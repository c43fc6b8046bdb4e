import pytest

from cgan.data import DATASETS
from cgan.errors import InputError
from cgan.recipes import (
    CLASSIFIERS,
    RECIPES,
    SMALL_CLASSIFIER,
    SMALL_EPOCHS,
    SMALL_GAN,
    classifier_config,
    gan_config,
)


def test_flags_win_over_the_row_and_holes_are_filled_from_it() -> None:
    config = gan_config("guided", "mnist", d_every=2, g_lr=None)
    assert config.d_every == 2
    assert config.g_lr == RECIPES["guided"].g_lr


def test_flags_win_over_what_a_small_data_set_changes() -> None:
    assert gan_config("guided", "digits").epochs == SMALL_GAN["digits"]["guided"]["epochs"]
    assert gan_config("guided", "digits", epochs=3).epochs == 3


def test_small_data_sets_are_data_sets() -> None:
    assert set(SMALL_GAN) | set(SMALL_CLASSIFIER) <= set(DATASETS)


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
    usual = gan_config("guided", "digits").epochs
    assert gan_config("guided", "digits", d_every=3).epochs == 3 * usual


def test_older_systems_keep_their_rates_on_small_data_and_train_for_longer() -> None:
    config, row = gan_config("udacity", "digits"), RECIPES["udacity"]
    assert config.g_lr == row.g_lr
    assert config.epochs == SMALL_EPOCHS["digits"] * row.epochs


def test_the_networks_of_another_recipe_can_be_taken() -> None:
    config = gan_config("udacity", "mnist", net="conv")
    assert (config.generator, config.discriminator) == ("transposed-conv", "conv")
    assert config.g_lr == RECIPES["udacity"].g_lr
    with pytest.raises(InputError, match="did you mean 'conv'"):
        gan_config("udacity", "mnist", net="cnov")
