"""DATA on the command line: the argument, the options of an import, and what it resolves to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgan.cli.completion import datasets
from cgan.cli.options import Command
from cgan.config.schema import FITS, GROUNDS, LARGEST_SIDE, SMALLEST_SIDE, ImportConfig
from cgan.data.spec import DESCRIPTIONS
from cgan.data.store import is_store
from cgan.runtime.progress import Progress

data_argument = click.argument("data", metavar="DATA", shell_complete=datasets)
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
FIELDS = ("size", "colour", "fit", "ground", "drop_rare", "seed", "name")


def import_options(command: Command) -> Command:
    """Add the options of an import; each is None unless given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def import_config(flags: Mapping[str, Any]) -> ImportConfig | None:
    """Return the settings of an import; None if no flag was given."""
    given = {key: flags[key] for key in FIELDS if flags.get(key) is not None}
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
    if config is None and (data in DESCRIPTIONS or is_store(data, data_dir)):
        return data
    from cgan.data.importing.resolve import resolve_dataset  # here: Pillow takes a while

    return resolve_dataset(data, data_dir, config, progress)
