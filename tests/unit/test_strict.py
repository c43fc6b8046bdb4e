import os
from pathlib import Path

import pytest

from cgan.io.strict import (
    DEEPEST,
    FormatError,
    first_line,
    format_of,
    open_plain,
    read_json,
    read_plain,
)


def test_a_plain_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert read_plain(tmp_path / "x", 3) == b"abc"


def test_a_link_is_read_only_where_links_may_be(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    assert read_plain(tmp_path / "link", 3, links=True) == b"abc"
    with pytest.raises(OSError, match="it is a link"):
        read_plain(tmp_path / "link", 3)


def test_a_larger_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as stream:
        stream.truncate(2**40)  # all of it a hole
    with pytest.raises(OSError, match="is the maximum"):
        read_plain(tmp_path / "x", 2**20)


@pytest.mark.parametrize("links", [False, True])
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path, links: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            open_plain(path, 2**40, links=links)
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="not a regular file" if links else "it is a link"):
        open_plain(tmp_path / "link", 2**40, links=links)


def test_a_file_that_is_not_there_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_plain(tmp_path / "x", 1)


@pytest.mark.parametrize(
    "text",
    ["", "{", "nonsense", "NaN", '{"a": -Infinity}', "9" * 5000, "[" * 100_000, '"\\ud8', "\x00"],
)
def test_what_is_no_json_is_a_value_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(ValueError, match=r".+"):
        read_json(tmp_path / "x", 2**20)


def test_json_has_so_many_levels_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("[" * DEEPEST + "]" * DEEPEST)
    assert str(read_json(path, 2**20)).count("[") == DEEPEST
    path.write_text("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2))
    with pytest.raises(ValueError, match="levels"):
        read_json(path, 2**20)


def test_bytes_that_are_no_text_are_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="decode"):
        read_json(tmp_path / "x", 9)


def test_what_an_error_says_becomes_one_short_printable_line() -> None:
    assert first_line(ValueError("a\x1b[2Jb\nc")) == "a?[2Jb"
    assert first_line(KeyError()) == "KeyError"
    assert len(first_line(ValueError("x" * 9999))) == 200


def test_a_file_without_a_format_number_is_of_format_1() -> None:
    assert format_of({}, 1) == 1
    assert [format_of({"format": n}, 3) for n in (1, 2, 3)] == [1, 2, 3]


def test_a_newer_format_is_refused_by_its_number() -> None:
    words = r"^is of format 3, which a newer cgan wrote; this one reads up to 2$"
    with pytest.raises(FormatError, match=words):
        format_of({"format": 3}, 2)


@pytest.mark.parametrize("number", [0, -1, 1.0, True, "2", None, [1], "\n" * 999])
def test_a_format_that_is_not_a_whole_number_is_refused_in_a_line(number: object) -> None:
    with pytest.raises(FormatError, match="not a whole number") as caught:
        format_of({"format": number}, 2)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("content", [[], "2", 2, None])
def test_what_is_not_an_object_has_no_format(content: object) -> None:
    with pytest.raises(ValueError, match="not a JSON object"):
        format_of(content, 2)
