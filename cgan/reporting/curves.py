"""The figure of several runs over the time of their training."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cgan.reporting.figures import BLUE, GREY, ORANGE

# combined with line styles, so that lines differ in more than colour
COLOURS = (BLUE, ORANGE, "#00806a", "#a3428f", "#7a5c00", "#3d3d3d")
# by column: title and, where there is one, the ideal
PANELS: dict[str, tuple[str, float | None]] = {
    "judge_accuracy": ("judge accuracy", 1.0),
    "d_error": ("discriminator's error", 0.5),
    "fcd": ("FCD", None),
    "coverage": ("coverage", None),
}
LONGEST_TITLE = 80
STYLES: tuple[Any, ...] = ("-", "--", "-.", ":")


def curves(histories: Sequence[tuple[str, pd.DataFrame]]) -> Figure:
    """Draw several runs (title, history) over the seconds of training; a title has one colour.

    A panel each: judge accuracy and the discriminator's error, with their ideals, FCD and
    coverage; each shows the runs that have it.
    """
    titles = list(dict.fromkeys(title for title, _ in histories))
    columns = [name for name in PANELS if any(name in history for _, history in histories)]
    figure = Figure(figsize=(11.4, 3.4), dpi=110, layout="constrained")
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
        text.set_parse_math(False)  # dollar signs must not start a formula
    return figure
