"""DATA on the command line: the argument, the options of an import, and what it resolves to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgan.cli.completion import datasets
from cgan.cli.options import DATASET_HELP, Command
from cgan.config.schema import FITS, GROUNDS, LARGEST_SIDE, SMALLEST_SIDE, ImportConfig
from cgan.runtime.progress import Progress

data_argument = click.argument("data", metavar="DATA", shell_complete=datasets)
dataset_option = click.option(
    "--dataset",
    default="mnist",
    show_default=True,
    shell_complete=datasets,
    help=DATASET_HELP,
)
_OPTIONS = (
    click.option(
        "--size",
        type=click.IntRange(SMALLEST_SIDE, LARGEST_SIDE),
        help="Side of the images in pixels.  [default: by the size of most]",
    ),
    click.option(
        "--grey", "--gray", "colour", flag_value="grey", default=None, help="Import as grey."
    ),
    click.option(
        "--colour",
        "--color",
        "colour",
        flag_value="colour",
        help="Import in colour.  [default: grey if all channels are equal]",
    ),
    click.option(
        "--fit", type=click.Choice(FITS), help="How images become square.  [default: crop]"
    ),
    click.option(
        "--ground",
        type=click.Choice(GROUNDS),
        help="Ground of transparent images.  [default: auto]",
    ),
    click.option(
        "--drop-rare",
        is_flag=True,
        default=None,
        help="Leave out classes of fewer than three images.",
    ),
)
OPTIONS = ("size", "colour", "fit", "ground", "drop_rare")  # their names in a command


def import_options(command: Command) -> Command:
    """Add the options of an import; each is None unless given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def import_config(flags: Mapping[str, Any]) -> ImportConfig | None:
    """Return the settings of an import, of which `flags` are fields; None if none is given."""
    given = {key: value for key, value in flags.items() if value is not None}
    return ImportConfig(**given) if given else None


def resolved(
    data: str, data_dir: Path, progress: Progress, config: ImportConfig | None = None
) -> str:
    """Return the name of the data set that a user asks for; a folder or a file is imported first.

    Args:
        data: a name, or the path of labelled images.
        data_dir: the folder of the data sets.
        progress: shows that something is imported.
        config: how to import; None: as it was imported before, or in the usual way.

    Raises:
        InputError: neither a name nor labelled images.
    """
    from cgan.api.dataset import found_dataset  # here: numpy takes a while

    return found_dataset(data, data_dir, config, progress).name
