"""What a file holds is of the type that it should be, or refused in plain words."""

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct, field

from cgan.io.typed import convert


class Part(Struct, frozen=True):
    """A part of a file."""

    name: Annotated[str, Meta(max_length=5)]
    share: Annotated[float, Meta(ge=0, le=1)] | None = None


class Content(Struct, frozen=True, kw_only=True):
    """A file."""

    label: Annotated[int, Meta(ge=0, lt=10)] = field(name="class")
    whole: int = 0
    sure: bool = False
    word: Annotated[str, Meta(max_length=9, pattern="^[a-z]+$")] = "word"
    parts: Annotated[list[Part], Meta(max_length=2)] = field(default_factory=list)
    settings: Annotated[dict[str, str | int | float | None], Meta(max_length=2)] = field(
        default_factory=dict
    )


def test_a_value_of_the_type_is_made_and_the_rest_has_its_default() -> None:
    made = convert({"class": 3, "parts": [{"name": "a", "share": 1}]}, Content)
    assert made == Content(label=3, parts=[Part("a", 1.0)])
    assert isinstance(made.parts[0].share, float)


def test_what_the_type_does_not_know_is_left_out_unlooked_at() -> None:
    assert convert({"class": 3, "x\n": [[[]]]}, Content) == Content(label=3)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "it: expected an object, got null"),
        ({}, "it lacks 'class'"),
        ({"class": 10}, "class: expected a whole number <= 9"),
        ({"class": -1}, "class: expected a whole number >= 0"),
        ({"class": True}, "class: expected a whole number, got true or false"),
        ({"class": 1.0}, "class: expected a whole number, got a number"),
        ({"class": 1, "whole": "1"}, "whole: expected a whole number, got a text"),
        ({"class": 1, "word": "a b"}, "word: expected a text matching"),
        ({"class": 1, "parts": {}}, "parts: expected a list, got an object"),
        ({"class": 1, "parts": [{"name": ""}] * 3}, "parts: expected a list of length <= 2"),
        ({"class": 1, "parts": [{"name": "x"}, {"name": "abcdef"}]}, "parts[1].name: expected"),
        ({"class": 1, "parts": [{"name": "\u202e"}]}, "parts[0].name: expected a printable text"),
        ({"class": 1, "settings": {"\x1b": 1}}, r"settings: the unprintable field '\x1b'"),
        (
            {"class": 1, "settings": {"a": [1]}},
            "settings[...]: expected a whole number or a number",
        ),
    ],
)
def test_what_is_not_of_the_type_is_named_in_a_line(content: Any, problem: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked at
        convert(content, Content)
    assert str(caught.value).startswith(problem)
    assert str(caught.value).isprintable()
