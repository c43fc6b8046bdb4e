"""Two reports side by side: a page, and a table for a terminal."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cgan.config.schema import GanConfig
from cgan.io.files import output_folder
from cgan.io.journal import PATIENCE, commit, locked
from cgan.metrics.registry import METRICS
from cgan.metrics.results import Results, Score
from cgan.reporting import tables
from cgan.reporting.comparing import curves
from cgan.reporting.comparing.entries import REAL, Entry
from cgan.reporting.comparing.labels import not_comparable
from cgan.reporting.gallery import Tile, read_samples
from cgan.reporting.rendering import link, render
from cgan.reporting.verdict import Check, find_verdict
from cgan.runtime.progress import WIDTH, wrapped
from cgan.runtime.wording import clipped

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_PART = 40  # letters of a run's name in the name of a page
LONGEST_VALUE = 60  # letters of a setting
LONGEST_HEAD = 24  # letters of a run's name above a column
GAP = "  "  # between the columns of a terminal
UNLABELLED_ROWS = 3  # rows of samples that are shown where no class was requested
OVERLAP, UNKNOWN = "intervals overlap", "interval not known"
LABEL = (
    "FCD on validation images over the seconds of training, a line for each of the two runs; the "
    "numbers are in each report's history.csv"
)


@dataclass(frozen=True)
class MetricRow:
    """A metric of two reports; `said` tells whether the intervals overlap."""

    title: str
    values: list[str]
    intervals: list[str]
    real: str
    said: str


@dataclass(frozen=True)
class SampleRow:
    """Images of one class of two reports, to be shown under each other; None: no such images."""

    label: int | None
    tiles: list[Tile | None]


Pair = tuple[Entry, Entry]


def write_side_by_side(pair: Pair, folder: Path) -> Path:
    """Write compare-A+B.html, a page of two reports; return its path.

    Raises:
        InputError: the folder cannot be written to, another process is writing to it, or the
            samples of a report are damaged.
    """
    with output_folder(folder, "--out"), locked(folder, wait=PATIENCE):
        name = page_name(pair)
        commit(folder, {name: _page(pair, folder)})
    return folder / name


def page_name(pair: Pair) -> str:
    """Return the name of the page of two reports, which is safe whatever they are called."""
    parts = [UNSAFE.sub("-", entry.results.run)[:LONGEST_PART].strip("-.") for entry in pair]
    return f"compare-{'+'.join(part or 'run' for part in parts)}.html"


def _page(pair: Pair, folder: Path) -> bytes:
    names = run_names(pair)
    verdicts = [find_verdict(entry.results, entry.history) for entry in pair]
    same_names = pair[0].results.class_names == pair[1].results.class_names
    histories = [
        (name, entry.history)
        for name, entry in zip(names, pair, strict=True)
        if entry.history is not None
    ]
    drawn = None
    if curves.drawable(histories, ["fcd"]):
        drawn = Markup(curves.inline(curves.vector("fcd", histories, ["fcd"]), LABEL))
    return render(
        "side_by_side.html",
        names=names,
        short=[clipped(name, LONGEST_HEAD) for name in names],
        reports=[entry.results for entry in pair],
        links=[link(e.folder / "index.html", folder) if e.folder else None for e in pair],
        caution=not_comparable([entry.results for entry in pair]),
        verdicts=verdicts,
        checks=_questions(verdicts[0].checks, verdicts[1].checks),
        metrics=metric_rows(pair),
        samples=_samples(pair),
        noun=pair[0].results.noun,
        named=bool(pair[0].results.class_names) and same_names,
        name=pair[0].results.name_of if same_names else str,
        curves=drawn,
        settings=_settings(pair),
        unknown=[name for name, entry in zip(names, pair, strict=True) if not entry.config],
    )


def run_names(pair: Pair) -> tuple[str, str]:
    """Return the names of two runs; of equal ones, those of their folders, or numbered."""
    first, second = (entry.results.run for entry in pair)
    if first == second:
        first, second = (e.folder.name if e.folder else e.results.run for e in pair)
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")


def _questions(
    first: Sequence[Check], second: Sequence[Check]
) -> list[tuple[str, list[Check | None]]]:
    """Return every question with the answers of both; None: not asked."""
    asked: dict[str, list[Check | None]] = {}
    for place, checks in enumerate((first, second)):
        for check in checks:
            asked.setdefault(check.question, [None, None])[place] = check
    return list(asked.items())


def metric_rows(pair: Pair) -> list[MetricRow]:
    """Return a row for each metric that one of two reports has."""
    results = [entry.results for entry in pair]
    comparable = not not_comparable(results)
    rows = []
    for name, metric in METRICS.items():
        scores = [one.metrics.get(name) for one in results]
        if any(scores):
            title = tables.title(name, results[0].noun, short=True)
            rows.append(
                MetricRow(
                    f"{title} {tables.ARROWS[metric.better]}",
                    [tables.worded(name, score.value if score else None) for score in scores],
                    [_interval(name, score) for score in scores],
                    _real(name, scores),
                    _compared(scores, run_names(pair)) if comparable else "not comparable",
                )
            )
    return rows


def _real(name: str, scores: Sequence[Score | None]) -> str:
    """Return the value of real images; both where they differ."""
    known = [tables.worded(name, score.real) for score in scores if score is not None]
    return " / ".join(dict.fromkeys(known))


def _interval(name: str, score: Score | None) -> str:
    ends = _ends(score)
    return " to ".join(tables.worded(name, end) for end in ends) if ends else ""


def _ends(score: Score | None) -> tuple[float, float] | None:
    """Return the ends of an interval, if they are known."""
    if score is None or score.low is None or score.high is None:
        return None
    return score.low, score.high


def _compared(scores: Sequence[Score | None], names: Sequence[str]) -> str:
    """Return whether two intervals overlap, or which one is higher; empty if a score is missing."""
    if not all(scores):
        return ""
    first, second = (_ends(score) for score in scores)
    if first is None or second is None:
        return UNKNOWN
    if first[0] <= second[1] and second[0] <= first[1]:
        return OVERLAP
    return f"{names[0] if first > second else names[1]} is higher"


def _samples(pair: Pair) -> list[SampleRow]:
    """Return rows of samples of the same class; of images without a request, some rows."""
    found: list[dict[int | None, list[Tile]]] = []
    for entry in pair:
        rows: dict[int | None, list[Tile]] = {}
        for tile in read_samples(entry.folder, entry.results) if entry.folder else []:
            rows.setdefault(tile.cells[0].label, []).append(tile)
        found.append(rows)
    labels = sorted({label for rows in found for label in rows if label is not None})
    shown = [SampleRow(label, [_nth(rows, label, 0) for rows in found]) for label in labels]
    for i in range(UNLABELLED_ROWS):
        tiles = [_nth(rows, None, i) for rows in found]
        shown += [SampleRow(None, tiles)] if any(tiles) else []
    return shown


def _nth(rows: dict[int | None, list[Tile]], label: int | None, n: int) -> Tile | None:
    of_label = rows.get(label, [])
    return of_label[n] if n < len(of_label) else None


def _settings(pair: Pair) -> list[tuple[str, str, str]]:
    """Return name and values of the settings that differ.

    Those of the training only if both are known; a field that is newer than a run has its default.
    """
    first, second = (_scoring(entry.results) for entry in pair)
    if all(entry.config for entry in pair):
        first, second = (
            {**asdict(GanConfig()), **entry.config, **scoring}
            for entry, scoring in zip(pair, (first, second), strict=True)
        )
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    return [
        (key.replace("_", " "), _worded(first.get(key)), _worded(second.get(key))) for key in keys
    ]


def _scoring(results: Results) -> dict[str, Any]:
    return {
        "recipe": results.recipe,
        "dataset": results.dataset,
        "images": f"{results.n_samples:,}",
        "seed of the noise": results.seed,
        "judge": results.judge.name,
        "guide": results.guide.name if results.guide else None,
        "version of cgan": results.provenance.version,
    }


def _worded(value: object) -> str:
    return "-" if value is None else clipped(str(value), LONGEST_VALUE)


def side_by_side_text(pair: Pair) -> str:
    """Return verdicts and metrics of two reports for a terminal, at most WIDTH columns wide."""
    rows = metric_rows(pair)
    real = [REAL, *(row.real for row in rows)]
    titles = ["metric", *(row.title for row in rows)]
    left = WIDTH - max(map(len, titles)) - max(map(len, real)) - 3 * len(GAP)
    names = [clipped(name, max(left // 2, 8)) for name in run_names(pair)]
    columns = [titles, *([name, *(row.values[i] for row in rows)] for i, name in enumerate(names))]
    widths = [max(map(len, column)) for column in [*columns, real]]
    lines = []
    for title, *cells in zip(*columns, real, strict=True):
        shown = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append(GAP.join([title.ljust(widths[0]), *shown]).rstrip())
    caution = not_comparable([entry.results for entry in pair])
    said = [f"not comparable: {caution}"] if caution else []
    for name, entry in zip(names, pair, strict=True):
        said.append(f"{name}: {find_verdict(entry.results, entry.history)}")
    return "\n".join([*map(wrapped, said), *lines])
