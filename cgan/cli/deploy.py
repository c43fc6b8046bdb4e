"""cgan export and cgan play: networks for other programs and for the browser."""

import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import click

from cgan.cli.completion import generators
from cgan.cli.options import weights_option
from cgan.io.run_layout import find_run, is_run, newest_run


@click.command("export")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "--format",
    "form",
    default="onnx",
    show_default=True,
    help="File format: onnx, torchscript or npz.",
)
@click.option(
    "--network",
    default="generator",
    show_default=True,
    help="generator, judge, or discriminator (together with its guide).",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Output file.  [default: RUN-NETWORK.onnx, .pt or .npz]",
)
@weights_option
def export(run: str | None, form: str, network: str, out: Path | None, weights_dir: Path) -> None:
    """Write a network of RUN to a file that works without cgan.

    Without RUN, the newest run is used, or the shipped MNIST run if there is none. With --network
    judge, RUN may be a classifier.
    """
    find_run(run or newest_run(weights_dir), weights_dir, _kind(network, run, weights_dir))
    from cgan.deploy import export as exporting

    exporting.require_target(form, out)
    done = exporting.export(exporting.find_source(network, run, weights_dir), form, out)
    said, size = done.portable, done.path.stat().st_size / 1e6
    tensors = f"{', '.join(said.inputs)} -> {', '.join(said.outputs)}"
    checked = "not checked: onnxruntime is not installed"
    if done.parity is not None:
        checked = f"largest difference from the original {done.parity.largest:.1e}"
    told = f"{said.kind} {said.source.name} in {done.path} ({size:.1f} MB)"
    click.echo(f"{told}: {tensors}; read it with {exporting.FORMATS[form].load}; {checked}")


def _kind(network: str, run: str | None, weights_dir: Path) -> str:
    """Return the kind of the run that holds a network; a judge may be named itself."""
    named = network == "judge" and run is not None and is_run(run, weights_dir, "classifier")
    return "classifier" if named else "gan"


@click.command("play")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Write the page to this new folder instead of serving it.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Local port of the page.  [default: any free one]",
)
@click.option(
    "--open/--no-open",
    "opens",
    default=True,
    help="Open the page in the browser (default), or not.",
)
@weights_option
def play(run: str | None, out: Path | None, port: int, opens: bool, weights_dir: Path) -> None:
    """Generate images on a web page. The browser runs the networks of RUN.

    Without RUN, the newest run is used, or the shipped MNIST run if there is none. Only this
    machine can open the page. Ctrl-C stops it. Needs pip install onnx onnxruntime onnxscript.
    """
    from cgan.deploy.webapp.server import SiteServer
    from cgan.deploy.webapp.site import require_free, write_site
    from cgan.deploy.webapp.subprocess_build import make_site_in_subprocess

    if out is not None:
        require_free(out)  # before the networks are exported, which takes seconds
    find_run(run or newest_run(weights_dir), weights_dir, "gan")
    if out is not None:
        site = make_site_in_subprocess(run, weights_dir)
        write_site(site, out)
        _tell(f"the page of {site.run} is in {out}, for any web server", site.lacking)
        return
    with SiteServer(port) as server:
        site = make_site_in_subprocess(run, weights_dir)
        server.offer(site.files)
        _tell(f"the page of {site.run} is at {server.address} until Ctrl-C", site.lacking)
        if opens:  # in a thread: a text browser in the terminal would block the server
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        server.serve_forever(poll_interval=0.2)


def _tell(what: str, lacking: Sequence[str]) -> None:
    for words in lacking:
        click.echo(words, err=True)
    click.echo(what)
