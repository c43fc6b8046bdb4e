"""Compares runs: one row a run, the seeds of one recipe together, real images on top."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from cgan.errors import InputError, lookup
from cgan.files import make_folder, write_bytes
from cgan.metrics import METRICS
from cgan.pictures import figure_bytes
from cgan.report import figures, tables
from cgan.report.page import embedded
from cgan.report.read import find_report, read_history, read_results

REAL = "real images"
# what a run may differ in and still be another seed of the same
ALIKE = {"seed", "device", "precision", "log_interval", "checks", "dry_run"}
SHOWN = (
    *("judge_accuracy", "guide_accuracy", "fcd", "precision", "recall", "coverage"),
    *("gan_train_accuracy", "intra_class_diversity", "copying_z"),
)
HEADS = {
    "fcd": "FCD",
    "gan_train_accuracy": "GAN-train accuracy",
    "intra_class_diversity": "diversity within a digit",
}


@dataclass(frozen=True)
class Entry:
    """What one report tells of its run."""

    results: dict[str, Any]
    history: pd.DataFrame | None

    @property
    def config(self) -> dict[str, Any]:
        """How the run was trained; nothing of images from elsewhere."""
        return self.results["provenance"].get("config") or {}

    @property
    def kind(self) -> str:
        """The same for two runs that differ in their seed alone."""
        same = {key: value for key, value in self.config.items() if key not in ALIKE}
        return json.dumps(same, sort_keys=True) if same else self.results["run"]

    def row(self) -> dict[str, Any]:
        """Return the run's row: its name, training, metrics and config."""
        results, worst = self.results, tables.worst(self.results)
        seconds = None if self.history is None else float(self.history["seconds"].iloc[-1])
        return {
            "run": results["run"],
            "dataset": results["dataset"],
            "recipe": results["recipe"],
            "conditional": results["conditional"],
            "seed": self.config.get("seed"),
            "seconds": seconds,
            "n_samples": results["n_samples"],
            "alarms": len(results["alarms"]),
            **{name: _number(results, name, "value") for name in METRICS},
            "worst_digit": worst["accuracy"] if worst else np.nan,
            **{f"config.{key}": value for key, value in self.config.items()},
        }


def _number(results: dict[str, Any], name: str, key: str) -> float:
    value = results["metrics"].get(name, {}).get(key)
    return np.nan if value is None else float(value)


def find_entries(runs: list[str], reports_dir: Path, dataset: str | None = None) -> list[Entry]:
    """Read the reports of runs, by name or folder; all in `reports_dir` where none is named.

    Only those of `dataset`, if one is given.

    Raises:
        InputError: there is no such report, one cannot be read, or they are of several data sets.
    """
    folders = [find_report(run, reports_dir) for run in runs]
    if not runs:
        folders = sorted(path.parent for path in reports_dir.glob("*/results.json"))
    if not folders:
        raise InputError(f"there is no report in {reports_dir}; run cgan evaluate first")
    entries = [Entry(read_results(folder), read_history(folder)) for folder in folders]
    names = sorted({entry.results["dataset"] for entry in entries})
    if dataset is not None:
        lookup(dict.fromkeys(names), dataset, "data set with a report")
        return [entry for entry in entries if entry.results["dataset"] == dataset]
    if len(names) > 1:
        raise InputError(
            f"the reports are of several data sets ({', '.join(names)}), and scores on one say "
            "nothing of another; choose one with --dataset"
        )
    return entries


def board(entries: list[Entry]) -> pd.DataFrame:
    """Return one row a run under one of real images, whose metrics are means over the reports."""
    real = {name: _mean([_number(e.results, name, "real") for e in entries]) for name in METRICS}
    first = {"run": REAL, "dataset": entries[0].results["dataset"], **real}
    return pd.DataFrame([first, *(entry.row() for entry in entries)])


def groups(entries: list[Entry]) -> pd.DataFrame:
    """Return one row for all seeds of a kind: of each metric the mean and the spread, and n.

    The spread is the standard deviation over the runs, NaN of a single one.
    """
    members: dict[str, list[Entry]] = {}
    for entry in entries:
        members.setdefault(entry.kind, []).append(entry)
    rows = []
    for kind, same in members.items():
        runs = pd.DataFrame([entry.row() for entry in same])
        row: dict[str, Any] = {"recipe": _title(same[0], members), "n": len(same), "kind": kind}
        for name in (*METRICS, "seconds", "worst_digit"):
            values = runs[name].astype(float)
            row[name], row[f"{name}_spread"] = values.mean(), values.std()
        rows.append(row)
    return pd.DataFrame(rows)


def _title(entry: Entry, members: dict[str, list[Entry]]) -> str:
    """Return the recipe's name, and what sets this kind apart from others of the recipe."""
    recipe = entry.results["recipe"]
    if recipe is None:
        return str(entry.results["run"])
    others = [same[0].config for same in members.values() if same[0].results["recipe"] == recipe]
    apart = [
        f"{key} {value}"
        for key, value in entry.config.items()
        if key not in ALIKE and any(other.get(key) != value for other in others)
    ]
    return ", ".join([recipe, *apart])


def write_leaderboard(entries: list[Entry], reports_dir: Path) -> Path:
    """Write leaderboard.csv, leaderboard.png and leaderboard.html; return the page's path.

    Raises:
        InputError: the folder cannot be written to.
    """
    make_folder(reports_dir, "--reports-dir")
    table = board(entries)
    write_bytes(reports_dir / "leaderboard.csv", table.to_csv(index=False).encode())
    histories = [(entry.kind, entry.history) for entry in entries if entry.history is not None]
    grouped = groups(entries)
    titles = dict(zip(grouped["kind"], grouped["recipe"], strict=True))
    picture = None
    if histories:
        picture = figure_bytes(figures.curves([(titles[kind], run) for kind, run in histories]))
        write_bytes(reports_dir / "leaderboard.png", picture)
    else:
        (reports_dir / "leaderboard.png").unlink(missing_ok=True)  # of an earlier leaderboard
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("leaderboard.html").render(
        dataset=entries[0].results["dataset"],
        judges=sorted({entry.results["judge"]["name"] for entry in entries}),
        tables=[_grouped_cells(grouped, table.iloc[0]), _run_cells(table)],
        picture=embedded(picture) if picture else None,
    )
    write_bytes(reports_dir / "leaderboard.html", page.encode())
    return reports_dir / "leaderboard.html"


def leaderboard_lines(entries: list[Entry]) -> tuple[list[str], list[list[str]]]:
    """Return heads and lines of the leaderboard of recipes, real images first."""
    content = _grouped_cells(groups(entries), board(entries).iloc[0])
    heads = [column["title"] for column in content["columns"]]
    lines = [[cell["text"] for cell in row] for row in (content["real"], *content["rows"])]
    return heads, lines


def leaderboard_text(entries: list[Entry]) -> str:
    """Return the leaderboard of recipes for a terminal."""
    heads, lines = leaderboard_lines(entries)
    return pd.DataFrame(lines, columns=heads).to_string(index=False)


def _grouped_cells(grouped: pd.DataFrame, real: pd.Series) -> dict[str, Any]:
    names = ["judge_accuracy", "worst_digit", *SHOWN[1:]]
    rows = []
    for _, row in grouped.iterrows():
        cells = [_cell(row["recipe"]), _cell(row["n"]), _seconds(row["seconds"])]
        rows.append(cells + [_score(n, row[n], row[f"{n}_spread"]) for n in names])
    first = [_cell(REAL), _cell(""), _cell(""), *(_score(n, real.get(n, np.nan)) for n in names)]
    columns = ["recipe", "n", "training", *map(_head, names)]
    return _content("Recipes", columns, first, rows)


def _run_cells(table: pd.DataFrame) -> dict[str, Any]:
    settings = [column for column in table.columns if column.startswith("config.")]
    kept = [c for c in settings if c not in ("config.recipe", "config.dataset", "config.seed")]

    def cells(row: pd.Series) -> list[dict[str, Any]]:
        begun = [_cell(row["run"]), _cell(row["recipe"]), _cell(row["seed"])]
        begun += [_seconds(row["seconds"]), _cell(row["alarms"])]
        return [*begun, *(_score(n, row[n]) for n in METRICS), *(_cell(row[c]) for c in kept)]

    columns = ["run", "recipe", "seed", "training", "alarms", *map(_head, METRICS)]
    columns += [column.removeprefix("config.").replace("_", " ") for column in kept]
    rows = [cells(row) for _, row in table.iterrows()]
    return _content("Runs", columns, rows[0], rows[1:])


def _content(title: str, columns: list[str], real: Any, rows: Any) -> dict[str, Any]:
    return {"title": title, "columns": [{"title": c} for c in columns], "real": real, "rows": rows}


def _head(name: str) -> str:
    if name not in METRICS:
        return name.replace("_", " ")
    return f"{HEADS.get(name, name.replace('_', ' '))} {tables.ARROWS[METRICS[name].better]}"


def _cell(value: Any) -> dict[str, Any]:
    """Return what a cell shows and what it is sorted by."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
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


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan
