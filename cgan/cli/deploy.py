"""cgan export and cgan play: what is used elsewhere, and by others."""

import threading
import webbrowser
from collections.abc import Sequence
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
    "-o",
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
    from cgan.deploy import export as exporting

    exporting.require_target(form, out)
    done = exporting.export(exporting.find_source(network, run, weights_dir), form, out)
    said, size = done.portable, done.path.stat().st_size / 1e6
    tensors = f"{', '.join(said.inputs)} -> {', '.join(said.outputs)}"
    checked = "not checked, as onnxruntime is not here"
    if done.parity is not None:
        checked = f"largest difference from the original {done.parity.largest:.1e}"
    told = f"{said.kind} {said.source.name} in {done.path} ({size:.1f} MB)"
    click.echo(f"{told}: {tensors}; {checked}")


@click.command("play")
@click.argument("run", required=False, shell_complete=generators)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Write the page to this new folder, for any web server, and serve nothing.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of this machine to serve it on.  [default: any free one]",
)
@click.option("--open/--no-open", "opens", default=True, help="Open it in the browser, or not.")
@weights_option
def play(run: str | None, out: Path | None, port: int, opens: bool, weights_dir: Path) -> None:
    """Ask the generator of RUN for digits on a page; all is computed in the browser.

    RUN is the newest when left out, or the shipped one of MNIST where none was trained. The page is
    served to this machine alone until Ctrl-C. Needs pip install onnx onnxruntime onnxscript.
    """
    from cgan.deploy.webapp.server import SiteServer
    from cgan.deploy.webapp.site import require_free, write_site
    from cgan.deploy.webapp.subprocess_build import make_site_in_subprocess

    if out is not None:
        require_free(out)  # before the seconds that the networks take
        site = make_site_in_subprocess(run, weights_dir)
        write_site(site, out)
        _tell(f"the page of {site.run} is in {out}, for any web server", site.lacking)
        return
    with SiteServer(port) as server:
        site = make_site_in_subprocess(run, weights_dir)
        server.offer(site.files)
        _tell(f"the page of {site.run} is at {server.address} until Ctrl-C", site.lacking)
        if opens:  # aside, as a browser in the terminal would keep the server from answering
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        server.serve_forever(poll_interval=0.2)


def _tell(what: str, lacking: Sequence[str]) -> None:
    for words in lacking:
        click.echo(words, err=True)
    click.echo(what)
