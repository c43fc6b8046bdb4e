"""The figures of a report."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

BLUE, ORANGE, GREY = "#0b5fa5", "#c85a00", "#8a8f98"  # tell apart without red against green
# of several runs; with the style of the line, so that colour alone tells none apart
COLOURS = (BLUE, ORANGE, "#00806a", "#a3428f", "#7a5c00", "#3d3d3d")
# what several runs are compared by: title and, where there is one, the ideal
PANELS: dict[str, tuple[str, float | None]] = {
    "judge_accuracy": ("judge accuracy", 1.0),
    "d_error": ("discriminator's error", 0.5),
    "fcd": ("FCD", None),
    "coverage": ("coverage", None),
}
LONGEST_TITLE = 80
LEGIBLE = 30  # classes whose counts have room in a confusion matrix
STYLES: tuple[Any, ...] = ("-", "--", "-.", ":")


def _new(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def confusion(table: pd.DataFrame) -> Figure:
    """Draw requested x judged as shares of a row; the number of images stands in each cell."""
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _new(5.6, 5.2)
    axes = figure.subplots()
    # the square root shows a handful of mistakes beside a thousand hits
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count and len(counts) <= LEGIBLE:
            axes.text(
                column,
                row,
                str(count),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if shares[row, column] > 0.4 else "#222222",
            )
    axes.set_xticks(range(len(counts)))
    axes.set_yticks(range(len(counts)))
    axes.set_xlabel("judged")
    axes.set_ylabel("requested")
    return figure


def histogram(table: pd.DataFrame) -> Figure:
    """Draw how often each class is judged to be drawn, beside real images."""
    figure = _new(5.6, 3.2)
    axes = figure.subplots()
    digits = np.arange(len(table))
    axes.bar(digits - 0.2, table["generated"], 0.4, label="generated", color=BLUE)
    axes.bar(digits + 0.2, table["real"], 0.4, label="real, same labels", color=GREY, hatch="//")
    axes.set_xticks(digits, [str(digit) for digit in table.index])
    axes.set_xlabel("judged class")
    axes.set_ylabel("images")
    axes.set_ylim(0, 1.25 * max(table["generated"].max(), table["real"].max(), 1))
    axes.legend(frameon=False, ncols=2, loc="upper center")
    return figure


def accuracy(table: pd.DataFrame, real: float) -> Figure:
    """Draw each digit's accuracy with its 95% interval; a line shows real images."""
    figure = _new(5.6, 3.2)
    axes = figure.subplots()
    digits = np.arange(len(table))
    value = table["accuracy"]
    spread = np.vstack([value - table["low"], table["high"] - value]).clip(min=0)
    axes.errorbar(digits, value, yerr=spread, fmt="o", color=BLUE, capsize=3, label="generated")
    axes.axhline(real, color=GREY, linestyle="--", label="all real images")
    axes.set_xticks(digits, [str(digit) for digit in table.index])
    axes.set_xlabel("requested digit")
    axes.set_ylabel("judge accuracy")
    axes.legend(frameon=False, loc="lower right")
    return figure


def training(history: pd.DataFrame) -> Figure:
    """Draw losses, discriminator readings and scores over the epochs; mark the epoch that is kept.

    The judge's scores are drawn where there are any.
    """
    panels = [
        ("loss", {"d_loss": "discriminator", "g_loss": "generator"}),
        (
            "discriminator's verdict",
            {"d_real": "D(x)", "d_fake": "D(G(z))", "d_error": "error (ideal 50%)"},
        ),
        (
            "share of the images",
            {
                "guide_accuracy": "guide accuracy",
                "judge_accuracy": "judge accuracy",
                "coverage": "coverage",
            },
        ),
        ("FCD, validation", {"fcd": "generated"}),
    ]
    drawn = [
        (title, {column: label for column, label in columns.items() if column in history})
        for title, columns in panels
    ]
    drawn = [(title, columns) for title, columns in drawn if columns]
    figure = _new(11.4, 3.0)
    marker = "o" if len(history) < 20 else None
    for axes, (title, columns) in zip(figure.subplots(1, len(drawn)), drawn, strict=True):
        for (column, label), colour, style in zip(
            columns.items(), (BLUE, ORANGE, GREY), ("-", "--", ":"), strict=False
        ):
            axes.plot(
                history["epoch"],
                history[column],
                color=colour,
                linestyle=style,
                marker=marker,
                markersize=3,
                label=label,
            )
        if "fcd" in columns:
            axes.set_yscale("log")
            kept = history[history["kept"] == 1] if "kept" in history else history[:0]
            for _, best in kept.tail(1).iterrows():
                axes.plot(best["epoch"], best["fcd"], "s", color=ORANGE, label="kept")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch")
        axes.legend(frameon=False, fontsize=8)
    return figure


def curves(histories: Sequence[tuple[str, pd.DataFrame]]) -> Figure:
    """Draw several runs (title, history) over the seconds of training; a title has one colour.

    A panel each: judge accuracy and the discriminator's error, with their ideals, FCD and
    coverage; each shows the runs that have it.
    """
    titles = list(dict.fromkeys(title for title, _ in histories))
    columns = [name for name in PANELS if any(name in history for _, history in histories)]
    figure = _new(11.4, 3.4)
    grid = figure.subplots(1, len(columns), squeeze=False)
    for axes, column in zip(grid[0], columns, strict=True):
        name, ideal = PANELS[column]
        if ideal is not None:
            axes.axhline(ideal, color=GREY, linestyle=":")
        for title, history in histories:
            if column in history:
                place = titles.index(title)
                axes.plot(
                    history["seconds"],
                    history[column],
                    color=COLOURS[place % len(COLOURS)],
                    linestyle=STYLES[place % len(STYLES)],
                    marker="." if len(history) < 20 else None,
                )
        if column == "fcd":
            axes.set_yscale("log")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("seconds of training")
    handles = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], linestyle=STYLES[i % len(STYLES)])
        for i in range(len(titles))
    ]
    # a run may have any name
    shown = [
        title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}..." for title in titles
    ]
    legend = figure.legend(
        handles, shown, frameon=False, loc="outside lower center", ncols=6, fontsize=9
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # two dollars are no formula
    return figure
