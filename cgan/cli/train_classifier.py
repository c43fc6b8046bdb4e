"""cgan train-classifier: stage 1."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgan.cli.importing import dataset_option, resolved
from cgan.cli.options import (
    PRECISION_HELP,
    announce,
    common,
    field_option,
    require_plain,
    shown_progress,
    threads_option,
)
from cgan.config.recipes import CLASSIFIERS, classifier_config
from cgan.config.schema import Folders
from cgan.data.roles import require_new_run
from cgan.data.store import size_of

_guide = CLASSIFIERS["guide"]


@click.command("train-classifier")
@click.option("--role", default="guide", show_default=True, help="guide or judge.")
@dataset_option
@click.option("--name", help="Name of the run.  [default: DATASET-ROLE]")
@click.option("--save-model", is_flag=True, help="Save the run in the weights folder.")
@click.option("--overwrite", is_flag=True, help="Replace an existing run of that name.")
@field_option(_guide, "--network", "Network: leaky-cnn, residual-cnn or original-cnn.")
@field_option(_guide, "--epochs", "Passes over the training images.")
@field_option(_guide, "--batch-size", "Images per training step.")
@field_option(_guide, "--test-batch-size", "Images per step in validation and test.")
@field_option(_guide, "--optimizer", "Optimiser: adamw or adadelta.")
@field_option(_guide, "--lr", "Learning rate; with one-cycle, its peak.")
@field_option(_guide, "--schedule", "Learning rate schedule: one-cycle, step or constant.")
@field_option(_guide, "--gamma", "Factor on the learning rate after each epoch (step schedule).")
@field_option(_guide, "--label-smoothing", "Share of the target spread evenly over all classes.")
@field_option(_guide, "--max-shift", "Largest random shift of training batches, in pixels.")
@field_option(_guide, "--seed", "Seed of initial weights, batch order and shifts.")
@field_option(_guide, "--log-interval", "Steps between two logged losses.")
@field_option(_guide, "--precision", PRECISION_HELP)
@click.option("--dry-run", is_flag=True, default=None, help="Run one step and save nothing.")
@threads_option
@common
def train_classifier(
    role: str,
    dataset: str,
    name: str | None,
    save_model: bool,
    overwrite: bool,
    threads: str,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Stage 1: train a classifier.

    A guide helps to train a generator. A judge scores one. The defaults below are those of the
    guide on mnist. -v shows the settings in use.
    """
    folders = Folders(data_dir, weights_dir, reports_dir)
    progress = shown_progress(verbose)
    dataset = resolved(dataset, data_dir, progress)
    config = classifier_config(role, dataset, size_of(dataset, data_dir), **flags)
    require_plain(name)
    if save_model:
        require_new_run(name or f"{dataset}-{role}", folders, overwrite=overwrite)
    from cgan.runtime.device import using_threads
    from cgan.training import classifier as stage1

    announce(progress, config, CLASSIFIERS[role], verbose)
    if not save_model:
        progress.line("the classifier will not be saved; add --save-model to save it")
    with using_threads(threads):
        result = stage1.train_classifier(
            config,
            folders,
            name=name,
            save_model=save_model,
            overwrite=overwrite,
            progress=progress,
        )
    shown = f"test accuracy {_with_interval(result.test_accuracy)}"
    click.echo(f"{shown} after {result.seconds:.1f} s of training")
    if result.balanced_accuracy is not None:
        shown = f"balanced accuracy {_with_interval(result.balanced_accuracy)}"
        click.echo(f"{shown}: the mean of the classes, whose numbers of images are unequal")
    click.echo(f"saved in {result.folder}" if result.folder else "not saved (add --save-model)")


def _with_interval(score: Mapping[str, float]) -> str:
    interval = f"95% interval {score['low']:.2%} to {score['high']:.2%}"
    return f"{score['value']:.2%} ({interval})"
