"""The verdict on a generator: good, or what is wrong with it, and the evidence in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cgan.report import tables

CLEARLY_BELOW = 0.9  # of the value of real images
FAR_BELOW = 0.6
RARELY_RIGHT = 0.9  # of a digit's images read as it
LAST_PART = 0.2  # of a training
STILL_FALLING = 0.8  # FCD at its end as a share of what it was before the last part
FEW_LOOKS = 5  # of which none lies clearly before the last part
VARIETY = ("recall", "coverage", "intra_class_diversity")
GOOD, WEAK, BAD, UNKNOWN = "good", "weak", "bad", "unknown"

# by kind: what it is called, and what it means
KINDS = {
    "collapsed": ("Collapsed", "it draws a small part of what real images look like"),
    "unrealistic": ("Not realistic", "most of its images are unlike any real one"),
    "undertrained": ("Undertrained", "it is not good yet, and was still getting better"),
    "copying": ("Copying", "its images lie too near to those that it was trained on"),
    "mislabelled": ("Wrong digits", "it often draws another digit than the one asked for"),
    "flattered": ("Flattered", "its guide likes the images better than an independent judge does"),
    "uneven": ("Uneven", "one digit is read rightly less than nine times in ten"),
    "rough": ("Rough", "clearly more of its images than of real ones are out of place"),
    "narrow": ("Narrow", "what it draws is right, but varies less than real images"),
    "good": ("Good", "it draws what it is asked for, realistically and in all variety"),
}
UNASKED = "realistic and varied, as far as images without labels can show it"
# the first that was raised is what matters most
RAISED = {
    **{"missing": "collapsed", "collapsed": "collapsed", "unrealistic": "unrealistic"},
    **{"copied": "copying", "mislabelled": "mislabelled", "flattered": "flattered"},
}
PASSING = {"unrealistic", "mislabelled", "uneven"}  # what more training mends


@dataclass(frozen=True)
class Check:
    """One question about a generator: its answer in a word, and the numbers behind it."""

    question: str
    state: str  # good, weak, bad or unknown
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of a generator."""

    kind: str  # of KINDS
    meaning: str
    checks: list[Check]

    @property
    def title(self) -> str:
        """The kind in words."""
        return KINDS[self.kind][0]

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.title}: {self.meaning}."


def find_verdict(results: dict[str, Any], history: pd.DataFrame | None = None) -> Verdict:
    """Return what results.json and the history of the training say of a generator.

    An alarm decides; where none was raised, what lies clearly below real images (the whole 95%
    interval below nine tenths of their value). Faults that pass with time are called undertrained
    if the training was still getting better when it ended.
    """
    checks = list(_checks(results, history))
    kind = _kind(results)
    if kind in PASSING and still_learning(history):
        kind = "undertrained"
    if kind == "good" and results["metrics"].get("judge_accuracy") is None:
        return Verdict(kind, UNASKED, checks)
    return Verdict(kind, KINDS[kind][1], checks)


def _kind(results: dict[str, Any]) -> str:
    raised = {alarm.get("kind") for alarm in results["alarms"]}
    for alarm, kind in RAISED.items():
        if alarm in raised:
            return kind
    weakest = tables.worst(results)
    judge = results["metrics"].get("judge_accuracy")
    if judge and judge["value"] < RARELY_RIGHT:
        return "mislabelled"
    if weakest and weakest["accuracy"] < RARELY_RIGHT:
        return "uneven"
    if _clearly_below(results, "precision"):
        return "rough"
    if any(_clearly_below(results, name) for name in VARIETY):
        return "narrow"
    return "good"


def still_learning(history: pd.DataFrame | None) -> str:
    """Return how it shows that a training ended too early; nothing if it does not.

    The best FCD of the last fifth of the looks, against validation images, is below four fifths of
    the best before; or there are too few looks to tell, and no image was seen twice.
    """
    if history is None or history.empty:
        return ""
    scores = history["fcd"].dropna().to_numpy() if "fcd" in history else np.empty(0)
    if len(scores) < FEW_LOOKS:
        return (
            "It ended before it had seen every image once" if history["epoch"].iloc[-1] < 1 else ""
        )
    last = max(1, round(LAST_PART * len(scores)))
    before, after = scores[:-last].min(), scores[-last:].min()
    if after >= STILL_FALLING * before:
        return ""
    return f"In its last fifth FCD still fell from {before:.3g} to {after:.3g}"


def _clearly_below(results: dict[str, Any], name: str, share: float = CLEARLY_BELOW) -> bool:
    metric = results["metrics"].get(name)
    if not metric or metric["high"] is None or metric["real"] is None:
        return False
    return bool(metric["high"] < share * metric["real"])


def _checks(results: dict[str, Any], history: pd.DataFrame | None) -> Iterator[Check]:
    metrics = results["metrics"]
    raised = {alarm.get("kind") for alarm in results["alarms"]}

    def state(weak: bool, *alarms: str, bad: bool = False) -> str:
        return BAD if bad or raised & {*alarms} else WEAK if weak else GOOD

    weakest = tables.worst(results)
    question = "Does it draw the digit that it is asked for?"
    if "judge_accuracy" in metrics and weakest is not None:
        said = _beside(results, "judge_accuracy", "of its images are read as the digit asked for")
        said += f". Weakest: the {weakest['digit']:.0f}, {weakest['accuracy']:.1%}"
        few = metrics["judge_accuracy"]["value"] < RARELY_RIGHT
        few = few or weakest["accuracy"] < RARELY_RIGHT
        yield Check(question, state(few, "mislabelled"), said + ".")
    else:
        yield Check(question, UNKNOWN, "Nobody asked: it heeds no label, or none is known.")
    if "precision" in metrics:
        said = _beside(results, "precision", "of its images lie among real ones")
        weak = _clearly_below(results, "precision")
        bad = _clearly_below(results, "precision", FAR_BELOW)
        yield Check("Do its images look real?", state(weak, "unrealistic", bad=bad), said + ".")
    if "coverage" in metrics:
        said = _beside(results, "coverage", "of the real images have one of its images near")
        absent = metrics.get("missing_classes", {}).get("value") or 0
        said += f"; {absent:.0f} classes are missing" if absent else "; no class is missing"
        diversity = metrics.get("intra_class_diversity")
        if diversity and diversity["real"] is not None:
            said += f". Within a digit images vary {diversity['value']:.2f} times as much as real "
            said += f"ones (others: {diversity['real']:.2f})"
        weak = any(_clearly_below(results, name) for name in VARIETY)
        bad = any(_clearly_below(results, name, FAR_BELOW) for name in VARIETY)
        yield Check("Is it varied?", state(weak, "missing", "collapsed", bad=bad), said + ".")
    yield _copies(results, state(False, "copied"))
    yield _trust(results, state(False, "flattered"))
    if history is not None:
        falling = still_learning(history)
        said = f"{falling}: train it longer." if falling else "FCD had all but stopped falling."
        yield Check("Was it trained for long enough?", WEAK if falling else GOOD, said)


def _copies(results: dict[str, Any], state: str) -> Check:
    question, metric = "Is it more than a copy?", results["metrics"].get("copying_z")
    if not metric or metric["real"] is None:
        return Check(question, UNKNOWN, "Copies were not looked for.")
    nearer = "nearer to" if metric["value"] < metric["real"] else "no nearer to"
    said = (
        f"Its images lie {nearer} the training images than new real ones do: "
        f"z {metric['value']:+.1f}, real {metric['real']:+.1f}"
    )
    return Check(question, state, said + (": too near." if state == BAD else "."))


def _trust(results: dict[str, Any], state: str) -> Check:
    question, metric = "Can the score be believed?", results["metrics"].get("flattery")
    judge = results["judge"]
    said = (
        f"The judge guided nothing and reads {judge['accuracy_real']['value']:.2%} of real images"
    )
    if not metric or metric["real"] is None:
        return Check(question, GOOD if state == GOOD else state, said + ".")
    more = "more" if metric["value"] >= 0 else "fewer"
    words = f"the guide accepts {abs(metric['value']):.1%} {more} of the images than the judge"
    words += f" ({metric['real']:+.1%} of real ones)"
    return Check(question, state, f"{said}; {words}.")


def _beside(results: dict[str, Any], name: str, words: str) -> str:
    """Return a metric's value, what it is of, and the value of real images."""
    metric = results["metrics"][name]
    real = f" (real images: {metric['real']:.1%})" if metric["real"] is not None else ""
    return f"{metric['value']:.1%} {words}{real}"
