"""Runs and reports that exist already: whether they are what is asked for; no torch."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from cgan.config.schema import ClassifierConfig, EvalConfig, GanConfig
from cgan.data.run_config import read_config
from cgan.io.run_layout import RESULTS, WEIGHTS, is_run, runs
from cgan.reporting.read import read_results
from cgan.runtime.errors import InputError

# fields of a config in which an earlier run may differ and still be used: they say how it is
# computed or shown, not what
UNIMPORTANT = {"device", "log_interval", "checkpoint_every", "on_nan"}
UNSCORED = {"device", "batch_size"}  # the same of an evaluation
Config = TypeVar("Config", ClassifierConfig, GanConfig)


@dataclass(frozen=True)
class EarlierRun:
    """A run that exists: its folder, its settings, and the whole content of its config.json."""

    folder: Path
    config: Any
    facts: Mapping[str, Any]

    def was_made_with(self, **checksums: str) -> bool:
        """Return whether the checksums of images and classifiers that it records are these."""
        return all(self.facts.get(name) == value for name, value in checksums.items())


def run_of(name: str, kind: type[Config], weights_dir: Path) -> EarlierRun | None:
    """Return an own or shipped run of a name; None if there is none, or a damaged one."""
    kinds = "gan" if kind is GanConfig else "classifier"
    folder = runs(weights_dir, kinds).get(name)
    if folder is None:
        return None
    with suppress(InputError):
        _, config, facts = read_config(folder, kind)
        return EarlierRun(folder, config, facts)
    return None


def is_taken(name: str, kind: str, weights_dir: Path) -> bool:
    """Return whether a run of that kind, or any folder of one's own, has a name."""
    return is_run(name, weights_dir, kind) or (weights_dir / name).exists()


def is_same(one: Config, other: Config) -> bool:
    """Return whether two configs ask for the same training."""
    first, second = asdict(one), asdict(other)
    return all(first[key] == second[key] for key in first.keys() - UNIMPORTANT)


def weights_sha256(classifier: str, weights_dir: Path) -> str:
    """Return the checksum of the weights of an own or shipped classifier, as runs record it."""
    path = runs(weights_dir, "classifier")[classifier] / WEIGHTS["classifier"]
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_scored(
    report: Path, weights: Path, evaluation: EvalConfig, **provenance: str | None
) -> bool:
    """Return whether a report shows a run, as it is now, with the same settings.

    Args:
        report: its folder.
        weights: the file of the run's generator.
        evaluation: the settings.
        provenance: what it must record of its origin: `source`, `judge_sha256`, `data_sha256`, ...
    """
    try:
        is_newer = (report / RESULTS).stat().st_mtime >= weights.stat().st_mtime
        made = read_results(report).provenance
    except (OSError, InputError):
        return False
    wanted, known = asdict(evaluation), made.evaluation or {}
    alike = all(known.get(key) == wanted[key] for key in wanted.keys() - UNSCORED)
    return is_newer and alike and all(getattr(made, k) == v for k, v in provenance.items())
