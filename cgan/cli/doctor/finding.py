"""The result of one check: its state, and what to do if something is wrong."""

from dataclasses import dataclass

from cgan.runtime.errors import InputError

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@dataclass(frozen=True)
class Finding:
    """The result of a check, one line of the output."""

    state: str  # OK, WARNING or PROBLEM
    subject: str
    text: str  # one line; for a warning or a problem, also what to do


class Unusable(Exception):  # noqa: N818 - a wrapper of the error for the user
    """The user asked to check something that does not exist."""

    def __init__(self, reason: InputError):
        """Keep the error that the user gets to see."""
        super().__init__(str(reason))
        self.reason = reason


def ok(subject: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(OK, subject, _one_line(text))


def warning(subject: str, text: str) -> Finding:
    """Return a finding that something works, but not as it should."""
    return Finding(WARNING, subject, _one_line(text))


def problem(subject: str, text: str) -> Finding:
    """Return a finding that something cannot be used."""
    return Finding(PROBLEM, subject, _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
