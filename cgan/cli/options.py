"""Options that several commands share, and how a command speaks while it works."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cgan.config.schema import Folders
from cgan.io.files import json_bytes
from cgan.io.run_layout import plain_name
from cgan.runtime.progress import Progress

DATASET_HELP = "digits or mnist-sample (both embedded), mnist, fashion-mnist or kmnist."
NUMBER = click.IntRange(max=1_000_000)  # of images to draw: all are in memory at once
Command = Callable[..., None]


def common(command: Command) -> Command:
    """Add the options of every command that computes."""
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
    help="Folder of idx files or of torchvision's layout.  [env: CGAN_DATA]",
)
weights_option = click.option(
    "--weights-dir",
    type=click.Path(path_type=Path),
    default=Path("weights"),
    show_default=True,
    help="Folder of trained runs; shipped ones are found without it.",
)
reports_option = click.option(
    "--reports-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder of reports.",
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or mps."
)
quiet_option = click.option(
    "-v/-q",
    "--verbose/--quiet",
    default=None,
    help="Show the whole config and every evaluation, or no progress.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
JSON_FORMAT = 1  # of what --json prints


def echo_json(content: Mapping[str, Any]) -> None:
    """Print what a command found as JSON on stdout, with a format number; NaN becomes null."""
    click.echo(json_bytes({"format": JSON_FORMAT, **content}).decode(), nl=False)


def field_option(
    row: Any, flag: str, text: str, *short: str, kind: type | click.ParamType | None = None
) -> Callable[[Any], Any]:
    """Return an option for a config field: None unless given, its default read off `row`.

    Another role or a small data set may have another default; -v shows the config that is used.
    """
    default = getattr(row, flag.lstrip("-").replace("-", "_"))
    return click.option(
        *short, flag, type=kind or type(default), default=None, help=f"{text}  [default: {default}]"
    )


def require_plain(name: str | None) -> None:
    """Check a name that a person gave; an empty one is none.

    Raises:
        InputError: it is no folder's.
    """
    if name is not None:
        plain_name(name)


def shown_progress(verbose: bool | None) -> Progress:
    """Return progress on stderr, or none when quiet."""
    return Progress(None if verbose is False else sys.stderr, every_line=verbose is True)


def announce(progress: Progress, config: Any, row: Any, verbose: bool | None) -> None:
    """Show the config: with -v all of it, else what differs from the row it began as."""
    shown = {
        key: value
        for key, value in asdict(config).items()
        if verbose or value != asdict(row)[key] or key in ("dataset", "epochs")
    }
    progress.line(", ".join(f"{key} {value}" for key, value in shown.items()))


def folder_flags(folders: Folders, *names: str) -> str:
    """Return the flags by which another command looks into the same folders, each after a space.

    Args:
        folders: that this command looked into.
        names: of those that the other one takes: "data", "weights", "reports".
    """
    usual = {**asdict(Folders()), "data": Path(os.environ.get("CGAN_DATA", Folders.data))}
    chosen = asdict(folders)
    return "".join(
        f" --{name}-dir {shlex.quote(str(chosen[name]))}"
        for name in names
        if chosen[name] != usual[name]
    )
