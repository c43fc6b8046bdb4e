"""cgan sample and cgan latent: generated images."""

from pathlib import Path

import click

from cgan.cli.completion import generators
from cgan.cli.options import NUMBER, device_option, reports_option, weights_option
from cgan.config.schema import EvalConfig
from cgan.io.files import output_folder, require_writable, write_files
from cgan.io.journal import PATIENCE, commit, locked
from cgan.io.run_layout import find_run, newest_run, require_own_reports


@click.command("sample")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--class",
    "labels",
    metavar="NAME|N",
    multiple=True,
    help="Class by name, else by number; may be repeated. Where names are numbers, the name "
    "counts.  [default: all classes equally often]",
)
@click.option(
    "--digit", "digits", type=int, multiple=True, hidden=True, help="Old name of --class."
)
@click.option(
    "-n", "--n-samples", "n", type=NUMBER, default=64, show_default=True, help="Number of images."
)
@click.option("--seed", default=1, show_default=True, help="Seed of the noise.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("samples.png"),
    show_default=True,
    help="FILE.png (a grid), FILE.npz (arrays images and labels), or a folder (a PNG each, named "
    "by its class).",
)
@device_option
@click.option(
    "--precision",
    default="fp32",
    show_default=True,
    help="fp32 (the same images on every machine), bf16, or auto (the faster one).",
)
@weights_option
def sample(
    run: str | None,
    labels: tuple[str, ...],
    digits: tuple[int, ...],
    n: int,
    seed: int,
    out: Path,
    device: str,
    precision: str,
    weights_dir: Path,
) -> None:
    """Generate images with the generator of RUN. No data set is needed.

    Without RUN, the newest run is used, or the shipped MNIST run if there is none. Of several
    classes, the images show one after the other, in turn.
    """
    EvalConfig(n_samples=n, seed=seed)  # checks the ranges
    from cgan.data.images import require_images_target

    require_images_target(out)
    folder = find_run(run or newest_run(weights_dir), weights_dir, "gan")
    from cgan.models.hub import load_generator

    gan = load_generator(folder, weights_dir)
    chosen = [*(labels or digits)] or None
    images = gan.sample(chosen, n, seed, device=device, precision=precision)
    images.save(out)
    click.echo(f"{n} images of {gan.name} in {out}")
    if digits:
        click.echo(
            "--digit is now --class; the old name will be removed in the next minor version",
            err=True,
        )


@click.command("latent")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--class",
    "labels",
    metavar="NAME|N",
    multiple=True,
    help="Class by name, else by number; may be repeated.  [default: all classes, at most 10]",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the noise.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the pictures.  [default: REPORTS/RUN/latent]",
)
@weights_option
@reports_option
def latent(
    run: str | None,
    labels: tuple[str, ...],
    seed: int,
    out: Path | None,
    weights_dir: Path,
    reports_dir: Path,
) -> None:
    """Explore a generator's latent space: arithmetic, interpolation, neighbours.

    Without RUN, the newest run is used, or the shipped MNIST run if there is none.
    """
    EvalConfig(seed=seed)  # checks the range
    source = find_run(run or newest_run(weights_dir), weights_dir, "gan")
    require_own_reports(out or reports_dir)
    require_writable(out or reports_dir, "--out" if out else "--reports-dir")
    from cgan.data.spec import find_label
    from cgan.evaluation.latent import latent_files
    from cgan.models.hub import load_generator

    gan = load_generator(source, weights_dir)
    files = latent_files(gan, seed, [find_label(name, gan.spec) for name in labels])
    folder = out or reports_dir / gan.name / "latent"
    with output_folder(folder, "--out" if out else "--reports-dir"):
        if out is None:  # part of the report: it shows them when it is rebuilt
            with locked(folder.parent, wait=PATIENCE):
                commit(folder.parent, {f"latent/{name}": file for name, file in files.items()})
        else:
            write_files(out, files.items())
    for name in files:
        click.echo(str(folder / name))
