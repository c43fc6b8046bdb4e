"""cgan sample, cgan report and cgan recipes: looking at what is there."""

from dataclasses import asdict
from pathlib import Path

import click

from cgan.cli.options import reports_option, weights_option
from cgan.config import EvalConfig
from cgan.recipes import RECIPES


@click.command("sample")
@click.argument("run", required=False)
@click.option("--digit", type=int, help="The label to draw.  [default: every one equally often]")
@click.option("-n", "--n-samples", "n", default=64, show_default=True, help="How many images.")
@click.option("--seed", default=1, show_default=True, help="Seed of the noise.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("samples.png"),
    show_default=True,
    help="FILE.png: a grid; FILE.npz: arrays `images` and `labels`; a folder: one PNG each.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option(
    "--precision",
    default="fp32",
    show_default=True,
    help="fp32: the same images everywhere; bf16: faster on some machines; auto: the faster one.",
)
@weights_option
def sample(
    run: str | None,
    digit: int | None,
    n: int,
    seed: int,
    out: Path,
    device: str,
    precision: str,
    weights_dir: Path,
) -> None:
    """Draw images from the generator of RUN; needs no data set.

    RUN is the newest when left out, or the shipped one of MNIST where none was trained.
    """
    EvalConfig(n_samples=n, seed=seed)  # checks the ranges
    from cgan.pictures import write_images
    from cgan.sampling import draw
    from cgan.store import load_generator, newest_run

    gan = load_generator(run or newest_run(weights_dir), weights_dir)
    images, labels = draw(
        gan.network,
        gan.spec.n_classes,
        n,
        digit=digit,
        seed=seed,
        device=device,
        precision=precision,
    )
    write_images(images, labels, out)
    click.echo(f"{n} images of {gan.name} in {out}")


@click.command("recipes")
def recipes() -> None:
    """List the recipes."""
    import pandas as pd

    columns = [
        "generator",
        "discriminator",
        "loss",
        "g_lr",
        "d_lr",
        "d_every",
        "modes",
        "guidance",
        "epochs",
    ]
    table = pd.DataFrame([asdict(row) for row in RECIPES.values()], index=list(RECIPES))
    click.echo(table[columns].T.to_string())


@click.command("report")
@click.argument("run", required=False)
@reports_option
def report(run: str | None, reports_dir: Path) -> None:
    """Draw the report of RUN again from its files (the newest when left out)."""
    from cgan.report import find_report, write_report

    click.echo(f"report: {write_report(find_report(run, reports_dir))}")
