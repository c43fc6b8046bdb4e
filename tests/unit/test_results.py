"""What results.json may hold: written and read back, upgraded, and refused where it is damaged."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import REPOSITORY, golden_results, plain_results
from hypothesis import given
from hypothesis import strategies as st

from cgan.io.strict import FormatError
from cgan.io.upgrades import RENAMED_RESULTS, results_from_format_1
from cgan.metrics import results as form
from cgan.metrics.registry import METRICS
from cgan.metrics.results import FORMAT, Results, finite
from cgan.metrics.results_file import LARGEST_FILE, parse_results, schema, to_bytes

GOLDEN = REPOSITORY / "tests/golden/format-1/report/results.json"
Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> dict[str, Any]:
    """Return plain results that are valid but for a change."""
    results = plain_results()
    change(results)
    return results


def refusal(content: Any) -> str:
    """Return why a content is refused."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the caller looks at the words
        parse_results(content)
    return str(caught.value)


def test_what_is_written_is_read_back_as_it_was() -> None:
    results = golden_results()
    assert parse_results(json.loads(to_bytes(results))) == results
    assert json.loads(to_bytes(results)) == plain_results()


def test_the_file_has_its_format_number_first_and_a_line_for_each_value() -> None:
    lines = to_bytes(golden_results()).decode().splitlines()
    assert lines[:2] == ["{", f'  "format": {FORMAT},']
    assert len(lines) > 1000


def test_classes_are_called_by_their_names_or_else_by_their_labels() -> None:
    names = ["=1+1", "@a", "-b", "<i>", *"cdefgh"]  # a table and a page make them harmless
    named = parse_results(changed(lambda r: r.update(class_names=names)))
    assert parse_results(json.loads(to_bytes(named))).name_of(0) == "=1+1"
    assert golden_results().name_of(3) == "3"


def test_a_thousand_classes_take_a_line_for_each_row_and_can_be_read() -> None:
    k = form.MOST_CLASSES
    row = {"low": None, "high": None, "generated": 10, "real": 10.0}
    content = plain_results() | {
        "per_class": [{"class": i, "n": 10, "accuracy": 1.0} for i in range(k)],
        "histogram": [{"class": i, **row} for i in range(k)],
        "confusion": [[0] * i + [10] + [0] * (k - i - 1) for i in range(k)],
    }
    written = to_bytes(parse_results(content))
    assert k * k < len(written) < LARGEST_FILE / 2
    assert written.count(b"\n") < 100 * k
    assert parse_results(json.loads(written)).confusion == content["confusion"]


def test_what_is_not_finite_is_written_as_null_and_never_as_nan() -> None:
    assert finite(float("nan")) is finite(float("inf")) is finite(None) is None
    assert finite(2) == 2.0
    score = form.Score(value=1.0, low=float("nan"), high=float("inf"), real=None, n=3)
    assert json.loads(form.msgspec.json.encode(score))["low"] is None


# what cannot be used


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(run=3), "run: expected a text, got a whole number"),
        (lambda r: r.update(run="a\nb"), "run: expected a printable text"),
        (lambda r: r.update(run="\ud800"), "run: expected a printable text"),
        (lambda r: r.update(run="\x1b[2J"), "run: expected a printable text"),
        (lambda r: r.pop("run"), "it lacks 'run'"),
        (lambda r: r.update(recipe="x" * 201), "recipe: expected a text of length <= 200"),
        (lambda r: r.update(class_names=["x"]), "class_names has 1 names for 10 classes"),
        (lambda r: r.update(class_names=["x"] * 10), "class_names repeats a name"),
        (lambda r: r.update(class_names=[""] * 10), "class_names[0]: expected a text of length"),
        (lambda r: r.update(class_names=["x" * 101]), "class_names[0]: expected a text of length"),
        (lambda r: r.update(class_names=["a\nb"] * 10), "class_names[0]: expected a printable"),
        (lambda r: r.update(class_names=[1] * 10), "class_names[0]: expected a text, got a whole"),
        (lambda r: r.update(noun=None), "noun: expected a text, got null"),
        (lambda r: r.update(noun="x\r"), "noun: expected"),
        (lambda r: r.update(noun="x\n"), "noun: expected"),
        (lambda r: r.update(noun=""), "noun: expected a text matching regex '^\\\\w[\\\\w -]*$'"),
        (
            lambda r: r.update(noun="a/b"),
            "noun: expected a text matching regex '^\\\\w[\\\\w -]*$'",
        ),
        (
            lambda r: r.update(noun="/../../x"),
            "noun: expected a text matching regex '^\\\\w[\\\\w -]*$'",
        ),
        (
            lambda r: r.update(noun="$x$"),
            "noun: expected a text matching regex '^\\\\w[\\\\w -]*$'",
        ),
        (lambda r: r.update(noun="x" * 41), "noun: expected a text of length <= 40"),
        (lambda r: r.update(n_samples="many"), "n_samples: expected a whole number, got a text"),
        (
            lambda r: r.update(n_samples=True),
            "n_samples: expected a whole number, got true or false",
        ),
        (
            lambda r: r.update(n_samples=2**63),
            "n_samples: expected a whole number <= 9223372036854775807",
        ),
        (lambda r: r.update(n_samples=-1), "n_samples: expected a whole number >= 0"),
        (lambda r: r.update(seed=1.5), "seed: expected a whole number or null, got a number"),
        (lambda r: r.update(seed=1.0), "seed: expected a whole number or null, got a number"),
        (
            lambda r: r.update(conditional=1),
            "conditional: expected true or false, got a whole number",
        ),
        (lambda r: r.update(judge=None), "judge: expected an object, got null"),
        (lambda r: r["judge"].update(name=["x"]), "judge.name: expected a text, got a list"),
        (lambda r: r["judge"]["accuracy_real"].update(value=None), "judge.accuracy_real.value"),
        (lambda r: r["guide"].pop("network"), "guide lacks 'network'"),
        (lambda r: r["reference"].pop("train"), "reference lacks 'train'"),
        (lambda r: r.pop("metrics"), "it lacks 'metrics'"),
        (
            lambda r: r.update(metrics={"fcd": {"value": 1}}),
            "metrics[...] lacks 'low'",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(value=None),
            "metrics[...].value: expected a number, got null",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(value=True),
            "metrics[...].value: expected a number, got true or false",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(value=1e300),
            "metrics[...].value: expected a number <= 1000000000000.0",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(value=10**400),
            "metrics[...].value: number out of range",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(value=float("nan")),
            "metrics[...].value: expected a number >= -1000000000000.0",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(extrapolated="x"),
            "metrics[...].extrapolated: expected a number or null, got a ",
        ),
        (
            lambda r: r["metrics"]["fcd"].update(n=-1),
            "metrics[...].n: expected a whole number >= 0",
        ),
        (lambda r: r["metrics"].update(fid=r["metrics"]["fcd"]), "there is no metric fid"),
        (lambda r: r["metrics"].update({"a\nb": 1}), "metrics[...]: expected an object"),
        (lambda r: r["left_out"].update(fcd=[1]), "left_out[...]: expected a text, got a list"),
        (
            lambda r: r["left_out"].update(fcd="x" * 1001),
            "left_out[...]: expected a text of length <= 1000",
        ),
        (lambda r: r["left_out"].update({"<b>": "x"}), "there is no metric <b>"),
        (lambda r: r.update(per_class=[]), "per_class: expected a list of length >= 1"),
        (lambda r: r.update(per_class=3), "per_class: expected a list, got a whole number"),
        (lambda r: r.update(per_class=[{}]), "per_class[0] lacks 'class'"),
        (
            lambda r: r["per_class"][1].update(accuracy=2),
            "per_class[1].accuracy: expected a number <= 1.000000001",
        ),
        (
            lambda r: r["per_class"][1].update(n=None),
            "per_class[1].n: expected a whole number, got null",
        ),
        (
            lambda r: r["per_class"][1].update(diversity="x"),
            "per_class[1].diversity: expected a number or null, got a text",
        ),
        (
            lambda r: r["per_class"][1].update({"class": -1}),
            "per_class[1].class: expected a whole number >= 0",
        ),
        (lambda r: r["per_class"][1].update({"class": 0}), "repeats a class, or has one"),
        (lambda r: r["per_class"][1].update({"class": 77}), "repeats a class, or has one"),
        (lambda r: r["confusion"].pop(), "confusion is not 10 by 10"),
        (lambda r: r["confusion"][3].append(1), "confusion is not 10 by 10"),
        (
            lambda r: r["confusion"][3].__setitem__(0, "1"),
            "confusion[3][0]: expected a whole number, got a text",
        ),
        (
            lambda r: r["confusion"][3].__setitem__(0, -1),
            "confusion[3][0]: expected a whole number >= 0",
        ),
        (lambda r: r.update(confusion=None), "go together"),
        (
            lambda r: r.update(confusion=[[1] * 1001] * 1001),
            "confusion: expected a list of length <= 1000",
        ),
        (lambda r: r.update(histogram=3), "histogram: expected a list, got a whole number"),
        (lambda r: r["histogram"].pop(0), "does not count the classes from 0"),
        (
            lambda r: r["histogram"][2].update(real=None),
            "histogram[2].real: expected a number, got null",
        ),
        (lambda r: r.update(gallery=[]), "gallery: expected an object, got a list"),
        (
            lambda r: r["gallery"]["samples"].update(columns=0),
            "gallery.samples.columns: expected a whole number >= 1",
        ),
        (
            lambda r: r["gallery"]["samples"].update(columns=101),
            "gallery.samples.columns: expected a whole number <= 100",
        ),
        (
            lambda r: r["gallery"]["samples"].update(cells=[]),
            "gallery.samples.cells: expected a list of length >= 1",
        ),
        (
            lambda r: r["gallery"]["copies"]["cells"][0].pop("judged"),
            "gallery.copies.cells[0] lacks 'judg",
        ),
        (
            lambda r: r["gallery"]["certain"]["cells"][0].update(certainty=2),
            "gallery.certain.cells[0].certainty: expected a number <= 1.0",
        ),
        (
            lambda r: r["gallery"]["copies"]["cells"][0].pop("distance"),
            "gallery.copies lacks a distance",
        ),
        (lambda r: r.update(timing={"a": "b"}), "timing[...]: expected a number, got a text"),
        (
            lambda r: r.update(timing={str(i): 1 for i in range(201)}),
            "timing: expected an object of length <= 200",
        ),
        (
            lambda r: r.update(cost={"threads": 1.5}),
            "cost.threads: expected a whole number or null, got a number",
        ),
        (lambda r: r.update(warnings=[{}]), "warnings[0] lacks 'message'"),
        (
            lambda r: r.update(warnings=[{"message": 3}]),
            "warnings[0].message: expected a text, got a whole number",
        ),
        (
            lambda r: r.update(warnings=[{"message": "m", "kind": []}]),
            "warnings[0].kind: expected a text, got a list",
        ),
        (
            lambda r: r.update(warnings=[{"message": "m"}] * 101),
            "warnings: expected a list of length <= 100",
        ),
        (lambda r: r.update(provenance=3), "provenance: expected an object, got a whole number"),
        (
            lambda r: r["provenance"].update(images="a\x07"),
            "provenance.images: expected a printable text",
        ),
        (
            lambda r: r["provenance"].update(config=[1]),
            "provenance.config: expected an object or null, got a list",
        ),
        (lambda r: r["provenance"].update(created="26 May"), "provenance.created: "),
        (lambda r: r["provenance"].update(created="2026-05-26T10:00:00"), "provenance.created: "),
        (
            lambda r: r["provenance"].update(created=1),
            "provenance.created: expected a date with its time zone, such as",
        ),
        (lambda r: r["gallery"]["samples"].update(gap=-1), "gallery.samples.gap: expected"),
        (lambda r: r["provenance"]["config"].update(seed="1"), "provenance.config.seed is no"),
        (lambda r: r["provenance"]["config"].update(seed=-1), "provenance.config.seed is no"),
        (
            lambda r: r["provenance"]["config"].update(lr=[1]),
            "provenance.config[...]: expected true or false or a whole nu",
        ),
        (
            lambda r: r["provenance"]["config"].update(lr=2**63),
            "provenance.config[...]: expected a whole number <= 922337203",
        ),
        (lambda r: r["provenance"]["config"].update({"a\nb": 1}), "unprintable field"),
        (
            lambda r: r["provenance"]["config"].update({"x" * 201: 1}),
            "it: expected a text of length <= 200 - at 'key' in '$.proven",
        ),
    ],
)
def test_results_that_could_not_be_shown_are_refused_by_the_part(
    change: Change, words: str
) -> None:
    said = refusal(changed(change))
    assert words in said
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize("content", [None, 3, "x", [], [{}], True])
def test_what_is_no_object_is_refused(content: Any) -> None:
    assert refusal(content) == "it is not a JSON object"


@pytest.mark.parametrize("number", [FORMAT + 1, 10**30])
def test_a_newer_format_is_refused_by_its_number(number: int) -> None:
    with pytest.raises(FormatError, match=f"is of format {number}, which a newer cgan wrote"):
        parse_results({**plain_results(), "format": number})


@pytest.mark.parametrize("number", [0, -1, True, 2.0, "2", None, [2], {}])
def test_a_format_that_is_no_number_from_1_is_refused(number: Any) -> None:
    with pytest.raises(FormatError, match=re.escape(f"has the format {number!r}, which is not a")):
        parse_results({**plain_results(), "format": number})


def test_a_long_or_unprintable_format_does_not_lengthen_the_message() -> None:
    said = refusal({**plain_results(), "format": "\x1b[2J" * 1000})
    assert said.isprintable()
    assert len(said) < 100


def test_fields_that_no_version_knows_are_left_out() -> None:
    def add(results: dict[str, Any]) -> None:
        for part in (
            *(results, results["judge"], results["metrics"]["fcd"], results["per_class"][0]),
            *(results["gallery"], results["provenance"], results["reference"]),
        ):
            part["<b>\n"] = "x\n"

    assert parse_results(changed(add)) == golden_results()


def test_what_may_be_missing_has_its_default() -> None:
    def forget(results: dict[str, Any]) -> None:
        for part in ("gallery", "timing", "cost", "provenance"):
            del results[part]
        results["warnings"] = [{"message": "m"}]

    results = parse_results(changed(forget))
    assert list(results.gallery.sheets()) == []
    assert results.timing == {}
    assert results.provenance.config is None
    assert results.warnings[0].kind == "unknown"


def test_the_date_of_results_is_kept_with_its_time_zone() -> None:
    assert golden_results().provenance.created is None
    written = changed(lambda r: r["provenance"].update(created="2026-05-26T10:00:00Z"))
    results = parse_results(written)
    assert results.provenance.created == datetime(2026, 5, 26, 10, tzinfo=UTC)
    assert b'"created": "2026-05-26T10:00:00Z"' in to_bytes(results)


def test_results_without_requests_have_no_confusion_and_no_mistakes() -> None:
    def forget(results: dict[str, Any]) -> None:
        results.update(conditional=False, confusion=None)
        results["gallery"]["mistakes"] = None
        for row in results["per_class"]:
            row["accuracy"] = None

    assert parse_results(changed(forget)).confusion is None

    def invent(results: dict[str, Any]) -> None:
        forget(results)
        results["gallery"]["mistakes"] = results["gallery"]["samples"]

    assert refusal(changed(invent)) == "gallery.mistakes needs requested classes"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


@given(json_values)
def test_no_json_raises_anything_but_a_value_error(content: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any will do
        parse_results(content)


@given(st.data())
def test_no_part_raises_anything_but_a_value_error(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(["format 1", "format 2"]))
    results = json.loads(GOLDEN.read_text()) if version == "format 1" else plain_results()
    part: Any = results
    for _ in range(data.draw(st.integers(0, 4))):
        keys = [*part] if isinstance(part, dict) else range(len(part))
        key = data.draw(st.sampled_from(sorted(keys)))
        if not isinstance(part[key], dict | list) or not part[key]:
            break
        part = part[key]
    keys = [*part] if isinstance(part, dict) else range(len(part))
    part[data.draw(st.sampled_from(sorted(keys)))] = data.draw(json_values)
    said = ""
    try:
        parse_results(results)
    except ValueError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 400


# format 1, and the names that it had


def test_format_1_is_upgraded_to_the_names_of_format_2() -> None:
    old, new = json.loads(GOLDEN.read_text()), plain_results()
    assert "format" not in old
    assert (new["format"], new["noun"]) == (2, "digit")
    assert new["metrics"]["guide_gap"] == {**old["metrics"]["flattery"], "extrapolated": None}
    assert list(new["metrics"]) == [RENAMED_RESULTS.get(name, name) for name in old["metrics"]]
    assert set(new["metrics"]) <= set(METRICS)  # newer ones were not known then
    assert new["judge"]["network"] == old["judge"]["arch"]
    assert new["guide"]["network"] == old["guide"]["arch"]
    for part, before in (("per_class", "per_digit"), ("histogram", "histogram")):
        for row, one in zip(new[part], old[before], strict=True):
            assert row == {RENAMED_RESULTS.get(key, key): value for key, value in one.items()}
    cell = new["gallery"]["copies"]["cells"][0]
    assert cell["class"] == old["gallery"]["copies"]["cells"][0]["digit"]
    assert new["reference"] == {**old["reference"], "absent": []}
    assert new["provenance"]["config"] == old["provenance"]["config"]  # as the training had it
    for part in ("run", "seed", "confusion", "timing", "cost"):
        assert new[part] == old[part]


def test_the_alarms_of_format_1_are_warnings_of_the_new_kinds() -> None:
    old = json.loads(GOLDEN.read_text())
    alarm = {"kind": "flattered", "metric": "flattery", "value": 0.2, "threshold": 0.01}
    old["alarms"] = [{**alarm, "message": "Flattered: ..."}]
    old["left_out"] = {"flattery": "no guide is known"}
    del old["metrics"]["flattery"]
    results = parse_results(old)
    (warning,) = results.warnings
    assert (warning.kind, warning.metric, warning.value) == ("guide_gap", "guide_gap", 0.2)
    assert warning.message == "Flattered: ..."
    assert results.left_out == {"guide_gap": "no guide is known"}


@pytest.mark.parametrize(
    ("dataset", "noun"),
    [("mnist", "digit"), ("digits", "digit"), ("kmnist", "character"), ("fashion-mnist", "class")],
)
def test_format_1_gets_the_noun_of_its_data_set(dataset: str, noun: str) -> None:
    assert parse_results(json.loads(GOLDEN.read_text()) | {"dataset": dataset}).noun == noun


def test_an_upgrade_leaves_the_old_content_as_it_was() -> None:
    old = json.loads(GOLDEN.read_text())
    results_from_format_1(old)
    assert old == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("part", ["metrics", "per_digit", "alarms", "gallery", "judge", "dataset"])
@pytest.mark.parametrize("wrong", [None, 3, [3], [[]]])
def test_a_damaged_part_of_format_1_is_named(part: str, wrong: Any) -> None:
    said = refusal(json.loads(GOLDEN.read_text()) | {part: wrong})
    assert RENAMED_RESULTS.get(part, part) in said or "metric" in said


@pytest.mark.parametrize(
    ("old", "new"),
    [("metrics", "metrics"), ("per_digit", "per_class"), ("alarms", "warnings"), ("run", "run")],
)
def test_results_can_be_indexed_as_before_with_a_warning(old: str, new: str) -> None:
    removed = f"results.{new}; the old name will be removed"
    with pytest.warns(DeprecationWarning, match=removed) as caught:
        part = golden_results()[old]
    assert part == plain_results()[new]
    assert caught[0].filename == __file__


def test_an_unknown_part_is_no_key() -> None:
    with pytest.raises(KeyError, match="nonesuch"):
        golden_results()["nonesuch"]


# the documented schema


def test_the_schema_tells_of_every_part() -> None:
    parts = schema()["$defs"]["Results"]
    assert list(parts["properties"]) == list(plain_results()) == list(Results.__struct_fields__)
    assert {"run", "metrics", "per_class", "warnings"} <= set(parts["required"])
    for name, part in schema()["$defs"].items():
        assert part["description"], name


@pytest.mark.parametrize("name", ["=cmd|calc!A1", "+1", "-1", "@sum"])
@pytest.mark.parametrize(
    "place",
    [
        ("run",),
        ("dataset",),
        ("recipe",),
        ("judge", "name"),
        ("guide", "network"),
        ("provenance", "guide"),
        ("provenance", "config", "recipe"),
    ],
)
def test_a_name_that_a_spreadsheet_would_compute_is_refused(
    place: tuple[str, ...], name: str
) -> None:
    content = plain_results()
    part = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = name
    with pytest.raises(ValueError, match="that begins with none of =") as caught:
        parse_results(content)
    assert str(caught.value).startswith(place[0])


def test_a_noun_that_a_spreadsheet_would_compute_is_refused() -> None:
    with pytest.raises(ValueError, match="noun"):
        parse_results({**plain_results(), "noun": "=digit"})
