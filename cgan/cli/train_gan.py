"""cgan train-gan: stage 2."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgan.cli.completion import classifiers, generators, trainings
from cgan.cli.help import GroupedOptions
from cgan.cli.importing import dataset_option, resolved
from cgan.cli.options import (
    PRECISION_HELP,
    announce,
    common,
    echo_summary,
    field_option,
    shown_progress,
    threads_option,
)
from cgan.config.commands import folder_flags
from cgan.config.recipes import RECIPES, gan_config
from cgan.config.schema import Folders
from cgan.data.roles import require_guide_and_judge, require_new_run
from cgan.data.run_config import load_config
from cgan.data.store import size_of
from cgan.io.run_layout import find_run, resumable
from cgan.runtime.errors import InputError
from cgan.runtime.progress import wrapped

if TYPE_CHECKING:
    from cgan.training.gan import GanResult

NEWEST = ""  # the value of --resume without a name

_guided = RECIPES["guided"]


@click.command("train-gan", cls=GroupedOptions)
@click.option(
    "--recipe", default="guided", show_default=True, help="Named settings; cgan recipes lists them."
)
@dataset_option
@click.option("--name", help="Name of the run.  [default: DATASET-RECIPE, with a number if taken]")
@click.option(
    "--guide",
    shell_complete=classifiers,
    help="The guide: name or folder of its run.  [default: DATASET-guide]",
)
@click.option(
    "--judge",
    shell_complete=classifiers,
    help="Classifier that scores each evaluation, or none.  [default: DATASET-judge]",
)
@click.option(
    "--init",
    metavar="RUN",
    shell_complete=generators,
    help="Start from the weights of RUN, of the same networks and image size.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace an existing run of that name at the first checkpoint.",
)
@click.option("--lr", type=float, help="Learning rate of both networks.")
@field_option(_guided, "--g-lr", "Generator's learning rate; guided divides it by --d-every.")
@field_option(_guided, "--d-lr", "Discriminator's learning rate.")
@field_option(_guided, "--d-every", "Update the discriminator on every n-th batch.")
@field_option(
    _guided, "--epochs", "Passes over the images; --d-every multiplies the default.", kind=float
)
@field_option(_guided, "--checks", "Evaluations per epoch; the best one is kept.", kind=float)
@field_option(_guided, "--batch-size", "Images per step.")
@field_option(
    _guided,
    "--sample-labels",
    "How often each class is trained: as in the data, or balanced (images of rare ones repeat).",
)
@field_option(_guided, "--beta1", "Adam's beta1: decay of the average gradient.")
@field_option(_guided, "--schedule", "Learning rates: hold (then fall), cosine or constant.")
@field_option(_guided, "--decay", "Last share of training, in which the rates of hold fall to 0.")
@field_option(_guided, "--z-dim", "Dimension of the noise vector.")
@field_option(_guided, "--noise", "Distribution of the noise: normal or uniform.")
@field_option(_guided, "--modes", "Modes per class: clusters of the guide's features. 1: none.")
@click.option("--net", metavar="RECIPE", help="Use both networks of another recipe.")
@field_option(_guided, "--generator", "Generator network.")
@field_option(
    _guided, "--discriminator", "guided-conv, or projection-conv (without the guide), ..."
)
@field_option(
    _guided, "--loss", "Adversarial loss: logistic, probability, hinge, relativistic, ..."
)
@field_option(
    _guided,
    "--label-smoothing",
    "One-sided label smoothing: D's target for real images is 1 minus this.",
)
@field_option(
    _guided,
    "--penalty",
    "D's gradient penalty: none, r1 (real images) or r1+r2 (generated ones too).",
)
@field_option(_guided, "--penalty-weight", "Weight (gamma) of the penalty; needs --penalty.")
@field_option(_guided, "--penalty-every", "Penalise every n-th D update, with n times gamma.")
@field_option(
    _guided, "--d-shift", "Largest random shift of images for D, in pixels; for small data sets."
)
@field_option(_guided, "--guidance", "Weight of the guide's loss at the start of training.")
@field_option(
    _guided, "--guidance-end", "Share of training after which guidance is 0; 1e9: constant."
)
@field_option(_guided, "--delta-alpha", "Added to --guidance after every epoch.")
@field_option(_guided, "--ema", "Decay of the moving average of the generator; 0: none.")
@field_option(_guided, "--seed", "Seed of initial weights, batch order and noise.")
@field_option(_guided, "--log-interval", "Steps between two logged losses.")
@field_option(
    _guided, "--checkpoint-every", "Epochs, or minutes as in 5m; every evaluation saves one too."
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value=NEWEST,
    metavar="[RUN]",
    shell_complete=trainings,
    help="Continue RUN, or the newest, with its own settings.",
)
@click.option("--resume-with-changes", is_flag=True, help="With --resume: allow other settings.")
@field_option(_guided, "--on-nan", "On NaN: stop, or rollback to a checkpoint and halve the rates.")
@field_option(_guided, "--precision", PRECISION_HELP)
@click.option("--dry-run", is_flag=True, default=None, help="Run one step and save nothing.")
@threads_option
@common
@click.pass_context
def train_gan(
    context: click.Context,
    recipe: str,
    dataset: str,
    name: str | None,
    guide: str | None,
    judge: str | None,
    init: str | None,
    overwrite: bool,
    lr: float | None,
    resume: str | None,
    resume_with_changes: bool,
    threads: str,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Stage 2: train a generator by a recipe.

    The default recipe uses labels and the guide, a classifier. The defaults below are those of the
    recipe guided on mnist. -v shows the settings in use. G is the generator, D the discriminator.
    """
    for rate in ("g_lr", "d_lr"):
        flags[rate] = lr if flags[rate] is None else flags[rate]
    folders, progress = Folders(data_dir, weights_dir, reports_dir), shown_progress(verbose)
    if resume_with_changes and resume is None:
        raise InputError("--resume-with-changes works only with --resume")
    if resume is None:
        dataset = resolved(dataset, data_dir, progress)
        config = gan_config(recipe, dataset, size_of(dataset, data_dir), **flags)
        require_new_run(name, folders, overwrite=overwrite)
        require_guide_and_judge(dataset, guide, judge, folders)
        if init is not None:
            find_run(init, weights_dir, "gan")
        row = RECIPES[recipe]
    else:
        _require_free_of_names(context)
        folder = resumable(None if resume == NEWEST else resume, weights_dir)
        folders, name = replace(folders, weights=folder.parent), folder.name
        row = load_config(folder)[0]
        if not _is_given("device", context):
            flags["device"] = None
        config = replace(row, **{key: value for key, value in flags.items() if value is not None})
    from cgan.runtime.device import using_threads
    from cgan.training import gan as stage2

    announce(progress, config, row, verbose)
    with using_threads(threads):
        result = stage2.train_gan(
            config,
            folders,
            name=name,
            guide=guide,
            judge=judge,
            init=init,
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
    echo_summary("\n".join(_closing(result, result.folder)))
    where = folder_flags(folders, "weights", "data")
    click.echo(f"score it with: cgan evaluate {result.folder.name}{where}")


def _closing(result: "GanResult", folder: Path) -> list[str]:
    """Return the summary of a training: its length, the kept scores, warnings and the folder."""
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
    """Check that no option was given that the resumed run fixes.

    Raises:
        InputError: such an option was given.
    """
    for flag in ("recipe", "dataset", "name", "net", "init", "overwrite"):
        if _is_given(flag, context):
            raise InputError(f"--{flag} is for a new training; --resume keeps that of RUN")


def _is_given(flag: str, context: click.Context) -> bool:
    return context.get_parameter_source(flag) == click.core.ParameterSource.COMMANDLINE
