"""Finds and reads what the stages wrote."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from cgan.errors import InputError, nearest
from cgan.metrics import METRICS

NEEDED = (
    *("run", "recipe", "dataset", "n_samples", "seed", "judge", "guide"),
    *(
        "metrics",
        "left_out",
        "per_digit",
        "confusion",
        "histogram",
        "alarms",
        "conditional",
        "reference",
    ),
)
OF_A_METRIC = ("value", "low", "high", "real", "n")
OF_A_DIGIT = ("digit", "n", "accuracy", "low", "high", "coverage", "diversity", "fcd", "fcd_real")
OF_A_BAR = ("digit", "generated", "real")
CURVES = ("epoch", "d_loss", "g_loss", "d_real", "d_fake", "seconds")


def find_report(run: str | None, reports_dir: Path) -> Path:
    """Return the report folder of a run, given its name or folder; the newest for None.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if run is not None and (Path(run) / "results.json").is_file():
        return Path(run)
    known = {path.parent.name: path.parent for path in reports_dir.glob("*/results.json")}
    if run in known:
        return known[run]
    if run is not None:
        raise InputError(f"no report of a run {run!r} in {reports_dir}{nearest(run, known)}")
    if not known:
        raise InputError(f"there is no results.json in {reports_dir}; run cgan evaluate first")
    return max(known.values(), key=lambda path: (path / "results.json").stat().st_mtime_ns)


def read_results(folder: Path) -> dict[str, Any]:
    """Read a run's results.json.

    Raises:
        InputError: it is missing, damaged or lacks a part.
    """
    path = folder / "results.json"
    try:
        results = json.loads(path.read_text())
        absent = [key for key in NEEDED if key not in results]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}); run cgan evaluate again") from error
    if absent:
        raise InputError(f"{path} lacks {absent[0]!r}; run cgan evaluate again")
    try:
        _check(results)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is of another version or damaged ({error}); run cgan evaluate again"
        ) from error
    return results


def _check(results: dict[str, Any]) -> None:
    """Touch every part that the tables and the page read, so that none fails half way.

    Raises:
        KeyError, TypeError or AttributeError: one of them is not there or not of its kind.
    """
    rows = [
        (results["metrics"].values(), OF_A_METRIC),
        (results["per_digit"], OF_A_DIGIT),
        (results["histogram"], OF_A_BAR),
        (results["alarms"], ("message",)),
    ]
    for every, keys in rows:
        for row in every:
            for key in keys:
                row[key]
    for name in (*results["metrics"], *results["left_out"]):
        METRICS[name]
    results["judge"]["accuracy_real"]["value"] + 0.0
    for who in ("judge", "guide"):
        if results[who] is not None:
            results[who]["name"], results[who]["arch"]


def read_history(folder: Path) -> pd.DataFrame | None:
    """Read the history.csv of a report, or None when there is none.

    Raises:
        InputError: it is damaged or lacks a column.
    """
    path = folder / "history.csv"
    if not path.is_file():
        return None
    try:
        history = pd.read_csv(path)
        history[list(CURVES)].astype(float).iloc[-1]
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}); run cgan evaluate again") from error
    return history
