import json
from pathlib import Path

import pytest

from cgan.errors import InputError
from cgan.files import make_folder, write_bytes, write_csv, write_json


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


def test_json_has_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": [float("nan"), 1.5], "b": {"c": float("inf")}})
    assert json.loads(path.read_text()) == {"a": [None, 1.5], "b": {"c": None}}


def test_csv_leaves_a_missing_reading_empty(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    write_csv(path, [{"epoch": 1, "x": 0.5}, {"epoch": 2}])
    assert path.read_text() == "epoch,x\n1,0.5\n2,\n"


def test_a_folder_that_cannot_be_made_names_the_flag(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="--reports-dir"):
        make_folder(tmp_path / "file" / "folder", "--reports-dir")
