"""Where runs lie, one's own and those that ship, and what their files are called; no torch."""

import csv
import io
import math
import re
from pathlib import Path

from cgan.io.strict import read_plain
from cgan.runtime.errors import InputError

WEIGHTS = {"classifier": "classifier.safetensors", "gan": "generator.safetensors"}
SHIPPED = Path(__file__).parent.parent / "weights"  # runs that come with the package
CONFIG = "config.json"
CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.csv"
LARGEST_HISTORY = 2**22  # bytes; ours have thousands
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def plain_name(name: str) -> str:
    """Return a name that is safe as a folder's.

    Raises:
        InputError: it is none.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise InputError(f"{name!r} is no run name; use letters, digits, '.', '_' and '-'")
    return name


def runs(weights_dir: Path, kind: str) -> dict[str, Path]:
    """Return the runs of `kind` ("classifier" or "gan") by name: one's own before shipped ones."""
    found: dict[str, Path] = {}
    for root in (SHIPPED, weights_dir):
        if root.is_dir():
            found |= {f.name: f for f in sorted(root.iterdir()) if (f / WEIGHTS[kind]).is_file()}
    return {name: path for name, path in found.items() if not name.startswith(".")}


def epochs_trained(folder: Path) -> float | None:
    """Return the last epoch in a run's history, or None where that cannot be read."""
    try:
        text = read_plain(folder / HISTORY, LARGEST_HISTORY).decode()
        last = float(list(csv.DictReader(io.StringIO(text)))[-1]["epoch"])
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return None
    return last if math.isfinite(last) else None
