"""cgan evaluate: stage 3."""

from pathlib import Path
from typing import Any

import click

from cgan.cli.completion import classifiers, generators
from cgan.cli.importing import resolved
from cgan.cli.options import (
    DATASET_HELP,
    NUMBER,
    common,
    field_option,
    json_option,
    shown_progress,
    threads_option,
)
from cgan.cli.report import renew_home, tell
from cgan.config.recipes import eval_config
from cgan.config.schema import EvalConfig, Folders
from cgan.evaluation.arguments import require_subject
from cgan.runtime.errors import InputError


@click.command("evaluate")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Score images from anywhere: FILE.npz (arrays images, labels) or a folder of pictures.",
)
@click.option("--dataset", help=f"With --images: the real images to compare with. {DATASET_HELP}")
@click.option("--name", help="Name of the report.  [default: that of RUN or of the images]")
@click.option(
    "--quick",
    is_flag=True,
    help="In seconds: 2,000 images, in bf16 where that is fast; neither GAN-train nor copying.",
)
@field_option(EvalConfig(), "--n-samples", "Images to draw.", "-n", kind=NUMBER)
@field_option(EvalConfig(), "--seed", "Seed of the noise.")
@field_option(EvalConfig(), "--gan-train-images", "Images that GAN-train learns from; 0: none.")
@click.option(
    "--copying/--no-copying",
    default=None,
    help="Search all training images for copies, or do not.  [default: copying]",
)
@field_option(EvalConfig(), "--batch-size", "Images at a time.")
@field_option(EvalConfig(), "--precision", "auto, fp32 or bf16.")
@click.option(
    "--classifier",
    "--judge",
    "judge",
    shell_complete=classifiers,
    help="Judge: name or folder of a classifier.  [default: DATASET-judge]",
)
@click.option(
    "--guide",
    shell_complete=classifiers,
    help="Guide, shown beside the judge: name or folder.  [default: that of RUN]",
)
@json_option
@threads_option
@common
def evaluate(
    run: str | None,
    images: Path | None,
    dataset: str | None,
    name: str | None,
    quick: bool,
    judge: str | None,
    guide: str | None,
    as_json: bool,
    threads: str,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Stage 3: score the generator of RUN, or --images.

    Without RUN, the newest run is used, or the shipped MNIST run if there is none.
    """
    for flag, given in (("-n", flags["n_samples"]), ("--seed", flags["seed"])):
        if images is not None and given is not None:
            raise InputError(f"{flag} goes with a run; of --images all are scored as they are")
    named = {"name": name, "judge": judge, "guide": guide}
    folders = Folders(data_dir, weights_dir, reports_dir)
    config, progress = eval_config(quick, **flags), shown_progress(verbose)
    if images is not None and dataset is not None:
        dataset = resolved(dataset, data_dir, progress)
    require_subject(run, images, dataset, folders, **named)
    from cgan.evaluation import evaluate as stage3
    from cgan.reporting.notebook import Evaluation
    from cgan.reporting.page import write_report
    from cgan.runtime.device import using_threads

    with using_threads(threads):
        scored = stage3.evaluate(
            run, config, folders, images=images, dataset=dataset, **named, progress=progress
        )
        report = write_report(folders.reports / scored.run)
    renew_home(folders.reports)
    tell(Evaluation(report.results, report.page, report.history), folders, as_json=as_json)
