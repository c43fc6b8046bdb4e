"""The questions about a generator, each with its answer and the evidence in sentences."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cgan.metrics.collapse import MISSING_BELOW
from cgan.metrics.registry import METRICS
from cgan.metrics.results import ClassRow, Results
from cgan.reporting import tables
from cgan.reporting.statements import (
    BAD,
    CLEAR,
    FAR_BELOW,
    GOOD,
    UNKNOWN,
    UNSURE,
    WEAK,
    Check,
    Statement,
    at_most,
    beside,
    clearly_below,
    facts_of,
    interval,
    known_values,
    lower_limit,
    may_be_below,
    warning_and_limit,
)
from cgan.runtime.wording import clipped

RARELY_RIGHT = 0.9  # of the accuracy on real images
UNEVEN = 0.05  # share of the classes
LAST_PART = 0.2  # of a training
STILL_FALLING = 0.8  # best FCD of the last part as a share of the best before
FEW_SCORES = 5  # of a training; with fewer its last part cannot be compared
VARIETY = ("recall", "coverage", "intra_class_diversity")
TOO_VARIED = 1.5  # times the diversity of real images: noise or wrong labels


def find_checks(results: Results, history: pd.DataFrame | None) -> Iterator[Check]:
    """Yield each question about a generator with its answer.

    The evidence names the number, its 95% interval and the limit that decided. A limit counts where
    the whole interval lies beyond it.
    """
    yield _accuracy(results)
    yield _realism(results)
    yield _variety(results)
    yield _copies(results)
    yield _trust(results)
    if history is not None:
        state, statement = _ending(history)
        yield Check("Was it trained for long enough?", state, (statement,))


def _accuracy(results: Results) -> Check:
    question = f"Does it draw the requested {results.noun}?"
    judge, weakest = results.metrics.get("judge_accuracy"), tables.worst(results)
    if judge is None or weakest is None or weakest.accuracy is None:
        unknown = Statement(f"No {results.noun} was requested, or it is not known which")
        return Check(question, UNKNOWN, (unknown,))
    accuracy, highest = results.judge.accuracy_real.value, at_most(judge.value, judge.high)
    correct, far = RARELY_RIGHT * accuracy, FAR_BELOW * accuracy
    warned, limit = warning_and_limit(results, "mislabelled", "judge_accuracy")
    if not warned and highest < correct:
        limit = far if highest < far else correct
    few = highest < correct or is_uneven(results)
    state = BAD if warned or highest < far else WEAK if few else GOOD
    words = f"{{value}} of its images are classified as the requested {results.noun}"
    name = clipped(results.name_of(weakest.label))
    lowest = Statement(
        f"The lowest is {weakest.accuracy:.1%}, for the {results.noun} {name}",
        facts_of(
            f"worst {results.noun}",
            interval(weakest.low, weakest.high, ".1%"),
            f"lower limit {correct:.1%}",
        ),
    )
    statements = [beside(results, "judge_accuracy", words, limit), lowest]
    n_low = len(rarely_right(results))
    if n_low > 1:
        n = len(results.per_class)
        statements.append(Statement(f"{n_low} of {n} {tables.nouns(results)} are below that limit"))
    return Check(question, state, tuple(statements))


def rarely_right(results: Results) -> list[ClassRow]:
    """Return the classes whose whole interval of the accuracy lies below the lower limit."""
    correct = RARELY_RIGHT * results.judge.accuracy_real.value
    rated = [row for row in results.per_class if row.accuracy is not None]
    return [row for row in rated if at_most(row.accuracy or 0.0, row.high) < correct]


def is_uneven(results: Results) -> bool:
    """Return whether more classes are rarely classified correctly than by chance.

    Chance puts one in forty there if all of them are at the limit; twice as many are a fault.
    """
    return len(rarely_right(results)) >= max(1, UNEVEN * len(results.per_class))


def _realism(results: Results) -> Check:
    words = {
        "precision": "{value} of its images lie among real ones",
        "density": "The relative density of real images around them is {value}",
    }
    warned, limit = warning_and_limit(results, "unrealistic", "density")
    limits = {"precision": lower_limit(results, "precision"), "density": limit}
    bad = warned or clearly_below(results, "precision", FAR_BELOW)
    weak, unsure = clearly_below(results, "precision"), may_be_below(results, "precision")
    state = BAD if bad else WEAK if weak else UNSURE if unsure else GOOD
    return _compared(results, "Do its images look real?", words, limits, state)


def _variety(results: Results) -> Check:
    words = {
        "coverage": "{value} of real images have a generated image near them",
        "recall": "{value} of real images lie among the generated ones",
        "intra_class_diversity": f"The images of one {results.noun} have {{value}} times the "
        "variance of real ones",
    }
    limits = {name: lower_limit(results, name) for name in words}
    warnings = {warning.metric: warning for warning in results.warnings}
    if "duplicate_rate" in warnings:
        words["duplicate_rate"] = "{value} of the images are nearly identical to another one"
        limits["duplicate_rate"] = warnings["duplicate_rate"].threshold
    noisy, diversity = False, results.metrics.get("intra_class_diversity")
    if diversity is not None and diversity.low is not None and diversity.real is not None:
        most = TOO_VARIED * diversity.real
        noisy = diversity.low > most
        if diversity.value > diversity.real:  # the limit on this side
            limits["intra_class_diversity"] = most
    bad = any(warning.kind in ("missing", "collapsed") for warning in results.warnings)
    bad = bad or any(clearly_below(results, name, FAR_BELOW) for name in VARIETY)
    weak = noisy or any(clearly_below(results, name) for name in VARIETY)
    unsure = any(may_be_below(results, name) for name in VARIETY)
    state = BAD if bad else WEAK if weak else UNSURE if unsure else GOOD
    return _compared(results, "Is it varied?", words, limits, state, _absent(results))


def _absent(results: Results) -> tuple[Statement, ...]:
    score = results.metrics.get("missing_classes")
    if score is None:
        return ()
    said = f"{score.value:.0f} {tables.nouns(results)} are missing"
    if score.value <= 1:
        said = f"{'One' if score.value else 'No'} {results.noun} is missing"
    real = "" if score.real is None else f"real images {score.real:.0f}"
    limit = f"lower limit {MISSING_BELOW:.0%} of the images of a {results.noun}"
    return (Statement(said, facts_of("missing classes", real, limit)),)


def _compared(
    results: Results,
    question: str,
    names: dict[str, str],
    limits: dict[str, float | None],
    state: str,
    more: tuple[Statement, ...] = (),
) -> Check:
    """Return a check with a statement for each metric that was measured.

    Without a warning and a metric whose interval and value of real images are known, the answer is
    unknown.
    """
    measured = [name for name in names if name in results.metrics]
    if not measured:
        return Check(question, UNKNOWN, (Statement("Not measured"),))
    if state == GOOD and not any(known_values(results, name) for name in measured):
        state = UNKNOWN
    statements = [beside(results, name, names[name], limits[name]) for name in measured]
    return Check(question, state, (*statements, *more))


def _copies(results: Results) -> Check:
    question, score = "Is it more than a copy?", results.metrics.get("copying_z")
    if score is None or score.real is None:
        return Check(question, UNKNOWN, (Statement("The copying test was not run"),))
    warned, limit = warning_and_limit(results, "copied", "copying_z")
    nearer = "nearer to" if score.value < score.real else "no nearer to"
    words = f"Its images lie {nearer} the training images than held-out real images do"
    if not warned and score.value < score.real:
        words += ", but not clearly"
    state = BAD if warned else CLEAR if score.high is not None else UNKNOWN
    title = f"copying z {tables.worded('copying_z', score.value)}"
    return Check(question, state, (beside(results, "copying_z", words, limit, title),))


def _trust(results: Results) -> Check:
    question, score = "Can the score be believed?", results.metrics.get("guide_gap")
    real = results.judge.accuracy_real
    warned, limit = warning_and_limit(results, "guide_gap", "guide_gap")
    said = f"The judge classifies {real.value:.1%} of real images correctly"
    if results.judge.balanced_real is not None:  # the one that a frequent class cannot raise
        real = results.judge.balanced_real
        said += f"; the mean of the {tables.nouns(results)} is {real.value:.1%}"
    limits = interval(real.low, real.high, ".1%"), f"lower limit {RARELY_RIGHT:.1%}"
    judge = Statement(said, facts_of(*limits))
    if at_most(real.value, real.high) < RARELY_RIGHT and not warned:
        return Check(question, WEAK, (judge, Statement("These are too few to be reliable")))
    if score is not None and score.real is not None:
        more = "more" if score.value >= 0 else "fewer"
        words = f"The guide accepts {abs(score.value):.1%} {more} of the images than the judge"
        gap = beside(results, "guide_gap", words, limit, "guide gap")
        return Check(question, BAD if warned else GOOD, (judge, gap))
    if results.recipe is None:
        unknown = Statement("It is not known which classifier guided the training")
        return Check(question, UNKNOWN, (judge, unknown))
    return Check(question, GOOD, (judge, Statement("It did not guide the training")))


def still_learning(history: pd.DataFrame | None) -> str:
    """Return the evidence that a training ended too early; empty if there is none.

    The best FCD of the last fifth, against validation images, is below four fifths of the best
    before; or FCD was measured too few times to tell, and the training took less than one epoch.
    """
    state, statement = _ending(history)
    return str(statement) if state == WEAK else ""


def _ending(history: pd.DataFrame | None) -> tuple[str, Statement]:
    """Return whether a training was long enough, and the evidence."""
    if history is None or history.empty:
        return UNKNOWN, Statement("The history of the training is not known")
    scores = history["fcd"].dropna().to_numpy() if "fcd" in history else np.empty(0)
    if len(scores) < FEW_SCORES:
        if history["epoch"].iloc[-1] < 1:
            short = "It ended before every training image had been used once: train it longer"
            return WEAK, Statement(short)
        often = f"{len(scores)} times" if len(scores) != 1 else "once"
        return UNKNOWN, Statement(
            f"FCD was measured {often} during training, too few times to tell"
        )
    last = max(1, round(LAST_PART * len(scores)))
    before, after = scores[:-last].min(), scores[-last:].min()
    form = METRICS["fcd"].form
    facts = (
        f"lowest FCD {after:{form}} in its last fifth, {before:{form}} before",
        f"still improving below {STILL_FALLING * before:{form}}",
    )
    if after < STILL_FALLING * before:
        return WEAK, Statement("It was still improving when it ended: train it longer", facts)
    if after * STILL_FALLING > before:
        return GOOD, Statement("FCD had begun to rise, and the best checkpoint was kept", facts)
    return GOOD, Statement("It had almost stopped improving", facts)
