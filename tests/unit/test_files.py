import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgan.io.files import (
    FORMULA_STARTS,
    csv_bytes,
    json_bytes,
    make_folder,
    output_folder,
    require_writable,
    require_writable_file,
    safe_cell,
    write_bytes,
    write_files,
)
from cgan.runtime.errors import InputError

LONG = "x" * 256  # one more than a name can have


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_has_no_nan() -> None:
    content = json_bytes({"a": [float("nan"), 1.5], "b": {"c": float("inf")}})
    assert json.loads(content) == {"a": [None, 1.5], "b": {"c": None}}


def test_csv_leaves_a_missing_reading_empty() -> None:
    assert csv_bytes([{"epoch": 1, "x": 0.5}, {"epoch": 2}]) == b"epoch,x\n1,0.5\n2,\n"


def test_a_folder_that_cannot_be_made_names_the_flag(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="--reports-dir"):
        make_folder(tmp_path / "file" / "folder", "--reports-dir")


def test_a_folder_is_proved_writable_without_being_made(tmp_path: Path) -> None:
    require_writable(tmp_path / "deep" / "er", "--out")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file is not a folder\); choose another with --out"):
        require_writable(tmp_path / "file" / "x", "--out")


def test_several_files_are_written_all_or_none(tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, bytes]]:
        yield "a", b"new"
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match=r"cannot write .* \(No space left on device\)"):
        write_files(tmp_path, files())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
    write_files(tmp_path, [("a", b"1"), ("b", b"2")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def write_and_fail(path: Path) -> None:
    path.touch()
    raise KeyError


def test_folders_that_were_made_for_nothing_are_removed_again(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for folder in (tmp_path / "new/deep", tmp_path / "old", tmp_path / "old/new"):
        with pytest.raises(IsADirectoryError), output_folder(folder, "--out"):
            folder.read_bytes()
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]
    with pytest.raises(InputError, match="too long"), output_folder(tmp_path / "x" / LONG, "--out"):
        raise AssertionError
    with pytest.raises(KeyError), output_folder(tmp_path / "x/deep", "--out"):
        write_and_fail(tmp_path / "x/kept")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept", "old", "x"]


@pytest.mark.parametrize("path", [LONG, f"new/{LONG}", f"{LONG}/x", "x/" * 2500 + "x", "a\0b"])
def test_a_path_that_no_file_can_have_is_refused_before_anything_is_made(
    path: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"cannot write to .*; choose another with --out"):
        require_writable_file(tmp_path / path, "--out")
    with pytest.raises(InputError, match=r"cannot write to .*; choose another with --out"):
        require_writable(tmp_path / path, "--out")
    require_writable_file(tmp_path / ("x" * 255), "--out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-", "-1 to 2", "@x", "\t=1", "\rx", "=", "+-1"])
def test_no_cell_begins_as_a_formula(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"
    for row in csv.reader(csv_bytes([{cell: cell, "x": 1}]).decode().splitlines()):
        assert row[0][0] not in FORMULA_STARTS


@pytest.mark.parametrize("cell", ["-1.5", "+2e-3", "-inf", "", "a=b", "guided", -1.5, -3, None])
def test_numbers_and_words_are_cells_as_they_are(cell: object) -> None:
    assert safe_cell(cell) is cell
