"""From views to results: every metric beside its value for real images, tables, and reasons."""

import math
from typing import Any

import numpy as np

from cgan.evaluation.views import Views
from cgan.metrics import METRICS, Samples, measure
from cgan.metrics.accuracy import accuracy_per_class, confusion
from cgan.metrics.alarms import alarms
from cgan.metrics.collapse import expected_shares
from cgan.metrics.diversity import diversity_per_class
from cgan.metrics.frechet import fcd_per_class
from cgan.metrics.intervals import Value
from cgan.metrics.manifold import coverage_per_class

NO_LABELS = "no label was requested, so none can be missed"
NO_GUIDE = "no guide is known; name the classifier that trained the generator with --guide"
NO_STUDENT = "left out to save time; --gan-train-images sets how many images it learns from"
TOO_FEW = "too few different images"


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
        value = measure(name, views) if requested or not metric.needs_labels else None
        if value is None:
            left_out[name] = NO_LABELS if not requested else _reason(metric.views.values(), views)
        elif math.isnan(value["value"]):
            left_out[name] = TOO_FEW
        else:
            real = measure(name, real_views) or {}
            beside = {"real": real.get("value", math.nan)}
            beside |= {f"real_{end}": real.get(end, math.nan) for end in ("low", "high")}
            metrics[name] = {**value, **beside, "n": _count(metric.views, views)}
    results: dict[str, Any] = {
        "metrics": metrics,
        "left_out": left_out,
        "per_digit": _per_digit(views, real_views),
        "confusion": confusion(fake=views["all"]).tolist() if requested else None,
        "histogram": _histogram(views["all"], views["real"]),
    }
    results["alarms"] = alarms(results)
    return results


def _reason(needed: Any, views: Views) -> str:
    absent = [view for view in needed if views.get(view) is None]
    return NO_GUIDE if "guide" in absent else NO_STUDENT


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


def _histogram(fake: Samples, real: Samples) -> list[dict[str, float]]:
    judged = np.bincount(fake.judged, minlength=fake.n_classes)
    expected = expected_shares(fake=fake, real=real) * len(fake)
    return [
        {"digit": digit, "generated": int(judged[digit]), "real": float(expected[digit])}
        for digit in range(fake.n_classes)
    ]
