"""The figures that show every class of a report: accuracy, confusion, histogram."""

import unicodedata
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from cgan.data.spec import plural
from cgan.reporting.figures import BLUE, INK, WIDTH, new
from cgan.runtime.wording import clipped

BLUES = mpl.colormaps["Blues"]
MIDDLE = 0.179  # luminance at which black and white have the same contrast
ACROSS, DOWN = 300.0, 290.0  # points: the least room of a figure for the names of its classes
LETTER, LINE = 5.5, 12.0  # points: the width and the height of a letter of a name
LONGEST = 20  # letters of the name of a class; longer ones are shortened
SMALLEST, LARGEST = 6.0, 8.0  # points of the counts in a confusion matrix
MANY = 30  # classes, for whose names and numbers a figure has no room
FINEST = 250  # cells along a side of the confusion of many classes
STEPS = (1, 2, 5, 10)  # of a scale of counts
MOST_NUMBERS = 9  # of classes on an axis, unless all are named
FEWEST = 5  # classes for which a histogram has room, so that bars are not too wide


def confusion(table: pd.DataFrame) -> Figure:
    """Draw requested x judged as shares of a row; counts stand in the cells if they fit."""
    counts = table.to_numpy()
    # the square root keeps a few mistakes visible beside a thousand hits
    shares = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    figure = new(WIDTH, 0.92 * WIDTH)
    axes = figure.subplots()
    if len(counts) > MANY:
        _confusion_of_many(axes, shares)
        return figure
    edges = np.arange(len(counts) + 1) - 0.5
    axes.pcolormesh(edges, edges, shares, cmap=BLUES, vmin=0, vmax=1, edgecolors="face")
    digits = len(str(counts.max()))
    size = min(LARGEST, ACROSS / len(counts) / (digits * LETTER / mpl.rcParams["font.size"]))
    if size >= SMALLEST:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = letters_on(BLUES(shares[row, column]))
                where = {"ha": "center", "va": "center", "fontsize": size, "color": colour}
                axes.text(column, row, str(count), **where)
    axes.invert_yaxis()
    _name_classes(axes, table)
    names, step = _names(table), _step(len(table), DOWN / LINE)
    axes.set_yticks(range(0, len(names), step), names[::step], parse_math=False)
    axes.set_xlabel("judged")
    axes.set_ylabel("requested")
    return figure


def _confusion_of_many(axes: Axes, shares: NDArray[np.float64]) -> None:
    """Draw a matrix [K, K] as a picture of at most FINEST cells a side, by the numbers of classes.

    A cell of several classes has the colour of the largest share in it, so that no mistake is lost.
    """
    n, step = len(shares), -(-len(shares) // FINEST)
    whole = -(-n // step) * step
    padded = np.pad(shares, (0, whole - n))
    cells = padded.reshape(whole // step, step, whole // step, step).max(axis=(1, 3))
    place = (-0.5, whole - 0.5, whole - 0.5, -0.5)
    axes.imshow(cells, cmap=BLUES, vmin=0, vmax=1, interpolation="none", extent=place)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xticks(_some_numbers(n))
    axes.set_yticks(_some_numbers(n))
    axes.set_xlabel("number of the judged class")
    axes.set_ylabel("number of the requested class")


def letters_on(colour: tuple[float, ...]) -> str:
    """Return black or white: which of them is legible on a colour (WCAG 2.2, at least 4.5 to 1).

    Args:
        colour: red, green and blue in [0, 1]; what follows them is not looked at.
    """
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in colour[:3]]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return "#000000" if luminance > MIDDLE else "#ffffff"


def histogram(table: pd.DataFrame) -> Figure:
    """Draw how many images the judge assigns to each class, beside real images.

    Of many classes, sorted by their real images, these are an outline around the bars; of few they
    are hatched bars.
    """
    if len(table) > MANY:
        table = table.sort_values("real", ascending=False)
    figure = new(WIDTH, 0.6 * WIDTH + _below(table))
    axes = figure.subplots()
    places = np.arange(len(table))
    if len(table) > MANY:
        edges = np.arange(len(table) + 1) - 0.5
        axes.stairs(table["generated"], edges, label="generated", fill=True, color=BLUE)
        axes.stairs(table["real"], edges, label="real", color=INK, linewidth=1.2)
    else:
        axes.bar(places - 0.2, table["generated"], 0.4, label="generated", color=BLUE)
        bars = axes.bar(places + 0.2, table["real"], 0.4, label="real", linewidth=0.8)
        for bar in bars:
            bar.set(facecolor="none", edgecolor=INK, hatch="////")
    _name_classes(axes, table)
    middle, half = (len(table) - 1) / 2, max(len(table), FEWEST) / 2 + 0.1
    axes.set_xlim(middle - half, middle + half)
    axes.set_xlabel(f"judged {table.index.name}")
    if len(table) > MANY:
        axes.set_xlabel(f"{len(table)} {plural(str(table.index.name))}, by their real images")
    axes.set_ylabel("images")
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=STEPS, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(0, 1.05 * max(table["generated"].max(), table["real"].max(), 1))
    _legend_above(axes)
    return figure


def accuracy(table: pd.DataFrame, real: float) -> Figure:
    """Draw each class's accuracy with its 95% interval; a line shows real images.

    Many classes are sorted by their accuracy.
    """
    if len(table) > MANY:
        table = table.sort_values(["accuracy", "high"])
    figure = new(WIDTH, 0.6 * WIDTH + _below(table))
    axes = figure.subplots()
    places = np.arange(len(table))
    value = table["accuracy"]
    spread = np.vstack([value - table["low"], table["high"] - value]).clip(min=0)
    size: dict[str, Any] = {"capsize": 3}
    if len(table) > MANY:
        size = {"markersize": 2, "elinewidth": 0.6}
    axes.errorbar(places, value, yerr=spread, fmt="o", color=BLUE, label="generated", **size)
    axes.axhline(real, color=INK, linestyle="--", linewidth=1, label="all real images")
    _name_classes(axes, table)
    lowest, highest = axes.get_ylim()
    axes.set_ylim(max(lowest, -0.02), min(highest, 1 + 0.03 * (1 - lowest)))  # no share is above 1
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(f"requested {table.index.name}")
    if len(table) > MANY:
        axes.set_xlabel(f"{len(table)} {plural(str(table.index.name))}, from the lowest")
    axes.set_ylabel("judge accuracy")
    _legend_above(axes)
    return figure


def _legend_above(axes: Axes) -> None:
    """Put the legend above the axes, where it covers nothing."""
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.2)


def _name_classes(axes: Axes, table: pd.DataFrame) -> None:
    """Write the names of classes below the axes, upright if they are long; none of many."""
    if len(table) > MANY:
        axes.set_xticks([])
        return
    names = _names(table)
    upright = _below(table) > 0
    step = _step(len(names), ACROSS / (LINE if upright else _room(names)))
    rotation = 90 if upright else 0
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=rotation, parse_math=False)


def _below(table: pd.DataFrame) -> float:
    """Return the inches that names take below the axes; 0 if they stand side by side."""
    if len(table) > MANY:
        return 0.0
    names = _names(table)
    wide = _room(names) * max(len(names), FEWEST) > ACROSS
    upright = wide and not all(name.isdigit() for name in names)
    return _room(names) / 72 if upright else 0.0


def _room(names: list[str]) -> float:
    """Return the points that the longest name takes."""
    return (max(map(_letters, names)) + 1) * LETTER


def _letters(name: str) -> int:
    """Return the width of a name in letters; those of East Asian scripts are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)


def _names(table: pd.DataFrame) -> list[str]:
    """Return the names of the classes, shortened where they are long."""
    names = map(str, table.get("name", table.index))
    return [clipped(name, LONGEST) for name in names]


def _some_numbers(n: int) -> list[int]:
    """Return some round numbers of `n` classes for an axis."""
    places = MaxNLocator(MOST_NUMBERS, steps=STEPS, integer=True).tick_values(0, n - 1)
    return [int(place) for place in places if 0 <= place < n]


def _step(n: int, most: float) -> int:
    """Return the step at which at most `most` of `n` names are left."""
    return max(1, -(-n // max(1, int(most))))
