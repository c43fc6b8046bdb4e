"""The content of several reports: one row a run, and means over the seeds of a recipe."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cgan.config.schema import GanConfig
from cgan.metrics.registry import METRICS
from cgan.metrics.results import Results
from cgan.reporting import tables
from cgan.reporting.comparing.labels import LONGEST, kind_labels
from cgan.reporting.gallery import Tile, read_strip
from cgan.reporting.read import find_report, read_history, read_results
from cgan.runtime.errors import InputError, lookup
from cgan.runtime.wording import clipped

REAL = "real images"
# settings that may differ between seeds of the same kind
ALIKE = {"seed", "device", "precision", "log_interval", "checks", "dry_run"}
WHOLE = ("seed", "n_samples", "warnings", "config.seed")  # columns that real images lack
Say = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """The content of one report."""

    results: Results
    history: pd.DataFrame | None
    folder: Path | None = None
    strip: Tile | None = None  # some of its images

    @property
    def config(self) -> dict[str, Any]:
        """The config of the training; empty for images from elsewhere."""
        return self.results.provenance.config or {}

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of training and scoring that distinguish runs, without the seed.

        A field that is newer than the run has its default.
        """
        trained = {"run": self.results.run}
        if self.config:
            trained = {**asdict(GanConfig()), **self.config}
        scored = {"n_samples": self.results.n_samples, "judge": self.results.judge.name}
        return {key: value for key, value in {**trained, **scored}.items() if key not in ALIKE}

    @property
    def kind(self) -> str:
        """A key that is equal for runs that differ only in their seed."""
        return json.dumps(self.settings, sort_keys=True)

    @property
    def warnings(self) -> list[str]:
        """The warnings by name."""
        return [warning.kind.replace("_", " ") for warning in self.results.warnings]

    def row(self) -> dict[str, Any]:
        """Return the run's row: its name, training, metrics and config."""
        results, worst = self.results, tables.worst(self.results)
        seconds = None if self.history is None else float(self.history["seconds"].iloc[-1])
        return {
            "run": results.run,
            "dataset": results.dataset,
            "recipe": results.recipe,
            "conditional": results.conditional,
            "seed": self.config.get("seed"),
            "seconds": seconds,
            "n_samples": results.n_samples,
            "warnings": len(self.warnings),
            "warning_names": ", ".join(self.warnings),
            **{name: _number(results, name, "value") for name in METRICS},
            tables.WORST_CLASS: worst.accuracy if worst else np.nan,
            **{f"config.{key}": value for key, value in self.config.items()},
        }


def _number(results: Results, name: str, key: str) -> float:
    score = results.metrics.get(name)
    value = None if score is None else getattr(score, key)
    return np.nan if value is None else float(value)


def find_entries(
    runs: Sequence[str],
    reports_dir: Path,
    dataset: str | None = None,
    say: Say = lambda _: None,
) -> list[Entry]:
    """Read the reports of runs, by name or folder; all in `reports_dir` where none is named.

    Only those of `dataset`, if one is given. Where none is named, one that cannot be read is left
    out, and `say` gets the reason.

    Raises:
        InputError: there is no such report, one cannot be read, or they are of several data sets.
    """
    entries = named_entries(runs, reports_dir) if runs else _all_entries(reports_dir, say)
    if not entries:
        raise InputError(f"there is no report in {reports_dir}; run cgan evaluate first")
    names = sorted({entry.results.dataset for entry in entries})
    if dataset is not None:
        lookup(dict.fromkeys(names), dataset, "data set with a report")
        return [entry for entry in entries if entry.results.dataset == dataset]
    if len(names) > 1:
        raise InputError(
            f"the reports are of several data sets ({', '.join(names)}), whose scores are not "
            "comparable; choose one with --dataset"
        )
    return entries


def named_entries(runs: Sequence[str], reports_dir: Path) -> list[Entry]:
    """Read the reports of runs, by name or folder, of whatever data sets they are.

    Raises:
        InputError: there is no such report, or one cannot be read.
    """
    return [_entry(find_report(run, reports_dir)) for run in runs]


def _all_entries(reports_dir: Path, say: Say) -> list[Entry]:
    entries = []
    for path in sorted(reports_dir.glob("*/results.json")):
        try:
            entries.append(_entry(path.parent))
        except InputError as error:
            say(f"left out: {error}")
    return entries


def _entry(folder: Path) -> Entry:
    results = read_results(folder)
    return Entry(results, read_history(folder), folder, read_strip(folder, results))


def board(entries: list[Entry]) -> pd.DataFrame:
    """Return one row a run under one of real images, whose metrics are means over the reports."""
    real = {name: _mean([_number(e.results, name, "real") for e in entries]) for name in METRICS}
    first = {"run": REAL, "dataset": entries[0].results.dataset, **real}
    rows = [first, *(entry.row() for entry in entries)]
    table = pd.DataFrame(rows)
    for name in WHOLE:  # not as floats, which would round large seeds
        if name in table:
            table[name] = pd.array([row.get(name) for row in rows], dtype="Int64")
    return table


def groups(entries: list[Entry]) -> pd.DataFrame:
    """Return one row for all seeds of a kind: of each metric the mean and the spread, and n.

    The spread is the standard deviation over the runs, NaN of a single one. A seed that was scored
    twice counts once. `recipe` is a short label; `apart` has the settings that it had to leave out.
    `warnings` counts the runs of each warning. `first` is the place in `entries` of the first run.
    """
    members: dict[str, list[int]] = {}
    for place, entry in enumerate(entries):
        same = members.setdefault(entry.kind, [])
        if entry.config.get("seed") not in [entries[i].config.get("seed") for i in same]:
            same.append(place)
    labels = _labels([entries[same[0]] for same in members.values()])
    rows = []
    for (kind, same), (label, apart) in zip(members.items(), labels, strict=True):
        runs = pd.DataFrame([entries[i].row() for i in same])
        raised = Counter(name for i in same for name in entries[i].warnings)
        row: dict[str, Any] = {"recipe": label, "apart": apart, "n": len(same), "kind": kind}
        row |= {"warnings": _counted(raised, len(same)), "first": same[0]}
        for name in (*METRICS, "seconds", tables.WORST_CLASS):
            values = runs[name].astype(float)
            row[name], row[f"{name}_spread"] = values.mean(), values.std()
        rows.append(row)
    return pd.DataFrame(rows)


def _counted(raised: Counter[str], n: int) -> str:
    """Return warnings by name, each with the number of runs that it was raised for."""
    return ", ".join(f"{name} {count} of {n}" if n > 1 else name for name, count in raised.items())


def _labels(kinds: list[Entry]) -> list[tuple[str, str]]:
    """Return a short label for each kind, and the settings that it had to leave out."""
    recipes: dict[str, list[int]] = {}
    labels = [(clipped(entry.results.run, LONGEST), "") for entry in kinds]
    for place, entry in enumerate(kinds):
        if entry.results.recipe is not None:
            recipes.setdefault(entry.results.recipe, []).append(place)
    for recipe, places in recipes.items():
        found = kind_labels(recipe, [kinds[place].settings for place in places])
        for place, label in zip(places, found, strict=True):
            labels[place] = label
    return labels


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan
