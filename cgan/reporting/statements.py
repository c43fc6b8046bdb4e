"""The statements of the evidence: numbers in sentences, and what they are compared with."""

from dataclasses import dataclass

from cgan.metrics.registry import METRICS
from cgan.metrics.results import Results, Score
from cgan.metrics.warnings import limit_of
from cgan.reporting import tables

CLEARLY_BELOW = 0.9  # of the value of real images
FAR_BELOW = 0.6
GOOD, WEAK, BAD, UNKNOWN, CLEAR = "good", "weak", "bad", "unknown", "clear"
UNSURE = "unsure"  # a value is beyond its limit, but its interval is not
ANSWERS = {
    **{GOOD: "✓ yes", WEAK: "~ partly", BAD: "✗ no"},
    **{UNKNOWN: "? not known", UNSURE: "? not sure"},
    CLEAR: "○ no clear sign of copying",  # a test that finds nothing proves nothing
}


@dataclass(frozen=True)
class Statement:
    """A sentence of the evidence, and the numbers that it is compared with."""

    said: str
    facts: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the sentence with the numbers in brackets."""
        return f"{self.said} ({self.numbers})." if self.facts else f"{self.said}."

    @property
    def numbers(self) -> str:
        """The numbers in a line."""
        return "; ".join(self.facts)


@dataclass(frozen=True)
class Check:
    """One question about a generator, its answer, and the evidence."""

    question: str
    state: str  # of ANSWERS
    statements: tuple[Statement, ...]

    @property
    def answer(self) -> str:
        """The answer in a few words."""
        return ANSWERS[self.state]

    @property
    def evidence(self) -> str:
        """The statements as a text."""
        return " ".join(map(str, self.statements))


def warning_and_limit(results: Results, kind: str, name: str) -> tuple[bool, float | None]:
    """Return whether there is a warning of a kind, and the limit of the metric that may raise it.

    The limit is that of the warning or, without one, the one that would raise it. None: not known.
    """
    for warning in results.warnings:
        if warning.kind == kind:
            return True, warning.threshold
    known = known_values(results, name)
    return False, limit_of(name, results.metrics[name]) if known else None


def may_be_below(results: Results, name: str) -> bool:
    """Return whether a value is below nine tenths of that of real images; its interval may not."""
    known = known_values(results, name)
    return bool(known and known[0] < CLEARLY_BELOW * known[2])


def lower_limit(results: Results, name: str) -> float | None:
    """Return the limit that a metric has passed, or else the first one below it."""
    known = known_values(results, name)
    if known is None:
        return None
    return (FAR_BELOW if clearly_below(results, name, FAR_BELOW) else CLEARLY_BELOW) * known[2]


def beside(
    results: Results, name: str, words: str, limit: float | None, title: str = ""
) -> Statement:
    """Return a sentence with a metric's value, and what the value is compared with."""
    score, form = results.metrics[name], METRICS[name].form
    form = "z.1%" if form.endswith("%") else form
    facts = facts_of(
        title or tables.title(name, results.noun),
        interval(score.low, score.high, form),
        "" if score.real is None else f"real images {score.real:{form}}",
        "" if limit is None else f"{_side(limit, score)} limit {limit:{form}}",
    )
    return Statement(words.format(value=f"{score.value:{form}}"), facts)


def _side(limit: float, score: Score) -> str:
    """Return on which side of the value of real images a limit is; limits are at a distance."""
    return "upper" if score.real is not None and limit > score.real else "lower"


def facts_of(*facts: str) -> tuple[str, ...]:
    """Return the facts that are known."""
    return tuple(filter(None, facts))


def interval(low: float | None, high: float | None, form: str) -> str:
    """Return an interval in words, its ends in the format `form`; empty if it is not known."""
    return "" if low is None or high is None else f"interval {low:{form}} to {high:{form}}"


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


def at_most(value: float, high: float | None) -> float:
    """Return the upper end of an interval, or the value where none is known."""
    return value if high is None else high
