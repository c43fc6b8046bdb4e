"""The verdict on a generator: good, or what is wrong with it."""

from dataclasses import dataclass

import pandas as pd

from cgan.metrics.results import Results
from cgan.reporting import tables
from cgan.reporting.evidence import (
    RARELY_RIGHT,
    VARIETY,
    find_checks,
    is_uneven,
    rarely_right,
    still_learning,
)
from cgan.reporting.statements import Check, at_most, clearly_below, known_values, may_be_below

NEEDED = ("precision", "recall", "coverage")  # to call a generator good

# by kind: title and meaning
KINDS = {
    "collapsed": ("Collapsed", "its images show only a small part of the variety of real images"),
    "unrealistic": ("Not realistic", "most of its images are unlike any real one"),
    "undertrained": (
        "Undertrained",
        "it is not good yet, and was still improving when the training ended",
    ),
    "copying": ("Copying", "its images are too similar to its training images"),
    "mislabelled": ("Wrong {nouns}", "its images often show another {noun} than the requested one"),
    "guide_gap": (
        "Fitted to its guide",
        "the guide accepts more of its images than the judge does",
    ),
    "uneven": ("Uneven", "one {noun} is classified correctly far less often than real images are"),
    "rough": ("Rough", "clearly fewer of its images than of real images look real"),
    "narrow": ("Narrow", "its images look right, but vary less than real images"),
    "unsure": ("Not sure", "some of the metrics that decide were not evaluated"),
    "good": ("Good", "its images show the requested {nouns} and are realistic and varied"),
}
# of an unsure verdict, where metrics decide it
UNCLEAR = "{metrics} may be too low: the value is below the limit, the interval reaches above it"
UNKNOWN_WARNING = "another version of cgan raised a warning that this one does not know"
SEVERAL_LOW = "{n_low} of {n} {nouns} are classified correctly far less often than real images are"
WITHOUT_LABELS = "its images are realistic and varied, as far as images without labels can show it"
# the first warning in this order decides
RAISED = {
    **{"missing": "collapsed", "collapsed": "collapsed", "unrealistic": "unrealistic"},
    **{"copied": "copying", "mislabelled": "mislabelled", "guide_gap": "guide_gap"},
}
PASSING = {"unrealistic", "mislabelled", "uneven"}  # what more training may fix


@dataclass(frozen=True)
class Verdict:
    """The verdict on a generator."""

    kind: str  # of KINDS
    title: str
    meaning: str
    checks: list[Check]

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.title}: {self.meaning}."


def find_verdict(results: Results, history: pd.DataFrame | None = None) -> Verdict:
    """Return the verdict on a generator, from its results and the history of its training.

    A warning decides. Without one, a metric that is clearly below real images decides: its whole
    95% interval lies below nine tenths of their value. If a metric may be below, the verdict is
    unsure. A fault that more training may fix is called undertrained if the training was still
    improving when it ended.
    """
    checks = list(find_checks(results, history))
    kind = _kind(results)
    if kind in PASSING and still_learning(history):
        kind = "undertrained"
    words = {"noun": results.noun, "nouns": tables.nouns(results)}
    title, meaning = (text.format(**words) for text in KINDS[kind])
    if kind == "good" and "judge_accuracy" not in results.metrics:
        meaning = WITHOUT_LABELS
    n_low = len(rarely_right(results))
    if kind == "uneven" and n_low > 1:
        meaning = SEVERAL_LOW.format(n_low=n_low, n=len(results.per_class), **words)
    if kind == "unsure":
        meaning = _why_unsure(results) or meaning
    return Verdict(kind, title, meaning, checks)


def _kind(results: Results) -> str:
    raised = {warning.kind for warning in results.warnings}
    for warning, kind in RAISED.items():
        if warning in raised:
            return kind
    if results.warnings:  # of a kind that another version knows
        return "unsure"
    correct = RARELY_RIGHT * results.judge.accuracy_real.value
    judge = results.metrics.get("judge_accuracy")
    if judge and at_most(judge.value, judge.high) < correct:
        return "mislabelled"
    if is_uneven(results):
        return "uneven"
    if clearly_below(results, "precision"):
        return "rough"
    if any(clearly_below(results, name) for name in VARIETY):
        return "narrow"
    known = all(known_values(results, name) for name in NEEDED)
    return "good" if known and not _unclear(results) else "unsure"


def _why_unsure(results: Results) -> str:
    if results.warnings:
        return UNKNOWN_WARNING
    unclear = [tables.title(name, results.noun) for name in _unclear(results)]
    return UNCLEAR.format(metrics=" and ".join(unclear)) if unclear else ""


def _unclear(results: Results) -> list[str]:
    """Return the metrics that are below their limit, but not with their whole interval."""
    return [name for name in ("precision", *VARIETY) if may_be_below(results, name)]
