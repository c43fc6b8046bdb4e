"""The figure of a benchmark: training speed, and time to quality."""

import io
import math
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cgan.io.files import write_bytes
from cgan.reporting.figures import BLUE, GREY, ORANGE
from scripts.benchmarks.quality import LEVELS, goal
from scripts.benchmarks.rows import NEVER, Row, worded
from scripts.benchmarks.training import BASELINE_EPOCH

Found = dict[tuple[str, str, str], Row]


def draw(rows: list[Row], path: Path) -> None:
    """Write the figure of the measured parts, 900 pixels wide."""
    found = {(row.part, row.what, row.unit): row for row in rows}
    figure = Figure(figsize=(9, 3.4), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    _throughput(left, found)
    _quality(right, found)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    write_bytes(path, stream.getvalue())


def _throughput(axes: Axes, found: Found) -> None:
    names = ["baseline", "default recipe"]
    keys = [("throughput", f"{name}, training", "images/s") for name in names]
    if not all(key in found for key in keys):
        _missing(axes)
        return
    for place, (row, colour) in enumerate(
        zip([found[key] for key in keys], (GREY, BLUE), strict=True)
    ):
        axes.bar(place, row.value, 0.6, color=colour)
        spread = [[row.value - row.low], [row.high - row.value]]
        axes.errorbar(place, row.value, spread, color="#222222", capsize=4)
        axes.annotate(
            worded(row.value),
            (place, row.high),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
        )
    axes.set_xticks([0, 1], names)
    axes.set_xlim(-0.6, 1.6)
    axes.margins(y=0.15)
    axes.set_ylabel("images a second")
    axes.set_title("training speed", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)


def _quality(axes: Axes, found: Found) -> None:
    goals = [goal(*level) for level in LEVELS]
    rows = [found.get(("quality", f"training to {name}", "s")) for name in goals]
    known = [row for row in rows if row is not None]
    if not known:
        _missing(axes)
        return
    epoch = found.get(("throughput", BASELINE_EPOCH, "s"))
    if epoch is not None:
        axes.axvline(epoch.value, color=GREY, linestyle="--")
        axes.annotate(
            "one epoch of the baseline",
            (epoch.value, 0.5),
            xycoords=("data", "axes fraction"),
            xytext=(-4, 0),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="center",
            fontsize=9,
        )
    for place, row in enumerate(known):
        colour = BLUE if "accuracy" in row.what else ORANGE
        if math.isnan(row.value):
            axes.annotate(NEVER, (0.03, place), xycoords=("axes fraction", "data"), va="center")
        else:
            high = row.value if math.isnan(row.high) else row.high
            axes.plot([row.low, high], [place, place], color=colour, linewidth=2)
            axes.plot(row.value, place, "o", color=colour, markersize=8)
            if math.isnan(row.high):
                axes.annotate(
                    "not by every seed",
                    (row.value, place),
                    xytext=(8, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9,
                )
    axes.set_yticks(range(len(goals)), goals)
    axes.set_ylim(len(goals) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"seconds of training (median and range of {known[0].n} seeds)")
    axes.set_title("default recipe: time to quality", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)


def _missing(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes)
