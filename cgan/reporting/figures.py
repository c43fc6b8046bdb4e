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

from cgan.metrics.results import Results
from cgan.reporting import tables

BLUE, ORANGE, GREY = "#0b5fa5", "#b45309", "#8a8f98"  # distinguishable without red against green
INK = "#1b1f24"
# colours that a page may override by custom properties of its style sheet
FOLLOWING = {BLUE: "blue", ORANGE: "orange", GREY: "grey", INK: "ink"}
BLUES = mpl.colormaps["Blues"]
MIDDLE = 0.179  # luminance at which black and white have the same contrast
LEGIBLE = 30  # most classes whose counts fit in a confusion matrix
WIDTH = 5.0  # inches: 480 pixels, so that letters stay legible on a telephone
LEAST_TIMES, MOST_TIMES = 1.3, 3.0  # where the scale ends on which real images are 1
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


def _new(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=96, layout="constrained")


def scores(results: Results) -> Figure:
    """Draw the headline metrics and their 95% intervals on one scale, on which real images are 1.

    A grey band is the interval of real images, where it is known.
    """
    names = can_be_scaled(results)
    figure = _new(WIDTH, 0.9 + 0.3 * len(names))
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
        end = ">" if value >= MOST_TIMES else "o"
        axes.plot(value, row, end, color=BLUE, markersize=7, clip_on=False)
        beside = axes.get_yaxis_transform()
        axes.text(1.03, row, tables.worded(name, known["value"]), transform=beside, va="center")
        real = f"({tables.worded(name, known['real'])})"
        axes.text(1.32, row, real, transform=beside, va="center")
    axes.axvline(1, color=INK, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(names)), [SCALED[name] for name in names])
    axes.set_xlim(0, min(MOST_TIMES, 1.05 * max(ends)) if max(ends) > LEAST_TIMES else LEAST_TIMES)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("as a share of real images")
    axes.grid(axis="x", color=GREY, alpha=0.3)
    axes.tick_params(axis="y", length=0)
    return figure


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
    """Draw requested x judged as shares of a row; the number of images stands in each cell."""
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _new(WIDTH, 0.92 * WIDTH)
    axes = figure.subplots()
    edges = np.arange(len(counts) + 1) - 0.5
    # the square root keeps a few mistakes visible beside a thousand hits
    axes.pcolormesh(edges, edges, np.sqrt(shares), cmap=BLUES, vmin=0, vmax=1, edgecolors="face")
    for (row, column), count in np.ndenumerate(counts):
        if count and len(counts) <= LEGIBLE:
            colour = letters_on(BLUES(np.sqrt(shares[row, column])))
            axes.text(column, row, str(count), ha="center", va="center", fontsize=8, color=colour)
    axes.invert_yaxis()
    ticks = range(0, len(counts), 1 + len(counts) // LEGIBLE)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
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
    """Draw how many images the judge assigns to each class, beside real images."""
    figure = _new(WIDTH, 0.6 * WIDTH)
    axes = figure.subplots()
    places = np.arange(len(table))
    axes.bar(places - 0.2, table["generated"], 0.4, label="generated", color=BLUE)
    axes.bar(
        places + 0.2,
        table["real"],
        0.4,
        label="real",
        facecolor="none",
        edgecolor=INK,
        hatch="////",
        linewidth=0.8,
    )
    _name_classes(axes, table)
    axes.set_xlabel("judged class")
    axes.set_ylabel("images")
    axes.set_ylim(0, 1.25 * max(table["generated"].max(), table["real"].max(), 1))
    axes.legend(ncols=2, loc="upper center")
    return figure


def accuracy(table: pd.DataFrame, real: float) -> Figure:
    """Draw each class's accuracy with its 95% interval; a line shows real images."""
    figure = _new(WIDTH, 0.6 * WIDTH)
    axes = figure.subplots()
    places = np.arange(len(table))
    value = table["accuracy"]
    spread = np.vstack([value - table["low"], table["high"] - value]).clip(min=0)
    axes.errorbar(places, value, yerr=spread, fmt="o", color=BLUE, capsize=3, label="generated")
    axes.axhline(real, color=INK, linestyle="--", linewidth=1, label="all real images")
    _name_classes(axes, table)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.4g}")
    axes.set_xlabel(f"requested {table.index.name}")
    axes.set_ylabel("judge accuracy")
    axes.legend(loc="lower right")
    return figure


def _name_classes(axes: Axes, table: pd.DataFrame) -> None:
    step = 1 + len(table) // LEGIBLE
    axes.set_xticks(range(0, len(table), step), [str(label) for label in table.index[::step]])


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


def panels(history: pd.DataFrame) -> list[str]:
    """Return the names of the panels for which a history has data."""
    return [name for name, (_, columns) in PANELS.items() if set(columns) & set(history)]


def training(history: pd.DataFrame) -> Figure:
    """Draw all panels of `PANELS` with data, side by side."""
    names = panels(history)
    figure = _new(11.4, 3.0)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        _draw_panel(axes, history, name)
    return figure


def panel(history: pd.DataFrame, name: str) -> Figure:
    """Draw losses, discriminator outputs or scores over the epochs; mark the kept checkpoint."""
    figure = _new(WIDTH, 0.55 * WIDTH)
    _draw_panel(figure.subplots(), history, name)
    return figure


def _draw_panel(axes: Axes, history: pd.DataFrame, name: str) -> None:
    title, columns = PANELS[name]
    _lines(axes, history, {key: label for key, label in columns.items() if key in history})
    if name == "fcd":
        axes.set_yscale("log")
    kept = history[history["kept"] == 1]["epoch"].tail(1) if "kept" in history else ()
    for epoch in kept:
        axes.axvline(epoch, color=INK, linestyle=(0, (1, 1)), linewidth=1.5, label="kept")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("epoch")
    axes.legend(fontsize=8)


def _lines(axes: Axes, history: pd.DataFrame, columns: dict[str, str]) -> None:
    for (column, label), colour, style in zip(
        columns.items(), (BLUE, ORANGE, GREY), ("-", "--", "-."), strict=False
    ):
        axes.plot(
            history["epoch"],
            history[column],
            color=colour,
            linestyle=style,
            marker="o" if len(history) < 20 else None,
            markersize=3,
            label=label,
        )
