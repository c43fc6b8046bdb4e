"""Errors for people: what is wrong and what to do, with the nearest right name."""

import difflib
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Row = TypeVar("Row")
FLAG = re.compile("--([a-z][a-z-]*)")
COMMAND = re.compile("(cgan [a-z][^,;:)]*)")  # with its flags


class InputError(ValueError):
    """What a person gave cannot be used; the message is one line that says what to do."""


class TrainingError(ArithmeticError):
    """Training went wrong in its numbers; the message is one line that says what to try."""


class ExportError(ArithmeticError):
    """An exported network computes something else; the message is one line that says what to do."""


@contextmanager
def naming_arguments() -> Iterator[None]:
    """Let an InputError name arguments of Python where it names flags of the command line.

    The flags of a command that the message advises stay as they are.
    """
    try:
        yield
    except InputError as error:
        parts = COMMAND.split(str(error))
        parts[::2] = [FLAG.sub(lambda flag: flag[1].replace("-", "_"), text) for text in parts[::2]]
        error.args = ("".join(parts),)
        raise


def warn_renamed(old: str, new: str) -> None:
    """Warn the caller's caller that a public name goes in the next minor version."""
    message = f"{old} is now {new}; the old name goes in the next minor version"
    warnings.warn(message, DeprecationWarning, stacklevel=3)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory did not suffice; torch tells so in many ways."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "allocate memory" in said


def lookup(table: Mapping[str, Row], name: str, kind: str) -> Row:
    """Return `table[name]`.

    Raises:
        InputError: `name` is no key of `table`; the message names the nearest one and all others.
    """
    if name in table:
        return table[name]
    raise InputError(f"unknown {kind} {name!r}{nearest(name, table)}")


def nearest(name: str, known: Mapping[str, object] | list[str]) -> str:
    """Return `: did you mean 'x'? (one of x, y)`, or what is known when nothing is near."""
    names = sorted(known)
    if not names:
        return ": there are none yet"
    close = difflib.get_close_matches(name, names, n=1)
    hint = f": did you mean {close[0]!r}?" if close else ":"
    return f"{hint} (one of: {', '.join(names)})"
