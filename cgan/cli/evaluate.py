"""cgan evaluate and cgan demo."""

import shlex
from pathlib import Path
from typing import Any

import click

from cgan.cli.completion import classifiers, generators
from cgan.cli.options import (
    DATASET_HELP,
    NUMBER,
    common,
    field_option,
    folder_flags,
    require_plain,
    shown_progress,
)
from cgan.config.recipes import classifier_config, eval_config, gan_config
from cgan.config.schema import EvalConfig, Folders
from cgan.io.files import require_writable
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress


@click.command("evaluate")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Score images from anywhere: FILE.npz (arrays images, labels) or a folder of pictures.",
)
@click.option("--dataset", help=f"With --images: the real images to compare with. {DATASET_HELP}")
@click.option("--name", help="Of the report's folder.  [default: that of RUN or of the images]")
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
    help="Run name or folder of the classifier that judges.  [default: DATASET-judge]",
)
@click.option(
    "--guide",
    shell_complete=classifiers,
    help="The guide shown beside it.  [default: the one that trained RUN]",
)
@common
def evaluate(
    run: str | None,
    images: Path | None,
    dataset: str | None,
    name: str | None,
    quick: bool,
    judge: str | None,
    guide: str | None,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
    **flags: Any,
) -> None:
    """Stage 3: score the generator of RUN, or --images.

    RUN is the newest when left out, or the shipped one of MNIST where none was trained.
    """
    for flag, given in (("-n", flags["n_samples"]), ("--seed", flags["seed"])):
        if images is not None and given is not None:
            raise InputError(f"{flag} goes with a run; of --images all are scored as they are")
    require_plain(name)
    subject = {"images": images, "dataset": dataset, "name": name, "judge": judge, "guide": guide}
    folders = Folders(data_dir, weights_dir, reports_dir)
    _score(run, eval_config(quick, **flags), folders, subject, shown_progress(verbose))


def _score(
    run: str | None,
    config: EvalConfig,
    folders: Folders,
    subject: dict[str, Any],
    progress: Progress,
) -> None:
    from cgan.evaluation import evaluate as stage3
    from cgan.reporting.page import write_report
    from cgan.reporting.tables import summary
    from cgan.reporting.verdict import find_verdict

    scored = stage3.evaluate(run, config, folders, progress=progress, **subject)
    report = write_report(folders.reports / scored.run)
    results = report.results
    click.echo(f"{results.run}: {find_verdict(results, report.history)}")
    click.echo(summary(results))
    click.echo(f"report: {report.page}")
    flags = folder_flags(folders, "reports")
    click.echo(f"open it with: cgan report {shlex.quote(results.run)}{flags} --open")


@click.command("demo")
@click.option("--epochs", type=int, help="Passes of the GAN over the digits.")
@field_option(EvalConfig(), "--n-samples", "Images to draw and score.", "-n", kind=NUMBER)
@field_option(EvalConfig(), "--gan-train-images", "Images that GAN-train learns from; 0: none.")
@common
def demo(
    epochs: int | None,
    n_samples: int | None,
    gan_train_images: int | None,
    device: str,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
) -> None:
    """Run all three stages on the embedded digits and print the report's path."""
    from cgan.training import classifier as stage1
    from cgan.training import gan as stage2

    folders = Folders(data_dir, weights_dir, reports_dir)
    progress = shown_progress(verbose)
    guide = classifier_config("guide", "digits", device=device)
    gan = gan_config("guided", "digits", device=device, epochs=epochs)
    evaluation = eval_config(n_samples=n_samples, gan_train_images=gan_train_images, device=device)
    # now, not after two trainings
    require_writable(weights_dir, "--weights-dir")
    require_writable(reports_dir, "--reports-dir")
    progress.line("1/3 training the guide, a classifier, on 1,297 real digits")
    trained = stage1.train_classifier(
        guide, folders, name="demo-guide", save_model=True, overwrite=True, progress=progress
    )
    progress.line(f"    test accuracy {trained.test_accuracy['value']:.1%}")
    progress.line("2/3 training the generator against a discriminator, guided by the guide")
    stage2.train_gan(
        gan, folders, name="demo", guide="demo-guide", overwrite=True, progress=progress
    )
    n = evaluation.n_samples
    progress.line(f"3/3 scoring {n:,} generated digits with a judge that guided nothing")
    _score("demo", evaluation, folders, {}, progress)
