"""cgan export: what is used elsewhere."""

from pathlib import Path

import click

from cgan.cli.completion import generators
from cgan.cli.options import weights_option


@click.command("export")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--format", "form", default="onnx", show_default=True, help="onnx, torchscript or npz."
)
@click.option(
    "--network",
    default="generator",
    show_default=True,
    help="generator, judge or discriminator (with the guide that it looks through).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file.  [default: RUN-NETWORK.onnx, .pt or .npz]",
)
@weights_option
def export(run: str | None, form: str, network: str, out: Path | None, weights_dir: Path) -> None:
    """Write a network of RUN to a file that other programs use without cgan.

    RUN is the newest when left out, or the shipped one of MNIST where none was trained. With
    --network judge it may be a classifier, too.
    """
    from cgan import exporting

    exporting.require_target(form, out)
    done = exporting.export(exporting.find_source(network, run, weights_dir), form, out)
    said, size = done.portable, done.path.stat().st_size / 1e6
    tensors = f"{', '.join(said.inputs)} -> {', '.join(said.outputs)}"
    checked = "not checked, as onnxruntime is not here"
    if done.parity is not None:
        checked = f"largest difference from the original {done.parity.largest:.1e}"
    told = f"{said.kind} {said.source.name} in {done.path} ({size:.1f} MB)"
    click.echo(f"{told}: {tensors}; {checked}")
