"""The numbers of a report as pandas tables."""

from typing import Any

import numpy as np
import pandas as pd

from cgan.metrics import METRICS

PERCENT = {
    *("judge_accuracy", "guide_accuracy", "flattery", "gan_train_accuracy"),
    *("precision", "recall", "coverage", "ndb", "duplicate_rate"),
}
# which way is better
ARROWS = {"high": "\N{UPWARDS ARROW}", "low": "\N{DOWNWARDS ARROW}", "real": "\N{ALMOST EQUAL TO}"}
FINE = {"judge_accuracy", "guide_accuracy", "flattery", "gan_train_accuracy", "worst_digit"}
FORMATS = {
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
MEANINGS = {
    "judge_accuracy": "Share of the images that a classifier which guided nothing reads as the "
    "requested digit.",
    "guide_accuracy": "The same by the classifier that trained the generator: flattering, shown "
    "for comparison only.",
    "flattery": "How many more images the guide accepts than the judge. Far above real images: the "
    "generator learned to please its guide.",
    "classifier_score": "The inception score with the judge's posteriors: high when each image is "
    "read surely and all classes occur. Blind to variety within a class.",
    "fcd": "Distance between the clouds of judge features, as Gaussians. Grows as N falls: compare "
    "with real images at the same N only.",
    "precision": "Share of the images that lie among the real ones: realism.",
    "recall": "Share of the real images that lie among the generated ones: variety.",
    "density": "Like precision, but counting how densely real images lie there; 1 for real ones.",
    "coverage": "Share of the real images that have a generated one near: variety, not fooled by "
    "outliers.",
    "gan_train_accuracy": "How well a classifier that learned from generated images alone reads "
    "real ones; beside it the same classifier taught by as many real images.",
    "class_kl": "How far the judged classes stray from those of real images with the same labels. "
    "0 is perfect.",
    "missing_classes": "Classes drawn less than a tenth as often as real images would be.",
    "ndb": "Share of regions of feature space in which it draws too often or too rarely; grows "
    "with N.",
    "intra_class_diversity": "Variance of the images of one digit as a share of that of real ones: "
    "1 is perfect, 0 the same picture every time.",
    "duplicate_rate": "Share of the images that are all but the same as another one.",
    "copying_z": "Far below real images: they repeat training images. Above: they are further from "
    "the training images than real ones are.",
}


def headline(results: dict[str, Any]) -> pd.DataFrame:
    """Return one row a metric: value, its 95% interval, and the value for real images."""
    rows = []
    for name, metric in results["metrics"].items():
        rows.append(
            {
                "metric": f"{TITLES[name]} {ARROWS[METRICS[name].better]}",
                "value": worded(name, metric["value"]),
                "95% interval": f"{worded(name, metric['low'])} to {worded(name, metric['high'])}",
                "real images": worded(name, metric["real"]),
                "N": f"{metric['n']:,}",
                "what it says": MEANINGS[name] + _extrapolated(metric),
            }
        )
    return pd.DataFrame(rows)


def _extrapolated(metric: dict[str, float]) -> str:
    if metric.get("extrapolated") is None:
        return ""
    return f" Extrapolated to endless N: {metric['extrapolated']:.4f}."


def worded(name: str, value: float | None) -> str:
    """Return a metric's value as a person reads it."""
    if value is None:
        return "-"
    if name in PERCENT:
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
    """Return the result in a few lines for a terminal."""
    metrics, weakest = results["metrics"], worst(results)
    lines = [f"{results['run']}: {results['n_samples']:,} images, {results['dataset']}"]
    for name in SUMMARY:
        if name in metrics:
            metric = metrics[name]
            low, high, real = (worded(name, metric[key]) for key in ("low", "high", "real"))
            lines.append(
                f"  {name:<22}{worded(name, metric['value']):>8}  (95% {low} to {high}; "
                f"real images {real})"
            )
        if name == "judge_accuracy" and weakest is not None:
            lines.append(f"  {'worst digit':<22}{weakest['digit']} at {weakest['accuracy']:.2%}")
    lines += [f"  {name:<22}left out: {why}" for name, why in results["left_out"].items()]
    lines += [f"  ALARM: {alarm['message']}" for alarm in results["alarms"]]
    return "\n".join(lines)
