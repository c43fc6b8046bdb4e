"""Gives what an untrusted file holds a type, or says in plain words which part of it is wrong."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

Kind = TypeVar("Kind")
ENDLESS = 2.0**62  # a bound beyond it is that of the machine, and is not told


def convert(content: Any, kind: type[Kind]) -> Kind:
    """Return the content of a JSON file as a type of msgspec's.

    All texts and names of fields must be printable. Fields that the type does not know are left
    out.

    Args:
        content: as `cgan.io.strict.parse_json` returns it.
        kind: a Struct.

    Raises:
        ValueError: a part is missing or not what the type says. The message is one short line that
            names the part, such as `metrics.fcd.value is not a number`.
    """
    problem = _problem(content, inspect.type_info(kind), "")
    if problem:
        raise ValueError(problem)
    return msgspec.convert(content, kind)  # its error is a ValueError too


def _problem(value: Any, kind: inspect.Type, where: str) -> str:
    """Return what is wrong with a value, and where in it; nothing where it is of the type."""
    if isinstance(kind, inspect.StructType):
        return _problem_of_object(value, kind, where)
    if isinstance(kind, inspect.DictType):
        return _problem_of_fields(value, kind, where)
    if isinstance(kind, inspect.ListType):
        return _problem_of_list(value, kind, where)
    if isinstance(kind, inspect.UnionType):
        return _problem_of_union(value, kind, where)
    return "" if _fits(value, kind) else f"{where} is not {_words(kind)}"


def _problem_of_object(value: Any, kind: inspect.StructType, where: str) -> str:
    if not isinstance(value, dict):
        return f"{where or 'it'} is no object"
    for field in kind.fields:
        name = field.encode_name
        if name not in value:
            if field.required:
                return f"{where or 'it'} lacks {name!r}"
        elif wrong := _problem(value[name], field.type, f"{where}.{name}".lstrip(".")):
            return wrong
    return ""


def _problem_of_fields(value: Any, kind: inspect.DictType, where: str) -> str:
    most = kind.max_length
    if not isinstance(value, dict) or (most is not None and len(value) > most):
        return f"{where} is no object" + (f" of {most} fields at most" if most else "")
    for name, part in value.items():
        if not _fits(name, kind.key_type):
            return f"{where} has the strange field {name[:40]!a}"
        if wrong := _problem(part, kind.value_type, f"{where}.{name}"):
            return wrong
    return ""


def _problem_of_list(value: Any, kind: inspect.ListType, where: str) -> str:
    least, most = kind.min_length or 0, kind.max_length
    if not isinstance(value, list) or not least <= len(value) <= (most or len(value)):
        return f"{where} is no list of {least} to {most}"
    parts = (_problem(part, kind.item_type, f"{where}[{i}]") for i, part in enumerate(value))
    return next((wrong for wrong in parts if wrong), "")


def _problem_of_union(value: Any, kind: inspect.UnionType, where: str) -> str:
    """A union is of leaves, or of one type and None."""
    kinds = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    if value is None and len(kinds) < len(kind.types):
        return ""
    if len(kinds) == 1:
        return _problem(value, kinds[0], where)
    whole = [one for one in kinds if isinstance(one, inspect.IntType)]
    if any(_fits(value, one) for one in (whole if whole and type(value) is int else kinds)):
        return ""
    return f"{where} is not {', '.join(_words(one) for one in kinds)}"


def _fits(value: Any, kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.StrType):
        # surrogates, which cannot be written, and a terminal's commands are not printable
        short = isinstance(value, str) and len(value) <= (kind.max_length or len(value))
        plain = short and value.isprintable()
        return plain and (kind.pattern is None or re.search(kind.pattern, value) is not None)
    if isinstance(kind, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(kind, inspect.IntType):
        return type(value) is int and _within(value, kind)
    if isinstance(kind, inspect.FloatType):
        return type(value) in (int, float) and _within(value, kind)
    raise TypeError(f"no file has a {type(kind).__name__}")


def _within(value: float, kind: inspect.IntType | inspect.FloatType) -> bool:
    """Return whether a number is within its bounds; NaN is not within any."""
    return (
        (kind.ge is None or value >= kind.ge)
        and (kind.le is None or value <= kind.le)
        and (kind.lt is None or value < kind.lt)
    )


def _words(kind: inspect.Type) -> str:
    """Return what a value without parts must be."""
    if isinstance(kind, inspect.StrType):
        what = "printable text" if kind.pattern is None else "plain word"
        return f"a {what}" + (f" of at most {kind.max_length} letters" if kind.max_length else "")
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.IntType):
        highest = kind.le if kind.lt is None else kind.lt - 1
        return "a whole number" + _range(kind.ge, highest)
    assert isinstance(kind, inspect.FloatType)
    return "a number" + _range(kind.ge, kind.le)


def _range(lowest: float | None, highest: float | None) -> str:
    said = ""
    if lowest is not None and lowest > -ENDLESS:
        said += f" from {round(lowest, 6):.6g}"  # without what is left to rounding
    if highest is not None and highest < ENDLESS:
        said += f" to {round(highest, 6):.6g}"
    return said.replace("-0 ", "0 ")
