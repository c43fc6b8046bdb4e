"""Runs the chosen stress tests, and writes the table after each."""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from cgan.io.files import write_bytes
from cgan.runtime.version import __version__
from scripts.pages import markdown, rewrite
from scripts.tortures.disks import full_disks
from scripts.tortures.fuzz import fuzz
from scripts.tortures.kills import evaluations, trainings
from scripts.tortures.parsers import parsers
from scripts.tortures.pickles import refused

TOP = Path(__file__).parent.parent.parent
FILE = TOP / "docs/assets/torture.csv"
HEADS = ["torture", "times", "outcome"]
Outcome = tuple[str, int, str]  # what was done, how often, the result


def _kills(times: int | None) -> Outcome:
    found = trainings(times or 200)
    ends = f"{found['ends']} trainings came to their end, each the same as an undisturbed one"
    return "SIGKILL in a training", found["killed"], f"{found['how']}; {ends}, bit for bit"


def _evaluations(times: int | None) -> Outcome:
    found = evaluations(times or 50)
    return "SIGKILL in an evaluation", found["killed"], f"{found['how']}; no report is mixed"


def _disks(_: int | None) -> Outcome:
    points = full_disks()
    told = ", ".join(f"{name} {n}" for name, n in points.items())
    total = sum(points.values())
    return "full disk", total, f"at every point of writing ({told}); earlier results intact"


def _pickles(_: int | None) -> Outcome:
    n = refused()
    return "malicious pickle", n, "refused; its code never ran"


def _fuzz(name: str, times: int | None) -> Outcome:
    found = fuzz(name, times or 100_000, seed=0)
    told = f"{found['accepted']:,} accepted, {found['refused']:,} refused in a line"
    told += f"; slowest {found['worst_seconds']:.2f} s, memory +{found['peak_mib']} MiB"
    return f"fuzzed {name}", found["inputs"], told


PARTS: dict[str, Callable[[int | None], Outcome]] = {
    "kills": _kills,
    "evaluations": _evaluations,
    "disks": _disks,
    "pickles": _pickles,
}


def main() -> None:
    """Run the chosen parts, and print their results."""
    reader = argparse.ArgumentParser(prog="scripts/torture")
    choices = [*PARTS, "fuzz", *parsers()]
    reader.add_argument(
        "parts", nargs="*", choices=[*choices, []], help="parts to run; default: all"
    )
    reader.add_argument("--times", type=int, help="number of kills, or of damaged files")
    asked = reader.parse_args()
    parts = [part for part in asked.parts or [*PARTS, "fuzz"] if part != "fuzz"]
    if not asked.parts or "fuzz" in asked.parts:
        parts += parsers()
    rows = pd.read_csv(FILE, index_col="part").to_dict("index") if FILE.is_file() else {}
    for part in parts:
        start = time.perf_counter()
        do = PARTS.get(part) or (lambda times, part=part: _fuzz(part, times))
        try:
            what, times, outcome = do(asked.times)
        except PermissionError as error:
            sys.stderr.write(f"{part} left out: {error}\n")
            continue
        seconds = round(time.perf_counter() - start)
        rows[part] = {
            **{"torture": what, "times": times, "outcome": outcome, "seconds": seconds},
            "versions": f"cgan {__version__}, torch {torch.__version__}, {platform.system()}",
        }
        _write(rows)
        sys.stdout.write(f"{what}: {times}; {outcome} ({seconds} s)\n")


def _write(rows: dict[str, dict[str, object]]) -> None:
    order = [part for part in [*PARTS, *parsers()] if part in rows]
    table = pd.DataFrame([{"part": part, **rows[part]} for part in order])
    FILE.parent.mkdir(exist_ok=True)
    write_bytes(FILE, table.to_csv(index=False).encode())
    lines = [
        [f"{row[h]:,}" if h == "times" else row[h] for h in HEADS] for _, row in table.iterrows()
    ]
    rewrite(TOP / "docs/robustness.md", "torture", markdown(HEADS, lines))


if __name__ == "__main__":
    main()
