"""cgan runs: what was trained, on what, how good it is, and where it is."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import REPOSITORY

from cgan.cli import main
from cgan.io.run_layout import SHIPPED, SHIPPED_REPORTS
from cgan.reporting.run_list import ListedRun, list_runs


def run(*arguments: object, **variables: str) -> Result:
    return CliRunner(env=variables).invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an evaluated, an unfinished, a damaged run and a guide, the last the oldest."""
    runs = {"good": "mnist", "begun": "mnist", "broken": "mnist", "my-guide": "mnist-guide"}
    for age, (name, source) in enumerate(runs.items()):
        folder = shutil.copytree(SHIPPED / source, tmp_path / "weights" / name)
        for file in folder.iterdir():
            os.utime(file, (2e9 - age, 2e9 - age))
    begun = tmp_path / "weights/begun"
    (begun / "checkpoint.safetensors").write_bytes(b"")
    os.utime(begun / "checkpoint.safetensors", (2e9 - 1, 2e9 - 1))
    lines = (begun / "history.csv").read_text().splitlines()
    (begun / "history.csv").write_text("\n".join(lines[:4]) + "\n")
    (tmp_path / "weights/broken/config.json").write_text("{")
    (tmp_path / "weights/no-run").mkdir()
    shutil.copytree(SHIPPED_REPORTS / "mnist", tmp_path / "reports/good")
    os.utime(tmp_path / "reports/good/results.json", (2e9, 2e9))
    return tmp_path


def listed(place: Path) -> dict[str, ListedRun]:
    return {run.name: run for run in list_runs(place / "weights", place / "reports")}


def test_ones_own_runs_come_first_the_newest_at_the_top(place: Path) -> None:
    found = list(listed(place).values())
    assert [run.name for run in found][:4] == ["good", "begun", "broken", "my-guide"]
    assert [run.shipped for run in found] == [False] * 4 + [True] * (len(found) - 4)
    assert {run.name for run in found if run.shipped} == {path.name for path in SHIPPED.iterdir()}


def test_a_run_has_the_scores_of_its_report(place: Path) -> None:
    good = listed(place)["good"]
    results = json.loads((place / "reports/good/results.json").read_text())
    assert (good.kind, good.dataset, good.recipe, good.epochs) == (
        "generator",
        "mnist",
        "guided",
        40,
    )
    assert good.verdict == "Good"
    assert good.metrics is not None
    assert good.metrics["fcd"] == pytest.approx(results["metrics"]["fcd"]["value"])
    assert not good.unfinished


def test_a_report_that_is_older_than_the_run_is_not_its_own(place: Path) -> None:
    os.utime(place / "reports/good/results.json", (1e9, 1e9))
    good = listed(place)["good"]
    assert good.report is None
    assert good.verdict is None
    assert good.validation is not None  # of the training
    assert 0 < good.validation["fcd"] < 0.1


def test_an_unfinished_training_says_how_far_it_came_and_how_it_goes_on(place: Path) -> None:
    begun = listed(place)["begun"]
    assert begun.unfinished
    assert (begun.epochs, begun.epochs_planned) == (3, 40)
    said = run("runs", "--weights-dir", place / "weights").output
    assert f"cgan train-gan --resume begun --weights-dir {place}/weights\n" in said


def test_a_classifier_has_its_accuracy_on_test_images(place: Path) -> None:
    guide = listed(place)["my-guide"]
    assert guide.kind == "guide"
    assert guide.test_accuracy == pytest.approx(0.9949)


def test_a_damaged_run_is_listed_with_the_reason(place: Path) -> None:
    said = run("runs", "--weights-dir", place / "weights", "--reports-dir", place / "reports")
    assert said.exit_code == 0
    assert re.search(r"broken: cannot be read\n\s+\S+config\.json\s+is\s+missing", said.output)


def test_the_list_fits_a_terminal_and_names_the_shipped_runs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    lines = run("runs").output.splitlines()
    assert lines[0] == "your runs, in weights:"
    assert "shipped runs:" in lines
    assert max(map(len, lines)) < 80
    assert "      Good: judge accuracy 99.73%, FCD 0.032 (reports/good)" in lines


def test_without_runs_of_ones_own_the_list_says_so(tmp_path: Path) -> None:
    assert run("runs", "--weights-dir", tmp_path / "none").output.startswith(
        f"your runs, in {tmp_path / 'none'}: none\nshipped runs:\n"
    )


def test_json_has_the_same_runs(place: Path) -> None:
    said = json.loads(run("runs", "--json", "--weights-dir", place / "weights").stdout)
    assert said["format"] == 1
    runs = {one["name"]: one for one in said["runs"]}
    assert runs["good"]["folder"] == str(place / "weights/good")
    assert runs["broken"]["problem"]
    assert runs["mnist"]["shipped"]


@pytest.mark.parametrize("command", ["recipes", "doctor"])
def test_json_is_all_that_a_command_prints(command: str, tmp_path: Path) -> None:
    result = run(command, "--json", *(["--weights-dir", tmp_path] if command == "doctor" else []))
    said = json.loads(result.stdout)
    assert said["format"] == 1
    if command == "recipes":
        guided = said["recipes"][0]
        assert (guided["name"], guided["conditional"]) == ("guided", True)
        assert guided["measured"]["judge_accuracy"] > 0.99
        assert guided["settings"]["modes"] == 8
    else:
        states = {finding["subject"]: finding["state"] for finding in said["findings"]}
        assert states["mnist-sample"] == "ok"
        assert said["problems"] == list(states.values()).count("problem")


def test_colours_are_for_terminals_and_go_with_no_color(place: Path) -> None:
    runner = CliRunner()
    words = ["runs", "--weights-dir", str(place / "weights")]
    assert "\x1b[1mgood\x1b[0m" in runner.invoke(main, words, color=True).output
    plain = runner.invoke(main, words, color=True, env={"NO_COLOR": "1"}).output
    assert "\x1b" not in plain
    assert "\x1b" not in runner.invoke(main, words).output


def test_the_shipped_reports_lie_where_the_project_says() -> None:
    assert SHIPPED_REPORTS == REPOSITORY / "reports/examples"
