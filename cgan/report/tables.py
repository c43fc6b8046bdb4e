"""The numbers of a report as pandas tables."""

from typing import Any

import numpy as np
import pandas as pd

from cgan.metrics import METRICS

PERCENT = {"judge_accuracy", "guide_accuracy"}
ARROWS = {"high": "\N{UPWARDS ARROW}", "low": "\N{DOWNWARDS ARROW}"}  # which way is better
FORMATS = {"missing_classes": ".0f", "intra_class_diversity": ".2f"}
TITLES = {
    "judge_accuracy": "judge accuracy",
    "guide_accuracy": "guide accuracy",
    "class_kl": "class divergence (KL, nats)",
    "missing_classes": "missing classes",
    "intra_class_diversity": "diversity within a digit",
}
MEANINGS = {
    "judge_accuracy": "Share of generated images that a classifier which guided nothing reads as "
    "the requested digit.",
    "guide_accuracy": "The same by the classifier that trained the generator: flattering, shown "
    "for comparison only.",
    "class_kl": "How far the judged classes stray from those of real images with the same labels. "
    "0 is perfect.",
    "missing_classes": "Classes drawn less than a tenth as often as asked for.",
    "intra_class_diversity": "Variance of the images of one digit as a share of that of real ones: "
    "1 is perfect, 0 the same picture every time.",
}


def headline(results: dict[str, Any]) -> pd.DataFrame:
    """Return one row a metric: value, its 95% interval, and the value for real images."""
    rows = []
    for name, metric in results["metrics"].items():
        rows.append(
            {
                "metric": f"{TITLES.get(name, name)} {ARROWS[METRICS[name].better]}",
                "value": worded(name, metric["value"]),
                "95% interval": f"{worded(name, metric['low'])} to {worded(name, metric['high'])}",
                "real images": worded(name, metric["real"]),
                "what it says": MEANINGS.get(name, ""),
            }
        )
    return pd.DataFrame(rows)


def worded(name: str, value: float | None) -> str:
    """Return a metric's value as a person reads it."""
    if value is None:
        return "-"
    if name in PERCENT:
        return f"{value:.2%}"
    return f"{value:{FORMATS.get(name, '.4f')}}"


def per_digit(results: dict[str, Any]) -> pd.DataFrame:
    """Return one row a digit: n, accuracy with its 95% interval, diversity."""
    return pd.DataFrame(results["per_digit"]).set_index("digit").drop(columns="diversity_high")


def confusion(results: dict[str, Any]) -> pd.DataFrame:
    """Return counts: rows the requested digit, columns the judged one."""
    table = pd.DataFrame(np.array(results["confusion"]))
    table.index.name, table.columns.name = "requested", "judged"
    return table


def histogram(results: dict[str, Any]) -> pd.DataFrame:
    """Return judged counts of generated images beside those that real images would give."""
    return pd.DataFrame(results["histogram"]).set_index("digit")


def worst(results: dict[str, Any]) -> dict[str, float]:
    """Return the row of the digit with the lowest accuracy."""
    return min(results["per_digit"], key=lambda row: row["accuracy"])


def summary(results: dict[str, Any]) -> str:
    """Return the result in a few lines for a terminal."""
    judge, guide = (results["metrics"][f"{who}_accuracy"] for who in ("judge", "guide"))
    weakest, variety = worst(results), results["metrics"]["intra_class_diversity"]
    lines = [
        f"{results['run']}: {results['n_samples']} images, {results['dataset']}",
        f"  judge accuracy   {judge['value']:.2%}  (95% {judge['low']:.2%} to {judge['high']:.2%}; "
        f"real images {judge['real']:.2%})",
        f"  guide accuracy   {guide['value']:.2%}  (it trained the generator: no evidence)",
        f"  worst digit      {weakest['digit']} at {weakest['accuracy']:.2%}",
        f"  missing classes  {results['metrics']['missing_classes']['value']:.0f}",
        f"  diversity        {worded('intra_class_diversity', variety['value'])} of real images "
        "of the same digit",
    ]
    lines += [f"  ALARM: {alarm['message']}" for alarm in results["alarms"]]
    return "\n".join(lines)
