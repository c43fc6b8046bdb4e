"""scripts/test with stand-ins for the tools that it calls, which write down the calls."""

import subprocess
from pathlib import Path
from shutil import copy

import pytest
from conftest import REPOSITORY

TOOL = '#!/bin/sh\necho "$(basename "$0") $* $OMP_NUM_THREADS" >> calls\n'
CHECKS = ["setup", "ruff check", "ruff format --check", "mypy"]
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
