"""What results.json and history.csv must be, as data, and the one function that checks it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cgan.metrics.registry import METRICS
from cgan.reporting.gallery import NAMES

LARGEST_NUMBER = 1e12  # no score comes near
LARGEST_READING = 1e30  # in a history: of a training that diverges, and can be drawn yet
LARGEST_COUNT = 2**63 - 1
MOST_CLASSES = 100
MOST_ALARMS = 100
MOST_FIELDS = 200  # of a row, or of a config
MOST_LETTERS, MOST_LETTERS_IN_NAME = 1000, 200


@dataclass(frozen=True)
class Leaf:
    """A value without parts: what it must be, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True)
class Maybe:
    """What `form` says, or null."""

    form: Any


@dataclass(frozen=True)
class Rows:
    """A list of so many things, all of one form."""

    form: Any
    least: int = 0
    most: int = MOST_CLASSES


@dataclass(frozen=True)
class Fields:
    """An object with all keys of `known`, each of its form; others are of the form `others`.

    `others` is None where they do not matter, as nothing reads them. Keys are short names.
    """

    known: dict[str, Any]
    others: Any = None


@dataclass(frozen=True)
class Named:
    """An object whose keys are some of `names`, its values all of one form."""

    names: frozenset[str]
    form: Any


def is_number(value: Any) -> bool:
    """Whether a value is a number as scores are."""
    return type(value) in (int, float) and abs(value) <= LARGEST_NUMBER


def _is_text(value: Any, most: int) -> bool:
    # surrogates, which cannot be written, and a terminal's commands are not printable
    return isinstance(value, str) and len(value) <= most and value.isprintable()


NUMBER = Leaf("a number", is_number)
ROUNDING = 1e-9  # by which the end of an interval may be beyond
SHARE = Leaf("a number from 0 to 1", lambda v: is_number(v) and -ROUNDING <= v <= 1 + ROUNDING)
COUNT = Leaf("a whole number from 0", lambda v: type(v) is int and 0 <= v <= LARGEST_COUNT)
TEXT = Leaf("a printable text", lambda v: _is_text(v, MOST_LETTERS))
NAME = Leaf("a short printable text", lambda v: _is_text(v, MOST_LETTERS_IN_NAME))
TRUTH = Leaf("true or false", lambda v: isinstance(v, bool))
SETTING = Leaf(
    "a short printable text, a number, true or false",
    lambda v: NAME.fits(v) or TRUTH.fits(v) or (type(v) in (int, float) and abs(v) < 2**63),
)
ANYTHING = Leaf("anything", lambda v: True)

CLASSIFIER = Fields({"name": NAME, "arch": NAME})
JUDGE = Fields({**CLASSIFIER.known, "accuracy_real": Fields({"value": SHARE})})
METRIC = Fields(
    {"value": NUMBER, "low": Maybe(NUMBER), "high": Maybe(NUMBER), "real": Maybe(NUMBER)}
    | {"n": COUNT},
    others=Maybe(NUMBER),
)
DIGIT = Fields(
    {"digit": COUNT, "n": COUNT}
    | {name: Maybe(SHARE) for name in ("accuracy", "low", "high", "coverage")}
    | {name: Maybe(NUMBER) for name in ("diversity", "fcd", "fcd_real")},
    others=Maybe(NUMBER),
)
BAR = Fields({"digit": COUNT, "generated": NUMBER, "real": NUMBER}, others=Maybe(NUMBER))
RESULTS = Fields(
    {
        "run": NAME,
        "recipe": Maybe(NAME),
        "dataset": NAME,
        "n_samples": COUNT,
        "seed": Maybe(COUNT),
        "conditional": TRUTH,
        "judge": JUDGE,
        "guide": Maybe(CLASSIFIER),
        "reference": Fields({"train": COUNT, "validation": COUNT}),
        "metrics": Named(frozenset(METRICS), METRIC),
        "left_out": Named(frozenset(METRICS), TEXT),
        "per_digit": Rows(DIGIT, least=1),
        "confusion": Maybe(Rows(Rows(COUNT, least=1), least=1)),
        "histogram": Rows(BAR, least=1),
        "alarms": Rows(Fields({"message": TEXT}, others=ANYTHING), most=MOST_ALARMS),
    }
)
# what may be missing
CELL = Fields({"digit": Maybe(COUNT), "judged": COUNT, "certainty": SHARE}, others=Maybe(NUMBER))
SHEET = Fields(
    {
        "columns": Leaf("a number from 1 to 100", lambda v: type(v) is int and 1 <= v <= 100),
        "cells": Rows(CELL, least=1, most=1000),
    }
)
OPTIONAL = {
    "gallery": Named(NAMES, SHEET),
    "timing": Fields({}, others=NUMBER),
    "cost": Fields({}, others=Maybe(COUNT)),
}
KIND = Fields({"kind": NAME})
PROVENANCE = Fields({}, others=ANYTHING)
CONFIG = Maybe(Fields({}, others=Maybe(SETTING)))
SEED = Maybe(COUNT)


def problem(value: Any, form: Any, where: str = "") -> str:
    """Return what is wrong with a value, and where in it; nothing where it has the form."""
    if isinstance(form, Maybe):
        return "" if value is None else problem(value, form.form, where)
    if isinstance(form, Leaf):
        return "" if form.fits(value) else f"{where} is not {form.words}"
    if isinstance(form, Rows):
        if not isinstance(value, list) or not form.least <= len(value) <= form.most:
            return f"{where} is no list of {form.least} to {form.most}"
        parts = [(one, form.form, f"{where}[{i}]") for i, one in enumerate(value)]
    else:
        if not isinstance(value, dict) or len(value) > MOST_FIELDS:
            return f"{where or 'all of it'} is no object of {MOST_FIELDS} fields at most"
        known = form.known if isinstance(form, Fields) else {}
        absent = [key for key in known if key not in value]
        if absent:
            return f"{where} lacks {absent[0]!r}".strip()
        others = form.form if isinstance(form, Named) else form.others
        parts = []
        for key, one in value.items():
            if not NAME.fits(key) or (isinstance(form, Named) and key not in form.names):
                return f"{where} has the strange field {key[:40]!a}"
            inner = known.get(key, others)
            if inner is not None:
                parts.append((one, inner, f"{where}.{key}" if where else key))
    return next((wrong for part in parts if (wrong := problem(*part))), "")


def problem_of_results(results: Any) -> str:
    """Return why tables, figures and pages cannot be made of results; nothing where they can."""
    wrong = problem(results, RESULTS)
    if wrong:
        return wrong
    for part, form in OPTIONAL.items():
        wrong = wrong or (problem(results[part], form, part) if part in results else "")
    if wrong:
        return wrong
    provenance = results.get("provenance", {})
    wrong = problem(provenance, PROVENANCE, "provenance")
    config = {} if wrong else provenance.get("config")
    wrong = wrong or problem(config, CONFIG, "config")
    wrong = wrong or problem((config or {}).get("seed"), SEED, "config.seed")
    if wrong:
        return wrong
    for alarm in results["alarms"]:
        if "kind" in alarm and problem(alarm, KIND):
            return "an alarm's kind is not a text"
    return _disagreement(results)


def _disagreement(results: dict[str, Any]) -> str:
    """Return what parts of results, each of its form, do not agree about."""
    digits = [row["digit"] for row in results["per_digit"]]
    classes = [row["digit"] for row in results["histogram"]]
    if classes != list(range(len(classes))):
        return "histogram does not count the classes from 0"
    if len(set(digits)) < len(digits) or not set(digits) <= set(classes):
        return "per_digit is not about different classes of the histogram"
    table = results["confusion"]
    if table is not None and {len(table), *map(len, table)} != {len(classes)}:
        return f"confusion is not {len(classes)} by {len(classes)}"
    rated = [row["accuracy"] is not None for row in results["per_digit"]]
    if any(rated) != (table is not None):
        return "confusion and the accuracy of digits go together"
    gallery = results.get("gallery", {})
    if "mistakes" in gallery and table is None:
        return "nothing can be misread where nothing was requested"
    if not all(
        is_number(cell.get("distance")) for cell in gallery.get("copies", {}).get("cells", ())
    ):
        return "gallery.copies does not tell every distance"
    return ""


def finite(text: str) -> float:
    """Return the number in a cell of a table, NaN for an empty one.

    Raises:
        ValueError: it is none, or none that a figure can show.
    """
    number = float(text) if text else math.nan
    if abs(number) > LARGEST_READING:  # not so of NaN
        raise ValueError(f"{text[:40]!a} is out of range")
    return number
