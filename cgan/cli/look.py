"""cgan sample, report, compare, latent, recipes and doctor: looking at what is there."""

import webbrowser
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from cgan.cli.completion import generators, reports
from cgan.cli.options import NUMBER, data_option, device_option, reports_option, weights_option
from cgan.config.recipes import ABOUT, RECIPES, measured
from cgan.config.schema import EvalConfig, Folders


@click.command("sample")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--class",
    "label",
    type=int,
    help="The class to draw, by its number.  [default: every one equally often]",
)
@click.option("--digit", type=int, hidden=True, help="The old name of --class.")
@click.option(
    "-n", "--n-samples", "n", type=NUMBER, default=64, show_default=True, help="How many images."
)
@click.option("--seed", default=1, show_default=True, help="Seed of the noise.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("samples.png"),
    show_default=True,
    help="FILE.png: a grid; FILE.npz: arrays `images` and `labels`; a folder: one PNG each.",
)
@device_option
@click.option(
    "--precision",
    default="fp32",
    show_default=True,
    help="fp32: the same images everywhere; bf16: faster on some machines; auto: the faster one.",
)
@weights_option
def sample(
    run: str | None,
    label: int | None,
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
    if digit is not None:
        click.echo("--digit is now --class; the old name goes in the next minor version", err=True)
        label = digit if label is None else label
    from cgan.data.grids import write_images
    from cgan.io.run_layout import newest_run
    from cgan.models.hub import load_generator
    from cgan.models.sampling import draw

    gan = load_generator(run or newest_run(weights_dir), weights_dir)
    images, labels = draw(
        gan.network,
        gan.spec.n_classes,
        n,
        label=label,
        seed=seed,
        device=device,
        precision=precision,
    )
    write_images(images, labels, out)
    click.echo(f"{n} images of {gan.name} in {out}")


@click.command("recipes")
@click.option("--fields", is_flag=True, help="Show the settings of each, as a table.")
def recipes(fields: bool) -> None:
    """List the recipes: what each is, what is wrong with it, and what it came to on MNIST."""
    import pandas as pd

    if fields:
        table = pd.DataFrame([asdict(row) for row in RECIPES.values()], index=list(RECIPES))
        click.echo(table.drop(columns=["recipe", "dataset"]).T.to_string())
        return
    from cgan.models.registry import n_weights

    for name, row in RECIPES.items():
        conditional, g_weights, d_weights = n_weights(row)
        told = "conditional" if conditional else "unconditional: no class can be requested"
        click.echo(f"{name}: {ABOUT[name].idea}")
        click.echo(f"  {told}; {g_weights:,} weights in G, {d_weights:,} in D")
        click.echo(f"  known fault: {ABOUT[name].fault}")
        for line in measured(name):
            click.echo(f"  {line}")


@click.command("report")
@click.argument("run", required=False, shell_complete=reports)
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
@reports_option
def report(run: str | None, shown: bool, reports_dir: Path) -> None:
    """Draw the report of RUN again from its files (the newest when left out)."""
    from cgan.reporting.page import write_report
    from cgan.reporting.read import find_report

    page = write_report(find_report(run, reports_dir)).page
    click.echo(f"report: {page}")
    if shown and not webbrowser.open(page.resolve().as_uri()):
        click.echo("there is no browser to open it in; open that file yourself", err=True)


@click.command("compare")
@click.argument("runs", nargs=-1, shell_complete=reports)
@click.option("--dataset", help="Compare the reports of this data set alone.")
@reports_option
def compare(runs: tuple[str, ...], dataset: str | None, reports_dir: Path) -> None:
    """Compare the reports of RUNS, of one data set; all reports where none is named.

    Writes leaderboard.csv, leaderboard.html and leaderboard.png to the reports folder.
    """
    from cgan.reporting.entries import find_entries
    from cgan.reporting.leaderboard import leaderboard_text, write_leaderboard

    entries = find_entries(list(runs), reports_dir, dataset, partial(click.echo, err=True))
    click.echo(leaderboard_text(entries))
    click.echo(f"leaderboard: {write_leaderboard(entries, reports_dir)}")


@click.command("latent")
@click.argument("run", required=False, shell_complete=generators)
@click.option("--seed", default=1, show_default=True, help="Seed of the noise.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder.  [default: REPORTS/RUN/latent]"
)
@weights_option
@reports_option
def latent(
    run: str | None, seed: int, out: Path | None, weights_dir: Path, reports_dir: Path
) -> None:
    """Draw what lies in the noise of RUN: sums of seeds, ways between seeds and labels, neighbours.

    RUN is the newest when left out, or the shipped one of MNIST where none was trained.
    """
    EvalConfig(seed=seed)  # checks the range
    from cgan.evaluation.latent import latent_files
    from cgan.io.files import make_folder, write_bytes
    from cgan.io.journal import PATIENCE, commit, locked
    from cgan.io.run_layout import newest_run
    from cgan.models.hub import load_generator

    gan = load_generator(run or newest_run(weights_dir), weights_dir)
    files = latent_files(gan, seed)
    folder = out or reports_dir / gan.name / "latent"
    make_folder(folder, "--out" if out else "--reports-dir")
    if out is None:  # they are a part of the report, which shows them when it is drawn again
        with locked(folder.parent, wait=PATIENCE):
            commit(folder.parent, {f"latent/{name}": file for name, file in files.items()})
    else:
        for name, content in files.items():
            write_bytes(out / name, content)
    for name in files:
        click.echo(str(folder / name))


@click.command("doctor")
@data_option
@weights_option
@reports_option
@device_option
@click.pass_context
def doctor(
    context: click.Context, data_dir: Path, weights_dir: Path, reports_dir: Path, device: str
) -> None:
    """Tell whether all that is needed is here and works; exit status 1 if something does not."""
    from cgan.cli.doctor import examine

    findings = examine(Folders(data_dir, weights_dir, reports_dir), device)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.state:<7}  {finding.subject:<{width}}  {finding.text}")
    n_problems = sum(finding.state == "problem" for finding in findings)
    if n_problems:
        click.echo(f"{n_problems} problem{'s' * (n_problems > 1)}")
        context.exit(1)
    click.echo("everything that is here can be used")
