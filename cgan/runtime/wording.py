"""Names: long ones are shortened in texts, many are counted, and taken ones get a number."""

from collections.abc import Iterable, Iterator
from itertools import count

MOST_NAMED = 12  # names in a sentence
LONGEST_IN_TEXT = 40  # characters of a name in a sentence


def clipped(text: str, longest: int = LONGEST_IN_TEXT) -> str:
    """Return a text, its middle left out where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    end = longest // 3
    return f"{text[: longest - end - 1]}…{text[-end:]}"


def enumerated(names: Iterable[object], most: int = MOST_NAMED) -> str:
    """Return names for a sentence: 3, 5, 7.

    Long names are shortened. Of more than `most` names, these are the first ones, with the number
    of the others.
    """
    texts = [clipped(str(name)) for name in names]
    further = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {further} more" if further > 0 else "")


def numbered(name: str) -> Iterator[str]:
    """Yield a name, then that name with -2, -3, ..., endlessly."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))
