"""The figures of a report: vectors whose colours follow the page, light or dark."""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cgan.metrics.results import Results
from cgan.reporting import tables

BLUE, ORANGE, GREY = "#0b5fa5", "#b45309", "#8a8f98"  # distinguishable without red against green
INK = "#1b1f24"
# colours that a page may override by custom properties of its style sheet
FOLLOWING = {BLUE: "blue", ORANGE: "orange", GREY: "grey", INK: "ink"}
WIDTH = 5.0  # inches: 480 pixels, so that letters stay legible on a telephone
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
        with warnings.catch_warnings():
            # names in other scripts are drawn by the browser, whose fonts have them
            warnings.filterwarnings("ignore", message="Glyph")
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
