"""Compares runs on a page: recipes averaged over seeds, then all runs; real images on top."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cgan.data.grids import figure_bytes
from cgan.io.files import make_folder, write_bytes
from cgan.metrics.registry import METRICS
from cgan.reporting import curves, tables
from cgan.reporting.entries import REAL, Entry, board, groups
from cgan.reporting.gallery import embedded
from cgan.reporting.page import render
from cgan.runtime.progress import WIDTH

SHOWN = (
    *(
        "judge_accuracy",
        tables.WORST_CLASS,
        "guide_accuracy",
        "fcd",
        "precision",
        "recall",
        "coverage",
    ),
    *("gan_train_accuracy", "intra_class_diversity", "copying_z"),
)


def write_leaderboard(entries: list[Entry], reports_dir: Path) -> Path:
    """Write leaderboard.csv, leaderboard.png and leaderboard.html; return the page's path.

    Raises:
        InputError: the folder cannot be written to.
    """
    make_folder(reports_dir, "--reports-dir")
    table = board(entries)
    write_bytes(reports_dir / "leaderboard.csv", table.to_csv(index=False).encode())
    histories = [(entry.kind, entry.history) for entry in entries if entry.history is not None]
    grouped, noun = groups(entries), entries[0].results.noun
    titles = dict(zip(grouped["kind"], grouped["recipe"], strict=True))
    picture = None
    if any(name in history for _, history in histories for name in curves.PANELS):
        picture = figure_bytes(curves.curves([(titles[kind], run) for kind, run in histories]))
        write_bytes(reports_dir / "leaderboard.png", picture)
    else:
        (reports_dir / "leaderboard.png").unlink(missing_ok=True)  # of an earlier leaderboard
    page = render(
        "leaderboard.html",
        dataset=entries[0].results.dataset,
        judges=sorted({entry.results.judge.name for entry in entries}),
        tables=[_grouped_cells(grouped, table.iloc[0], noun), _run_cells(table, noun)],
        picture=embedded(picture) if picture else None,
    )
    write_bytes(reports_dir / "leaderboard.html", page)
    return reports_dir / "leaderboard.html"


def leaderboard_lines(entries: list[Entry]) -> tuple[list[str], list[list[str]]]:
    """Return heads and lines of the leaderboard of recipes, real images first."""
    noun = entries[0].results.noun
    content = _grouped_cells(groups(entries), board(entries).iloc[0], noun)
    heads = [column["title"] for column in content["columns"]]
    lines = [[cell["text"] for cell in row] for row in (content["real"], *content["rows"])]
    return heads, lines


def leaderboard_text(entries: list[Entry]) -> str:
    """Return the leaderboard of recipes for a terminal."""
    heads, lines = leaderboard_lines(entries)
    table = pd.DataFrame(lines, columns=heads).set_index(heads[0])
    blocks: list[list[str]] = [[]]
    for head in heads[1:]:
        if _width(table[[*blocks[-1], head]]) > WIDTH:
            blocks.append([])
        blocks[-1].append(head)
    return "\n\n".join(_shown(table[block]) for block in blocks)


def _shown(table: pd.DataFrame) -> str:
    """Return a table as lines, with the name of the rows in the line of the headings."""
    return table.reset_index().to_string(index=False)


def _width(table: pd.DataFrame) -> int:
    return max(map(len, _shown(table).splitlines()))


def _grouped_cells(grouped: pd.DataFrame, real: pd.Series, noun: str) -> dict[str, Any]:
    rows = []
    for _, row in grouped.iterrows():
        cells = [_cell(row["recipe"]), _cell(row["n"]), _seconds(row["seconds"])]
        rows.append(cells + [_score(n, row[n], row[f"{n}_spread"]) for n in SHOWN])
    first = [_cell(REAL), _cell(""), _cell(""), *(_score(n, real.get(n, np.nan)) for n in SHOWN)]
    columns = ["recipe", "n", "training", *(_head(name, noun) for name in SHOWN)]
    return _content("Recipes", columns, first, rows)


def _run_cells(table: pd.DataFrame, noun: str) -> dict[str, Any]:
    settings = [column for column in table.columns if column.startswith("config.")]
    kept = [c for c in settings if c not in ("config.recipe", "config.dataset", "config.seed")]

    def cells(row: pd.Series) -> list[dict[str, Any]]:
        begun = [_cell(row[name]) for name in ("run", "recipe", "seed", "n_samples", "warnings")]
        begun.append(_seconds(row["seconds"]))
        return [*begun, *(_score(n, row[n]) for n in METRICS), *(_cell(row[c]) for c in kept)]

    columns = [
        "run",
        "recipe",
        "seed",
        "images",
        "warnings",
        "training",
        *(_head(name, noun) for name in METRICS),
    ]
    columns += [column.removeprefix("config.").replace("_", " ") for column in kept]
    rows = [cells(row) for _, row in table.iterrows()]
    return _content("Runs", columns, rows[0], rows[1:])


def _content(title: str, columns: list[str], real: Any, rows: Any) -> dict[str, Any]:
    return {"title": title, "columns": [{"title": c} for c in columns], "real": real, "rows": rows}


def _head(name: str, noun: str) -> str:
    shown = tables.title(name, noun, short=True)
    return f"{shown} {tables.ARROWS[METRICS[name].better]}" if name in METRICS else shown


def _cell(value: Any) -> dict[str, Any]:
    """Return what a cell shows and what it is sorted by."""
    if pd.isna(value):
        return {"text": "", "value": ""}
    if isinstance(value, float | np.floating):
        return {"text": f"{value:g}", "value": float(value)}
    return {"text": str(value), "value": str(value)}


def _seconds(value: float) -> dict[str, Any]:
    if pd.isna(value):
        return _cell(None)
    return {"text": f"{value:,.0f} s", "value": float(value)}


def _score(name: str, value: float, spread: float = np.nan) -> dict[str, Any]:
    if pd.isna(value):
        return _cell(None)
    shown = tables.short(name, value)
    if not pd.isna(spread):
        shown += f" ± {tables.short(name, spread).lstrip('+')}"
    return {"text": shown, "value": float(value)}
