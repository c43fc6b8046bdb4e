"""Finds and reads what the stages wrote."""

import csv
import io
import math
from pathlib import Path

import pandas as pd

from cgan.io.run_layout import RESULTS, is_shipped_report, reports
from cgan.io.strict import FormatError, first_line, read_json, read_plain
from cgan.metrics.results import Results
from cgan.metrics.results_file import LARGEST_FILE, parse_results
from cgan.runtime.errors import InputError, nearest

LARGEST = 2**22  # bytes of a table; usual ones have thousands
LARGEST_PICTURE = 2**25
PICTURES = (b"\x89PNG\r\n\x1a\n", b"GIF8")  # what a picture starts with
LARGEST_READING = 1e30  # a diverging training has large numbers, which a figure can still show
MOST_COLUMNS, MOST_ROWS = 100, 50_000  # of history.csv
CURVES = ("epoch", "d_loss", "g_loss", "d_real", "d_fake", "seconds")


def find_report(run: str | None, reports_dir: Path) -> Path:
    """Return the report folder of a run, given its name or folder; None: the newest of one's own.

    A shipped report is found by its name, unless one's own has that name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if run is not None and (Path(run) / RESULTS).is_file():
        return Path(run)
    known = reports(reports_dir)
    if run in known:
        return known[run]
    if run is not None:
        raise InputError(f"no report of a run {run!r} in {reports_dir}{nearest(run, known)}")
    own = [folder for folder in known.values() if not is_shipped_report(folder)]
    if not own:
        raise InputError(f"there is no {RESULTS} in {reports_dir}; run cgan evaluate first")
    return max(own, key=lambda folder: (folder / RESULTS).stat().st_mtime_ns)


def read_results(folder: Path) -> Results:
    """Read a run's results.json; the result is checked, whoever wrote the file.

    Raises:
        InputError: it is missing, damaged, of a newer format, lacks a part, or a part is not what
            it should be.
    """
    path = folder / RESULTS
    try:
        content = read_json(path, LARGEST_FILE)
    except (OSError, ValueError) as error:
        reason = first_line(error)
        raise InputError(f"{path} cannot be read ({reason}); run cgan evaluate again") from error
    try:
        return parse_results(content)
    except FormatError as error:
        raise InputError(f"{path} {error}") from error
    except ValueError as error:
        reason = first_line(error)
        raise InputError(
            f"{path} is of another version or damaged ({reason}); run cgan evaluate again"
        ) from error


def read_history(folder: Path) -> pd.DataFrame | None:
    """Read the history.csv of a report, or None when there is none: floats, NaN where empty.

    Raises:
        InputError: it is damaged or lacks a column, or a cell is no number.
    """
    path = folder / "history.csv"
    if not path.is_file():
        return None
    try:
        heads, *rows = csv.reader(io.StringIO(read_plain(path, LARGEST).decode()), strict=True)
        if not rows or len(rows) > MOST_ROWS or len(heads) > MOST_COLUMNS:
            raise ValueError(f"{len(rows)} rows of {len(heads)} columns")
        if len(set(heads)) < len(heads) or {len(row) for row in rows} != {len(heads)}:
            raise ValueError("its rows differ in their number of cells, or columns in no name")
        absent = sorted(set(CURVES) - set(heads))
        if absent:
            raise ValueError(f"it lacks {absent[0]}")
        return pd.DataFrame([[_reading(cell) for cell in row] for row in rows], columns=heads)
    except (ValueError, csv.Error, OSError) as error:
        reason = first_line(error)
        raise InputError(f"{path} cannot be read ({reason}); run cgan evaluate again") from error


def _reading(text: str) -> float:
    """Return the number in a cell of a table, NaN for an empty one.

    Raises:
        ValueError: it is not a number, or out of the range that a figure can show.
    """
    number = float(text) if text else math.nan
    if abs(number) > LARGEST_READING:  # False for NaN
        raise ValueError(f"{text[:40]!a} is out of range")
    return number


def read_picture(path: Path) -> bytes | None:
    """Read a PNG or GIF of a report, or None where there is none.

    It is embedded in the page, so other content and links to other files are refused.

    Raises:
        InputError: it is no picture, or not a file of its own.
    """
    if not path.is_file():
        return None
    try:
        content = read_plain(path, LARGEST_PICTURE)
    except OSError as error:
        reason = first_line(error)
        raise InputError(f"{path} cannot be read ({reason}); remove it") from error
    if not content.startswith(PICTURES):
        raise InputError(f"{path} is neither PNG nor GIF; remove it")
    return content
