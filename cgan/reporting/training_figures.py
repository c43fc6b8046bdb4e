"""The figures of a training: losses, outputs of the discriminator and scores over the epochs."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter

from cgan.reporting.figures import BLUE, GREY, INK, ORANGE, WIDTH, new

PANELS: dict[str, tuple[str, dict[str, str]]] = {
    "loss": ("loss", {"d_loss": "discriminator", "g_loss": "generator"}),
    "discriminator": (
        "discriminator",
        {"d_real": "D(x)", "d_fake": "D(G(z))", "d_error": "error (ideal 50%)"},
    ),
    "shares": (
        "share of the validation images",
        {"guide_accuracy": "guide accuracy", "judge_accuracy": "judge accuracy"}
        | {"coverage": "coverage"},
    ),
    "fcd": ("FCD, validation images", {"fcd": "generated"}),
}
PERCENT = {"discriminator", "shares"}
MARKED = 20  # fewer scores are marked by dots
STEPS = (1, 2, 5)  # of a decade, at which a logarithmic scale has numbers,
FEW_DECADES = 3  # if it has at most so many; otherwise each decade has one


def panels(history: pd.DataFrame) -> list[str]:
    """Return the names of the panels for which a history has data."""
    return [name for name in PANELS if _known(history, name)]


def _known(history: pd.DataFrame, name: str) -> dict[str, str]:
    """Return the columns of a panel with data, and their labels."""
    columns = PANELS[name][1]
    return {key: columns[key] for key in columns if key in history and history[key].notna().any()}


def training(history: pd.DataFrame) -> Figure:
    """Draw all panels of `PANELS` with data, side by side."""
    names = panels(history)
    figure = new(11.4, 3.0)
    for place, name in enumerate(names, 1):
        _draw_panel(figure.add_subplot(1, len(names), place), history, name)
    return figure


def panel(history: pd.DataFrame, name: str) -> Figure:
    """Draw losses, discriminator outputs or scores over the epochs; mark the kept checkpoint."""
    figure = new(WIDTH, 0.55 * WIDTH)
    _draw_panel(figure.subplots(), history, name)
    return figure


def _draw_panel(axes: Axes, history: pd.DataFrame, name: str) -> None:
    columns = _known(history, name)
    _lines(axes, history, columns)
    if name in PERCENT:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if name == "fcd":
        _scale_by_decades(axes, history["fcd"])
    kept = history[history["kept"] == 1]["epoch"].tail(1) if "kept" in history else ()
    for epoch in kept:
        axes.axvline(epoch, color=INK, linestyle=(0, (1, 1)), linewidth=1.5, label="kept")
    axes.set_xlim(left=0)
    axes.set_title(PANELS[name][0], fontsize=10)
    axes.set_xlabel("epoch")
    axes.legend(fontsize=8)


def _scale_by_decades(axes: Axes, values: pd.Series) -> None:
    """Make the vertical scale logarithmic, if there are positive values, with plain numbers."""
    positive = values[values > 0]
    if positive.empty:
        return
    axes.set_yscale("log")
    few = positive.max() < 10**FEW_DECADES * positive.min()
    axes.yaxis.set_major_locator(LogLocator(subs=STEPS if few else (1,)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")


def _lines(axes: Axes, history: pd.DataFrame, columns: dict[str, str]) -> None:
    for (column, label), colour, style in zip(
        columns.items(), (BLUE, ORANGE, GREY), ("-", "--", "-."), strict=False
    ):
        axes.plot(
            history["epoch"],
            history[column],
            color=colour,
            linestyle=style,
            marker="o" if len(history) < MARKED else None,
            markersize=3,
            label=label,
        )
