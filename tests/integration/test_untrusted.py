import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from scripts.tortures.fuzz import NeitherError, fuzz
from scripts.tortures.parsers import Parser, parsers
from scripts.tortures.pickles import outcomes


def test_no_pickle_is_loaded_by_whatever_name(tmp_path: Path) -> None:
    found = list(outcomes(tmp_path))
    assert len(found) == 16
    for one in found:
        assert not one.sprung, one.file
        assert one.refused.isprintable(), one.file
        assert one.refused, one.file


@pytest.mark.parametrize("name", parsers())
def test_damaged_files_are_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    row = fuzz(name, 150, 0, tmp_path)
    assert row["accepted"] + row["refused"] == row["inputs"] == 150
    assert row["refused"] > 0
    assert row["accepted"] > 0


def test_the_fuzzer_keeps_the_file_that_a_parser_cannot_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise KeyError("x")

    broken = Parser("x", (b"abc",), lambda content, _: content + b"!", fail)
    monkeypatch.setattr("scripts.tortures.fuzz.parsers", lambda: {"broken": broken})
    with pytest.raises(NeitherError, match="neither read nor refused") as caught:
        fuzz("broken", 5, 0, tmp_path)
    assert caught.value.content == b"abc!"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"abc!"]


def test_the_fuzzer_stops_what_hangs_even_where_errors_are_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(folder: Path) -> None:
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue

    slow = Parser("x", (b"abc",), lambda content, _: content, hang)
    monkeypatch.setattr("scripts.tortures.fuzz.parsers", lambda: {"slow": slow})
    monkeypatch.setattr("scripts.tortures.fuzz.LONGEST", 0.05)
    with pytest.raises(NeitherError):
        fuzz("slow", 1, 0, tmp_path)
