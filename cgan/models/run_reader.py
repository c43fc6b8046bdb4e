"""Reads a run's config.json, which may be a stranger's: every value checked before it is used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from cgan.config.schema import ClassifierConfig, DataSpec, GanConfig
from cgan.io.run_layout import CONFIG, plain_name
from cgan.io.strict import first_line, read_json
from cgan.runtime.errors import InputError

Config = TypeVar("Config", ClassifierConfig, GanConfig)
LARGEST_CONFIG = 2**20  # bytes; ours have a thousand
# what a config.json may tell besides, and what is used of it
FACTS = ("guide", "guide_sha256", "judge")


def read_config(folder: Path, kind: type[Config]) -> tuple[DataSpec, Config, dict[str, Any]]:
    """Return the data set, the config and the whole content of a run's config.json, all checked.

    Args:
        folder: of the run.
        kind: what its config is to be.

    Raises:
        InputError: it is missing, damaged, or of another version.
    """
    path = folder / CONFIG
    try:
        content = read_json(path, LARGEST_CONFIG)
        spec, values = dict(content["spec"]), dict(content["config"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = first_line(error)
        raise InputError(f"{path} is missing or damaged ({reason}); train the run again") from error
    try:
        _check_facts(content)
        return DataSpec(**spec), kind(**values), content
    except (TypeError, InputError) as error:
        raise InputError(f"{path} fits no run of this version: {first_line(error)}") from error


def _check_facts(content: Mapping[str, Any]) -> None:
    """Check that what names another run is the name of one, not a way to another folder.

    Raises:
        InputError: it is something else.
    """
    for fact in FACTS:
        value = content.get(fact)
        if value is None:
            continue
        if not isinstance(value, str):
            raise InputError(f"`{fact}` must be a text")
        plain_name(value)
