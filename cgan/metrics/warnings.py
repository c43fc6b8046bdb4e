"""Warnings: problems that a reader must know before trusting the other numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cgan.metrics.collapse import MISSING_BELOW
from cgan.metrics.intervals import wilson
from cgan.metrics.results import ClassRow, HistogramRow, QualityWarning, Score, finite
from cgan.runtime.wording import enumerated

# Each threshold leaves room for real images: no split of the real data sets raises a warning.
LITTLE_DIVERSITY = 0.5  # of the variance of real images of the class
MUCH_LESS = 0.5  # of the value of real images
NARROW = 0.6  # of the recall or the coverage of real images; real splits come out near 1
WRONG_LABELS = 0.05  # judge accuracy below that of real images
GUIDE_GAP = 0.01  # of the images more than for real ones
REPEATS = 0.01  # of the images more than for real ones
COPYING = -1.5  # z below that of real images
# by metric: the limit, from the value of real images
LIMITS: dict[str, Callable[[float], float]] = {
    "judge_accuracy": lambda real: real - WRONG_LABELS,
    # the gap of real images is negative if the guide is worse on them than the judge
    "guide_gap": lambda real: max(real, 0) + GUIDE_GAP,
    "density": lambda real: MUCH_LESS * real,
    "recall": lambda real: NARROW * real,
    "coverage": lambda real: NARROW * real,
    "duplicate_rate": lambda real: real + REPEATS,
    "copying_z": lambda real: real + COPYING,
}
UPPER = {"guide_gap", "duplicate_rate"}  # metrics whose limit is above the value of real images
FEW_REAL = 100  # images; with fewer, their value is uncertain


def limit_of(name: str, score: Score) -> float | None:
    """Return the limit of a metric in `LIMITS`, from its value for real images.

    Of few real images, the end of their interval that gives the more lenient limit is used.
    """
    real, end = finite(score.real), score.real_high if name in UPPER else score.real_low
    if score.real_n is not None and score.real_n < FEW_REAL and finite(end) is not None:
        real = end
    return None if real is None else LIMITS[name](real)


@dataclass(frozen=True)
class Found:
    """The inputs of the warnings; metrics that were left out raise none."""

    metrics: Mapping[str, Score]
    per_class: Sequence[ClassRow]
    histogram: Sequence[HistogramRow]
    nouns: str = "classes"  # the data set's word for its classes
    names: Sequence[str] = ()  # of the classes; empty: they are called by their labels

    def known(self, name: str) -> tuple[float, float, float, float] | None:
        """Return value, low, high and the value of real images, where all are known."""
        score = self.metrics.get(name)
        if score is None:
            return None
        value, low, high, real = map(finite, (score.value, score.low, score.high, score.real))
        if value is None or low is None or high is None or real is None:
            return None
        return value, low, high, real

    def limit(self, name: str) -> float:
        """Return the limit of a metric whose values are all known."""
        limit = limit_of(name, self.metrics[name])
        assert limit is not None
        return limit

    def enumerated(self, labels: Sequence[int]) -> str:
        """Return classes for a sentence, by name; of many, the first ones."""
        return enumerated([self.names[i] if self.names else i for i in labels])

    def missing(self) -> list[int]:
        """Return the classes that are almost never generated."""
        return [
            row.label
            for row in self.histogram
            if row.generated < MISSING_BELOW * row.real
            and row.high is not None
            and row.high < MUCH_LESS * row.real
        ]


def find_warnings(found: Found) -> list[QualityWarning]:
    """Return the warnings about a generator.

    A warning needs the whole 95% interval beyond its threshold, so chance alone rarely raises one.
    A class is missing below a tenth of its expected count, if the interval ends below half of it.
    One fault raises one warning. If images are unrealistic, their classes, labels and variety mean
    nothing. A guide gap explains wrong classes.
    """
    unrealistic, collapsed, copied = _unrealistic(found), _repeats(found), _copied(found)
    missing = mislabelled = gap = None
    if not unrealistic:
        missing = _missing(found)
        collapsed = collapsed or _alike(found) or (None if missing else _narrow(found))
        gap = _guide_gap(found)
        mislabelled = None if gap else _mislabelled(found)
    raised = (missing, collapsed, unrealistic, copied, mislabelled, gap)
    return [warning for warning in raised if warning]


def _missing(found: Found) -> QualityWarning | None:
    missing = found.missing()
    if not missing:
        return None
    names = found.enumerated(missing)
    message = f"Missing {found.nouns}: almost no image is classified as {names}."
    return QualityWarning(
        kind="missing",
        metric="missing_classes",
        value=len(missing),
        threshold=0,
        message=message,
    )


def _alike(found: Found) -> QualityWarning | None:
    alike = [
        row.label
        for row in found.per_class
        if row.diversity_high is not None and row.diversity_high < LITTLE_DIVERSITY
    ]
    if not alike:
        return None
    names = found.enumerated(alike)
    message = f"Collapsed: the images of {names} have less than half the variance of real ones."
    return _warning(found, "collapsed", "intra_class_diversity", LITTLE_DIVERSITY, message)


def _repeats(found: Found) -> QualityWarning | None:
    known = found.known("duplicate_rate")
    if not known:
        return None
    value, low, *_ = known
    if low <= (limit := found.limit("duplicate_rate")):
        return None
    message = f"Collapsed: {value:.0%} of the images are nearly identical to another one."
    return _warning(found, "collapsed", "duplicate_rate", limit, message)


def _narrow(found: Found) -> QualityWarning | None:
    for name in ("recall", "coverage"):
        known = found.known(name)
        if not known:
            continue
        value, _, high, real = known
        if high < (limit := found.limit(name)):
            message = (
                f"Collapsed: the generated images cover only {value:.0%} of the real images "
                f"({name}; held-out real images {real:.0%})."
            )
            return _warning(found, "collapsed", name, limit, message)
    return None


def _unrealistic(found: Found) -> QualityWarning | None:
    """Use density, not precision: the balls of few images are so large that they hold noise."""
    known = found.known("density")
    if not known:
        return None
    value, _, high, real = known
    if high >= (limit := found.limit("density")):
        return None
    message = (
        f"Not realistic: the density of real images around its images is only {value / real:.0%} "
        "of that around held-out real images."
    )
    return _warning(found, "unrealistic", "density", limit, message)


def _mislabelled(found: Found) -> QualityWarning | None:
    """Only classes that are not missing count."""
    known, missing = found.known("judge_accuracy"), found.missing()
    rows = [row for row in found.per_class if row.label not in missing]
    if not known or not rows:
        return None
    n = sum(row.n for row in rows)
    hits = round(sum(row.n * (row.accuracy or 0.0) for row in rows))
    limit = found.limit("judge_accuracy")
    if wilson(hits, n)[1] >= limit:
        return None
    message = (
        f"Wrong {found.nouns}: {1 - hits / n:.0%} of the images show another one than the one "
        "requested."
    )
    return _warning(found, "mislabelled", "judge_accuracy", limit, message)


def _guide_gap(found: Found) -> QualityWarning | None:
    known = found.known("guide_gap")
    if not known:
        return None
    value, low, *_ = known
    if low <= (limit := found.limit("guide_gap")):
        return None
    message = (
        f"Fitted to the guide: the guide accepts {value:.1%} more of the images than the judge "
        "does; the generator has overfitted to its guide."
    )
    return _warning(found, "guide_gap", "guide_gap", limit, message)


def _copied(found: Found) -> QualityWarning | None:
    known = found.known("copying_z")
    if not known or known[2] >= (limit := found.limit("copying_z")):
        return None
    message = (
        "Copied: its images lie nearer to the training images than held-out real images do; see "
        "the pairs in copies.png."
    )
    return _warning(found, "copied", "copying_z", limit, message)


def _warning(
    found: Found, kind: str, metric: str, threshold: float, message: str
) -> QualityWarning:
    score = found.metrics.get(metric)
    value = score.value if score else None
    return QualityWarning(
        kind=kind, metric=metric, value=value, threshold=threshold, message=message
    )
