"""cgan run and cgan demo: every stage in a row, up to the report."""

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgan.cli.importing import (
    OPTIONS,
    data_argument,
    import_config,
    import_options,
    resolved,
)
from cgan.cli.options import (
    NUMBER,
    common,
    field_option,
    json_option,
    shown_progress,
    threads_option,
)
from cgan.cli.report import tell
from cgan.config.schema import EvalConfig, Folders, GanConfig
from cgan.runtime.progress import Progress

if TYPE_CHECKING:
    from cgan.reporting.notebook import Evaluation

DEMO_DATASET = "mnist-sample"  # embedded, and large enough for a good generator

_length_options = (
    click.option("--epochs", type=float, help="Epochs of the generator's training."),
    click.option("--guide-epochs", type=int, help="Epochs of the guide's training."),
    click.option("--judge-epochs", type=int, help="Epochs of the judge's training."),
    field_option(GanConfig(), "--seed", "Seed of the generator's training."),
    click.option("--quick", is_flag=True, help="A quick evaluation, as of cgan evaluate."),
    field_option(EvalConfig(), "--n-samples", "Images to generate and score.", "-n", kind=NUMBER),
    field_option(EvalConfig(), "--gan-train-images", "Images that GAN-train learns from; 0: none."),
)


def _lengths(command: Any) -> Any:
    """Add the options that say how long the stages take."""
    for option in reversed(_length_options):
        command = option(command)
    return command


@click.command("run")
@data_argument
@click.option(
    "--recipe", default="guided", show_default=True, help="Named settings; cgan recipes lists them."
)
@click.option("--name", help="Name of the generator's run.  [default: DATASET-RECIPE]")
@_lengths
@import_options
@click.option(
    "--open/--no-open",
    "shown",
    default=None,
    help="Show the report in the browser.  [default: on a terminal]",
)
@json_option
@threads_option
@common
def run(
    data: str,
    shown: bool | None,
    as_json: bool,
    threads: str,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Go from DATA to an opened report: import, guide, judge, generator, evaluation.

    Run it again after an interruption: it goes on where it was. What is done is not repeated.
    """
    folders, progress = Folders(data_dir, weights_dir, reports_dir), shown_progress(verbose)
    importing = import_config({option: flags.pop(option) for option in OPTIONS})
    dataset = resolved(data, data_dir, progress, importing)
    report = _carry_out(dataset, folders, progress, threads, **flags)
    tell(report, folders, as_json=as_json)
    if shown or (shown is None and not as_json and sys.stdout.isatty()):
        webbrowser.open(report.report.resolve().as_uri())


@click.command("demo")
@_lengths
@common
def demo(
    data_dir: Path, weights_dir: Path, reports_dir: Path, verbose: bool | None, **flags: Any
) -> None:
    """Do what cgan run does with the embedded images of MNIST, in three minutes on two cores."""
    folders, progress = Folders(data_dir, weights_dir, reports_dir), shown_progress(verbose)
    names = {"name": "demo", "guide_name": "demo-guide", "replaces": True}
    tell(_carry_out(DEMO_DATASET, folders, progress, "auto", **names, **flags), folders)


def _carry_out(
    dataset: str, folders: Folders, progress: Progress, threads: str, **flags: Any
) -> "Evaluation":
    """Carry out the plan that `flags` ask for, the arguments of `make_plan`."""
    from cgan.api.pipeline import carry_out
    from cgan.api.plan import make_plan, require_possible

    plan = make_plan(dataset, folders, **flags)
    require_possible(plan, folders)  # before torch is loaded
    from cgan.runtime.device import using_threads

    with using_threads(threads):
        return carry_out(plan, folders, progress)
