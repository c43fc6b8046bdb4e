"""Warnings about a discriminator that wins or guesses, and about gradients that vanish."""

import csv
import math
import shlex
from typing import Any

import pytest
from click.testing import CliRunner

from cgan.cli import main
from cgan.config.recipes import RECIPES, gan_config
from cgan.io.run_layout import SHIPPED
from cgan.training.history import imbalances

HEALTHY = {"d_real": 0.6, "d_fake": 0.4, "d_loss": 1.2, "g_gradient": 1.0, "d_gradient": 2.0}
WON = {**HEALTHY, "d_real": 0.99, "d_fake": 0.01, "d_loss": 0.02}
GUESSED = {**HEALTHY, "d_real": 0.5, "d_fake": 0.5, "d_loss": math.log(2)}
STILL = {**HEALTHY, "g_gradient": 0.0}


def said(rows: list[dict[str, float]], recipe: str = "conv", **flags: Any) -> list[list[str]]:
    """Return the first words of what is said after each row; one row an epoch."""
    config = gan_config(recipe, "digits", epochs=len(rows), **flags)
    numbered = [{"epoch": float(i), **row} for i, row in enumerate(rows, start=1)]
    return [
        [text.split(":")[0].split(" has")[0] for text in imbalances(numbered[:n], config)]
        for n in range(1, len(rows) + 1)
    ]


def test_a_discriminator_that_wins_is_told_of_once() -> None:
    wins = ["The discriminator wins"]
    assert said([HEALTHY, WON, HEALTHY, WON]) == [[], wins, [], []]
    assert said([WON] * 20) == [[], [], wins, *[[]] * 17]  # not in the first tenth
    near = {**WON, "d_fake": 0.03}
    assert said([HEALTHY, near]) == [[], []]


def test_smoothed_labels_lower_the_output_of_one_that_wins() -> None:
    smooth = {**WON, "d_real": 0.9, "d_loss": 0.35}
    assert said([HEALTHY, smooth], label_smoothing=0.1)[1]
    assert not said([HEALTHY, smooth])[1]


def test_where_outputs_mean_nothing_the_loss_tells() -> None:
    assert said([HEALTHY, {**HEALTHY, "d_loss": 0.01}], "r3gan")[1]
    assert said([HEALTHY, {**HEALTHY, "d_loss": 0.01}], "guided", loss="hinge")[1]
    assert not said([HEALTHY, {**WON, "d_loss": 0.5}], "r3gan")[1]
    assert not said([{**GUESSED, "d_loss": 0.5}] * 2, "r3gan")[1]
    assert said([{**HEALTHY, "d_loss": math.log(2)}] * 2, "r3gan")[1]


def test_one_that_guesses_from_the_start_is_told_of_and_a_balance_at_the_end_is_not() -> None:
    guesses = ["The discriminator guesses"]
    assert said([GUESSED] * 3) == [[], guesses, []]
    assert said([{**GUESSED, "d_error": 0.5}] * 2) == [[], guesses]
    assert said([{**GUESSED, "d_error": 0.3}] * 2) == [[], []]
    assert said([HEALTHY, GUESSED, GUESSED]) == [[], [], []]


def test_gradients_that_vanish_are_told_of() -> None:
    assert said([HEALTHY, STILL, STILL]) == [[], ["The gradient of the generator"], []]
    assert said([{**HEALTHY, "d_gradient": 1e-9}])[0] == ["The gradient of the discriminator"]


def test_an_interval_in_which_the_discriminator_did_not_learn_is_no_sign() -> None:
    row = {"g_loss": 1.0, "g_gradient": 1.0}
    assert said([row, row], d_every=9) == [[], []]


@pytest.mark.parametrize("run", ["mnist", "digits"])
def test_nothing_is_said_of_the_shipped_trainings(run: str) -> None:
    with (SHIPPED / run / "history.csv").open() as stream:
        rows = [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(stream)
        ]
    config = gan_config("guided", run, epochs=rows[-1]["epoch"])
    assert len(rows) > 5
    assert not any(imbalances(rows[:n], config) for n in range(1, len(rows) + 1))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("row", [WON, GUESSED, {**STILL, "d_gradient": 0.0}])
def test_what_is_advised_is_accepted_and_changes_the_recipe(
    recipe: str, row: dict[str, float]
) -> None:
    config = gan_config(recipe, "digits", epochs=2)
    if row is WON:
        row = {**WON, "d_loss": 0.01, "d_real": 1.0}
    before = GUESSED if row is GUESSED else HEALTHY
    texts = imbalances([{"epoch": 1.0, **before}, {"epoch": 2.0, **row}], config)
    assert texts
    for text in texts:
        advice = text.rpartition("Start again with ")[2].rstrip(".")
        words = shlex.split(advice.replace(",", "").replace(" or ", " "))
        flags = {
            words[i].removeprefix("--").replace("-", "_"): words[i + 1]
            for i in range(0, len(words), 2)
        }
        for name, value in flags.items():
            kind = type(getattr(config, name))
            changed = gan_config(recipe, "digits", **{name: kind(value)})
            assert getattr(changed, name) != getattr(config, name)


def test_the_flags_that_are_advised_exist() -> None:
    help_text = CliRunner().invoke(main, ["train-gan", "-h"]).output
    for flag in ("--d-lr", "--g-lr", "--d-every", "--label-smoothing", "--loss"):
        assert flag in help_text
