"""Checks of the fields of a config; their messages name the flag and what is allowed."""

import math
import reprlib
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from cgan.runtime.errors import InputError

BELOW_ONE = 1 - 1e-9
LARGEST_SEED = 2**63 - 1
LONGEST_TEXT = 100
KINDS: dict[Any, tuple[type | tuple[type, ...], str]] = {
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    str: (str, "a text"),
    int | None: (int, "a whole number"),
    str | None: (str, "a text"),
}


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def check_kinds(config: Any, but: Collection[str] = ()) -> None:
    """Check each field against its annotation; the values may come from an untrusted file.

    A float may be given as a whole number. A whole number must fit into 64 bits. A text must be
    short and printable, because it is shown in messages and on terminals. Fields named in `but` are
    not checked.

    Raises:
        InputError: a value of another type, or a number that is not finite.
    """
    for field in fields(config):
        if field.name in but:
            continue
        value = getattr(config, field.name)
        kind, words = KINDS[field.type]
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if not wrong and isinstance(value, str):
            wrong = len(value) > LONGEST_TEXT or not value.isprintable()
            words = f"a text of {LONGEST_TEXT} printable characters at most"
        if not wrong and isinstance(value, float):
            wrong, words = not math.isfinite(value), "a finite number"
        elif not wrong and isinstance(value, int):
            wrong, words = abs(value) > LARGEST_SEED, f"{words} below 2^63"
        if wrong:
            raise InputError(f"{_flag(field.name)} must be {words}, not {reprlib.repr(value)}")


def one_of(config: Any, field: str, known: tuple[str, ...]) -> None:
    """Check that a field is one of the known words.

    Raises:
        InputError: it is not.
    """
    value = getattr(config, field)
    if value not in known:
        raise InputError(f"{_flag(field)} must be one of {', '.join(known)}, not {value!r}")


def at_least(config: Any, lowest: int, *fields: str) -> None:
    """Check that fields are numbers of at least `lowest`, and finite.

    Raises:
        InputError: one is not.
    """
    for field in fields:
        value = getattr(config, field)
        if not lowest <= value < math.inf:
            raise InputError(f"{_flag(field)} must be {lowest} or more, not {value}")


def above_zero(config: Any, *fields: str) -> None:
    """Check that fields are above zero, and finite.

    Raises:
        InputError: one is not.
    """
    for field in fields:
        value = getattr(config, field)
        if not 0 < value < math.inf:
            raise InputError(f"{_flag(field)} must be above 0, not {value}")


def within(config: Any, low: float, high: float, *fields: str) -> None:
    """Check that fields lie between `low` and `high`, both included.

    Raises:
        InputError: one does not.
    """
    for field in fields:
        value = getattr(config, field)
        if not low <= value <= high:
            end = "below 1" if high == BELOW_ONE else f"at most {high}"
            raise InputError(f"{_flag(field)} must be {low} or more and {end}, not {value}")
