"""The recipes: each is a named row of training settings; flags override single fields."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cgan.config.rules import classifier_settings, gan_settings
from cgan.config.schema import ClassifierConfig, DataSize, EvalConfig, GanConfig
from cgan.runtime.errors import lookup


@dataclass(frozen=True)
class About:
    """What to know about a recipe before choosing it."""

    idea: str
    fault: str = "none known"


# Shared by the recipes that reproduce older systems: no averaged weights and no decay of the
# learning rates; a guide, if any, is used in the loss only.
_PLAIN: dict[str, Any] = {"schedule": "constant", "ema": 0.0, "paced": False}
_LINEAR: dict[str, Any] = {"beta1": 0.9, "beta2": 0.999, "precision": "fp32", **_PLAIN}
_CONVOLUTIONAL: dict[str, Any] = {"beta1": 0.5, "beta2": 0.999, **_PLAIN}

RECIPES: dict[str, GanConfig] = {
    "guided": GanConfig(recipe="guided", discriminator="guided-conv", modes=8, epochs=10),
    "mlp": GanConfig(
        recipe="mlp",
        generator="mlp",
        discriminator="mlp",
        z_dim=100,
        loss="probability",
        g_lr=1e-4,
        d_lr=1e-4,
        batch_size=8,  # one in the original, at eight times the cost
        epochs=8,
        **_LINEAR,
    ),
    "basic": GanConfig(
        recipe="basic",
        generator="basic",
        discriminator="basic",
        loss="logistic-halved",
        z_dim=64,
        g_lr=1e-5,
        d_lr=1e-5,
        batch_size=128,
        epochs=200,
        log_interval=500,  # the original draws samples this often; here it is once per epoch
        **_LINEAR,
    ),
    "udacity": GanConfig(
        recipe="udacity",
        generator="dropout-mlp",
        discriminator="dropout-mlp",
        z_dim=100,
        noise="uniform",
        label_smoothing=0.1,
        g_lr=2e-3,
        d_lr=2e-3,
        batch_size=64,
        epochs=100,
        **_LINEAR,
    ),
    "conv": GanConfig(
        recipe="conv",
        generator="transposed-conv",
        discriminator="conv",
        z_dim=100,
        loss="probability",
        g_lr=2e-4,
        d_lr=2e-4,
        batch_size=64,  # one in the original
        epochs=10,
        **_CONVOLUTIONAL,
    ),
    "guided-original": GanConfig(
        recipe="guided-original",
        generator="labelled-conv",
        discriminator="unlabelled-conv",
        z_dim=20,
        loss="probability",
        g_lr=2e-4,
        d_lr=2e-4,
        d_every=2,
        guidance=0.5,
        guidance_mixed=True,
        guidance_end=1e9,
        batch_size=64,
        epochs=20,
        **_CONVOLUTIONAL,
    ),
    "r3gan": GanConfig(
        recipe="r3gan",
        generator="residual",
        discriminator="residual",
        loss="relativistic",
        penalty="r1+r2",
        penalty_weight=1.0,
        penalty_every=1,
        g_lr=2e-3,  # at twice these rates it collapses in the first epoch
        d_lr=2e-3,
        batch_size=64,
        epochs=6,
    ),
}

ABOUT: dict[str, About] = {
    "guided": About(
        "a discriminator on the guide's features, several modes per class, averaged weights",
        "variety is learned last; after short training its images are closer to the training "
        "images than held-out real images are",
    ),
    "mlp": About(
        "the plain GAN, one hidden layer",
        "images are grainy, and the longer it trains, the fewer of the ten digits it generates; "
        "the sigmoid before the loss leaves no gradient once D is confident",
    ),
    "basic": About(
        "linear layers, batch norm in G",
        "learning rates of 1e-5 need hundreds of epochs; D wins early",
    ),
    "udacity": About(
        "linear layers with dropout, one-sided label smoothing, uniform noise",
        "the generator is too small for sharp digits; dropout in D makes the gradients of G noisy",
    ),
    "conv": About(
        "transposed convolutions",
        "batch norm makes D's output for an image depend on its batch; the sigmoid leaves no "
        "gradient when D is confident; slow on a CPU",
    ),
    "guided-original": About(
        "half of G's loss is the guide's cross entropy with the requested class",
        "D does not see the label, so only the guide teaches the class: accuracy measured by the "
        "guide is no evidence",
    ),
    "r3gan": About(
        "residual networks without normalisation, a relativistic loss, gradient penalties on D",
        "little variety: after six epochs, as after two, half of the real images resemble none of "
        "its samples; the penalties take over half of the training time; D only compares real "
        "with generated images, so its output for a single image, in pictures and curves, means "
        "nothing; it collapses at twice the learning rates",
    ),
}

CLASSIFIERS: dict[str, ClassifierConfig] = {
    "guide": ClassifierConfig(role="guide", network="leaky-cnn", epochs=4, seed=1),
    "judge": ClassifierConfig(role="judge", network="residual-cnn", epochs=6, seed=7),
}

# The classifier that gan_train_accuracy trains: always the same network for the same number of
# steps, or for a fixed number of epochs if there are few images.
STUDENT = ClassifierConfig(network="leaky-cnn", batch_size=128, seed=11)
STUDENT_STEPS = 700
STUDENT_EPOCHS = 30

# An evaluation in seconds: fewer images, the fastest number format, no GAN-train, no search for
# copies.
QUICK: dict[str, Any] = {
    "n_samples": 2000,
    "gan_train_images": 0,
    "copying": False,
    "precision": "auto",
}

MEASURED = Path(__file__).parent / "recipes.csv"  # by scripts/compare_recipes


def measurements(recipe: str) -> dict[str, float] | None:
    """Return a recipe's mean scores after four minutes of training on one core, n runs each.

    Also `seconds_an_epoch`, of MNIST on one core. None if they are not measured yet; a score that
    does not apply is left out.
    """
    with MEASURED.open(newline="") as stream:
        rows = {row.pop("recipe"): row for row in csv.DictReader(stream)}
    if recipe not in rows:
        return None
    return {name: float(value) for name, value in rows[recipe].items() if value}


def measured(recipe: str) -> list[str]:
    """Return lines on a recipe's training time and its scores after four minutes on one core."""
    found = measurements(recipe)
    if found is None:
        return ["not measured yet"]
    epochs, names = RECIPES[recipe].epochs, {"judge_accuracy": "judge accuracy"}
    scores = [
        f"{names.get(name, name)} {found[name]:.1%}"
        for name in ("judge_accuracy", "recall", "coverage")
        if name in found
    ]
    scores.insert(len(scores) - 2, f"FCD {found['fcd']:.3g}")
    return [
        f"{epochs:g} epochs of MNIST take {epochs * found['seconds_an_epoch'] / 60:,.0f} minutes "
        "on one core",
        f"after four minutes there: {', '.join(scores)} (mean, n = {found['n']:g})",
    ]


def gan_config(
    recipe: str,
    dataset: str,
    size: DataSize = DataSize(),  # noqa: B008 - frozen
    *,
    net: str | None = None,
    **flags: Any,
) -> GanConfig:
    """Return the config of a recipe for a data set; a flag that is not None replaces its field.

    `rules` says which fields depend on the size of the data set.

    If the discriminator is updated on every n-th batch only and no number of epochs is given, there
    are n times as many epochs: variety depends on the number of discriminator updates.

    Args:
        recipe: its name.
        dataset: name of the data set.
        size: of the data set.
        net: a recipe whose two networks replace this one's.
        flags: fields of the config; None keeps the recipe's value.

    Raises:
        InputError: an unknown recipe (the message names the closest one) or an invalid value.
        TypeError: a flag that is not a field.
    """
    row = lookup(RECIPES, recipe, "recipe")
    ruled = gan_settings(recipe, row.epochs, size)
    if net is not None:
        other = lookup(RECIPES, net, "recipe")
        networks = {"generator": other.generator, "discriminator": other.discriminator}
        known = gan_settings(net, other.epochs, size)
        ruled |= {field: known.get(field, name) for field, name in networks.items()}
    config = _fill(row, ruled, {"dataset": dataset, **flags})
    if flags.get("epochs") is None:
        config = replace(config, epochs=config.epochs * max(1, config.d_every // row.d_every))
    whole = int(config.epochs) if config.epochs == int(config.epochs) else config.epochs
    return replace(config, epochs=whole)


def classifier_config(
    role: str,
    dataset: str,
    size: DataSize = DataSize(),  # noqa: B008 - frozen
    **flags: Any,
) -> ClassifierConfig:
    """Return the config of a role's classifier for a data set; flags replace its fields.

    Raises:
        InputError: an unknown role or an invalid value.
        TypeError: a flag that is not a field.
    """
    row = lookup(CLASSIFIERS, role, "role")
    return _fill(row, classifier_settings(role, size), {"dataset": dataset, **flags})


def eval_config(quick: bool = False, **flags: Any) -> EvalConfig:
    """Return the config of a full or quick evaluation; a flag that is not None replaces its field.

    Raises:
        InputError: an invalid value.
        TypeError: a flag that is not a field.
    """
    return _fill(EvalConfig(), QUICK if quick else {}, flags)


def _fill(row: Any, ruled: dict[str, Any], flags: dict[str, Any]) -> Any:
    given = {key: value for key, value in flags.items() if value is not None}
    return replace(row, **{**ruled, **given})
