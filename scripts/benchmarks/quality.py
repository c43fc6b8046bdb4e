"""Time to quality: how long training takes to reach a score, for the GAN and the classifier."""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cgan.config.schema import ClassifierConfig, Folders, GanConfig
from cgan.io.run_layout import SHIPPED
from cgan.training.classifier import train_classifier
from cgan.training.gan import train_gan
from scripts.benchmarks.rows import Row, summary

History = list[dict[str, float]]
LEVELS = [
    ("judge_accuracy", 0.90),
    ("judge_accuracy", 0.97),
    ("judge_accuracy", 0.99),
    ("coverage", 0.6),
    ("coverage", 0.8),
]
MOMENTS = [30, 60, 120]  # seconds of training
SCORES = [("judge_accuracy", 100, "%"), ("fcd", 1, ""), ("coverage", 1, "")]
CLASSIFIER_LEVELS = [0.990, 0.994]
CHECKS = 4  # evaluations per epoch, the resolution of the times


def goal(column: str, level: float) -> str:
    """Return a level as text."""
    name = _words(column)
    return f"{name} {100 * level:g}%" if "accuracy" in column else f"{name} {level:g}"


def score_at(history: History, column: str, seconds: float) -> float:
    """Return the last score within `seconds` of training; NaN before the first score."""
    return next((row[column] for row in reversed(history) if row["seconds"] <= seconds), math.nan)


def seconds_to(history: History, column: str, level: float) -> float:
    """Return the seconds of training until `column` first reached `level`; else infinity."""
    return next((row["seconds"] for row in history if row[column] >= level), math.inf)


def quality(
    config: GanConfig,
    mnist: Path,
    seeds: int,
    baseline_epoch: float | None,
    say: Callable[[str], None] = lambda _: None,
    keep: Path | None = None,
) -> list[Row]:
    """Train with several seeds; return the rows of the part "quality".

    The seconds include the clustering of modes before the training, but not evaluations and
    pictures. The scores come from validation images.

    Args:
        config: settings of the training; its `checks` determine the resolution of the times.
        mnist: the folder of the data.
        seeds: number of runs, with the seeds 1, 2 and so on.
        baseline_epoch: seconds of the baseline's epoch on this machine; None leaves those rows out.
        say: receives a line about every run.
        keep: the folder for the runs, named default-1 and so on; None: they are deleted.
    """
    histories = [
        _train(replace(config, seed=seed), mnist, say, keep) for seed in range(1, seeds + 1)
    ]
    return scores_in_time(histories, baseline_epoch)


def scores_in_time(histories: Sequence[History], baseline_epoch: float | None) -> list[Row]:
    """Return the time at which each score was reached, and the scores at each moment."""
    part, rows = "quality", []
    for column, level in LEVELS:
        times = [seconds_to(history, column, level) for history in histories]
        rows.append(summary(part, f"training to {goal(column, level)}", times, "s"))
        if baseline_epoch is not None:
            multiples = [seconds / baseline_epoch for seconds in times]
            rows.append(
                summary(part, f"training to {goal(column, level)}", multiples, "baseline epochs")
            )
    moments = {f"within {seconds} s": float(seconds) for seconds in MOMENTS}
    for when, seconds in {**moments, "at the end": math.inf}.items():
        for column, factor, unit in SCORES:
            scores = [factor * score_at(history, column, seconds) for history in histories]
            rows.append(summary(part, f"{_words(column)} {when}", scores, unit))
    ends = [history[-1]["seconds"] for history in histories]
    rows.append(summary(part, "whole training", ends, "s"))
    if baseline_epoch is not None:
        multiples = [seconds / baseline_epoch for seconds in ends]
        rows.append(summary(part, "whole training", multiples, "baseline epochs"))
    return rows


def _words(column: str) -> str:
    return {"fcd": "FCD"}.get(column, column.replace("_", " "))


def _train(
    config: GanConfig, mnist: Path, say: Callable[[str], None], keep: Path | None
) -> History:
    with tempfile.TemporaryDirectory() as passing:
        place = keep or Path(passing)
        name = f"default-{config.seed}"
        guide, judge = (str(SHIPPED / f"{config.dataset}-{role}") for role in ("guide", "judge"))
        folders = Folders(mnist, place, place)
        taught = train_gan(config, folders, name=name, guide=guide, judge=judge, overwrite=True)
        history = taught.history
    end = history[-1]
    say(
        f"  seed {config.seed}: judge accuracy {end['judge_accuracy']:.1%}, "
        f"coverage {end['coverage']:.1%} after {end['seconds']:.0f} s"
    )
    return history


def classifier(
    config: ClassifierConfig, mnist: Path, seeds: int, say: Callable[[str], None] = lambda _: None
) -> list[Row]:
    """Train the guide with several seeds; return the rows of the part "classifier".

    Validation images score the epochs. Test images are used once, at the end.
    """
    results = []
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory() as place:
            folders = Folders(mnist, Path(place), Path(place))
            results.append(train_classifier(replace(config, seed=seed), folders))
        say(f"  seed {seed}: {results[-1].test_accuracy['value']:.2%}")
    part, column = "classifier", "validation_accuracy"
    histories = [result.history for result in results]
    rows = []
    for epoch in range(len(histories[0])):
        at = [history[epoch] for history in histories]
        scores = [100 * row[column] for row in at]
        rows += [
            summary(
                part, f"training, epochs 1 to {epoch + 1}", [row["seconds"] for row in at], "s"
            ),
            summary(part, f"validation accuracy after epoch {epoch + 1}", scores, "%"),
        ]
    for level in CLASSIFIER_LEVELS:
        times = [seconds_to(history, column, level) for history in histories]
        rows.append(summary(part, f"training to {goal(column, level)}", times, "s"))
    tested = [100 * result.test_accuracy["value"] for result in results]
    return [*rows, summary(part, "test accuracy at the end", tested, "%")]
