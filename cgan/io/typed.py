"""Converts untrusted JSON to a type, or says in plain words what is wrong with it."""

import re
from typing import Any, TypeVar

import msgspec

from cgan.io.files import FORMULA_STARTS

Kind = TypeVar("Kind")
# of a name: spreadsheets would compute it otherwise, and commands take it for a flag
NAME = f"^(?![{re.escape(FORMULA_STARTS)}])"
PATH = re.compile(r" - at (?:(?:key|value) in )?`\$\.?(.*)`$")
TEXTS = str, dict, list  # may hold texts
LACKS = "Object missing required field "
WORDS = {
    **{"float": "a number", "int": "a whole number", "str": "a text", "bool": "true or false"},
    **{"object": "an object", "array": "a list", "null": "null"},
    "datetime": "a date with its time zone, such as 2026-01-31T12:00:00Z",
}


def convert(content: Any, kind: type[Kind]) -> Kind:
    """Convert the content of a JSON file to a Struct of msgspec, checking it against the Struct.

    All texts must be printable. Fields that the Struct does not have are dropped.

    Args:
        content: as `cgan.io.strict.parse_json` returns it.
        kind: the Struct.

    Raises:
        ValueError: a part is missing or not what the type says. The message is one short line that
            names the part, such as `judge.name: expected a text, got a number`.
    """
    try:
        found = msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error))) from error
    problem = _unprintable(msgspec.to_builtins(found), "")
    if problem:
        raise ValueError(problem)
    return found


def _in_words(message: str) -> str:
    """Return msgspec's message with the part first and types in words."""
    found = PATH.search(message)
    where, said = (found[1], message[: found.start()]) if found else ("", message)
    said = said.replace(f"matching regex {NAME!r}", f"that begins with none of {FORMULA_STARTS}")
    said = re.sub(r"`([^`]*)`", lambda match: _names(match[1]), said)
    if said.startswith(LACKS):
        return f"{where or 'it'} lacks {said.removeprefix(LACKS)}"
    return f"{where or 'it'}: {said[:1].lower()}{said[1:]}"


def _names(types: str) -> str:
    """Return types such as `str | null` in words; the name of a field as it is, quoted."""
    names = types.split(" | ")
    return " or ".join(WORDS[name] for name in names) if set(names) <= WORDS.keys() else repr(types)


def _unprintable(value: Any, where: str) -> str:
    """Return where a text cannot be shown on a terminal; nothing where all can."""
    if isinstance(value, str):
        return "" if value.isprintable() else f"{where or 'it'}: expected a printable text"
    if isinstance(value, dict):
        strange = next((name for name in value if not name.isprintable()), None)
        if strange is not None:
            return f"{where or 'it'}: the unprintable field {strange[:40]!a}"
        parts = ((f".{name[:40]}", part) for name, part in value.items())
    elif isinstance(value, list):
        parts = ((f"[{i}]", part) for i, part in enumerate(value) if isinstance(part, TEXTS))
    else:
        return ""
    found = (_unprintable(part, f"{where}{name}".lstrip(".")) for name, part in parts)
    return next(filter(None, found), "")
