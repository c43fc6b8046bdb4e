"""Alarms: what a person must know before they believe the other numbers."""

from typing import Any

from cgan.metrics.collapse import MISSING_BELOW
from cgan.metrics.intervals import wilson

# Each threshold leaves room for real images: no split of the real data sets raises an alarm.
LITTLE_DIVERSITY = 0.5  # of the variance of real images of the class
MUCH_LESS = 0.5  # of the value of real images
NARROW = 0.6  # of the recall or the coverage of real images; real splits come out near 1
WRONG_LABELS = 0.05  # judge accuracy below that of real images
FLATTERY = 0.01  # of the images more than for real ones
REPEATS = 0.01  # of the images more than for real ones
COPYING = -1.5  # z below that of real images

Results = dict[str, Any]
Alarm = dict[str, Any]


def alarms(results: Results) -> list[Alarm]:
    """Return [{kind, metric, value, threshold, message}] of what is wrong with a generator.

    An alarm needs the whole 95% interval beyond its threshold, so chance alone seldom raises one
    (a missing class: below a tenth of its due, its interval below half of it).
    One fault raises one alarm: the classes, labels and variety of images that are no digits tell
    nothing, and a guide that is flattered explains why the digits are wrong.

    Args:
        results: the content of results.json as far as metrics, per_digit and histogram; metrics
            that were left out raise nothing.
    """
    unrealistic, collapsed, copied = _unrealistic(results), _repeats(results), _copied(results)
    missing = mislabelled = flattered = None
    if not unrealistic:
        missing = _missing(results)
        collapsed = collapsed or _alike(results) or (None if missing else _narrow(results))
        flattered = _flattered(results)
        mislabelled = None if flattered else _mislabelled(results)
    found = (missing, collapsed, unrealistic, copied, mislabelled, flattered)
    return [alarm for alarm in found if alarm]


def _missing(results: Results) -> Alarm | None:
    missing = [str(digit) for digit in _missing_digits(results)]
    if not missing:
        return None
    return {
        "kind": "missing",
        "metric": "missing_classes",
        "value": len(missing),
        "threshold": 0,
        "message": f"Missing: the generator hardly ever draws {', '.join(missing)}.",
    }


def _missing_digits(results: Results) -> list[int]:
    return [
        row["digit"]
        for row in results["histogram"]
        if row["generated"] < MISSING_BELOW * row["real"] and row["high"] < MUCH_LESS * row["real"]
    ]


def _alike(results: Results) -> Alarm | None:
    alike = [
        str(row["digit"])
        for row in results["per_digit"]
        # even the upper end; what is not known (None, NaN) is not below it
        if row.get("diversity_high") is not None and row["diversity_high"] < LITTLE_DIVERSITY
    ]
    if not alike:
        return None
    message = (
        f"Collapsed: the images of {', '.join(alike)} vary less than half as much as real ones."
    )
    return _alarm(results, "collapsed", "intra_class_diversity", LITTLE_DIVERSITY, message)


def _repeats(results: Results) -> Alarm | None:
    metric = _metric(results, "duplicate_rate")
    if not metric or metric["low"] <= (limit := metric["real"] + REPEATS):
        return None
    message = f"Collapsed: {metric['value']:.0%} of the images are all but the same as another one."
    return _alarm(results, "collapsed", "duplicate_rate", limit, message)


def _narrow(results: Results) -> Alarm | None:
    for name in ("recall", "coverage"):
        metric = _metric(results, name)
        if metric and metric["high"] < (limit := NARROW * metric["real"]):
            message = (
                f"Collapsed: only {metric['value']:.0%} of the real images are like anything that "
                f"it draws ({metric['real']:.0%} for new real images)."
            )
            return _alarm(results, "collapsed", name, limit, message)
    return None


def _unrealistic(results: Results) -> Alarm | None:
    """Density, not precision: where images are few, the balls are so large that noise is in one."""
    metric = _metric(results, "density")
    if not metric or metric["high"] >= (limit := MUCH_LESS * metric["real"]):
        return None
    message = (
        "Not realistic: around its images, real ones are only "
        f"{metric['value'] / metric['real']:.0%} as dense as around new real images."
    )
    return _alarm(results, "unrealistic", "density", limit, message)


def _mislabelled(results: Results) -> Alarm | None:
    """Of the classes that are drawn at all."""
    metric, missing = _metric(results, "judge_accuracy"), _missing_digits(results)
    rows = [row for row in results["per_digit"] if row["digit"] not in missing]
    if not metric or not rows:
        return None
    n = sum(row["n"] for row in rows)
    hits = round(sum(row["n"] * row["accuracy"] for row in rows))
    limit = metric["real"] - WRONG_LABELS
    if wilson(hits, n)[1] >= limit:
        return None
    message = f"Wrong digits: {1 - hits / n:.0%} of the images show another one than was asked for."
    return _alarm(results, "mislabelled", "judge_accuracy", limit, message)


def _flattered(results: Results) -> Alarm | None:
    metric = _metric(results, "flattery")
    # a guide that reads real images badly may accept fewer of both, which flatters nobody
    if not metric or metric["low"] <= (limit := max(metric["real"], 0) + FLATTERY):
        return None
    message = (
        f"Flattered: the guide accepts {metric['value']:.1%} more of the images than the judge "
        "does; the generator has learned to please its guide."
    )
    return _alarm(results, "flattered", "flattery", limit, message)


def _copied(results: Results) -> Alarm | None:
    metric = _metric(results, "copying_z")
    if not metric or metric["high"] >= (limit := metric["real"] + COPYING):
        return None
    message = (
        "Copied: its images lie nearer to the training images than new real images do; look at the "
        "pairs in copies.png."
    )
    return _alarm(results, "copied", "copying_z", limit, message)


def _metric(results: Results, name: str) -> dict[str, float] | None:
    """Return a metric that has a value, an interval and a value for real images."""
    found = results["metrics"].get(name)
    known = found and all(_is_number(found.get(key)) for key in ("value", "low", "high", "real"))
    return found if known else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value


def _alarm(results: Results, kind: str, metric: str, threshold: float, message: str) -> Alarm:
    value = results["metrics"].get(metric, {}).get("value")
    return {
        "kind": kind,
        "metric": metric,
        "value": value,
        "threshold": threshold,
        "message": message,
    }
