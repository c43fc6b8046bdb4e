"""The numbers of a report as pandas tables."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cgan.metrics.registry import METRICS
from cgan.reporting.meanings import MEANINGS

PERCENT = {
    *("judge_accuracy", "guide_accuracy", "flattery", "gan_train_accuracy"),
    *("precision", "recall", "coverage", "ndb", "duplicate_rate"),
}
# which way is better
ARROWS = {"high": "\N{UPWARDS ARROW}", "low": "\N{DOWNWARDS ARROW}", "real": "\N{ALMOST EQUAL TO}"}
FINE = {"judge_accuracy", "guide_accuracy", "flattery", "gan_train_accuracy", "worst_digit"}
FORMATS = {
    "class_kl": ".5f",
    "missing_classes": ".0f",
    "intra_class_diversity": ".2f",
    "density": ".2f",
    "classifier_score": ".2f",
    "copying_z": "+.1f",
}
TITLES = {
    "judge_accuracy": "judge accuracy",
    "guide_accuracy": "guide accuracy",
    "flattery": "flattery (guide minus judge)",
    "classifier_score": "classifier score",
    "fcd": "Fréchet classifier distance (FCD)",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "gan_train_accuracy": "GAN-train accuracy",
    "class_kl": "class divergence (KL, nats)",
    "missing_classes": "missing classes",
    "ndb": "different bins (NDB)",
    "intra_class_diversity": "diversity within a digit",
    "duplicate_rate": "duplicates",
    "copying_z": "copying (z)",
}
SUMMARY = (
    *("judge_accuracy", "guide_accuracy", "missing_classes", "intra_class_diversity"),
    *("fcd", "precision", "recall", "coverage", "gan_train_accuracy", "copying_z"),
)
# in a terminal
SHORT_TITLES = {"fcd": "FCD (lower is better)", "flattery": "flattery"}
HEADS = ("95% interval", "real images")
WIDTH = 100  # columns


def metrics(results: dict[str, Any]) -> pd.DataFrame:
    """Return one row a metric: value, its 95% interval, the same of real images, and N."""
    columns = ["value", "low", "high", "real", "real_low", "real_high", "n"]
    rows = [[metric.get(key) for key in columns] for metric in results["metrics"].values()]
    index = pd.Index(results["metrics"], name="metric")
    return pd.DataFrame(rows, index, columns).astype(float).astype({"n": "Int64"})


def headline(results: dict[str, Any]) -> list[dict[str, str]]:
    """Return one row a metric as a person reads it, with what it means."""
    rows = []
    for name, metric in results["metrics"].items():
        meaning = MEANINGS[name]
        rows.append(
            {
                "metric": f"{TITLES[name]} {ARROWS[METRICS[name].better]}",
                "value": worded(name, metric["value"]),
                "interval": f"{worded(name, metric['low'])} to {worded(name, metric['high'])}",
                "real": worded(name, metric["real"]),
                "n": f"{metric['n']:,}",
                "words": meaning.words + _extrapolated(metric),
                "source": meaning.source,
            }
        )
    return rows


def _extrapolated(metric: dict[str, float]) -> str:
    if metric.get("extrapolated") is None:
        return ""
    return f" Extrapolated to endless N: {metric['extrapolated']:.4f}."


def cost(results: dict[str, Any], history: pd.DataFrame | None) -> pd.DataFrame:
    """Return what it took, as far as it is known: rows of `what` and `took`."""
    rows = []
    if history is not None and len(history):
        last = history.iloc[-1]
        rows.append(("training", f"{_time(last['seconds'])}, {last['epoch']:.4g} epochs"))
        if "validation_seconds" in history:
            rows.append(("its scores on the way", _time(history["validation_seconds"].sum())))
    rows += [
        (f"evaluation: {name}", _time(took)) for name, took in results.get("timing", {}).items()
    ]
    facts = results.get("cost", {})
    if facts.get("weights") is not None:
        rows.append(("weights of the generator", f"{facts['weights']:,}"))
    if facts.get("threads") is not None:
        rows.append(("threads of the evaluation", f"{facts['threads']}"))
    if facts.get("peak_memory") is not None:
        rows.append(("its memory at most", f"{facts['peak_memory'] / 2**20:,.0f} MiB"))
    return pd.DataFrame(rows, columns=["what", "took"])


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def worded(name: str, value: float | None) -> str:
    """Return a metric's value as a person reads it."""
    if value is None:
        return "-"
    if name in PERCENT or name == "worst_digit":
        return f"{value:.2%}"
    return f"{value:{FORMATS.get(name, '.4f')}}"


def short(name: str, value: float) -> str:
    """Return a metric's value with as few digits as tell recipes apart."""
    if name in PERCENT or name == "worst_digit":
        return f"{value:.2%}" if name in FINE else f"{value:.1%}"
    return f"{value:{FORMATS.get(name, '.3f')}}"


def per_digit(results: dict[str, Any]) -> pd.DataFrame:
    """Return one row a digit: n, accuracy, coverage, diversity and FCD, with what is known of real
    images."""
    return pd.DataFrame(results["per_digit"]).set_index("digit").astype(float).astype({"n": int})


def confusion(results: dict[str, Any]) -> pd.DataFrame | None:
    """Return counts: rows the requested digit, columns the judged one; None without requests."""
    if results["confusion"] is None:
        return None
    table = pd.DataFrame(np.array(results["confusion"]))
    table.index.name, table.columns.name = "requested", "judged"
    return table


def histogram(results: dict[str, Any]) -> pd.DataFrame:
    """Return judged counts of generated images beside those that real images would give."""
    return pd.DataFrame(results["histogram"]).set_index("digit")


def worst(results: dict[str, Any]) -> dict[str, float] | None:
    """Return the row of the digit with the lowest accuracy, or None where none was requested."""
    rows = [row for row in results["per_digit"] if row["accuracy"] is not None]
    return min(rows, key=lambda row: row["accuracy"], default=None)


def summary(results: dict[str, Any]) -> str:
    """Return the result in lines of at most WIDTH columns for a terminal: numbers, alarms, gaps.

    Names and alarms that are longer than ours make a line longer.
    """
    metrics, weakest = results["metrics"], worst(results)
    rows = [(f"{results['n_samples']:,} images, {results['dataset']}", "value", *HEADS)]
    for name in SUMMARY:
        if name in metrics:
            title = SHORT_TITLES.get(name, TITLES[name])
            rows.append((title, *_worded_row(name, metrics[name], metrics[name]["value"])))
        if name == "judge_accuracy" and weakest is not None:
            title = f"worst digit: {weakest['digit']}"
            rows.append((title, *_worded_row("worst_digit", weakest, weakest["accuracy"])))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"  {title:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  "
        f"{real:>{widths[3]}}".rstrip()
        for title, value, interval, real in rows
    ]
    for alarm in results["alarms"]:
        lines += _wrapped(f"ALARM: {alarm['message']}")
    missing: dict[str, list[str]] = {}
    for name, why in results["left_out"].items():
        missing.setdefault(why, []).append(SHORT_TITLES.get(name, TITLES[name]))
    for why, titles in missing.items():
        lines += _wrapped(f"without {', '.join(titles)}: {why}")
    return "\n".join(lines)


def _worded_row(name: str, found: Mapping[str, Any], value: float) -> tuple[str, str, str]:
    """Return a value, its interval and that of real images, as a person reads them."""
    low, high = (worded(name, found[key]) for key in ("low", "high"))
    return (
        worded(name, value),
        f"{low} to {high}",
        worded(name, found["real"]) if "real" in found else "",
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
