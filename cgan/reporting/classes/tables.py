"""The tables of a report that show its classes: a row for each, and those most often confused."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex

from cgan.metrics.results import Results
from cgan.reporting.classes.figures import MANY

# columns of the table of classes: head, format, and the column that stands beside the value
SHOWN = {
    "accuracy": ("accuracy", "{:.1%}", "95% interval"),
    "coverage": ("coverage", "{:.1%}", ""),
    "diversity": ("diversity", "{:.2f}", ""),
    "fcd": ("FCD", "{:.2f}", "real images"),
}
# from far below real images to better; black letters are legible on all colours
HEAT = LinearSegmentedColormap.from_list("heat", ["#f6b26b", "#ffffff", "#9ecae9"])
# relative difference from real images at which the colours end
SPANS: dict[Hashable, float] = {"accuracy": 0.1, "coverage": 0.5, "diversity": 0.5, "fcd": 0.5}
RANKED = ("accuracy", "coverage")  # the first that is known sorts many classes
EXTREMES = 10  # classes at each end of many
MOST_PAIRS = 15


@dataclass(frozen=True)
class ClassCell:
    """A value of a class, what stands beside it, and the colour behind it, if any."""

    text: str
    beside: str = ""
    colour: str = ""


@dataclass(frozen=True)
class ClassColumn:
    """A column of the table of classes: its heads, and a cell for each class."""

    head: str
    beside: str
    cells: list[ClassCell]


@dataclass(frozen=True)
class ClassSection:
    """What a page shows of the classes: columns, and which rows in what order.

    Attributes:
        columns: with a cell for each row of `results.per_class`.
        groups: titles with the numbers of their rows; the title is empty if all are shown.
        folded: rows of the full table if the groups are a selection, sorted; else none.
        ranked: what sorts the rows; empty: the labels.
    """

    columns: list[ClassColumn]
    groups: dict[str, list[int]]
    folded: list[int]
    ranked: str


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes of which the judge takes images of the first for the second."""

    requested: int
    judged: int
    images: int
    share: float  # of the images of the requested class


def class_section(results: Results, table: pd.DataFrame) -> ClassSection:
    """Return what a page shows of the classes: all, or of many the worst and the best.

    Args:
        results: of the report.
        table: as `cgan.reporting.tables.per_class` returns it.
    """
    columns, everything = _columns(results, table), [*range(len(table))]
    if len(table) <= MANY:
        return ClassSection(columns, {"": everything}, [], "")
    by = next((name for name in RANKED if table[name].notna().any()), None)
    if by is None:
        return ClassSection(columns, {}, everything, "")
    rows = table.reset_index(drop=True)
    # of equal ones first the class whose interval says more
    order = rows.sort_values([by, "high"], kind="stable").index.tolist()
    known = rows[rows[by].notna()]
    best = known.sort_values([by, "low"], ascending=False, kind="stable").index.tolist()
    groups = {"lowest": order[: len(known)][:EXTREMES], "highest": best[:EXTREMES]}
    return ClassSection(columns, groups, order, by)


def n_wrong(confusion: pd.DataFrame) -> int:
    """Return how many images are classified as another class than the requested one."""
    counts = confusion.to_numpy()
    return int(counts.sum() - np.trace(counts))


def strongest_pairs(confusion: pd.DataFrame | None) -> Sequence[ConfusedPair]:
    """Return the pairs of many classes with the most confused images; none of few classes.

    The confusion matrix of few classes shows all numbers.
    """
    if confusion is None or len(confusion) <= MANY:
        return []
    counts = confusion.to_numpy(copy=True)
    totals = np.maximum(counts.sum(axis=1), 1)
    np.fill_diagonal(counts, 0)
    found = np.argwhere(counts > 0)
    pairs = [
        ConfusedPair(int(i), int(j), int(counts[i, j]), float(counts[i, j] / totals[i]))
        for i, j in found
    ]
    return sorted(pairs, key=lambda pair: (-pair.images, -pair.share))[:MOST_PAIRS]


def _columns(results: Results, table: pd.DataFrame) -> list[ClassColumn]:
    """Return the columns with data, coloured by the ratio of each value to that of real images."""
    shares = _shares_of_real(results, table)
    columns = []
    for name, (head, form, beside) in SHOWN.items():
        if not table[name].notna().any():
            continue
        colours = [""] * len(table)
        if name in shares:
            scale = Normalize(1 - SPANS[name], 1 + SPANS[name], clip=True)
            colours = [to_hex(HEAT(scale(share))) for share in shares[name]]
        notes = _beside(table, name, form)
        texts = [_or_dash(form, value) for value in table[name]]
        cells = [ClassCell(*parts) for parts in zip(texts, notes, colours, strict=True)]
        columns.append(ClassColumn(head, beside, cells))
    return columns


def _beside(table: pd.DataFrame, name: str, form: str) -> list[str]:
    """Return the interval of accuracies, the FCD of real images, or nothing, for each class."""
    if name == "accuracy":
        both = table[["low", "high"]].notna().all(axis=1)
        ends = zip(table["low"], table["high"], both, strict=True)
        return [f"{form.format(a)} to {form.format(b)}" if known else "-" for a, b, known in ends]
    if name == "fcd":
        return [_or_dash(form, value) for value in table["fcd_real"]]
    return [""] * len(table)


def _or_dash(form: str, value: float) -> str:
    return "-" if pd.isna(value) else form.format(value)


def _shares_of_real(results: Results, table: pd.DataFrame) -> dict[Hashable, pd.Series]:
    real = max(results.judge.accuracy_real.value, 1e-9)
    shares: dict[Hashable, pd.Series] = {
        "accuracy": table["accuracy"] / real,
        # closest to 1 is best: noise varies more than real images do
        "diversity": table["diversity"].where(table["diversity"] <= 1, 1 / table["diversity"]),
        "fcd": table["fcd_real"] / table["fcd"].where(table["fcd"] > 0),
    }
    if "coverage_real" in table:
        known = table["coverage_real"].where(table["coverage_real"] > 0)
        shares["coverage"] = table["coverage"] / known
    return {name: share.fillna(1.0).clip(0, 2) for name, share in shares.items()}
