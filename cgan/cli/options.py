"""Options that several commands share, and the output of commands."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cgan.io.files import json_bytes
from cgan.io.run_layout import plain_name
from cgan.runtime.progress import Progress

DATASET_HELP = "A name (cgan data lists them), or a folder or file of labelled images."
PRECISION_HELP = "Number format: fp32, bf16 or auto (the faster one)."
NUMBER = click.IntRange(max=1_000_000)  # images to generate; all are in memory at once
Command = Callable[..., None]


def common(command: Command) -> Command:
    """Add the options of every command that trains or evaluates."""
    options = [
        data_option,
        weights_option,
        reports_option,
        device_option,
        quiet_option,
    ]
    return _apply(options, command)


def _apply(options: Sequence[Callable[[Any], Any]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


data_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="CGAN_DATA",
    default=Path("data"),
    show_default=True,
    help="Folder of idx files, or of torchvision's layout.  [env: CGAN_DATA]",
)
weights_option = click.option(
    "--weights-dir",
    type=click.Path(path_type=Path),
    default=Path("weights"),
    show_default=True,
    help="Folder of your runs; shipped runs are always found.",
)
reports_option = click.option(
    "--reports-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder of reports.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Where to compute: auto, cpu, cuda, cuda:1 or mps.",
)
threads_option = click.option(
    "--threads",
    default="auto",
    show_default=True,
    help="Threads on the CPU. Fewer are faster where other programs run. auto: those of PyTorch.",
)
quiet_option = click.option(
    "-v/-q",
    "--verbose/--quiet",
    default=None,
    help="-v shows all settings and every evaluation, -q no progress.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
JSON_FORMAT = 1  # version of the output of --json


def echo_json(content: Mapping[str, Any]) -> None:
    """Print a command's result as JSON on stdout, with a format number; NaN becomes null.

    It is UTF-8, whatever the terminal's encoding is.
    """
    click.echo(json_bytes({"format": JSON_FORMAT, **content}), nl=False)


def echo_summary(text: str) -> None:
    """Print a summary, with the word WARNING in yellow on a terminal."""
    click.echo(text.replace("WARNING:", click.style("WARNING:", fg="yellow", bold=True)))


def styled_verdict(title: str, kind: str | None) -> str:
    """Return the title of a verdict in bold: green if it is good, else yellow."""
    return click.style(title, fg="green" if kind == "good" else "yellow", bold=True)


def field_option(
    row: Any, flag: str, text: str, *short: str, kind: type | click.ParamType | None = None
) -> Callable[[Any], Any]:
    """Return an option for a config field. It is None unless given.

    The help shows the default of `row`. Another role or data set may have another default; -v
    shows the settings in use.
    """
    default = getattr(row, flag.lstrip("-").replace("-", "_"))
    return click.option(
        *short, flag, type=kind or type(default), default=None, help=f"{text}  [default: {default}]"
    )


def require_plain(name: str | None) -> None:
    """Check the name of a run, if one was given. An empty name is invalid.

    Raises:
        InputError: it cannot be the name of a folder.
    """
    if name is not None:
        plain_name(name)


def shown_progress(verbose: bool | None) -> Progress:
    """Return progress on stderr, or none when quiet."""
    return Progress(None if verbose is False else sys.stderr, every_line=verbose is True)


def announce(progress: Progress, config: Any, row: Any, verbose: bool | None) -> None:
    """Show the settings: all with -v, else those that differ from `row`."""
    shown = {
        key: value
        for key, value in asdict(config).items()
        if verbose or value != asdict(row)[key] or key in ("dataset", "epochs")
    }
    progress.line(", ".join(f"{key} {value}" for key, value in shown.items()))
