"""The verdict on a generator: good, or what is wrong with it, and the evidence in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cgan.reporting import tables

CLEARLY_BELOW = 0.9  # of the value of real images
FAR_BELOW = 0.6
RARELY_RIGHT = 0.9  # of a digit's images read as it
LAST_PART = 0.2  # of a training
STILL_FALLING = 0.8  # FCD at its end as a share of what it was before the last part
FEW_LOOKS = 5  # of which none lies clearly before the last part
VARIETY = ("recall", "coverage", "intra_class_diversity")
TOO_VARIED = 1.5  # times real images' diversity: of noise and wrong labels, not of digits
NEEDED = ("precision", "recall", "coverage")  # to call a generator good
GOOD, WEAK, BAD, UNKNOWN = "good", "weak", "bad", "unknown"

# by kind: what it is called, and what it means
KINDS = {
    "collapsed": ("Collapsed", "it draws a small part of what real images look like"),
    "unrealistic": ("Not realistic", "most of its images are unlike any real one"),
    "undertrained": ("Undertrained", "it is not good yet, and was still getting better"),
    "copying": ("Copying", "its images lie too near to those that it was trained on"),
    "mislabelled": ("Wrong digits", "it often draws another digit than the one asked for"),
    "flattered": ("Flattered", "its guide likes the images better than an independent judge does"),
    "uneven": ("Uneven", "one digit is read rightly far less often than real images are"),
    "rough": ("Rough", "clearly more of its images than of real ones are out of place"),
    "narrow": ("Narrow", "what it draws is right, but varies less than real images"),
    "unsure": ("Not sure", "too few images were scored, or too little of them, to tell"),
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
    interval below nine tenths of their value); what may lie below makes nobody sure. Faults that
    pass with time are called undertrained if the training was still getting better when it ended.
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
    if results["alarms"]:  # of a kind that another version knows
        return "unsure"
    rightly = RARELY_RIGHT * results["judge"]["accuracy_real"]["value"]
    judge, weakest = results["metrics"].get("judge_accuracy"), tables.worst(results)
    if judge and _at_most(judge) < rightly:
        return "mislabelled"
    if weakest and _at_most({**weakest, "value": weakest["accuracy"]}) < rightly:
        return "uneven"
    if _clearly_below(results, "precision"):
        return "rough"
    if any(_clearly_below(results, name) for name in VARIETY):
        return "narrow"
    known = all(_known(results, name) for name in NEEDED)
    return (
        "good" if known and not any(_may_be_below(results, name) for name in VARIETY) else "unsure"
    )


def _at_most(metric: dict[str, float]) -> float:
    """Return the upper end of an interval, or the value where none is known."""
    return metric["value"] if metric.get("high") is None else metric["high"]


def _known(results: dict[str, Any], name: str) -> dict[str, float] | None:
    metric = results["metrics"].get(name)
    known = metric and metric["high"] is not None and metric["real"] is not None
    return metric if known else None


def _may_be_below(results: dict[str, Any], name: str) -> bool:
    """Whether a value is below nine tenths of real images', if not clearly."""
    metric = _known(results, name)
    return bool(metric and metric["value"] < CLEARLY_BELOW * metric["real"])


def still_learning(history: pd.DataFrame | None) -> str:
    """Return how it shows that a training ended too early; nothing if it does not.

    The best FCD of the last fifth of the looks, against validation images, is below four fifths of
    the best before; or there are too few looks to tell, and no image was seen twice.
    """
    state, said = _ending(history)
    return said if state == WEAK else ""


def _ending(history: pd.DataFrame | None) -> tuple[str, str]:
    """Return whether a training was long enough, and how it shows."""
    if history is None or history.empty:
        return UNKNOWN, "Nothing is known of the training."
    scores = history["fcd"].dropna().to_numpy() if "fcd" in history else np.empty(0)
    if len(scores) < FEW_LOOKS:
        if history["epoch"].iloc[-1] < 1:
            return WEAK, "It ended before it had seen every image once: train it longer."
        looks = f"{len(scores)} times" if len(scores) != 1 else "once"
        return UNKNOWN, f"FCD was measured {looks} on the way, too seldom to tell."
    last = max(1, round(LAST_PART * len(scores)))
    before, after = scores[:-last].min(), scores[-last:].min()
    if after < STILL_FALLING * before:
        fell = f"In its last fifth FCD still fell from {before:.3g} to {after:.3g}"
        return WEAK, f"{fell}: train it longer."
    if after * STILL_FALLING > before:
        return GOOD, "FCD had begun to rise; the best checkpoint is the one that was kept."
    return GOOD, "FCD had all but stopped falling."


def _clearly_below(results: dict[str, Any], name: str, share: float = CLEARLY_BELOW) -> bool:
    metric = _known(results, name)
    return bool(metric and metric["high"] < share * metric["real"])


def _checks(results: dict[str, Any], history: pd.DataFrame | None) -> Iterator[Check]:
    metrics = results["metrics"]
    raised = {alarm.get("kind") for alarm in results["alarms"]}

    def state(weak: bool, *alarms: str, bad: bool = False) -> str:
        return BAD if bad or raised & {*alarms} else WEAK if weak else GOOD

    question, weakest = "Does it draw the digit that it is asked for?", tables.worst(results)
    if "judge_accuracy" in metrics and weakest is not None:
        said = f"{_beside(results, 'judge_accuracy', 'judge accuracy')}, weakest the "
        said += f"{weakest['digit']:.0f} with {weakest['accuracy']:.1%}."
        rightly = RARELY_RIGHT * results["judge"]["accuracy_real"]["value"]
        few = min(metrics["judge_accuracy"]["value"], weakest["accuracy"]) < rightly
        far = metrics["judge_accuracy"]["value"] < rightly * FAR_BELOW / RARELY_RIGHT
        yield Check(question, state(few, "mislabelled", bad=far), said[0].upper() + said[1:])
    else:
        yield Check(question, UNKNOWN, "Nobody asked: it heeds no label, or none is known.")
    yield _compared(
        results,
        "Do its images look real?",
        {"precision": "precision", "density": "density"},
        state(
            _clearly_below(results, "precision"),
            "unrealistic",
            bad=_clearly_below(results, "precision", FAR_BELOW),
        ),
    )
    diversity = _known(results, "intra_class_diversity")
    noisy = diversity and diversity["low"] > TOO_VARIED * diversity["real"]
    absent = metrics.get("missing_classes", {}).get("value")
    yield _compared(
        results,
        "Is it varied?",
        {"coverage": "coverage", "recall": "recall"}
        | {"intra_class_diversity": "diversity within a digit"},
        state(
            bool(noisy) or any(_clearly_below(results, name) for name in VARIETY),
            *("missing", "collapsed"),
            bad=any(_clearly_below(results, name, FAR_BELOW) for name in VARIETY),
        ),
        ""
        if absent is None
        else f"; {absent:.0f} classes missing"
        if absent
        else "; no class missing",
    )
    yield _copies(results, state(False, "copied"))
    yield _trust(results, state(False, "flattered"))
    if history is not None:
        yield Check("Was it trained for long enough?", *_ending(history))


def _compared(
    results: dict[str, Any], question: str, names: dict[str, str], state: str, more: str = ""
) -> Check:
    """Return a check whose evidence is metrics, each beside its value for real images."""
    told = [
        _beside(results, name, words) for name, words in names.items() if name in results["metrics"]
    ]
    if not told:
        return Check(question, UNKNOWN, "That was not measured.")
    said = ", ".join(told) + more + "."
    return Check(question, state, said[0].upper() + said[1:])


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
    accuracy = results["judge"]["accuracy_real"]["value"]
    said = f"The judge reads {accuracy:.2%} of real images rightly"
    if accuracy < RARELY_RIGHT and state != BAD:
        return Check(question, WEAK, f"{said}, too few to rely on it.")
    if metric and metric["real"] is not None:
        more = "more" if metric["value"] >= 0 else "fewer"
        words = f"the guide accepts {abs(metric['value']):.1%} {more} of the images than the judge"
        return Check(question, state, f"{said}; {words} ({metric['real']:+.1%} of real ones).")
    if results["recipe"] is None:
        return Check(question, UNKNOWN, f"{said}; who taught the generator is not known.")
    return Check(question, state, f"{said} and guided nothing.")


def _beside(results: dict[str, Any], name: str, words: str) -> str:
    """Return a metric's value after its name, and the value of real images."""
    metric = results["metrics"][name]
    form = ".2f" if name in ("density", "intra_class_diversity") else ".1%"
    real = f" (real images {metric['real']:{form}})" if metric["real"] is not None else ""
    return f"{words} {metric['value']:{form}}{real}"
