"""Errors for users: what is wrong and what to do, with the nearest valid name."""

import difflib
import re
import traceback
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from cgan.runtime.wording import enumerated

Row = TypeVar("Row")
MOST_KNOWN = 40  # names in a message
PACKAGE = __name__.partition(".")[0]
FLAG = re.compile("--([a-z][a-z-]*)")
COMMAND = re.compile("(cgan [a-z][^,;:)]*)")  # a command with its flags


class InputError(ValueError):
    """Invalid input of a user; the message is one line that says what to do."""


class TrainingError(ArithmeticError):
    """A training that diverged or ran out of memory; the message says in one line what to try."""

    def __init__(self, problem: str, remedy: str = ""):
        """Store what is wrong; the message is `problem; remedy`."""
        super().__init__("; ".join(filter(None, (problem, remedy))))
        self.problem = problem


class ExportError(ArithmeticError):
    """An exported network that gives other results; the message says in one line what to do."""


class UncheckedWarning(UserWarning):
    """Files are used that nothing shows to be intact; the message is one line."""


@contextmanager
def naming_arguments() -> Iterator[None]:
    """Let an InputError name Python arguments instead of command-line flags.

    Flags within a command that the message recommends stay unchanged.
    """
    try:
        yield
    except InputError as error:
        parts = COMMAND.split(str(error))
        parts[::2] = [FLAG.sub(lambda flag: flag[1].replace("-", "_"), text) for text in parts[::2]]
        error.args = ("".join(parts),)
        raise


def warn_renamed(old: str, new: str) -> None:
    """Warn the caller's caller that a public name will be removed in the next minor version."""
    message = f"{old} is now {new}; the old name will be removed in the next minor version"
    warnings.warn(message, DeprecationWarning, stacklevel=3)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means out of memory; torch has several such messages."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "allocate memory" in said


def failed_import(error: BaseException) -> str | None:
    """Return the package whose import raised an error; None if it was raised elsewhere.

    Besides ImportError, a damaged installation or a lack of memory can raise any exception.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__")).partition(".")[0]
        if frame.f_code.co_name == "<module>" and name != PACKAGE:
            return name
    if isinstance(error, ImportError) and error.name:
        return error.name.partition(".")[0]
    return "a package" if isinstance(error, ImportError | SyntaxError | EOFError) else None


def lookup(table: Mapping[str, Row], name: str, kind: str) -> Row:
    """Return `table[name]`.

    Raises:
        InputError: `name` is not a key of `table`; the message names the nearest key and all keys.
    """
    if name in table:
        return table[name]
    raise InputError(f"unknown {kind} {name!r}{nearest(name, table)}")


def nearest(name: str, known: Collection[str]) -> str:
    """Return `: did you mean 'x'? (one of: x, y)`, without the question if no name is near.

    Of very many names only the first ones are listed.
    """
    names = sorted(known)
    if not names:
        return ": there are none yet"
    close = difflib.get_close_matches(name, names, n=1)
    hint = f": did you mean {close[0]!r}?" if close else ""
    return f"{hint} (one of: {enumerated(names, MOST_KNOWN)})"
