"""Compares runs on a page: recipes averaged over seeds, then all runs; real images on top."""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from markupsafe import Markup

from cgan.io.files import output_folder
from cgan.io.journal import PATIENCE, commit, locked
from cgan.metrics.registry import METRICS
from cgan.reporting import tables
from cgan.reporting.comparing import curves
from cgan.reporting.comparing.entries import Entry, board, groups
from cgan.reporting.comparing.labels import not_comparable
from cgan.reporting.comparing.standings import (
    Standings,
    best_first,
    recipe_standings,
    run_standings,
    sorted_by,
)
from cgan.reporting.rendering import render
from cgan.runtime.progress import WIDTH, wrapped

PAGE = "leaderboard.html"
TABLE, CURVES = "leaderboard.csv", "leaderboard.svg"
EARLIER = "leaderboard.png"  # what versions before 0.2 drew
LABEL = (
    "Scores on validation images and the discriminator's error over the seconds of training, a "
    "line for each run; the numbers are in each report's history.csv"
)


def write_leaderboard(entries: list[Entry], folder: Path) -> Path:
    """Write leaderboard.html, .csv and, if a history is known, .svg; return the page's path.

    Raises:
        InputError: the folder cannot be written to, or another process is writing to it.
    """
    with output_folder(folder, "--out"), locked(folder, wait=PATIENCE):
        files = leaderboard_files(entries, folder)
        commit(folder, files, removed={EARLIER, CURVES} - files.keys())
    return folder / PAGE


def leaderboard_files(entries: list[Entry], folder: Path) -> dict[str, bytes]:
    """Return the content of the leaderboard's files by name, for a folder that links start from."""
    table, grouped = board(entries), groups(entries)
    titles = dict(zip(grouped["kind"], grouped["recipe"], strict=True))
    histories = [(titles[e.kind], e.history) for e in entries if e.history is not None]
    drawn = curves.vector("leaderboard", histories) if curves.drawable(histories) else None
    recipes = _recipes(entries, grouped, table)
    page = render(
        PAGE,
        dataset=entries[0].results.dataset,
        judges=sorted({entry.results.judge.name for entry in entries}),
        caution=not_comparable([entry.results for entry in entries]),
        sorted_by=_sorting(grouped, entries),
        tables=[recipes, run_standings(entries, table, folder)],
        apart=[row for row in zip(grouped["recipe"], grouped["apart"], strict=True) if row[1]],
        curves=Markup(curves.inline(drawn, LABEL)) if drawn else None,
    )
    files = {PAGE: page, TABLE: tables.csv_of(table, index=False)}
    return files | ({CURVES: drawn} if drawn else {})


def _recipes(entries: list[Entry], grouped: pd.DataFrame, table: pd.DataFrame) -> Standings:
    strips = [entry.strip for entry in entries]
    return recipe_standings(grouped, table.iloc[0], entries[0].results.noun, strips)


def _sorting(grouped: pd.DataFrame, entries: list[Entry]) -> str:
    """Return the title of the metric that the recipes are sorted by; empty if there is none."""
    by = sorted_by(grouped)
    return tables.title(by, entries[0].results.noun, short=True) if by else ""


def leaderboard_lines(entries: list[Entry]) -> tuple[list[str], list[list[str]]]:
    """Return heads and lines of the recipes' scores: real images first, then the best first."""
    content = _recipes(entries, groups(entries), board(entries))
    kept = [i for i, head in enumerate(content.heads) if head not in ("samples", "warnings")]
    lines = [[row[i].text for i in kept] for row in (content.real, *content.rows)]
    return [content.heads[i] for i in kept], lines


def leaderboard_text(entries: list[Entry]) -> str:
    """Return the leaderboard of recipes for a terminal, at most WIDTH columns wide."""
    heads, lines = leaderboard_lines(entries)
    table = pd.DataFrame(lines, columns=heads).set_index(heads[0])
    blocks: list[list[str]] = [[]]
    for head in heads[1:]:
        if _width(table[[*blocks[-1], head]]) > WIDTH:
            blocks.append([])
        blocks[-1].append(head)
    return "\n\n".join([*(_shown(table[block]) for block in blocks), _notes(entries)])


def _notes(entries: list[Entry]) -> str:
    """Return lines for below the table: its order, warnings, settings and what to beware of."""
    grouped = groups(entries)
    by, caution = _sorting(grouped, entries), not_comparable([e.results for e in entries])
    notes = [f"Best first, by {by}." if by else "The runs have no metric in common."]
    for label, warnings, apart in grouped[["recipe", "warnings", "apart"]].to_numpy():
        notes += [f"{label}: {apart}"] if apart else []
        notes += [f"WARNING: {label}: {warnings}"] if warnings else []
    notes += [f"Not comparable: {caution}."] if caution else []
    return "\n".join(wrapped(note) for note in notes)


def _shown(table: pd.DataFrame) -> str:
    """Return a table as lines, with the name of the rows in the line of the headings."""
    return table.reset_index().to_string(index=False)


def _width(table: pd.DataFrame) -> int:
    return max(map(len, _shown(table).splitlines()))


def leaderboard_facts(entries: list[Entry]) -> dict[str, Any]:
    """Return the leaderboard for other programs: its runs and its recipes, each best first."""
    table, grouped = board(entries), groups(entries)
    runs, real = table.iloc[1:].assign(place=range(len(entries))), table.iloc[0]
    ranked = best_first(runs, sorted_by(runs), real)["place"]
    recipes = best_first(grouped, sorted_by(grouped), real)
    return {
        "sorted_by": sorted_by(grouped),
        "not_comparable": not_comparable([entry.results for entry in entries]) or None,
        "runs": [_run_facts(entries[place]) for place in ranked],
        "recipes": [_recipe_facts(row, entries[row["first"]]) for _, row in recipes.iterrows()],
    }


def _run_facts(entry: Entry) -> dict[str, Any]:
    results = entry.results
    return {
        "name": results.run,
        "dataset": results.dataset,
        "recipe": results.recipe,
        "seed": entry.config.get("seed"),
        "judge": results.judge.name,
        "n_samples": results.n_samples,
        "warnings": [warning.kind for warning in results.warnings],
        "metrics": {name: msgspec.to_builtins(score) for name, score in results.metrics.items()},
    }


def _recipe_facts(row: pd.Series, first: Entry) -> dict[str, Any]:
    known = [name for name in (tables.WORST_CLASS, *METRICS) if not pd.isna(row[name])]
    return {
        "label": row["recipe"],
        "recipe": first.results.recipe,
        "n": int(row["n"]),
        "metrics": {
            name: {"mean": float(row[name]), "spread": float(row[f"{name}_spread"])}
            for name in known
        },
    }
