"""cgan train-classifier and cgan train-gan."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgan.cli.completion import classifiers, trainings
from cgan.cli.help import GroupedOptions
from cgan.cli.options import (
    DATASET_HELP,
    announce,
    common,
    field_option,
    folder_flags,
    require_plain,
    shown_progress,
)
from cgan.config.recipes import CLASSIFIERS, RECIPES, classifier_config, gan_config
from cgan.config.schema import Folders
from cgan.runtime.errors import InputError
from cgan.runtime.progress import wrapped

if TYPE_CHECKING:
    from cgan.training.gan import GanResult

NEWEST = ""  # what --resume without a name means
_guide = CLASSIFIERS["guide"]


@click.command("train-classifier")
@click.option("--role", default="guide", show_default=True, help="guide (trains GANs) or judge.")
@click.option("--dataset", default="mnist", show_default=True, help=DATASET_HELP)
@click.option("--name", help="Name of the run.  [default: DATASET-ROLE]")
@click.option("--save-model", is_flag=True, help="Keep the weights under the weights folder.")
@click.option("--overwrite", is_flag=True, help="Replace a run of that name.")
@field_option(_guide, "--network", "leaky-cnn, residual-cnn or original-cnn.")
@field_option(_guide, "--epochs", "Passes over the training images.")
@field_option(_guide, "--batch-size", "Images a step.")
@field_option(_guide, "--test-batch-size", "Images a step of validation and test.")
@field_option(_guide, "--optimizer", "adamw or adadelta.")
@field_option(_guide, "--lr", "Learning rate (its peak, with one-cycle).")
@field_option(_guide, "--schedule", "one-cycle, step or constant.")
@field_option(_guide, "--gamma", "Factor on the rate after each epoch of the step schedule.")
@field_option(_guide, "--label-smoothing", "Share of the target given to all classes.")
@field_option(_guide, "--max-shift", "Pixels by which batches are moved at random.")
@field_option(_guide, "--seed", "Seed of weights, order and shifts.")
@field_option(_guide, "--log-interval", "Steps between two readings of the loss.")
@field_option(_guide, "--precision", "auto, fp32 or bf16.")
@click.option("--dry-run", is_flag=True, default=None, help="One step, nothing saved.")
@common
def train_classifier(
    role: str,
    dataset: str,
    name: str | None,
    save_model: bool,
    overwrite: bool,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Stage 1: train a classifier, a guide or a judge.

    Defaults are those of the guide of mnist; -v shows the ones that are used.
    """
    config = classifier_config(role, dataset, **flags)
    require_plain(name)
    from cgan.training import classifier as stage1

    progress = shown_progress(verbose)
    announce(progress, config, CLASSIFIERS[role], verbose)
    if not save_model:
        progress.line("the classifier will not be kept; --save-model keeps it")
    result = stage1.train_classifier(
        config,
        Folders(data_dir, weights_dir, reports_dir),
        name=name,
        save_model=save_model,
        overwrite=overwrite,
        progress=progress,
    )
    score = result.test_accuracy
    click.echo(
        f"test accuracy {score['value']:.2%} (95% interval {score['low']:.2%} to "
        f"{score['high']:.2%}) after {result.seconds:.1f} s of training"
    )
    click.echo(
        f"saved in {result.folder}" if result.folder else "not saved (--save-model keeps it)"
    )


_guided = RECIPES["guided"]


@click.command("train-gan", cls=GroupedOptions)
@click.option("--recipe", default="guided", show_default=True, help="See cgan recipes.")
@click.option("--dataset", default="mnist", show_default=True, help=DATASET_HELP)
@click.option("--name", help="Name of the run.  [default: DATASET-RECIPE, numbered]")
@click.option(
    "--guide",
    shell_complete=classifiers,
    help="Run name or folder of the guide.  [default: DATASET-guide]",
)
@click.option(
    "--judge",
    shell_complete=classifiers,
    help="The classifier that scores every epoch; none: no judge.  [default: DATASET-judge]",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace a run of that name, at the first checkpoint."
)
@click.option("--lr", type=float, help="Both learning rates.")
@field_option(_guided, "--g-lr", "The generator's learning rate; in guided, divided by --d-every.")
@field_option(_guided, "--d-lr", "The discriminator's learning rate.")
@field_option(_guided, "--d-every", "Update the discriminator on every n-th batch.")
@field_option(
    _guided, "--epochs", "Passes over the images; times --d-every if not given.", kind=float
)
@field_option(_guided, "--checks", "Times an epoch to score, and to keep the best.")
@field_option(_guided, "--batch-size", "Images a step.")
@field_option(_guided, "--beta1", "Adam's first decay.")
@field_option(_guided, "--schedule", "hold (then fall), cosine or constant.")
@field_option(_guided, "--decay", "Last share of training in which held rates fall.")
@field_option(_guided, "--z-dim", "Length of the noise.")
@field_option(_guided, "--noise", "Distribution of the noise: normal or uniform.")
@field_option(_guided, "--modes", "Modes a class, found in the guide's features; 1: none.")
@click.option("--net", metavar="RECIPE", help="Take both networks of another recipe.")
@field_option(_guided, "--generator", "Network of the generator.")
@field_option(_guided, "--discriminator", "guided-conv; projection-conv, blind to the guide; ...")
@field_option(_guided, "--loss", "logistic, probability, hinge, relativistic, ...")
@field_option(
    _guided, "--label-smoothing", "One-sided: D's target for real images is 1 minus this."
)
@field_option(
    _guided,
    "--penalty",
    "Penalty on D's gradient: none; r1, at real images; r1+r2, at generated ones too.",
)
@field_option(_guided, "--penalty-weight", "Its weight (gamma); needs --penalty.")
@field_option(_guided, "--penalty-every", "D updates between two penalties, and factor on gamma.")
@field_option(_guided, "--d-shift", "Pixels by which D sees images moved; for small data sets.")
@field_option(_guided, "--guidance", "Weight of the guide's loss at the start.")
@field_option(_guided, "--guidance-end", "Share of training after which it is zero; 1e9: it stays.")
@field_option(_guided, "--delta-alpha", "Added to --guidance after every epoch.")
@field_option(_guided, "--ema", "Decay of the averaged generator weights.")
@field_option(_guided, "--seed", "Seed of weights, order and noise.")
@field_option(_guided, "--log-interval", "Steps between two readings of the losses.")
@field_option(_guided, "--checkpoint-every", "Epochs, or minutes; and whenever it is scored.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value=NEWEST,
    metavar="[RUN]",
    shell_complete=trainings,
    help="Resume RUN, or the newest; options stay as they were.",
)
@click.option("--resume-with-changes", is_flag=True, help="Resume, and allow changed options.")
@field_option(_guided, "--on-nan", "stop, or rollback: from the last checkpoint at half the rates.")
@field_option(_guided, "--precision", "auto, fp32 or bf16.")
@click.option("--dry-run", is_flag=True, default=None, help="One step, nothing saved.")
@common
@click.pass_context
def train_gan(
    context: click.Context,
    recipe: str,
    dataset: str,
    name: str | None,
    guide: str | None,
    judge: str | None,
    overwrite: bool,
    lr: float | None,
    resume: str | None,
    resume_with_changes: bool,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Stage 2: train a generator by a recipe.

    The default is label-conditioned and guided by the classifier. Defaults below are those of the
    guided recipe on mnist; -v shows the ones that are used.
    """
    for rate in ("g_lr", "d_lr"):
        flags[rate] = lr if flags[rate] is None else flags[rate]
    folders = Folders(data_dir, weights_dir, reports_dir)
    if resume_with_changes and resume is None:
        raise InputError("--resume-with-changes goes with --resume")
    if resume is None:
        config = gan_config(recipe, dataset, **flags)
        require_plain(name)
        row = RECIPES[recipe]
    else:
        _require_free_of_names(context)
        from cgan.io.run_layout import resumable
        from cgan.models.hub import load_config

        folder = resumable(None if resume == NEWEST else resume, weights_dir)
        folders, name = replace(folders, weights=folder.parent), folder.name
        row = load_config(folder)[0]
        if not _is_given("device", context):
            flags["device"] = None
        config = replace(row, **{key: value for key, value in flags.items() if value is not None})
    from cgan.training import gan as stage2

    progress = shown_progress(verbose)
    announce(progress, config, row, verbose)
    result = stage2.train_gan(
        config,
        folders,
        name=name,
        guide=guide,
        judge=judge,
        overwrite=overwrite,
        resume=resume is not None,
        with_changes=resume_with_changes,
        progress=progress,
    )
    if result.folder is None:
        click.echo("dry run: one step done, nothing saved")
        return
    from cgan.reporting.page import write_training

    write_training(result.folder)
    click.echo("\n".join(_closing(result, result.folder)))
    where = folder_flags(folders, "weights", "data")
    click.echo(f"score it with: cgan evaluate {result.folder.name}{where}")


def _closing(result: "GanResult", folder: Path) -> list[str]:
    """Return what a training came to, in lines: how long it was, what is kept, warnings, where."""
    from cgan.training.history import in_words

    last, kept = result.history[-1], [row for row in result.history if row["kept"]][-1]
    epochs = f"{last['epoch']:.4g} epoch" + "s" * (last["epoch"] != 1)
    scores = in_words(kept) or ["not scored"]
    lines = [
        f"{folder.name}: {epochs} in {result.seconds:,.0f} s of training",
        f"kept epoch {kept['epoch']:.4g}: {', '.join(scores)}",
        *(f"WARNING: {warning}" for warning in result.warnings),
        f"saved in {folder}",
    ]
    return [wrapped(line) for line in lines]


def _require_free_of_names(context: click.Context) -> None:
    """Check that nothing is given that a run to go on with has already."""
    for flag in ("recipe", "dataset", "name", "net", "overwrite"):
        if _is_given(flag, context):
            raise InputError(f"--{flag} goes with a new training; --resume takes what RUN was")


def _is_given(flag: str, context: click.Context) -> bool:
    return context.get_parameter_source(flag) == click.core.ParameterSource.COMMANDLINE
