import json
from pathlib import Path

import pytest

from cgan.io.files import csv_bytes, json_bytes, make_folder, require_writable, write_bytes
from cgan.runtime.errors import InputError


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
