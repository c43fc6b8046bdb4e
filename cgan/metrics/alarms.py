"""Alarms: what a person must know before they believe the other numbers."""

from typing import Any

from cgan.metrics.collapse import MISSING_BELOW

LITTLE_DIVERSITY = 0.5  # of the variance of real images


def alarms(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return [{metric, value, threshold, message}] of what is wrong with a generator.

    Args:
        results: the content of results.json as far as metrics, per_digit and histogram.
    """
    missing = [
        str(row["digit"])
        for row in results["histogram"]
        if row["generated"] < MISSING_BELOW * row["real"]
    ]
    alike = [
        str(row["digit"])
        for row in results["per_digit"]
        if row["diversity_high"] < LITTLE_DIVERSITY  # even the upper end; NaN is not below it
    ]
    raised = []
    if missing:
        raised.append(
            {
                "metric": "missing_classes",
                "value": len(missing),
                "threshold": 0,
                "message": f"Missing: the generator hardly ever draws {', '.join(missing)}.",
            }
        )
    if alike:
        raised.append(
            {
                "metric": "intra_class_diversity",
                "value": results["metrics"]["intra_class_diversity"]["value"],
                "threshold": LITTLE_DIVERSITY,
                "message": f"Collapsed within a class: the images of {', '.join(alike)} vary less "
                "than half as much as real ones.",
            }
        )
    return raised
