from typing import Any

import pandas as pd
import pytest
from conftest import golden_results
from msgspec.structs import replace

from cgan.metrics.results import Accuracy, ClassRow, QualityWarning, Results, Score
from cgan.metrics.warnings import LIMITS
from cgan.reporting.evidence import RARELY_RIGHT, still_learning
from cgan.reporting.statements import ANSWERS, CLEARLY_BELOW, FAR_BELOW, Check
from cgan.reporting.tables import summary
from cgan.reporting.verdict import KINDS, RAISED, find_verdict


def metric(value: float, real: float, spread: float = 0.01) -> Score:
    return Score(value=value, low=value - spread, high=value + spread, real=real, n=1000)


def results(*warnings: str, worst: float = 0.98, **metrics: float) -> Results:
    """Return results like those of a good generator but for `metrics`, whose real value is 1."""
    names = {
        *("judge_accuracy", "precision", "recall", "coverage"),
        *("intra_class_diversity", "guide_gap", "copying_z"),
    }
    found = {name: metric(1.0, 1.0) for name in names}
    found |= {name: metric(value, 1.0) for name, value in metrics.items()}
    return replace(
        judged(golden_results(), 0.997),
        metrics=found,
        per_class=[ClassRow(label=0, accuracy=1.0), ClassRow(label=1, accuracy=worst)],
        warnings=[QualityWarning(kind=kind, metric="recall", message="!") for kind in warnings],
    )


def judged(found: Results, accuracy: float) -> Results:
    """Return results by a judge of that accuracy on real images."""
    return replace(found, judge=replace(found.judge, accuracy_real=Accuracy(accuracy)))


def scored(found: Results, name: str, **values: Any) -> Results:
    """Return results in which values of a metric are others."""
    return replace(found, metrics={**found.metrics, name: replace(found.metrics[name], **values)})


def history(*fcd: float, epochs: float = 10) -> pd.DataFrame:
    return pd.DataFrame(
        {"epoch": [epochs * (i + 1) / len(fcd) for i in range(len(fcd))], "fcd": fcd}
    )


def asked(found: Results, word: str, known: pd.DataFrame | None = None) -> Check:
    """Return the check whose question has a word."""
    (check,) = [c for c in find_verdict(found, known).checks if word in c.question]
    return check


DONE = history(9, 5, 3, 1, 0.5, 0.4, 0.31, 0.3, 0.29, 0.29)
FALLING = history(9, 8, 7, 6, 5, 4, 3, 2, 1, 0.5)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (results(), "good"),
        (results(recall=0.95), "good"),
        (results(recall=0.8), "narrow"),
        (results(coverage=0.7), "narrow"),
        (results(intra_class_diversity=0.6), "narrow"),
        (results(precision=0.8), "rough"),
        (results(precision=0.8, recall=0.5), "rough"),
        (results(worst=0.85), "uneven"),
        (results(judge_accuracy=0.85, worst=0.8), "mislabelled"),
        (results("missing"), "collapsed"),
        (results("collapsed"), "collapsed"),
        (results("unrealistic"), "unrealistic"),
        (results("copied"), "copying"),
        (results("mislabelled"), "mislabelled"),
        (results("guide_gap"), "guide_gap"),
        (results("copied", "missing"), "collapsed"),
        (results("guide_gap", "copied"), "copying"),
    ],
)
def test_the_verdict_follows_warnings_and_then_what_is_clearly_below_real_images(
    found: Results, kind: str
) -> None:
    for known in (None, DONE):
        verdict = find_verdict(found, known)
        assert verdict.kind == kind
        wanted = f"{KINDS[kind][0]}: {KINDS[kind][1]}."
        assert str(verdict) == wanted.format(noun="digit", nouns="digits")


@pytest.mark.parametrize(("noun", "nouns"), [("character", "characters"), ("class", "classes")])
def test_a_verdict_calls_a_class_as_the_data_set_does(noun: str, nouns: str) -> None:
    verdict = find_verdict(replace(results("mislabelled"), noun=noun))
    assert verdict.title == f"Wrong {nouns}"
    assert f"another {noun} than" in verdict.meaning
    said = " ".join(check.question + check.evidence for check in verdict.checks)
    assert f"Does it draw the requested {noun}?" in said
    assert f"diversity within a {noun}" in said
    uneven = find_verdict(replace(results(worst=0.85), noun=noun))
    assert f"one {noun} is classified correctly" in uneven.meaning
    assert "digit" not in f"{said} {verdict} {uneven}"


@pytest.mark.parametrize(
    ("recall", "state"), [(1.0, "good"), (0.93, "good"), (0.7, "weak"), (0.5, "bad")]
)
def test_the_further_below_real_images_the_worse_is_the_answer(recall: float, state: str) -> None:
    (check,) = [c for c in find_verdict(results(recall=recall)).checks if "varied" in c.question]
    assert check.state == state


@pytest.mark.parametrize("kind", RAISED)
def test_a_warning_is_answered_by_the_check_that_asks_about_it(kind: str) -> None:
    (check,) = [check for check in find_verdict(results(kind)).checks if check.state == "bad"]
    word = {
        **{"missing": "varied", "collapsed": "varied", "unrealistic": "real", "copied": "copy"},
        **{"mislabelled": "requested", "guide_gap": "believed"},
    }[kind]
    assert word in check.question


@pytest.mark.parametrize("kind", ["unrealistic", "mislabelled"])
def test_what_was_still_getting_better_is_called_undertrained(kind: str) -> None:
    assert find_verdict(results(kind), FALLING).kind == "undertrained"
    assert find_verdict(results(kind), DONE).kind != "undertrained"


@pytest.mark.parametrize("kind", ["copied", "guide_gap", "collapsed", "missing"])
def test_more_training_mends_neither_copying_nor_a_guide_gap_nor_a_collapse(
    kind: str,
) -> None:
    assert find_verdict(results(kind), FALLING).kind == RAISED[kind]


def test_a_good_generator_is_good_even_if_it_was_still_getting_better() -> None:
    verdict = find_verdict(results(), FALLING)
    assert verdict.kind == "good"
    assert verdict.checks[-1].state == "weak"


@pytest.mark.parametrize(
    ("known", "still"),
    [
        (None, False),
        (DONE, False),
        (FALLING, True),
        (history(3, 2, epochs=0.5), True),  # too few looks, but it saw no image twice
        (history(3, 2, epochs=5), False),
        (history(3, 2, 1, 1, 1, 1, 1, 1, float("nan")), False),
        (pd.DataFrame({"epoch": [0.5]}), True),
        (pd.DataFrame({"epoch": [5.0]}), False),
    ],
)
def test_a_training_still_learns_if_its_last_part_brought_much(
    known: pd.DataFrame | None, still: bool
) -> None:
    assert bool(still_learning(known)) is still


def test_nothing_is_made_of_what_is_not_known() -> None:
    found = results()
    for name in found.metrics:
        found = scored(found, name, low=None, high=None, real=None)
    assert find_verdict(found).kind == "unsure"
    found = replace(found, metrics={}, per_class=[ClassRow(label=0)])
    verdict = find_verdict(found)
    states = {check.question: check.state for check in verdict.checks}
    assert states["Does it draw the requested digit?"] == "unknown"
    assert states["Is it more than a copy?"] == "unknown"
    assert states["Is it varied?"] == states["Do its images look real?"] == "unknown"


def test_a_generator_is_not_called_good_where_too_little_was_seen() -> None:
    found = scored(results(), "recall", value=0.8, low=0.7, high=0.97)
    verdict = find_verdict(found)
    assert verdict.kind == "unsure"
    assert verdict.meaning.startswith("recall may be too low: the value is below the limit")
    (varied,) = [check for check in verdict.checks if check.question == "Is it varied?"]
    assert varied.answer == "? not sure"
    rough = find_verdict(scored(results(), "precision", value=0.8, low=0.7, high=0.97))
    assert (rough.kind, rough.checks[1].answer) == ("unsure", "? not sure")
    metrics = {name: score for name, score in found.metrics.items() if name != "recall"}
    verdict = find_verdict(replace(found, metrics=metrics))
    assert (verdict.kind, "were not evaluated" in verdict.meaning) == ("unsure", True)


def test_a_warning_that_nobody_knows_makes_no_good_generator() -> None:
    verdict = find_verdict(results("something new"))
    assert (verdict.kind, "another version" in verdict.meaning) == ("unsure", True)


def test_a_judge_that_is_often_wrong_about_real_images_is_not_relied_on() -> None:
    found = judged(results(), 0.5)
    (check,) = [c for c in find_verdict(found).checks if "believed" in c.question]
    assert check.state == "weak"


def test_variety_far_above_that_of_real_images_is_not_called_variety() -> None:
    (check,) = [
        c for c in find_verdict(results(intra_class_diversity=3.0)).checks if "varied" in c.question
    ]
    assert check.state == "weak"


def test_a_handful_of_looks_says_nothing_of_the_end_of_a_training() -> None:
    assert find_verdict(results(), history(3, 2, epochs=5)).checks[-1].state == "unknown"
    assert "rise" in find_verdict(results(), history(*range(1, 11))).checks[-1].evidence


@pytest.mark.parametrize(("accuracy", "state"), [(0.98, "good"), (0.8, "weak"), (0.2, "bad")])
def test_the_rarer_the_right_digit_the_worse_is_the_answer(accuracy: float, state: str) -> None:
    check, *_ = find_verdict(results(judge_accuracy=accuracy)).checks
    assert check.state == state


def test_an_answer_about_copies_names_the_interval_and_the_limit_that_decided() -> None:
    limit = LIMITS["copying_z"](1.0)
    facts = f"real images +1.0; lower limit {limit:+.1f})."
    none = asked(results(copying_z=1.2), "copy")
    assert (none.state, none.answer) == ("clear", "○ no clear sign of copying")
    assert "no nearer to" in none.evidence
    assert none.evidence.endswith(f"(copying z +1.2; interval +1.2 to +1.2; {facts}")
    near = asked(results(copying_z=limit), "copy")
    assert near.state == "clear"
    assert "nearer to the training images" in near.evidence
    assert "but not clearly" in near.evidence
    assert facts in near.evidence
    raised = scored(results("copied"), "copying_z", value=-40.0, low=-41.0, high=-39.0)
    raised = replace(raised, warnings=[replace(raised.warnings[0], threshold=-2.6)])
    sure = asked(raised, "copy")
    assert sure.answer == "✗ no"
    assert "not clearly" not in sure.evidence
    assert sure.evidence.endswith(
        "(copying z -40.0; interval -41.0 to -39.0; real images +1.0; lower limit -2.6)."
    )
    assert asked(scored(results(), "copying_z", low=None, high=None), "copy").state == "unknown"


@pytest.mark.parametrize(
    ("name", "word"), [("precision", "real?"), ("coverage", "varied"), ("recall", "varied")]
)
@pytest.mark.parametrize(
    ("value", "limit"), [(1.0, CLEARLY_BELOW), (0.8, CLEARLY_BELOW), (0.3, FAR_BELOW)]
)
def test_an_answer_names_the_interval_and_the_limit_that_decided(
    name: str, word: str, value: float, limit: float
) -> None:
    said = asked(results(**{name: value}), word).evidence
    facts = f"interval {value - 0.01:.1%} to {value + 0.01:.1%}; real images 100.0%"
    assert f"({name}; {facts}; lower limit {limit:.1%})" in said


def test_the_limit_of_too_much_variety_is_above_and_of_too_little_below() -> None:
    for value, side in ((1.1, "upper limit 1.50"), (0.95, "lower limit 0.90")):
        assert side in asked(results(intra_class_diversity=value), "varied").evidence


def test_the_answers_about_classes_and_the_judge_name_their_limits() -> None:
    found = results(guide_gap=1.0)
    found = replace(found, judge=replace(found.judge, accuracy_real=Accuracy(0.99, 0.98, 0.995)))
    rows = [ClassRow(label=0, accuracy=0.5, low=0.4, high=0.6)]
    said = asked(replace(found, per_class=rows), "requested").evidence
    assert f"lower limit {LIMITS['judge_accuracy'](1.0):.1%})" in said
    worst = f"(worst digit; interval 40.0% to 60.0%; lower limit {RARELY_RIGHT * 0.99:.1%})"
    assert f"The lowest is 50.0%, for the digit 0 {worst}." in said
    said = asked(found, "believed").evidence
    assert f"(interval 98.0% to 99.5%; lower limit {RARELY_RIGHT:.1%})" in said
    assert f"upper limit {LIMITS['guide_gap'](1.0):.1%})" in said


@pytest.mark.parametrize(("balanced", "state"), [(0.6, "weak"), (0.96, "good")])
def test_a_judge_of_unequal_classes_is_believed_by_their_mean(balanced: float, state: str) -> None:
    found = results()
    judge = replace(found.judge, balanced_real=Accuracy(balanced, balanced - 0.1, balanced + 0.02))
    check = asked(replace(found, judge=judge), "believed")
    assert check.state == state
    mean = f"{balanced:.1%}"
    assert f"99.7% of real images correctly; the mean of the digits is {mean}" in check.evidence
    shown = summary(replace(found, judge=judge)).splitlines()
    assert any(line.split() == ["mean", "of", "the", "digits", f"{balanced:.2%}"] for line in shown)


def test_a_class_counts_as_rarely_right_if_its_whole_interval_is_below_the_limit() -> None:
    found = results()
    for high, state in ((0.85, "weak"), (0.95, "good")):
        rows = [ClassRow(label=0, accuracy=0.8, low=0.7, high=high)]
        assert asked(replace(found, per_class=rows), "requested").state == state


def test_an_answer_about_the_end_of_a_training_names_the_numbers_that_decided() -> None:
    said = asked(results(), "trained", FALLING).evidence
    assert "(lowest FCD 0.5000 in its last fifth, 2.0000 before; still improving below 1." in said


def test_repeated_images_are_named_where_they_raised_the_warning() -> None:
    found = scored(results("collapsed", duplicate_rate=0.3), "duplicate_rate", real=0.0)
    warning = replace(found.warnings[0], metric="duplicate_rate", threshold=0.01)
    said = asked(replace(found, warnings=[warning]), "varied").evidence
    assert "30.0% of the images are nearly identical to another one" in said
    assert "real images 0.0%; upper limit 1.0%" in said
    assert "identical" not in asked(found, "varied").evidence


@pytest.mark.parametrize("kind", [None, *RAISED])
def test_every_answer_has_words(kind: str | None) -> None:
    checks = find_verdict(results(*filter(None, [kind])), DONE).checks
    assert len(checks) == 6
    for check in checks:
        assert check.answer == ANSWERS[check.state]
        assert check.evidence.endswith(".")


def test_of_many_classes_more_than_chance_must_be_low_and_their_number_is_told() -> None:
    def rows(low: int) -> Results:
        accurate = [ClassRow(label=i, accuracy=0.1 if i < low else 1.0) for i in range(200)]
        return replace(results(), per_class=accurate, class_names=[f"a{i}" for i in range(200)])

    assert find_verdict(rows(9)).kind == "good"
    uneven = find_verdict(rows(10))
    assert uneven.kind == "uneven"
    assert uneven.meaning.startswith("10 of 200 digits are classified correctly far less often")
    said = asked(rows(10), "requested").evidence
    assert "for the digit a0 (" in said
    assert "10 of 200 digits are below that limit." in said
    assert "below that limit" not in asked(rows(1), "requested").evidence
