"""The tables of the leaderboard: recipes and runs, best first, the best of each column marked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cgan.metrics.registry import METRICS
from cgan.reporting import tables
from cgan.reporting.comparing.entries import REAL, Entry
from cgan.reporting.comparing.labels import LONGEST
from cgan.reporting.gallery import Tile
from cgan.reporting.rendering import link
from cgan.runtime.wording import clipped

SHOWN = (
    *("judge_accuracy", tables.WORST_CLASS, "guide_accuracy"),
    *("fcd", "precision", "recall", "coverage"),
    *("gan_train_accuracy", "intra_class_diversity", "copying_z"),
)
FIRST = "fcd"  # what rows are sorted by, if all have it
ORDERS = {"low": "ascending", "high": "descending", "real": "other"}  # as ARIA calls them
# columns of the runs' table that are shown elsewhere or in other words
NOT_REPEATED = {"config.recipe", "config.dataset", "config.seed"}


@dataclass(frozen=True)
class TableCell:
    """What a cell shows, what it is sorted by, and whether it is the best of its column."""

    text: str
    value: float | str = ""  # empty: sorted last
    best: bool = False
    link: str | None = None
    strip: Tile | None = None


@dataclass(frozen=True)
class Standings:
    """A table: its heads, the row of real images, and the others, best first."""

    title: str
    heads: list[str]
    orders: list[str]  # of each column, as it is sorted at first; empty: it is not
    real: list[TableCell]
    rows: list[list[TableCell]]


def sorted_by(rows: pd.DataFrame) -> str | None:
    """Return the metric that rows are sorted by: FCD if all have it, else the first that all have.

    None if they have no metric in common.
    """
    return next((name for name in (FIRST, *METRICS) if rows[name].notna().all()), None)


def best_first(rows: pd.DataFrame, name: str | None, real: pd.Series) -> pd.DataFrame:
    """Return rows sorted by a metric; None: as they are. Equal ones keep their order."""
    if name is None:
        return rows
    return rows.iloc[np.argsort(_faults(name, rows[name], real), kind="stable")]


def _faults(name: str, values: pd.Series, real: pd.Series) -> np.ndarray:
    """Return for each value of a metric how far it is from good: the lowest is best."""
    better = "high" if name == tables.WORST_CLASS else METRICS[name].better
    if better == "high":
        return -values.to_numpy(float)
    return values.to_numpy(float) if better == "low" else np.abs(values - real[name]).to_numpy()


def recipe_standings(
    grouped: pd.DataFrame, real: pd.Series, noun: str, strips: Sequence[Tile | None]
) -> Standings:
    """Return the table of recipes.

    Args:
        grouped: of `groups`.
        real: the row of real images of `board`.
        noun: the data set's word for a class.
        strips: images of each run.
    """
    by = sorted_by(grouped)
    ranked = best_first(grouped, by, real)
    columns = [
        [_cell(label) for label in ranked["recipe"]],
        [TableCell("", strip=strips[first]) for first in ranked["first"]],
        [_cell(n) for n in ranked["n"]],
        [_cell(names or "none") for names in ranked["warnings"]],
        [_seconds(seconds) for seconds in ranked["seconds"]],
        *(_metric_cells(name, ranked, real, spread=True) for name in SHOWN),
    ]
    heads = ["recipe", "samples", "runs", "warnings", "training"]
    blank = [TableCell("")] * (len(heads) - 1)
    first = [_cell(REAL), *blank, *(_score(name, real.get(name, np.nan)) for name in SHOWN)]
    return _standings("Recipes", heads, SHOWN, by, first, columns, noun)


def run_standings(entries: Sequence[Entry], table: pd.DataFrame, folder: Path) -> Standings:
    """Return the table of runs, with every metric and the settings that differ.

    Args:
        entries: the runs.
        table: of `board`.
        folder: of the page; a run links to its report if that is in the folder.
    """
    real, runs = table.iloc[0], table.iloc[1:].assign(place=range(len(entries)))
    noun, by = entries[0].results.noun, sorted_by(runs)
    ranked = best_first(runs, by, real)
    settings = [c for c in runs if str(c).startswith("config.") and c not in NOT_REPEATED]
    settings = [c for c in settings if runs[c].nunique(dropna=False) > 1]
    columns = [
        [_run(entries[place], folder) for place in ranked["place"]],
        *([_cell(value) for value in ranked[name]] for name in ("recipe", "seed")),
        [TableCell(f"{n:,}", n) for n in ranked["n_samples"]],
        [_cell(names or "none") for names in ranked["warning_names"]],
        [_seconds(seconds) for seconds in ranked["seconds"]],
        *(_metric_cells(name, ranked, real) for name in METRICS),
        *([_cell(value) for value in ranked[name]] for name in settings),
    ]
    heads = ["run", "recipe", "seed", "images", "warnings", "training"]
    blank = [TableCell("")] * (len(heads) - 1)
    first = [_cell(REAL), *blank, *(_score(name, real[name]) for name in METRICS)]
    first += [TableCell("")] * len(settings)
    shown = _standings("Runs", heads, tuple(METRICS), by, first, columns, noun)
    shown.heads.extend(str(c).removeprefix("config.").replace("_", " ") for c in settings)
    shown.orders.extend("" for _ in settings)
    return shown


def _standings(
    title: str,
    heads: list[str],
    metrics: Sequence[str],
    by: str | None,
    real: list[TableCell],
    columns: list[list[TableCell]],
    noun: str,
) -> Standings:
    orders = ["" for _ in heads] + [ORDERS[METRICS[n].better] if n == by else "" for n in metrics]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Standings(title, heads + [_head(name, noun) for name in metrics], orders, real, rows)


def _run(entry: Entry, folder: Path) -> TableCell:
    page = link(entry.folder / "index.html", folder) if entry.folder else None
    return replace(_cell(entry.results.run), link=page)


def _head(name: str, noun: str) -> str:
    shown = tables.title(name, noun, short=True)
    return f"{shown} {tables.ARROWS[METRICS[name].better]}" if name in METRICS else shown


def _metric_cells(
    name: str, rows: pd.DataFrame, real: pd.Series, *, spread: bool = False
) -> list[TableCell]:
    """Return the column of a metric; what reads the same as the best is marked like it.

    Nothing is marked where all read the same.
    """
    spreads = rows[f"{name}_spread"] if spread else [np.nan] * len(rows)
    cells = [_score(name, *pair) for pair in zip(rows[name], spreads, strict=True)]
    faults = _faults(name, rows[name], real)
    texts = ["" if np.isnan(value) else tables.short(name, value) for value in rows[name]]
    if np.isnan(faults).all() or len({*texts} - {""}) < 2:
        return cells
    best = texts[int(np.nanargmin(faults))]
    return [replace(cell, best=text == best) for cell, text in zip(cells, texts, strict=True)]


def _cell(value: Any) -> TableCell:
    """Return a cell of a name or a number; a long name is shown without its middle."""
    if pd.isna(value):
        return TableCell("")
    if isinstance(value, float | np.floating):
        return TableCell(f"{value:g}", float(value))
    return TableCell(clipped(str(value), LONGEST), str(value))


def _seconds(value: float) -> TableCell:
    return TableCell("") if pd.isna(value) else TableCell(f"{value:,.0f} s", float(value))


def _score(name: str, value: float, spread: float = np.nan) -> TableCell:
    if pd.isna(value):
        return TableCell("")
    shown = tables.short(name, value)
    if not pd.isna(spread):
        shown += f" ± {tables.short(name, spread).lstrip('+')}"
    return TableCell(shown, float(value))
