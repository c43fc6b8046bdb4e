"""The figure of several runs over the time of their training, a vector in the page's colours."""

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from cgan.reporting import figures
from cgan.reporting.figures import BLUE, GREY, ORANGE, WIDTH

# by colour: the custom property of a page's style sheet that overrides it
OTHERS = {"#00806a": "green", "#a3428f": "purple", "#7a5c00": "brown", "#3d3d3d": "black"}
# combined with line styles, so that lines differ in more than colour
COLOURS = (BLUE, ORANGE, *OTHERS)
# by column: title and, where there is one, the ideal
PANELS: dict[str, tuple[str, float | None]] = {
    "judge_accuracy": ("judge accuracy", 1.0),
    "d_error": ("discriminator's error", 0.5),
    "fcd": ("FCD", None),
    "coverage": ("coverage", None),
}
SHARES = {"judge_accuracy", "d_error", "coverage"}
PANEL_WIDTH, HEIGHT = 2.85, 3.4  # inches, where there are several panels
LONGEST_TITLE = 80
STYLES: tuple[Any, ...] = ("-", "--", "-.", ":")
History = tuple[str, pd.DataFrame]  # the title of a run, and its history


def drawable(histories: Sequence[History], wanted: Collection[str] = PANELS) -> list[str]:
    """Return the columns of `wanted` for which some history has numbers."""
    runs = [history for _, history in histories]
    return [n for n in wanted if any(n in run and run[n].notna().any() for run in runs)]


def vector(name: str, histories: Sequence[History], wanted: Collection[str] = PANELS) -> bytes:
    """Return the figure of `curves` as an SVG; `name` makes its ids unique in a page."""
    return figures.svg(name, curves, histories, wanted)


def inline(picture: bytes, label: str) -> str:
    """Return an SVG of `vector` for embedding in a page, with a label and the page's colours."""
    text = figures.inline(picture, label)
    for colour, name in OTHERS.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    return text


def curves(histories: Sequence[History], wanted: Collection[str] = PANELS) -> Figure:
    """Draw several runs over the seconds of training; a title has one colour.

    A panel for each column of `wanted` that some run has. Dotted: the ideal, where there is one.
    """
    titles = list(dict.fromkeys(title for title, _ in histories))
    columns = drawable(histories, wanted)
    width = max(WIDTH, PANEL_WIDTH * len(columns))
    figure = Figure(figsize=(width, HEIGHT), dpi=96, layout="constrained")
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
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(lambda value, _: _few(value))
        if column in SHARES:
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("seconds of training")
    _name_lines(figure, titles)
    return figure


def _few(value: float) -> str:
    """Return the label between two powers of ten: of 2 and 5 alone, so that none overlap."""
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""


def _name_lines(figure: Figure, titles: list[str]) -> None:
    handles = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], linestyle=STYLES[i % len(STYLES)])
        for i in range(len(titles))
    ]
    shown = [_printable(title) for title in titles]
    columns = 2 if figure.get_figwidth() < 2.5 * PANEL_WIDTH else 3
    legend = figure.legend(
        handles, shown, frameon=False, loc="outside lower center", ncols=columns, fontsize=9
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # dollar signs must not start a formula


def _printable(title: str) -> str:
    """Return a title that an SVG can hold; a run may have any name."""
    plain = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in title
    )
    return plain if len(plain) <= LONGEST_TITLE else f"{plain[:LONGEST_TITLE]}..."
