"""Converts the content of files of older formats to the newest format."""

from collections.abc import Callable, Mapping
from typing import Any

# words of format 1 of results.json that are different in format 2
RENAMED_RESULTS = {
    **{"digit": "class", "flattery": "guide_gap", "flattered": "guide_gap", "arch": "network"},
    **{"per_digit": "per_class", "alarms": "warnings"},
}
# format 1 knew these data sets, and called every class a digit
NOUNS = {"mnist": "digit", "digits": "digit", "kmnist": "character"}


def results_from_format_1(old: Mapping[str, Any]) -> dict[str, Any]:
    """Convert results.json of format 1, which has no format number, to format 2.

    A malformed part is kept as it is, so that the later check of the whole file names it.
    """
    kept = {key: old[key] for key in old if key not in ("gallery", "provenance")}
    new = _renamed(kept)
    dataset = old.get("dataset")
    new["noun"] = NOUNS.get(dataset, "class") if isinstance(dataset, str) else "class"
    for part in ("judge", "guide", "metrics", "left_out"):
        _change(new, part, _renamed)
    for part in ("per_class", "histogram"):
        _change(new, part, lambda rows: _each(rows, _renamed))
    _change(new, "warnings", lambda rows: _each(rows, _renamed_values))
    new |= {key: old[key] for key in ("gallery", "provenance") if key in old}
    _change(new, "gallery", lambda sheets: _values(sheets, _sheet))
    return {**new, "format": 2}


def _sheet(sheet: Any) -> Any:
    sheet = dict(sheet) if isinstance(sheet, dict) else sheet
    _change(sheet, "cells", lambda cells: _each(cells, _renamed))
    return sheet


def _change(fields: Any, part: str, change: Callable[[Any], Any]) -> None:
    """Change a part of an object, if it is one and has the part."""
    if isinstance(fields, dict) and part in fields:
        fields[part] = change(fields[part])


def _each(rows: Any, change: Callable[[Any], Any]) -> Any:
    return [change(row) for row in rows] if isinstance(rows, list) else rows


def _values(fields: Any, change: Callable[[Any], Any]) -> Any:
    if not isinstance(fields, dict):
        return fields
    return {key: change(value) for key, value in fields.items()}


def _renamed(fields: Any) -> Any:
    if not isinstance(fields, dict):
        return fields
    return {RENAMED_RESULTS.get(key, key): value for key, value in fields.items()}


def _renamed_values(fields: Any) -> Any:
    return _values(
        fields, lambda value: RENAMED_RESULTS.get(value, value) if isinstance(value, str) else value
    )
