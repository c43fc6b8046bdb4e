import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import plain_results

from cgan.evaluation.report_files import shown_name, training_files
from cgan.evaluation.report_name import IN_MEMORY, report_name, source_of
from cgan.io.journal import commit, locked
from cgan.metrics.results_file import parse_results
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress


def report(folder: Path, source: str | None) -> None:
    """Write a report of images from `source`."""
    content = plain_results()
    content["provenance"]["source"] = source
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content))


def run_in(folder: Path) -> Any:
    return SimpleNamespace(folder=folder)


def test_a_report_of_the_same_source_is_replaced(tmp_path: Path) -> None:
    report(tmp_path / "demo", "../weights/demo")
    found = report_name(None, "demo", "../weights/demo", tmp_path, Progress())
    assert found == "demo"


def test_a_report_of_another_source_gets_a_numbered_neighbour_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(tmp_path / "samples", "../modelA/samples")
    report(tmp_path / "samples-2", "../modelB/samples")
    progress = Progress(sys.stderr)
    other = report_name(None, "samples", "../modelC/samples", tmp_path, progress)
    assert other == "samples-3"
    assert "samples is the report of ../modelA/samples" in " ".join(capsys.readouterr().err.split())
    again = report_name(None, "samples", "../modelB/samples", tmp_path, Progress())
    assert again == "samples-2"


def test_a_name_that_was_asked_for_is_refused_when_another_source_has_it(tmp_path: Path) -> None:
    report(tmp_path / "mine", "../weights/mine")
    with pytest.raises(InputError, match=r"mine is the report of \.\./weights/mine; choose anoth"):
        report_name("mine", "theirs", IN_MEMORY, tmp_path, Progress())
    assert report_name("mine", "theirs", "../weights/mine", tmp_path, Progress()) == "mine"


@pytest.mark.parametrize("content", ["", "{", '{"format": 2}'])
def test_a_damaged_report_may_be_replaced(content: str, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/results.json").write_text(content)
    assert report_name("demo", "demo", "../weights/demo", tmp_path, Progress()) == "demo"


def test_a_report_that_recorded_no_source_may_be_replaced(tmp_path: Path) -> None:
    report(tmp_path / "demo", None)
    assert report_name(None, "demo", "../weights/demo", tmp_path, Progress()) == "demo"


def test_a_source_is_seen_from_the_reports_so_that_both_can_move_together(tmp_path: Path) -> None:
    for top in (tmp_path / "here", tmp_path / "there"):
        run, images, reports = top / "weights/demo", top / "theirs.npz", top / "reports"
        assert source_of(run_in(run), None, reports) == "../weights/demo"
        assert source_of(None, images, reports) == "../theirs.npz"
    assert source_of(None, object(), reports) == IN_MEMORY


def test_the_name_must_be_that_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run name"):
        report_name("../up", "demo", IN_MEMORY, tmp_path, Progress())


def test_only_files_that_the_runs_manifest_vouches_for_enter_a_report(tmp_path: Path) -> None:
    files = {"history.csv": b"epoch\n1\n", "samples.gif": b"GIF8", "samples.png": b"PNG"}
    with locked(tmp_path):
        commit(tmp_path, files)
    gan = run_in(tmp_path)
    whole = {"history.csv": b"epoch\n1\n", "film.gif": b"GIF8", "epochs.png": b"PNG"}
    assert training_files(gan) == whole
    assert training_files(None) == {}
    (tmp_path / "samples.gif").unlink()
    assert training_files(gan).keys() == {"history.csv", "epochs.png"}
    for name in ("history.csv", "samples.png"):
        honest = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(bytes([*honest[:-1], honest[-1] ^ 1]))
        with pytest.raises(InputError, match=f"{name} is damaged: it does not match its manifest"):
            training_files(gan)
        (tmp_path / name).write_bytes(honest)
    with locked(tmp_path):
        commit(tmp_path, {"other": b""}, fresh=True)
    (tmp_path / "history.csv").write_bytes(b"epoch\n9\n")
    assert training_files(gan) == {}


@pytest.mark.parametrize(
    ("folder", "shown"),
    [("my judge", "my judge"), ("=cmd|calc", "cmd|calc"), ("-+@", "?"), ("a\nb", "a?b")],
)
def test_the_name_of_any_folder_becomes_one_that_results_can_hold(folder: str, shown: str) -> None:
    assert shown_name(folder) == shown
    content = plain_results()
    content["judge"]["name"] = shown_name(folder)
    assert parse_results(content).judge.name == shown
