"""Writes results.json, and reads and checks it: it may be untrusted, or of an older format."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cgan.io.strict import format_of
from cgan.io.typed import convert
from cgan.io.upgrades import results_from_format_1
from cgan.metrics.registry import METRICS
from cgan.metrics.results import FORMAT, Results

LARGEST_FILE = 2**23  # bytes; usual ones have thousands, those of a thousand classes millions
COUNTS = re.compile(rb"\[\n[\d,\s]+\]")  # a list of numbers, each on its line


def to_bytes(results: Results) -> bytes:
    """Return the content of results.json, indented; numbers that are not finite become null.

    A row of the confusion is one line: a thousand classes have a million numbers.
    """
    indented = msgspec.json.format(msgspec.json.encode(results), indent=2)
    return COUNTS.sub(lambda row: b"".join(row[0].split()), indented) + b"\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json (docs/results.schema.json)."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "title": "results.json of cgan", **msgspec.json.schema(Results)}


def parse_results(content: Any) -> Results:
    """Return the results in a JSON file of this or an earlier format.

    Args:
        content: of an untrusted file, as `cgan.io.strict.read_json` returns it.

    Raises:
        FormatError: an unknown format.
        ValueError: a part is missing, invalid, or inconsistent with another. The message says
            what and where in one short line.
    """
    results = convert(UPGRADES[format_of(content, FORMAT)](content), Results)
    problem = _disagreement(results)
    if problem:
        raise ValueError(problem)
    return results


UPGRADES: dict[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    1: results_from_format_1,
    FORMAT: lambda content: content,
}


def _disagreement(results: Results) -> str:
    """Return the first inconsistency in results; empty if there is none."""
    strange = sorted((results.metrics.keys() | results.left_out.keys()) - METRICS.keys())
    if strange:
        return f"there is no metric {strange[0]:.40}"
    rows = [row.label for row in results.per_class]
    classes = [row.label for row in results.histogram]
    if classes != list(range(len(classes))):
        return "histogram does not count the classes from 0"
    if len(set(rows)) < len(rows) or not set(rows) <= set(classes):
        return "per_class repeats a class, or has one that histogram does not have"
    names = results.class_names
    if names and len(names) != len(classes):
        return f"class_names has {len(names)} names for {len(classes)} classes"
    if len(set(names)) < len(names):
        return "class_names repeats a name"
    table = results.confusion
    if table is not None and {len(table), *map(len, table)} != {len(classes)}:
        return f"confusion is not {len(classes)} by {len(classes)}"
    if any(row.accuracy is not None for row in results.per_class) != (table is not None):
        return "confusion and the accuracies in per_class go together"
    if results.gallery.mistakes and table is None:
        return "gallery.mistakes needs requested classes"
    copies = results.gallery.copies
    if copies and any(cell.distance is None for cell in copies.cells):
        return "gallery.copies lacks a distance"
    return _bad_setting(results.provenance.config or {})


def _bad_setting(config: Mapping[str, Any]) -> str:
    """Return the problem with a training's seed, which distinguishes runs; empty if it is valid."""
    seed = config.get("seed")
    if seed is None or (type(seed) is int and seed >= 0):
        return ""
    return "provenance.config.seed is not a whole number from 0"
