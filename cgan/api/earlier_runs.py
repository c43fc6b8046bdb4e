"""Runs and reports that exist already: whether they are what is asked for; no torch."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from cgan.api.plan import Plan
from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.run_config import read_config
from cgan.io.run_layout import RESULTS, WEIGHTS, is_run, runs
from cgan.reporting.read import read_results
from cgan.runtime.errors import InputError

# fields of a config in which an earlier run may differ and still be used: they say how it is
# computed or shown, not what
UNIMPORTANT = {"device", "precision", "log_interval", "checkpoint_every", "on_nan", "init"}
UNSCORED = {"device", "batch_size"}  # the same of an evaluation
Config = TypeVar("Config", ClassifierConfig, GanConfig)


@dataclass(frozen=True)
class EarlierRun:
    """A run that exists: its folder, settings, and the checksum of its training images."""

    folder: Path
    config: Any
    data_sha256: str | None


def run_of(name: str, kind: type[Config], weights_dir: Path) -> EarlierRun | None:
    """Return an own or shipped run of a name; None if there is none, or a damaged one."""
    kinds = "gan" if kind is GanConfig else "classifier"
    folder = runs(weights_dir, kinds).get(name)
    if folder is None:
        return None
    with suppress(InputError):
        _, config, facts = read_config(folder, kind)
        return EarlierRun(folder, config, facts.get("data_sha256"))
    return None


def is_taken(name: str, kind: str, weights_dir: Path) -> bool:
    """Return whether a run of that kind, or any folder of one's own, has a name."""
    return is_run(name, weights_dir, kind) or (weights_dir / name).exists()


def numbered(usual: str) -> Iterator[str]:
    """Yield a name, and that name with -2, -3, ..."""
    yield usual
    count = 1
    while True:
        count += 1
        yield f"{usual}-{count}"


def is_same(one: Config, other: Config) -> bool:
    """Return whether two configs ask for the same training."""
    first, second = asdict(one), asdict(other)
    return all(first[key] == second[key] for key in first.keys() - UNIMPORTANT)


def is_scored(folder: Path, plan: Plan, name: str, weights_dir: Path) -> bool:
    """Return whether a report shows this run, as it is now, with the same settings."""
    try:
        written = (folder / RESULTS).stat().st_mtime
        trained = (weights_dir / name / WEIGHTS["gan"]).stat().st_mtime
        made = read_results(folder).provenance
    except (OSError, InputError):
        return False
    wanted, known = asdict(plan.evaluation), made.evaluation or {}
    alike = all(known.get(key) == wanted[key] for key in wanted.keys() - UNSCORED)
    return written >= trained and made.images is None and alike
