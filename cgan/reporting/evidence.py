"""The questions about a generator, each with its answer and the evidence in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cgan.metrics.results import ClassRow, Results, Score
from cgan.reporting import tables

CLEARLY_BELOW = 0.9  # of the value of real images
FAR_BELOW = 0.6
RARELY_RIGHT = 0.9  # of the accuracy on real images
LAST_PART = 0.2  # of a training
STILL_FALLING = 0.8  # best FCD of the last part as a share of the best before
FEW_SCORES = 5  # of a training; with fewer its last part cannot be compared
VARIETY = ("recall", "coverage", "intra_class_diversity")
TOO_VARIED = 1.5  # times the diversity of real images: noise or wrong labels
GOOD, WEAK, BAD, UNKNOWN = "good", "weak", "bad", "unknown"


@dataclass(frozen=True)
class Check:
    """One question about a generator, its answer in a word, and the evidence with its numbers."""

    question: str
    state: str  # good, weak, bad or unknown
    evidence: str


def find_checks(results: Results, history: pd.DataFrame | None) -> Iterator[Check]:
    """Yield each question about a generator with its answer."""
    metrics = results.metrics
    raised = {warning.kind for warning in results.warnings}

    def state(weak: bool, *warnings: str, bad: bool = False) -> str:
        return BAD if bad or raised & {*warnings} else WEAK if weak else GOOD

    yield _accuracy(results, tables.worst(results), raised)
    yield _compared(
        results,
        "Do its images look real?",
        {
            "precision": "{value} of its images lie among real ones",
            "density": "the relative density of real images around them is {value}",
        },
        state(
            clearly_below(results, "precision"),
            "unrealistic",
            bad=clearly_below(results, "precision", FAR_BELOW),
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
        {
            "coverage": "{value} of real images have a generated image near them",
            "recall": "{value} of real images lie among the generated ones",
            "intra_class_diversity": f"the images of one {results.noun} have {{value}} times the "
            "variance of real ones",
        },
        state(
            noisy or any(clearly_below(results, name) for name in VARIETY),
            *("missing", "collapsed"),
            bad=any(clearly_below(results, name, FAR_BELOW) for name in VARIETY),
        ),
        _absent(absent, results),
    )
    yield _copies(results, state(False, "copied"))
    yield _trust(results, state(False, "guide_gap"))
    if history is not None:
        yield Check("Was it trained for long enough?", *_ending(history))


def _accuracy(results: Results, weakest: ClassRow | None, raised: set[str]) -> Check:
    question = f"Does it draw the requested {results.noun}?"
    judge = results.metrics.get("judge_accuracy")
    if judge is None or weakest is None or weakest.accuracy is None:
        return Check(
            question, UNKNOWN, f"No {results.noun} was requested, or it is not known which."
        )
    words = f"{{value}} of its images are classified as the requested {results.noun}"
    said = f"{_beside(results, 'judge_accuracy', words)}. The lowest is {weakest.accuracy:.1%}, "
    said += f"for the {results.noun} {weakest.label} (worst {results.noun})."
    correct = RARELY_RIGHT * results.judge.accuracy_real.value
    few = min(judge.value, weakest.accuracy) < correct
    far = judge.value < correct * FAR_BELOW / RARELY_RIGHT
    state = BAD if far or "mislabelled" in raised else WEAK if few else GOOD
    return Check(question, state, said)


def _absent(score: Score | None, results: Results) -> str:
    if score is None:
        return ""
    said = f"{score.value:.0f} {tables.nouns(results)} are missing"
    if score.value <= 1:
        said = f"{'one' if score.value else 'no'} {results.noun} is missing"
    real = f"; real images {score.real:.0f}" if score.real is not None else ""
    return f"; {said} (missing classes{real})"


def _compared(
    results: Results, question: str, names: dict[str, str], state: str, more: str = ""
) -> Check:
    """Return a check whose evidence is sentences, each with a metric and its real value."""
    parts = [
        _beside(results, name, words) for name, words in names.items() if name in results.metrics
    ]
    if not parts:
        return Check(question, UNKNOWN, "Not measured.")
    said = "; ".join(parts) + more + "."
    return Check(question, state, said[0].upper() + said[1:])


def _copies(results: Results, state: str) -> Check:
    question, score = "Is it more than a copy?", results.metrics.get("copying_z")
    if score is None or score.real is None:
        return Check(question, UNKNOWN, "The copying test was not run.")
    nearer = "nearer to" if score.value < score.real else "no nearer to"
    said = (
        f"Its images lie {nearer} the training images than held-out real images do "
        f"(copying z {score.value:+.1f}; real images {score.real:+.1f})"
    )
    if state == BAD:
        return Check(question, state, f"{said}, too near.")
    small = "; the difference is too small for a warning" if score.value < score.real else ""
    return Check(question, state, f"{said}{small}.")


def _trust(results: Results, state: str) -> Check:
    question, score = "Can the score be believed?", results.metrics.get("guide_gap")
    accuracy = results.judge.accuracy_real.value
    said = f"The judge classifies {accuracy:.2%} of real images correctly"
    if accuracy < RARELY_RIGHT and state != BAD:
        return Check(question, WEAK, f"{said}, too few to be reliable.")
    if score is not None and score.real is not None:
        more = "more" if score.value >= 0 else "fewer"
        words = f"the guide accepts {abs(score.value):.1%} {more} of the images than the judge"
        return Check(
            question, state, f"{said}; {words} (guide gap; real images {score.real:+.1%})."
        )
    if results.recipe is None:
        return Check(
            question, UNKNOWN, f"{said}; it is not known which classifier guided the training."
        )
    return Check(question, state, f"{said} and did not guide the training.")


def _beside(results: Results, name: str, words: str) -> str:
    """Return a sentence with a metric's value, then its name and the value of real images."""
    score = results.metrics[name]
    form = ".2f" if name in ("density", "intra_class_diversity") else ".1%"
    real = f"; real images {score.real:{form}}" if score.real is not None else ""
    said = words.format(value=f"{score.value:{form}}")
    return f"{said} ({tables.title(name, results.noun)}{real})"


def still_learning(history: pd.DataFrame | None) -> str:
    """Return the evidence that a training ended too early; empty if there is none.

    The best FCD of the last fifth, against validation images, is below four fifths of the best
    before; or FCD was measured too few times to tell, and the training took less than one epoch.
    """
    state, said = _ending(history)
    return said if state == WEAK else ""


def _ending(history: pd.DataFrame | None) -> tuple[str, str]:
    """Return whether a training was long enough, and the evidence."""
    if history is None or history.empty:
        return UNKNOWN, "The history of the training is not known."
    scores = history["fcd"].dropna().to_numpy() if "fcd" in history else np.empty(0)
    if len(scores) < FEW_SCORES:
        if history["epoch"].iloc[-1] < 1:
            return WEAK, "It ended before every training image had been used once: train it longer."
        often = f"{len(scores)} times" if len(scores) != 1 else "once"
        return UNKNOWN, f"FCD was measured {often} during training, too few times to tell."
    last = max(1, round(LAST_PART * len(scores)))
    before, after = scores[:-last].min(), scores[-last:].min()
    if after < STILL_FALLING * before:
        fell = f"FCD fell from {before:.3g} to {after:.3g}"
        return WEAK, f"It was still improving in its last fifth ({fell}): train it longer."
    if after * STILL_FALLING > before:
        return (
            GOOD,
            "It had stopped improving (FCD had begun to rise). The best checkpoint was kept.",
        )
    return GOOD, "It had almost stopped improving (FCD changed little in its last fifth)."


def known_values(results: Results, name: str) -> tuple[float, float, float] | None:
    """Return value, upper end and value of real images, where all are known."""
    score = results.metrics.get(name)
    if score is None or score.high is None or score.real is None:
        return None
    return score.value, score.high, score.real


def clearly_below(results: Results, name: str, share: float = CLEARLY_BELOW) -> bool:
    """Return whether the whole interval lies below a share of the value of real images."""
    known = known_values(results, name)
    return bool(known and known[1] < share * known[2])
