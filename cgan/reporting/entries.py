"""The content of several reports: one row a run, and means over the seeds of a recipe."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cgan.config.schema import GanConfig
from cgan.metrics.registry import METRICS
from cgan.metrics.results import Results
from cgan.reporting import tables
from cgan.reporting.read import find_report, read_history, read_results
from cgan.runtime.errors import InputError, lookup

REAL = "real images"
# settings that may differ between seeds of the same kind
ALIKE = {"seed", "device", "precision", "log_interval", "checks", "dry_run"}
WHOLE = ("seed", "n_samples", "warnings", "config.seed")  # columns that real images lack


@dataclass(frozen=True)
class Entry:
    """The content of one report."""

    results: Results
    history: pd.DataFrame | None

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
            "warnings": len(results.warnings),
            **{name: _number(results, name, "value") for name in METRICS},
            tables.WORST_CLASS: worst.accuracy if worst else np.nan,
            **{f"config.{key}": value for key, value in self.config.items()},
        }


def _number(results: Results, name: str, key: str) -> float:
    score = results.metrics.get(name)
    value = None if score is None else getattr(score, key)
    return np.nan if value is None else float(value)


def find_entries(
    runs: list[str],
    reports_dir: Path,
    dataset: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Entry]:
    """Read the reports of runs, by name or folder; all in `reports_dir` where none is named.

    Only those of `dataset`, if one is given. Where none is named, one that cannot be read is left
    out, and `say` gets the reason.

    Raises:
        InputError: there is no such report, one cannot be read, or they are of several data sets.
    """
    folders = [find_report(run, reports_dir) for run in runs]
    if not runs:
        folders = sorted(path.parent for path in reports_dir.glob("*/results.json"))
    entries = []
    for folder in folders:
        try:
            entries.append(Entry(read_results(folder), read_history(folder)))
        except InputError as error:
            if runs:
                raise
            say(f"left out: {error}")
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
    twice counts once.
    """
    members: dict[str, list[Entry]] = {}
    for entry in entries:
        same = members.setdefault(entry.kind, [])
        if entry.config.get("seed") not in [other.config.get("seed") for other in same]:
            same.append(entry)
    rows = []
    for kind, same in members.items():
        runs = pd.DataFrame([entry.row() for entry in same])
        row: dict[str, Any] = {"recipe": _title(same[0], members), "n": len(same), "kind": kind}
        for name in (*METRICS, "seconds", tables.WORST_CLASS):
            values = runs[name].astype(float)
            row[name], row[f"{name}_spread"] = values.mean(), values.std()
        rows.append(row)
    return pd.DataFrame(rows)


def _title(entry: Entry, members: dict[str, list[Entry]]) -> str:
    """Return the recipe's name, and the settings that differ from other kinds of the recipe."""
    recipe = entry.results.recipe
    if recipe is None:
        return str(entry.results.run)
    others = [same[0] for same in members.values() if same[0].results.recipe == recipe]
    apart = [
        f"{key} {value}"
        for key, value in entry.settings.items()
        if any(other.settings.get(key) != value for other in others)
    ]
    return ", ".join([recipe, *apart])


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan
