"""The verdict on a generator: good, or what is wrong with it, and the evidence in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cgan.metrics.results import ClassRow, Results, Score
from cgan.reporting import tables

CLEARLY_BELOW = 0.9  # of the value of real images
FAR_BELOW = 0.6
RARELY_RIGHT = 0.9  # of a class's images classified correctly
LAST_PART = 0.2  # of a training
STILL_FALLING = 0.8  # FCD at its end as a share of what it was before the last part
FEW_SCORES = 5  # of a training, of which none lies clearly before its last part
VARIETY = ("recall", "coverage", "intra_class_diversity")
TOO_VARIED = 1.5  # times real images' diversity: from noise or wrong labels
NEEDED = ("precision", "recall", "coverage")  # to call a generator good
GOOD, WEAK, BAD, UNKNOWN = "good", "weak", "bad", "unknown"

# by kind: what it is called, and what it means
KINDS = {
    "collapsed": ("Collapsed", "it draws a small part of what real images look like"),
    "unrealistic": ("Not realistic", "most of its images are unlike any real one"),
    "undertrained": ("Undertrained", "it is not good yet, and was still getting better"),
    "copying": ("Copying", "its images lie too near to those that it was trained on"),
    "mislabelled": ("Wrong {nouns}", "it often draws another {noun} than the requested one"),
    "guide_gap": (
        "Fitted to its guide",
        "the guide accepts more of its images than the judge does",
    ),
    "uneven": ("Uneven", "one {noun} is classified correctly far less often than real images are"),
    "rough": ("Rough", "clearly more of its images than of real ones are out of place"),
    "narrow": ("Narrow", "what it draws is right, but varies less than real images"),
    "unsure": ("Not sure", "too few images were scored, or too little of them, to tell"),
    "good": ("Good", "it draws what is requested, realistically and in all variety"),
}
WITHOUT_LABELS = "realistic and varied, as far as images without labels can show it"
# the first that was raised is what matters most
RAISED = {
    **{"missing": "collapsed", "collapsed": "collapsed", "unrealistic": "unrealistic"},
    **{"copied": "copying", "mislabelled": "mislabelled", "guide_gap": "guide_gap"},
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
    title: str
    meaning: str
    checks: list[Check]

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.title}: {self.meaning}."


def find_verdict(results: Results, history: pd.DataFrame | None = None) -> Verdict:
    """Return what results.json and the history of the training say of a generator.

    A warning decides; where none was raised, what lies clearly below real images (the whole 95%
    interval below nine tenths of their value); what may lie below makes the verdict unsure. Faults
    that pass with time are called undertrained if the training was still getting better when it
    ended.
    """
    checks = list(_checks(results, history))
    kind = _kind(results)
    if kind in PASSING and still_learning(history):
        kind = "undertrained"
    words = {"noun": results.noun, "nouns": tables.nouns(results)}
    title, meaning = (text.format(**words) for text in KINDS[kind])
    if kind == "good" and "judge_accuracy" not in results.metrics:
        meaning = WITHOUT_LABELS
    return Verdict(kind, title, meaning, checks)


def _kind(results: Results) -> str:
    raised = {warning.kind for warning in results.warnings}
    for warning, kind in RAISED.items():
        if warning in raised:
            return kind
    if results.warnings:  # of a kind that another version knows
        return "unsure"
    correct = RARELY_RIGHT * results.judge.accuracy_real.value
    judge, weakest = results.metrics.get("judge_accuracy"), tables.worst(results)
    if judge and _at_most(judge.value, judge.high) < correct:
        return "mislabelled"
    if weakest and _at_most(weakest.accuracy or 0.0, weakest.high) < correct:
        return "uneven"
    if _clearly_below(results, "precision"):
        return "rough"
    if any(_clearly_below(results, name) for name in VARIETY):
        return "narrow"
    known = all(_known(results, name) for name in NEEDED)
    below = any(_may_be_below(results, name) for name in VARIETY)
    return "good" if known and not below else "unsure"


def _at_most(value: float, high: float | None) -> float:
    """Return the upper end of an interval, or the value where none is known."""
    return value if high is None else high


def _known(results: Results, name: str) -> tuple[float, float, float] | None:
    """Return value, upper end and value of real images, where all are known."""
    score = results.metrics.get(name)
    if score is None or score.high is None or score.real is None:
        return None
    return score.value, score.high, score.real


def _may_be_below(results: Results, name: str) -> bool:
    """Whether a value is below nine tenths of real images', if not clearly."""
    known = _known(results, name)
    return bool(known and known[0] < CLEARLY_BELOW * known[2])


def still_learning(history: pd.DataFrame | None) -> str:
    """Return how it shows that a training ended too early; nothing if it does not.

    The best FCD of the last fifth, against validation images, is below four fifths of the best
    before; or it was measured too seldom to tell, and no image was used twice.
    """
    state, said = _ending(history)
    return said if state == WEAK else ""


def _ending(history: pd.DataFrame | None) -> tuple[str, str]:
    """Return whether a training was long enough, and how it shows."""
    if history is None or history.empty:
        return UNKNOWN, "Nothing is known of the training."
    scores = history["fcd"].dropna().to_numpy() if "fcd" in history else np.empty(0)
    if len(scores) < FEW_SCORES:
        if history["epoch"].iloc[-1] < 1:
            return WEAK, "It ended before every image had been used once: train it longer."
        often = f"{len(scores)} times" if len(scores) != 1 else "once"
        return UNKNOWN, f"FCD was measured {often} on the way, too seldom to tell."
    last = max(1, round(LAST_PART * len(scores)))
    before, after = scores[:-last].min(), scores[-last:].min()
    if after < STILL_FALLING * before:
        fell = f"In its last fifth FCD still fell from {before:.3g} to {after:.3g}"
        return WEAK, f"{fell}: train it longer."
    if after * STILL_FALLING > before:
        return GOOD, "FCD had begun to rise; the best checkpoint is the one that was kept."
    return GOOD, "FCD had all but stopped falling."


def _clearly_below(results: Results, name: str, share: float = CLEARLY_BELOW) -> bool:
    known = _known(results, name)
    return bool(known and known[1] < share * known[2])


def _checks(results: Results, history: pd.DataFrame | None) -> Iterator[Check]:
    metrics = results.metrics
    raised = {warning.kind for warning in results.warnings}

    def state(weak: bool, *warnings: str, bad: bool = False) -> str:
        return BAD if bad or raised & {*warnings} else WEAK if weak else GOOD

    yield _accuracy(results, tables.worst(results), raised)
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
    diversity = metrics.get("intra_class_diversity")
    noisy = (
        diversity is not None
        and diversity.low is not None
        and diversity.real is not None
        and diversity.low > TOO_VARIED * diversity.real
    )
    absent = metrics.get("missing_classes")
    yield _compared(
        results,
        "Is it varied?",
        {"coverage": "coverage", "recall": "recall"}
        | {"intra_class_diversity": f"diversity within a {results.noun}"},
        state(
            noisy or any(_clearly_below(results, name) for name in VARIETY),
            *("missing", "collapsed"),
            bad=any(_clearly_below(results, name, FAR_BELOW) for name in VARIETY),
        ),
        _absent(absent),
    )
    yield _copies(results, state(False, "copied"))
    yield _trust(results, state(False, "guide_gap"))
    if history is not None:
        yield Check("Was it trained for long enough?", *_ending(history))


def _accuracy(results: Results, weakest: ClassRow | None, raised: set[str]) -> Check:
    question = f"Does it draw the requested {results.noun}?"
    judge = results.metrics.get("judge_accuracy")
    if judge is None or weakest is None or weakest.accuracy is None:
        return Check(question, UNKNOWN, "Nothing was requested, or it is not known what.")
    said = f"{_beside(results, 'judge_accuracy', 'judge accuracy')}, weakest the "
    said += f"{weakest.label} with {weakest.accuracy:.1%}."
    correct = RARELY_RIGHT * results.judge.accuracy_real.value
    few = min(judge.value, weakest.accuracy) < correct
    far = judge.value < correct * FAR_BELOW / RARELY_RIGHT
    state = BAD if far or "mislabelled" in raised else WEAK if few else GOOD
    return Check(question, state, said[0].upper() + said[1:])


def _absent(score: Score | None) -> str:
    if score is None:
        return ""
    return f"; {score.value:.0f} classes missing" if score.value else "; no class missing"


def _compared(
    results: Results, question: str, names: dict[str, str], state: str, more: str = ""
) -> Check:
    """Return a check whose evidence is metrics, each beside its value for real images."""
    parts = [
        _beside(results, name, words) for name, words in names.items() if name in results.metrics
    ]
    if not parts:
        return Check(question, UNKNOWN, "That was not measured.")
    said = ", ".join(parts) + more + "."
    return Check(question, state, said[0].upper() + said[1:])


def _copies(results: Results, state: str) -> Check:
    question, score = "Is it more than a copy?", results.metrics.get("copying_z")
    if score is None or score.real is None:
        return Check(question, UNKNOWN, "Copies were not looked for.")
    nearer = "nearer to" if score.value < score.real else "no nearer to"
    said = (
        f"Its images lie {nearer} the training images than new real ones do: "
        f"z {score.value:+.1f}, real {score.real:+.1f}"
    )
    return Check(question, state, said + (": too near." if state == BAD else "."))


def _trust(results: Results, state: str) -> Check:
    question, score = "Can the score be believed?", results.metrics.get("guide_gap")
    accuracy = results.judge.accuracy_real.value
    said = f"The judge classifies {accuracy:.2%} of real images correctly"
    if accuracy < RARELY_RIGHT and state != BAD:
        return Check(question, WEAK, f"{said}, too few to rely on it.")
    if score is not None and score.real is not None:
        more = "more" if score.value >= 0 else "fewer"
        words = f"the guide accepts {abs(score.value):.1%} {more} of the images than the judge"
        return Check(question, state, f"{said}; {words} ({score.real:+.1%} of real ones).")
    if results.recipe is None:
        return Check(question, UNKNOWN, f"{said}; who guided the generator is not known.")
    return Check(question, state, f"{said} and guided nothing.")


def _beside(results: Results, name: str, words: str) -> str:
    """Return a metric's value after its name, and the value of real images."""
    score = results.metrics[name]
    form = ".2f" if name in ("density", "intra_class_diversity") else ".1%"
    real = f" (real images {score.real:{form}})" if score.real is not None else ""
    return f"{words} {score.value:{form}}{real}"
