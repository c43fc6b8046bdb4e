"""Whatever happens to a writer, its folder is what it was or what it was to be."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgan.io import journal
from cgan.io.journal import MANIFEST, checksums, commit, damaged, locked, require_whole, settle
from cgan.runtime.errors import InputError

OLD = {"a": b"old a", "b": b"old b", "c/d": b"old d"}
NEW = {"a": b"new a", "e/f": b"new f"}


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files but the manifest by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    return {name: content for name, content in found.items() if name != MANIFEST}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with locked(tmp_path / "run"):
        commit(tmp_path / "run", OLD)
    return tmp_path / "run"


def test_a_commit_adds_and_a_fresh_one_takes_away_what_commits_put_there(folder: Path) -> None:
    (folder / "note").write_bytes(b"mine")
    with locked(folder):
        commit(folder, NEW)
    assert contents(folder) == {**OLD, **NEW, "note": b"mine"}
    with locked(folder):
        commit(folder, NEW, fresh=True)
    assert contents(folder) == {**NEW, "note": b"mine"}
    with locked(folder):
        commit(folder, {"a": b""}, gone=["a", "e/f", "note", "nothing"])
    assert contents(folder) == {"a": b"", "e/f": b"new f"}  # committed, so not strange
    assert checksums(folder).keys() == NEW.keys()


class Death(BaseException):
    """A process dies: nothing that would run afterwards may help."""


class Mortal:
    """Lets so many file operations happen, then kills."""

    def __init__(self, left: int, monkeypatch: pytest.MonkeyPatch):
        self.left = left
        for name in ("open", "replace", "rename", "unlink", "mkdir"):
            monkeypatch.setattr(Path, name, self.counted(getattr(Path, name)))
        monkeypatch.setattr(journal.shutil, "rmtree", self.counted(journal.shutil.rmtree))
        monkeypatch.setattr(journal, "sync", self.counted(journal.sync))

    def counted(self, honest: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise Death
            return honest(*arguments, **named)

        return operation


@pytest.mark.parametrize("fresh", [False, True])
def test_whenever_a_writer_dies_all_files_are_old_or_all_are_new(
    folder: Path, fresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = NEW if fresh else {**OLD, **NEW}
    states = []
    for operations in range(100):
        with monkeypatch.context() as patched:
            Mortal(operations, patched)
            try:
                commit(folder, NEW, fresh=fresh)
                break
            except Death:
                pass
        settle(folder)
        files = contents(folder)
        states.append({name: files[name] for name in files if not name.startswith(".coming")})
        assert damaged(folder) == []
        with locked(folder):  # back to the beginning
            commit(folder, OLD, fresh=True)
    assert all(state in (OLD, after) for state in states)
    assert OLD in states
    assert after in states
    assert len(states) > 15


def test_a_disk_that_is_full_leaves_the_folder_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, room = journal.write_through, 0

    def full(path: Path, content: bytes) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        honest(path, content)

    monkeypatch.setattr(journal, "write_through", full)
    for written in range(3):  # two files and the manifest
        room = written
        with locked(folder), pytest.raises(OSError, match=r"No space left.*it is unchanged"):
            commit(folder, NEW)
        assert contents(folder) == OLD
        assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c", MANIFEST]


def test_a_folder_that_has_vanished_is_not_made_again(folder: Path) -> None:
    with locked(folder):
        shutil.rmtree(folder)
        with pytest.raises(OSError, match="was deleted"):
            commit(folder, NEW)
    assert not folder.exists()


HOLD = """
import sys
from collections.abc import Callable
from pathlib import Path
from cgan.io.journal import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_held_by_one_process_and_let_go_of_when_it_is_killed(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(InputError, match=f"written to by process {holder.pid}"), locked(folder):
        pass
    holder.kill()
    holder.wait()
    assert (folder / ".lock").is_file()  # a stale one
    with locked(folder):
        commit(folder, NEW)
    assert not (folder / ".lock").exists()
    holder.stdin.close()
    holder.stdout.close()


def test_an_empty_folder_goes_when_it_is_let_go_of(tmp_path: Path) -> None:
    with locked(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()


def test_a_file_that_has_changed_is_named(folder: Path) -> None:
    require_whole(folder, "a", "b")
    (folder / "a").write_bytes(b"old A")
    (folder / "b").unlink()
    assert damaged(folder) == ["a", "b"]
    require_whole(folder, "c/d", "not listed")
    with pytest.raises(InputError, match=f"{folder / 'a'} is damaged"):
        require_whole(folder, "c/d", "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"sha256": {"a": 1}, "gone": []}',
        '{"sha256": {}, "gone": ["../secret"]}',
        '{"sha256": {}, "gone": ["/etc/passwd"]}',
        '{"sha256": {}, "gone": [".."]}',
        '{"sha256": {}, "gone": [7]}',
        '{"sha256": {"a/../../b": "' + "0" * 64 + '"}, "gone": []}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_is_damaged_or_leads_outside_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=r"manifest.json is damaged"):
        damaged(folder)


@given(st.binary(max_size=200))
def test_no_manifest_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "manifests"
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(InputError):
        checksums(folder)


def test_what_a_manifest_from_elsewhere_wants_gone_must_lie_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("dear")
    ready = tmp_path / "run" / journal.READY
    ready.mkdir(parents=True)
    (ready / MANIFEST).write_text('{"sha256": {}, "gone": ["../secret"]}')
    with pytest.raises(InputError, match="outside its folder"):
        settle(tmp_path / "run")
    assert (tmp_path / "secret").read_text() == "dear"


def test_a_link_in_the_folder_leads_nothing_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("dear")
    ready = tmp_path / "run" / journal.READY
    (ready / "samples").mkdir(parents=True)
    (ready / "samples" / "secret").write_text("stolen")
    listed = '{"samples/secret": "' + "0" * 64 + '"}'
    (ready / MANIFEST).write_text('{"sha256": ' + listed + ', "gone": []}')
    os.symlink(tmp_path, tmp_path / "run" / "samples")
    with pytest.raises(InputError, match="is a link"):
        settle(tmp_path / "run")
    assert (tmp_path / "secret").read_text() == "dear"


def test_a_manifest_has_a_format_and_a_newer_one_is_refused(folder: Path) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    assert next(iter(content.items())) == ("format", 1)
    (folder / MANIFEST).write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(InputError, match=r"manifest.json is of format 2, .* reads up to 1"):
        checksums(folder)
    del content["format"]
    (folder / MANIFEST).write_text(json.dumps(content))
    assert checksums(folder).keys() == OLD.keys()


def test_files_are_removed_even_if_an_earlier_commit_put_them_there(folder: Path) -> None:
    (folder / "note").write_bytes(b"mine")
    with locked(folder):
        commit(folder, {"b": b"again"}, removed=["a", "b", "note", "nothing"])
    assert contents(folder) == {"b": b"again", "c/d": b"old d"}
    assert checksums(folder).keys() == {"b", "c/d"}
    assert damaged(folder) == []


def test_more_files_than_a_manifest_can_name_are_refused_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (folder / MANIFEST).stat().st_size
    monkeypatch.setattr(journal, "LARGEST_MANIFEST", size + 20)
    with locked(folder), pytest.raises(OSError, match="would have 4 files, too many"):
        commit(folder, {"more": b""})
    assert contents(folder) == OLD


def test_a_committed_file_is_read_only_as_it_was_committed(folder: Path) -> None:
    assert journal.read_whole(folder, "c/d", 100) == b"old d"
    (folder / "note").write_bytes(b"mine")
    with pytest.raises(OSError, match="does not list it"):
        journal.read_whole(folder, "note", 100)
    with pytest.raises(OSError, match="is the maximum"):
        journal.read_whole(folder, "a", 4)
    (folder / "a").write_bytes(b"old b")
    with pytest.raises(InputError, match="a is damaged: it does not match its manifest"):
        journal.read_whole(folder, "a", 100)
    (folder / MANIFEST).unlink()
    with pytest.raises(OSError, match="does not list it"):
        journal.read_whole(folder, "b", 100)


def test_ctrl_c_while_files_are_written_leaves_none_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[:2])
        raise KeyboardInterrupt

    monkeypatch.setattr(journal, "write_through", write)
    with pytest.raises(KeyboardInterrupt), locked(folder):
        commit(folder, NEW)
    assert contents(folder) == OLD
    assert not (folder / journal.COMING).exists()
