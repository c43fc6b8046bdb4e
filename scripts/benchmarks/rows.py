"""The rows of a benchmark, one per measurement, as a CSV file and as a Markdown table."""

import csv
import math
import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from cgan.io.files import csv_bytes, write_bytes
from cgan.runtime.errors import InputError

MACHINE = "machine"  # part of the row that names the machine
NEVER = "not reached"


@dataclass(frozen=True)
class Row:
    """One measurement: the median of n values and their range; NaN if not reached."""

    part: str
    what: str
    value: float
    low: float
    high: float
    unit: str
    n: int


def summary(part: str, what: str, values: Sequence[float], unit: str) -> Row:
    """Return the row of repeated measurements; an infinite one means never reached.

    If one is NaN, all numbers of the row are NaN.
    """
    if any(map(math.isnan, values)):
        return Row(part, what, math.nan, math.nan, math.nan, unit, len(values))
    numbers = statistics.median_high(values), min(values), max(values)
    if all(map(math.isfinite, values)):
        numbers = statistics.median(values), min(values), max(values)
    value, low, high = (number if math.isfinite(number) else math.nan for number in numbers)
    return Row(part, what, value, low, high, unit, len(values))


def machine(precision: str) -> Row:
    """Return the row that names the machine and the software."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    model = found[1] if found else platform.processor() or platform.machine()
    text = (
        f"{model}, {_cores()} cores, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}, {precision}"
    )
    return Row(MACHINE, text, math.nan, math.nan, math.nan, "", 0)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read(path: Path) -> list[Row]:
    """Return the rows of a CSV file; an empty list if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return [
            Row(
                line["part"],
                line["what"],
                float(line["value"] or "nan"),
                float(line["low"] or "nan"),
                float(line["high"] or "nan"),
                line["unit"],
                int(line["n"]),
            )
            for line in csv.DictReader(stream)
        ]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the CSV file; cells of NaN are empty."""
    lines = [
        {key: "" if value != value else value for key, value in asdict(row).items()} for row in rows
    ]
    write_bytes(path, csv_bytes(lines))


def merge(old: list[Row], new: list[Row], order: Sequence[str]) -> list[Row]:
    """Return the `old` rows, with parts replaced by those of `new`, in the order of parts."""
    replaced = {row.part for row in new}
    rows = [row for row in old if row.part not in replaced] + new
    return sorted(rows, key=lambda row: [MACHINE, *order].index(row.part))


def check_same_machine(old: list[Row], now: Row, parts: Sequence[str], path: Path) -> None:
    """Check that a table will not mix measurements of two machines.

    Raises:
        InputError: rows that would stay were measured on another machine.
    """
    kept = any(row.part not in [MACHINE, *parts] for row in old)
    if kept and [row.what for row in old if row.part == MACHINE] != [now.what]:
        raise InputError(
            f"{path} was measured on another machine or with other versions or precision; "
            "measure all parts, or move it away"
        )


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table, below a line about the machine."""
    heads = ["part", "what", "median", "range", "unit", "n"]
    lines = [row.what for row in rows if row.part == MACHINE]
    lines += ["", *(f"| {' | '.join(row)} |" for row in (heads, ["---", "---", "---:"] * 2))]
    for row in rows:
        if row.part != MACHINE:
            spread = f"{worded(row.low)} to {worded(row.high)}" if row.n > 1 else ""
            spread = "" if math.isnan(row.low) else spread
            cells = [row.part, row.what, worded(row.value), spread, row.unit, str(row.n)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def worded(value: float) -> str:
    """Return a number as text of three or four digits, or "not reached" for NaN."""
    if math.isnan(value):
        return NEVER
    size = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(4, max(0, 2 - size))}f}"
