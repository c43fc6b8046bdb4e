"""What --out names is written whole or not at all, and errors of the machine are one line."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import REPOSITORY

from cgan.cli import main
from cgan.deploy.webapp import subprocess_build
from cgan.deploy.webapp.site import Site
from cgan.io import files, journal
from cgan.io.journal import MANIFEST
from cgan.io.run_layout import SHIPPED

EXPORT = ["export", "digits", "--format", "npz"]
WRITING = {
    "a grid": ["sample", "digits", "-n", "20", "-o", "new/deep/x.png"],
    "arrays": ["sample", "digits", "-n", "20", "-o", "new/deep/x.npz"],
    "pictures": ["sample", "digits", "-n", "20", "-o", "new/deep/x"],
    "latent": ["latent", "digits", "-o", "new/deep"],
    "latent of a report": ["latent", "digits", "--reports-dir", "new/deep"],
    "a network": [*EXPORT, "-o", "new/deep/x.npz"],
    "a page": ["play", "digits", "-o", "new/deep"],
    "two reports": ["compare", "digits", "mnist", "-o", "new/deep"],
    "a leaderboard": ["compare", "digits", "-o", "new/deep"],
}
STOPS: dict[str, Callable[[], BaseException]] = {
    "a full disk": lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "Ctrl-C": KeyboardInterrupt,
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; the page of `cgan play` is made without its networks."""
    site = Site("digits", dict.fromkeys(("a", "b", "c"), b"x"), ())
    monkeypatch.setattr(subprocess_build, "make_site_in_subprocess", lambda *_: site)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stop_writing(monkeypatch: pytest.MonkeyPatch, first: int, stop: BaseException) -> None:
    """Raise an error while file number `first` is written, after a part of it, and at each later.

    Where a program has a temporary folder elsewhere, it has room.
    """
    honest, seen = files.write_through, 0

    def write(path: Path, content: bytes) -> None:
        nonlocal seen
        seen += "cgan-export" not in str(path)
        if seen > first:
            honest(path, content[:10])
            raise stop
        honest(path, content)

    for module in (files, journal):
        monkeypatch.setattr(module, "write_through", write)


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("what", WRITING)
def test_an_output_that_cannot_be_finished_leaves_nothing_behind(
    what: str, stop: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = what in ("pictures", "latent", "latent of a report", "a page", "a leaderboard")
    stop_writing(monkeypatch, first=int(several), stop=STOPS[stop]())
    done = run(*WRITING[what])
    assert done.exit_code == (1 if stop == "a full disk" else 130), done.output
    line = done.stderr.strip()
    assert "\n" not in line
    if stop == "a full disk":
        assert line.startswith("cgan: cannot write ")
        assert "No space left on device" in line
        assert "Errno" not in line
    assert list(here.iterdir()) == []


def test_an_earlier_output_stays_when_a_new_one_cannot_be_finished(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("sample", "digits", "-n", "3", "-o", "x").exit_code == 0
    before = {path.name: path.read_bytes() for path in (here / "x").iterdir()}
    stop_writing(monkeypatch, 1, STOPS["a full disk"]())
    assert run("sample", "digits", "-n", "5", "--seed", "2", "-o", "x").exit_code == 1
    assert {path.name: path.read_bytes() for path in (here / "x").iterdir()} == before


@pytest.mark.parametrize("what", ["a grid", "arrays", "pictures", "latent", "a network"])
def test_a_name_of_250_characters_is_written_and_one_that_is_too_long_is_refused(
    what: str, here: Path
) -> None:
    *start, out = WRITING[what]
    suffix = Path(out).suffix
    longest = "x" * (250 - len(suffix)) + suffix
    done = run(*start, longest)
    assert done.exit_code == 0, done.output
    assert [path.name for path in here.iterdir()] == [longest]
    done = run(*start, f"new/{'x' * 260}{suffix}")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert "File name too long" in line
    assert "with --out" in line
    assert [path.name for path in here.iterdir()] == [longest]


@pytest.mark.parametrize(
    ("package", "content", "arguments"),
    [
        ("torch", "raise ImportError('lib.so: failed to map segment')", ["sample", "mnist"]),
        ("torch", "def broken(:", ["recipes"]),
        ("torch", "from torch import nothing", ["evaluate", "digits"]),
        ("torch", "raise AttributeError('half of it is missing')", ["latent", "digits"]),
        ("numpy", "raise MemoryError", ["compare", "digits", "mnist"]),
        ("pandas", "import nothing_of_that_name", ["report", "digits"]),
        ("matplotlib", "raise OSError(12, 'Cannot allocate memory')", ["report", "digits"]),
    ],
)
def test_a_package_that_cannot_be_imported_is_one_line_with_status_1(
    package: str, content: str, arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(content)
    (tmp_path / "mine/digits").mkdir(parents=True)
    report = REPOSITORY / "reports/examples/digits/results.json"
    shutil.copy(report, tmp_path / "mine/digits")
    reports = ["--reports-dir", "mine"] * (arguments[0] in ("report", "compare"))
    done = subprocess.run(
        [sys.executable, "-m", "cgan", *arguments, *reports],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("cgan: ")
    assert " cannot be imported (" in line


def test_a_run_without_a_whole_manifest_is_told_once_in_a_line(here: Path) -> None:
    shutil.copytree(SHIPPED / "digits", here / "w/bare")
    (here / "w/bare" / MANIFEST).unlink()
    done = run("sample", "bare", "-n", "1", "--weights-dir", "w")
    assert done.exit_code == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"warning: w/bare/{MANIFEST} is missing")
    assert "generator.safetensors" in line


def test_the_line_of_an_export_says_what_reads_the_file(here: Path) -> None:
    done = run(*EXPORT[:3], "torchscript")
    assert "read it with torch.jit.load" in done.stdout
    assert "read it with numpy.load" in run(*EXPORT).stdout


def test_a_home_that_cannot_be_written_to_is_not_mentioned(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "mine/digits").mkdir(parents=True)
    report = REPOSITORY / "reports/examples/digits/results.json"
    shutil.copy(report, tmp_path / "mine/digits")
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(tmp_path / "file/x"))
    done = subprocess.run(
        [sys.executable, "-m", "cgan", "report", "digits", "--reports-dir", "mine"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, **places, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
