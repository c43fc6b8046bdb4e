"""From views to results: every metric beside its value for real images, tables, and reasons."""

import math
from typing import Any

from cgan.evaluation.views import Views
from cgan.metrics.accuracy import accuracy_per_class, confusion
from cgan.metrics.alarms import alarms
from cgan.metrics.collapse import histogram
from cgan.metrics.diversity import ENOUGH, diversity_per_class
from cgan.metrics.frechet import fcd_per_class
from cgan.metrics.intervals import Value
from cgan.metrics.manifold import coverage_per_class
from cgan.metrics.registry import METRICS, measure

NO_LABELS = "it needs the labels that were requested, and there are none"
NO_GUIDE = "no guide is known; name the classifier that trained the generator with --guide"
NO_STUDENT = "left out to save time; --gan-train-images sets how many images it learns from"
NO_COPYING = "left out to save time; --copying searches all training images"
TOO_FEW = {
    "copying_z": "too few different images for it",
    "intra_class_diversity": f"no digit has {ENOUGH} images",
}


def score(views: Views, real_views: Views) -> dict[str, Any]:
    """Return the parts `metrics`, `left_out`, `per_digit`, `confusion`, `histogram`, `alarms`.

    Args:
        views: of the generated images.
        real_views: of real images in their place.
    """
    metrics: dict[str, Value] = {}
    left_out: dict[str, str] = {}
    requested = views["all"].requested
    for name, metric in METRICS.items():
        unasked = metric.needs_labels and not requested
        value = None if unasked else measure(name, views)
        if value is None:
            left_out[name] = NO_LABELS if unasked else _reason(metric.views.values(), views)
        elif math.isnan(value["value"]):
            left_out[name] = TOO_FEW.get(name, "too few images for it")
        else:
            real = measure(name, real_views) or {}
            beside = {"real": real.get("value", math.nan)}
            beside |= {f"real_{end}": real.get(end, math.nan) for end in ("low", "high")}
            counts = {"n": _count(metric.views, views), "real_n": _count(metric.views, real_views)}
            metrics[name] = {**value, **beside, **counts}
    results: dict[str, Any] = {
        "metrics": metrics,
        "left_out": left_out,
        "per_digit": _per_digit(views, real_views),
        "confusion": confusion(fake=views["all"]).tolist() if requested else None,
        "histogram": histogram(fake=views["all"], real=views["real"]),
    }
    results["alarms"] = alarms(results)
    return results


def _reason(needed: Any, views: Views) -> str:
    absent = [view for view in needed if views.get(view) is None]
    if "guide" in absent:
        return NO_GUIDE
    return NO_STUDENT if "student" in absent else NO_COPYING


def _count(names: Any, views: Views) -> int:
    """Return the number of images that a metric looked at."""
    if "balls" in names:
        return len(views["fake"])
    return len(views[next(iter(names.values()))])


def _per_digit(views: Views, real_views: Views) -> list[dict[str, float | None]]:
    """Return a row for every class that was requested, or else that the judge saw."""
    fake, real = views["fake"], views["real"]
    shares = accuracy_per_class(fake=views["all"])
    columns = {
        "diversity": diversity_per_class(fake=fake, real=real),
        "fcd": fcd_per_class(fake=fake, real=real),
    }
    real_fcd = fcd_per_class(fake=real_views["fake"], real=real)
    covered, real_covered = (
        coverage_per_class(balls=each["balls"], real=real) for each in (views, real_views)
    )
    rows = []
    for digit, share in shares.items():
        row: dict[str, float | None] = {"digit": digit, "n": share["n"]}
        for end, key in (("value", "accuracy"), ("low", "low"), ("high", "high")):
            row[key] = share[end] if fake.requested else None
        row["coverage"], row["coverage_real"] = covered.get(digit), real_covered.get(digit)
        for name, found in columns.items():
            row[name] = found.get(digit, {}).get("value")
            row[f"{name}_low"] = found.get(digit, {}).get("low")
            row[f"{name}_high"] = found.get(digit, {}).get("high")
        row["fcd_real"] = real_fcd.get(digit, {}).get("value")
        rows.append(row)
    return rows
