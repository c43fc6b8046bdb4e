"""cgan evaluate and cgan demo."""

import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from cgan.cli.completion import classifiers, generators
from cgan.cli.options import (
    DATASET_HELP,
    NUMBER,
    common,
    echo_json,
    echo_summary,
    field_option,
    json_option,
    shown_progress,
    styled_verdict,
    threads_option,
)
from cgan.cli.report import renew_home
from cgan.config.commands import folder_flags
from cgan.config.recipes import classifier_config, eval_config, gan_config
from cgan.config.schema import EvalConfig, Folders, GanConfig
from cgan.data.spec import plural
from cgan.data.store import size_of
from cgan.evaluation.arguments import require_subject
from cgan.io.files import require_writable
from cgan.io.run_layout import require_own_reports
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress, wrapped

DEMO_DATASET = "mnist-sample"  # embedded, and large enough for a good generator


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
    require_subject(run, images, dataset, folders, **named)
    from cgan.runtime.device import using_threads

    with using_threads(threads):
        subject = {"images": images, "dataset": dataset, **named}
        _score(run, config, folders, subject, progress, as_json=as_json)


def _score(
    run: str | None,
    config: EvalConfig,
    folders: Folders,
    subject: dict[str, Any],
    progress: Progress,
    *,
    as_json: bool = False,
) -> None:
    from cgan.evaluation import evaluate as stage3
    from cgan.reporting.page import write_report
    from cgan.reporting.tables import summary
    from cgan.reporting.verdict import find_verdict

    scored = stage3.evaluate(run, config, folders, progress=progress, **subject)
    report = write_report(folders.reports / scored.run)
    results = report.results
    verdict = find_verdict(results, report.history)
    renew_home(folders.reports)
    if as_json:
        said = {"kind": verdict.kind, "title": verdict.title, "meaning": verdict.meaning}
        content = msgspec.to_builtins(results)
        echo_json({"report": str(report.page), "verdict": said, "results": content})
        return
    sentence = wrapped(f"{results.run}: {verdict}")  # before the colours, which have no width
    word = styled_verdict(verdict.title, verdict.kind)
    click.echo(sentence.replace(f": {verdict.title}", f": {word}", 1))
    echo_summary(summary(results))
    click.echo(f"report: {report.page}")
    flags = folder_flags(folders, "reports")
    click.echo(f"open it with: cgan report {shlex.quote(results.run)}{flags} --open")


@click.command("demo")
@click.option("--epochs", type=float, help="Epochs of the generator's training.")
@click.option("--guide-epochs", type=int, help="Epochs of the guide's training.")
@field_option(GanConfig(), "--seed", "Seed of the generator's training.")
@click.option("--quick", is_flag=True, help="A quick evaluation, as of cgan evaluate.")
@field_option(EvalConfig(), "--n-samples", "Images to generate and score.", "-n", kind=NUMBER)
@field_option(EvalConfig(), "--gan-train-images", "Images that GAN-train learns from; 0: none.")
@common
def demo(
    epochs: float | None,
    guide_epochs: int | None,
    seed: int | None,
    quick: bool,
    n_samples: int | None,
    gan_train_images: int | None,
    device: str,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    verbose: bool | None,
) -> None:
    """Run all three stages on the embedded images of MNIST, in three minutes on two cores."""
    folders = Folders(data_dir, weights_dir, reports_dir)
    progress = shown_progress(verbose)
    size = size_of(DEMO_DATASET, data_dir)
    guide = classifier_config("guide", DEMO_DATASET, size, device=device, epochs=guide_epochs)
    gan = gan_config("guided", DEMO_DATASET, size, device=device, epochs=epochs, seed=seed)
    counts = {"n_samples": n_samples, "gan_train_images": gan_train_images}
    evaluation = eval_config(quick, **counts, device=device)
    # now, not after two trainings
    require_writable(weights_dir, "--weights-dir")
    require_writable(reports_dir, "--reports-dir")
    require_own_reports(reports_dir)
    from cgan.data.datasets import load_split
    from cgan.training import classifier as stage1
    from cgan.training import gan as stage2

    split = load_split(DEMO_DATASET, data_dir, "train")
    nouns = plural(split.spec.noun)
    progress.line(f"1/3 training the guide, a classifier, on {len(split):,} real {nouns}")
    trained = stage1.train_classifier(
        guide, folders, name="demo-guide", save_model=True, overwrite=True, progress=progress
    )
    progress.line(f"    test accuracy {trained.test_accuracy['value']:.1%}")
    progress.line("2/3 training the generator against a discriminator, guided by the guide")
    stage2.train_gan(
        gan, folders, name="demo", guide="demo-guide", overwrite=True, progress=progress
    )
    n = evaluation.n_samples
    progress.line(f"3/3 scoring {n:,} generated {nouns} with a judge that never guided a generator")
    _score("demo", evaluation, folders, {}, progress)
