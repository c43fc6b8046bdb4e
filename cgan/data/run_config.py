"""Reads the config.json of a run: data set, settings and facts of the training; no torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.spec import DataSpec
from cgan.io.run_layout import CONFIG, CONFIG_FORMAT, plain_name, require_intact
from cgan.io.strict import FormatError, first_line, format_of, read_json
from cgan.runtime.errors import InputError

Config = TypeVar("Config", ClassifierConfig, GanConfig)
LARGEST_CONFIG = 2**20  # bytes; ours have a thousand
# entries of a config.json that are plain names
FACTS = ("guide", "guide_sha256", "judge", "precision")


def load_config(folder: Path) -> tuple[GanConfig, dict[str, Any]]:
    """Return the training config of a run, and the whole content of its config.json.

    Raises:
        InputError: it is missing or damaged.
    """
    require_intact(folder, CONFIG)
    _, config, facts = read_config(folder, GanConfig)
    return config, facts


def read_config(folder: Path, kind: type[Config]) -> tuple[DataSpec, Config, dict[str, Any]]:
    """Return the data set, the config and the whole content of a run's config.json, all checked.

    Args:
        folder: of the run.
        kind: the type of its config.

    Raises:
        InputError: it is missing, damaged, or of another version or format.
    """
    path = folder / CONFIG
    try:
        content = read_json(path, LARGEST_CONFIG)
        format_of(content, CONFIG_FORMAT)
        spec, values = dict(content["spec"]), dict(content["config"])
    except FormatError as error:
        raise InputError(f"{path} {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = first_line(error)
        raise InputError(f"{path} is missing or damaged ({reason}); train the run again") from error
    try:
        _check_facts(content)
        return DataSpec(**spec), kind(**values), content
    except (TypeError, InputError) as error:
        raise InputError(f"{path} does not fit this version: {first_line(error)}") from error


def _check_facts(content: Mapping[str, Any]) -> None:
    """Check that the entries of `FACTS` hold plain names, not paths.

    Raises:
        InputError: one does not.
    """
    for fact in FACTS:
        value = content.get(fact)
        if value is None:
            continue
        if not isinstance(value, str):
            raise InputError(f"`{fact}` must be a text")
        plain_name(value)
