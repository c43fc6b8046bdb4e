"""The figures of a report: vectors whose colours follow the page, light or dark."""

import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cgan.metrics.results import Results
from cgan.reporting import tables

BLUE, ORANGE, GREY = "#0b5fa5", "#b45309", "#8a8f98"  # distinguishable without red against green
INK = "#1b1f24"
# colours that a page may override by custom properties of its style sheet
FOLLOWING = {BLUE: "blue", ORANGE: "orange", GREY: "grey", INK: "ink"}
BLUES = mpl.colormaps["Blues"]
MIDDLE = 0.179  # luminance at which black and white have the same contrast
WIDTH = 5.0  # inches: 480 pixels, so that letters stay legible on a telephone
ACROSS, DOWN = 300.0, 290.0  # points: the least room of a figure for the names of its classes
LETTER, LINE = 5.5, 12.0  # points: the width and the height of a letter of a name
LONGEST = 20  # letters of the name of a class; the rest is cut
SMALLEST, LARGEST = 6.0, 8.0  # points of the counts in a confusion matrix
MANY = 30  # classes, of which bars and whiskers are too narrow for hatches and caps
STEPS = (1, 2, 5, 10)  # of a scale of counts
FEWEST = 5  # classes for which a histogram has room, so that bars are not too wide
LEAST_TIMES, MOST_TIMES = 1.3, 3.0  # where the scale ends on which real images are 1
MOST_LETTERS = 8  # of a value beside that scale
STYLE: dict[Any, Any] = {
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    **{"font.size": 9.0, "svg.fonttype": "none", "legend.frameon": False},
}
FONT = "system-ui, sans-serif"
# on one scale: 1 is as good as real images
SCALED = {
    "judge_accuracy": "judge accuracy",
    "gan_train_accuracy": "GAN-train",
    "precision": "precision",
    "density": "density",
    "recall": "recall",
    "coverage": "coverage",
    "intra_class_diversity": "diversity",
    "fcd": "FCD, inverse",
    "classifier_score": "classifier score",
}
INVERSE = {"fcd"}  # lower is better: the value of real images divided by that of generated ones


def svg(name: str, draw: Callable[..., Figure], *parts: Any) -> bytes:
    """Return the figure that `draw` makes of `parts` as a reproducible SVG with text as text.

    Args:
        name: of the figure; its ids are unique to that name.
        draw: a function of this module.
        parts: what it draws.
    """
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = draw(*parts)
        FigureCanvasSVG(figure)
        stream = io.BytesIO()
        figure.savefig(
            stream,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Type": None, "Format": None},
        )
    return stream.getvalue()


def inline(picture: bytes, label: str) -> str:
    """Return an SVG of `svg` for embedding in a page, with a label and the colours of the page."""
    text = picture.decode()
    text = text[text.index("<svg") :]
    for colour, name in FOLLOWING.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    text = text.replace("'DejaVu Sans', 'Bitstream Vera Sans'", FONT)
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([\w-]+)"', lambda m: m[0] if m[1] in used else "", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


def new(width: float, height: float) -> Figure:
    """Return an empty figure; both lengths are in inches."""
    return Figure(figsize=(width, height), dpi=96, layout="constrained")


def scores(results: Results) -> Figure:
    """Draw the headline metrics and their 95% intervals on one scale, on which real images are 1.

    A grey band is the interval of real images, where it is known.
    """
    names = can_be_scaled(results)
    figure = new(WIDTH, 0.9 + 0.3 * len(names))
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(rect=(0, 0, 0.96, 1))  # type: ignore[call-arg]  # room for wider letters
    axes = figure.subplots()
    ends = [LEAST_TIMES]
    for row, name in enumerate(names):
        known = _known(results, name)
        assert known is not None
        low, high = sorted(_scaled(name, known, "low", "high"))
        (value,) = _scaled(name, known, "value")
        if "real_low" in known:
            first, last = sorted(_scaled(name, known, "real_low", "real_high"))
            ends.append(last)
            axes.barh(row, last - first, 0.72, first, color=GREY, alpha=0.35)
        ends.append(high)
        axes.plot([low, high], [row, row], color=BLUE, linewidth=2)
        if high >= MOST_TIMES:  # it goes on beyond the scale
            axes.plot(high, row, ">", color=BLUE, markersize=7, clip_on=False)
        if value < MOST_TIMES:
            axes.plot(value, row, "o", color=BLUE, markersize=7, clip_on=False)
        beside = axes.get_yaxis_transform()
        axes.text(1.03, row, _brief(name, known["value"]), transform=beside, va="center")
        real = f"({_brief(name, known['real'])})"
        axes.text(1.32, row, real, transform=beside, va="center")
    axes.axvline(1, color=INK, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(names)), [SCALED[name] for name in names])
    axes.set_xlim(0, min(MOST_TIMES, 1.05 * max(ends)) if max(ends) > LEAST_TIMES else LEAST_TIMES)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("of the value of real images")
    axes.grid(axis="x", color=GREY, alpha=0.3)
    axes.tick_params(axis="y", length=0, pad=8)  # a point at 0 covers no name
    return figure


def _brief(name: str, value: float) -> str:
    """Return a metric's value in the room that the figure has for it."""
    text = tables.worded(name, value)
    return text if len(text) <= MOST_LETTERS else f"{value:.2g}"


def can_be_scaled(results: Results) -> list[str]:
    """Return the metrics of `SCALED` for which all values that `scores` draws are known."""
    return [name for name in SCALED if (known := _known(results, name)) and known["real"] > 0]


def _known(results: Results, name: str) -> dict[str, float] | None:
    """Return a metric's numbers by name, or None if a required one is not known."""
    score = results.metrics.get(name)
    if score is None or score.low is None or score.high is None or score.real is None:
        return None
    found = {"value": score.value, "low": score.low, "high": score.high, "real": score.real}
    if score.real_low is not None and score.real_high is not None:
        found |= {"real_low": score.real_low, "real_high": score.real_high}
    return found


def _scaled(name: str, known: dict[str, float], *keys: str) -> list[float]:
    """Return values divided by that of real images, inverted where lower is better."""
    real = known["real"]
    values = [known[key] for key in keys]
    if name in INVERSE:
        shares = [real / value if value > 0 else MOST_TIMES for value in values]
    else:
        shares = [value / real for value in values]
    return [float(np.clip(share, 0, MOST_TIMES)) for share in shares]


def confusion(table: pd.DataFrame) -> Figure:
    """Draw requested x judged as shares of a row; counts stand in the cells if they fit."""
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new(WIDTH, 0.92 * WIDTH)
    axes = figure.subplots()
    edges = np.arange(len(counts) + 1) - 0.5
    # the square root keeps a few mistakes visible beside a thousand hits
    axes.pcolormesh(edges, edges, np.sqrt(shares), cmap=BLUES, vmin=0, vmax=1, edgecolors="face")
    digits = len(str(counts.max()))
    size = min(LARGEST, ACROSS / len(counts) / (digits * LETTER / mpl.rcParams["font.size"]))
    if size >= SMALLEST:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = letters_on(BLUES(np.sqrt(shares[row, column])))
                where = {"ha": "center", "va": "center", "fontsize": size, "color": colour}
                axes.text(column, row, str(count), **where)
    axes.invert_yaxis()
    _name_classes(axes, table)
    names, step = _names(table), _step(len(table), DOWN / LINE)
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.set_xlabel("judged")
    axes.set_ylabel("requested")
    return figure


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

    Of many classes real images are an outline around the bars, of few they are hatched bars.
    """
    figure = new(WIDTH, 0.6 * WIDTH + _below(_names(table)))
    axes = figure.subplots()
    places = np.arange(len(table))
    if len(table) > MANY:
        axes.bar(places, table["generated"], 1.0, label="generated", color=BLUE)
        edges = np.arange(len(table) + 1) - 0.5
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
    axes.set_ylabel("images")
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=STEPS, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(0, 1.05 * max(table["generated"].max(), table["real"].max(), 1))
    _legend_above(axes)
    return figure


def accuracy(table: pd.DataFrame, real: float) -> Figure:
    """Draw each class's accuracy with its 95% interval; a line shows real images."""
    figure = new(WIDTH, 0.6 * WIDTH + _below(_names(table)))
    axes = figure.subplots()
    places = np.arange(len(table))
    value = table["accuracy"]
    spread = np.vstack([value - table["low"], table["high"] - value]).clip(min=0)
    size: dict[str, Any] = {"capsize": 3}
    if len(table) > MANY:
        size = {"markersize": 3, "elinewidth": 1}
    axes.errorbar(places, value, yerr=spread, fmt="o", color=BLUE, label="generated", **size)
    axes.axhline(real, color=INK, linestyle="--", linewidth=1, label="all real images")
    _name_classes(axes, table)
    lowest, highest = axes.get_ylim()
    axes.set_ylim(max(lowest, -0.02), min(highest, 1 + 0.03 * (1 - lowest)))  # no share is above 1
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(f"requested {table.index.name}")
    axes.set_ylabel("judge accuracy")
    _legend_above(axes)
    return figure


def _legend_above(axes: Axes) -> None:
    """Put the legend above the axes, where it covers nothing."""
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.2)


def _name_classes(axes: Axes, table: pd.DataFrame) -> None:
    """Write the names of classes below the axes, upright if they are long, and some of many."""
    names = _names(table)
    upright = _below(names) > 0
    step = _step(len(names), ACROSS / (LINE if upright else _room(names)))
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=90 if upright else 0)


def _below(names: list[str]) -> float:
    """Return the inches that names take below the axes; 0 if they stand side by side."""
    wide = _room(names) * max(len(names), FEWEST) > ACROSS
    upright = wide and not all(name.isdigit() for name in names)
    return _room(names) / 72 if upright else 0.0


def _room(names: list[str]) -> float:
    """Return the points that the longest name takes."""
    return (max(map(len, names)) + 1) * LETTER


def _names(table: pd.DataFrame) -> list[str]:
    """Return the names of the classes, cut where they are long."""
    names = map(str, table.index)
    return [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in names]


def _step(n: int, most: float) -> int:
    """Return the step at which at most `most` of `n` names are left."""
    return max(1, -(-n // max(1, int(most))))
