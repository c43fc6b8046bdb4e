"""scripts/test and scripts/setup with stand-ins for their tools, which write down the calls."""

import os
import subprocess
from pathlib import Path
from shutil import copy

import pytest
from conftest import REPOSITORY

TOOL = '#!/bin/sh\necho "$(basename "$0") $* $OMP_NUM_THREADS" >> calls\n'
CHECKS = ["setup test", "ruff check", "ruff format --check", "mypy"]
PYTEST = "python -m pytest --numprocesses 2 --dist loadfile"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the script and nothing but stand-ins beside it."""
    for name in ("scripts/setup", *(f".venv/bin/{tool}" for tool in ("ruff", "mypy", "python"))):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TOOL)
        path.chmod(0o755)
    copy(REPOSITORY / "scripts/test", tmp_path / "scripts")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], f"{PYTEST} 1"),
        (["--fast"], f"{PYTEST} tests/unit 1"),
        (["--fast", "-k", "x"], f"{PYTEST} tests/unit -k x 1"),
        (["tests/browser"], f"{PYTEST} tests/browser 1"),
    ],
)
def test_all_tests_run_but_with_fast_those_of_the_units_alone(
    words: list[str], asked: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    subprocess.run([place / "scripts/test", *words], check=True)
    calls = [line.strip() for line in (place / "calls").read_text().splitlines()]
    assert calls == [*CHECKS, asked]


def test_what_the_linter_finds_ends_it(place: Path) -> None:
    (place / ".venv/bin/ruff").write_text("#!/bin/sh\nexit 3\n")
    done = subprocess.run([place / "scripts/test", "--fast"], check=False)
    assert done.returncode == 3
    assert (place / "calls").read_text().startswith("setup")
    assert "pytest" not in (place / "calls").read_text()


# makes `.venv/bin/python`, which writes down what it is asked to install
PYTHON = """#!/bin/sh
case "$*" in
  *venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *pip*) echo "$*" >> calls ;;
esac
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with scripts/setup, what it reads, and a stand-in for Python."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/setup", "pyproject.toml", "constraints.txt"):
        copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / "stand-in").write_text(PYTHON)
    (tmp_path / "stand-in").chmod(0o755)
    return tmp_path


def sets_up(place: Path, *words: str) -> list[str]:
    """Return the extras that a call installs."""
    (place / "calls").write_text("")
    environment = {**os.environ, "PYTHON": str(place / "stand-in")}
    subprocess.run([place / "scripts/setup", *words], check=True, env=environment)
    return [call.rpartition(" ")[2] for call in (place / "calls").read_text().splitlines()]


def test_a_user_is_spared_the_tools_of_the_tests(bare: Path) -> None:
    assert sets_up(bare) == [".[onnx]"]
    assert sets_up(bare) == []
    assert sets_up(bare, "test") == [".[onnx,test]"]
    assert sets_up(bare, "test") == []
    assert sets_up(bare) == []  # all that a user needs is there


def test_other_versions_are_installed_anew(bare: Path) -> None:
    assert sets_up(bare, "test") == [".[onnx,test]"]
    with (bare / "constraints.txt").open("a") as stream:
        stream.write("other==1.0\n")
    assert sets_up(bare) == [".[onnx]"]
    assert sets_up(bare, "test") == [".[onnx,test]"]
