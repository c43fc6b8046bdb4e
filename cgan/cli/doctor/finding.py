"""One thing that was found: whether it is well, and what to do if it is not."""

from dataclasses import dataclass

from cgan.runtime.errors import InputError

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@dataclass(frozen=True)
class Finding:
    """A line of what was found."""

    state: str  # OK, WARNING or PROBLEM
    subject: str
    text: str  # one line; of what is not well, with what to do


class Unusable(Exception):  # noqa: N818 - the error for people is in it
    """What a person asked for does not exist, so that nothing can be found of it."""

    def __init__(self, reason: InputError):
        """Keep the error that a person is to see."""
        super().__init__(str(reason))
        self.reason = reason


def ok(subject: str, text: str) -> Finding:
    """Return that something is well."""
    return Finding(OK, subject, _one_line(text))


def warning(subject: str, text: str) -> Finding:
    """Return that something works but is not as it should be."""
    return Finding(WARNING, subject, _one_line(text))


def problem(subject: str, text: str) -> Finding:
    """Return that something cannot be used."""
    return Finding(PROBLEM, subject, _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
