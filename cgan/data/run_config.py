"""Reads the config.json of a run: data set, settings and facts of the training; no torch."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.spec import DataSpec
from cgan.io.files import FORMULA_STARTS
from cgan.io.run_layout import CONFIG, CONFIG_FORMAT, plain_name, require_intact
from cgan.io.strict import FormatError, first_line, format_of, read_json
from cgan.runtime.errors import InputError

Config = TypeVar("Config", ClassifierConfig, GanConfig)
LARGEST_CONFIG = 2**20  # bytes; ours have a thousand
COUNTS = "class_counts"  # entry of a config.json: the number of training images of each class
# entries of a config.json that are plain names
FACTS = ("guide", "guide_sha256", "judge", "precision", "data_sha256")


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
        known, config = DataSpec(**spec), kind(**values)
        _check_facts(content, known.n_classes)
        _check_texts({**asdict(known), **asdict(config)})
        return known, config, content
    except (TypeError, InputError) as error:
        raise InputError(f"{path} does not fit this version: {first_line(error)}") from error


def _check_texts(values: Mapping[str, Any]) -> None:
    """Check that no text begins as a formula, because reports put texts into tables.

    Raises:
        InputError: one does.
    """
    for field, value in values.items():
        if isinstance(value, str) and value.startswith(tuple(FORMULA_STARTS)):
            raise InputError(f"`{field}` must not begin with any of {FORMULA_STARTS}")


def _check_facts(content: Mapping[str, Any], n_classes: int) -> None:
    """Check that the entries of `FACTS` hold plain names, not paths, and that counts are counts.

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
    counts = content.get(COUNTS)
    if counts is None:
        return
    if not isinstance(counts, list) or len(counts) != n_classes:
        raise InputError(f"`{COUNTS}` must be a list of {n_classes} numbers")
    if not all(type(n) is int and n >= 0 for n in counts) or not any(counts):
        raise InputError(f"`{COUNTS}` must be whole numbers from 0, not all 0")
