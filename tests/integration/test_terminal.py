"""The commands on a terminal, in a pipe and under a shell's Tab, as a person meets them."""

import fcntl
import importlib
import multiprocessing
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from cgan.cli import main
from cgan.config.commands import folder_flags
from cgan.config.schema import Folders

TRAIN = [
    *("train-gan", "--dataset", "digits", "--epochs", "2", "--batch-size", "400"),
    *("--log-interval", "1", "--precision", "fp32", "--device", "cpu", "--name", "toy"),
]
SCORE = ["evaluate", "toy", "-n", "150", "--gan-train-images", "0"]
SHIPPED_OF_MNIST = ["mnist-guide", "mnist-judge", "mnist-sample-guide", "mnist-sample-judge"]
IMPORTS = ["torch._dynamo", "cgan.training.gan", "cgan.evaluation.evaluate", "cgan.cli"]
CONTROL = re.compile(r"[^\n\x20-\x7e\u00a0-\uffff]")


def on_terminal(arguments: list[str], folder: Path, columns: int = 80) -> str:
    """Run a command in a terminal of so many columns; return what it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 0, columns, 0, 0))
    process = begun(arguments, folder, theirs, theirs)
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 2**16):
            parts.append(part)
    except OSError:  # the other end was closed
        pass
    finally:
        os.close(ours)
    process.join()
    assert process.exitcode == 0, b"".join(parts)
    return b"".join(parts).decode().replace("\r\n", "\n")


def in_files(arguments: list[str], folder: Path) -> tuple[str, str]:
    """Run a command whose output goes into files; return what it wrote to stdout and stderr."""
    out, errors = (folder / f"{name}.txt" for name in ("stdout", "stderr"))
    with out.open("wb") as first, errors.open("wb") as second:
        process = begun(arguments, folder, first.fileno(), second.fileno())
    process.join()
    assert process.exitcode == 0, errors.read_text()
    return out.read_text(), errors.read_text()


def begun(arguments: list[str], folder: Path, out: int, errors: int) -> BaseProcess:
    """Start a command in a process of its own, forked from one that has made the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTS)
    given = [DupFd(out), DupFd(errors)]
    process = context.Process(target=command, args=(arguments, folder, *given))
    process.start()
    return process


def command(arguments: list[str], folder: Path, out: Any, errors: Any) -> None:
    """Do in the new process what a shell does before it starts a program, then run the command."""
    os.setsid()
    for number, one in ((1, out), (2, errors)):
        os.dup2(one.detach(), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.chdir(folder)
    main(arguments, prog_name="cgan")


def plain(shown: str) -> str:
    """Return what a terminal shows without its colours."""
    return re.sub(r"\x1b\[\d+m", "", shown)


def bars(shown: str) -> list[str]:
    return [state for state in re.split(r"[\r\n]", shown) if "%|" in state]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    importlib.import_module("matplotlib.font_manager")  # which says so where it takes long at first
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def trained(world: Path) -> str:
    """What a terminal of 80 columns shows of a training."""
    return on_terminal(TRAIN, world)


@pytest.fixture(scope="module")
def scored(world: Path, trained: str) -> str:
    """What it shows of the evaluation."""
    return on_terminal(SCORE, world)


def test_a_training_on_a_terminal_has_a_bar_with_time_left_losses_and_scores(trained: str) -> None:
    states = bars(trained)
    number = r"-?\d+\.\d\d"
    readings = rf"D {number} G {number} D\(x\) \d\.\d\d D\(G\(z\)\) \d\.\d\d"
    assert any(re.search(rf"\d\d:\d\d left {readings}$", state) for state in states)
    assert any(re.search(rf"left {readings} acc \d+\.\d% cov \d+%$", state) for state in states)
    assert max(map(len, states)) < 80
    assert re.search(r"^\s*0%\|", states[0].removeprefix("toy"))
    assert re.search(r"100%\|", states[-1])


def test_a_bar_is_gone_when_the_training_is_over(trained: str) -> None:
    *_, end = trained.split("\r")
    assert end.startswith("toy: 2 epochs in ")
    assert "%|" not in end


def test_verdict_and_warnings_are_coloured_on_a_terminal(
    world: Path, trained: str, scored: str
) -> None:
    assert "\x1b[33m\x1b[1mWARNING:\x1b[0m" in trained
    assert "toy: \x1b[33m\x1b[1mNot realistic\x1b[0m: most" in scored
    assert "\x1b" not in plain(trained + scored)


def test_an_evaluation_on_a_terminal_names_its_stages(scored: str) -> None:
    states = bars(scored)
    for stage in ("drawing", "the judge classifies", "the guide classifies", "nearest neighbours"):
        assert any(state.startswith(stage) for state in states), stage
    assert max(map(len, states)) < 80


def test_a_training_ends_with_what_it_came_to_and_what_comes_next(trained: str) -> None:
    *_, end = plain(trained).split("\r")
    first, kept, *warnings, saved, following, last = end.split("\n")
    assert re.fullmatch(r"toy: 2 epochs in \d+ s of training", first)
    assert re.match(r"kept epoch [12]: guide accuracy .*, judge accuracy .*, FCD .*, cov", kept)
    assert warnings  # two epochs of three steps draw no digits
    assert all(line.startswith(("WARNING: ", "  ")) for line in warnings)  # the latter go on
    assert saved == "saved in weights/toy"
    assert following == "score it with: cgan evaluate toy"
    assert last == ""


def test_an_evaluation_ends_with_verdict_numbers_warnings_gaps_and_what_comes_next(
    scored: str,
) -> None:
    *_, end = plain(scored).split("\r")
    verdict, *lines, page, how, last = end.split("\n")
    assert verdict == "toy: Not realistic: most of its images are unlike any real one."
    assert [line[:11] for line in lines if line.startswith("  WARN")] == ["  WARNING: "]
    assert "  without GAN-train accuracy: left out to save time; " in end
    assert page == "report: reports/toy/index.html"
    assert how == "open it with: cgan report toy --open"
    assert last == ""


def test_the_numbers_stand_in_columns_within_eighty(scored: str) -> None:
    *_, end = plain(scored).split("\r")
    lines = end.split("\n")
    assert max(map(len, lines)) < 80
    head = next(i for i, line in enumerate(lines) if line.startswith("  150 images, digits"))
    rows = [line for line in lines if re.search(r"\d%? to [-+\d]", line)]
    assert len(rows) >= 8
    edge = lines[head].index("value") + len("value")
    starts = lines[head].index("95% interval")
    for row in rows:
        assert row[edge - 1] != " ", row
        assert row[edge : edge + 2] == "  ", row
        assert row[starts] != " ", row
    assert any(re.match(r"  worst digit: \d ", row) for row in rows)


def test_a_file_gets_plain_lines_without_control_characters(world: Path, scored: str) -> None:
    out, errors = in_files([*TRAIN, "--overwrite"], world)
    assert CONTROL.search(out + errors) is None
    assert "%|" not in errors
    lines = [line.split() for line in errors.splitlines()]
    heads = [i for i, words in enumerate(lines) if words[:2] == ["epoch", "D"]]
    assert [words[0] for words in lines[heads[0] + 1 :] if words[0].isdigit()] == ["1", "2"]
    assert len(heads) == 1
    assert max(map(len, errors.splitlines())) < 80
    assert out.startswith("toy: 2 epochs in ")
    out, errors = in_files(SCORE, world)
    told = r".+: [\d,]+ of [\d,]+ images, \d+% done, about .+ left"  # where it is slow
    assert all(re.fullmatch(told, line) for line in errors.splitlines())
    assert out == plain(scored).split("\r")[-1]


def test_quiet_says_nothing_but_the_result(world: Path, scored: str) -> None:
    assert on_terminal([*SCORE, "-q"], world) == scored.split("\r")[-1]


def test_the_command_that_comes_next_names_folders_that_are_not_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CGAN_DATA", raising=False)
    names = ("data", "weights", "reports")
    assert folder_flags(Folders(), *names) == ""
    mine = Folders(Path("d"), Path("my weights"), Path("r"))
    assert folder_flags(mine, "weights") == " --weights-dir 'my weights'"
    assert folder_flags(mine, "data", "reports") == " --data-dir d --reports-dir r"
    monkeypatch.setenv("CGAN_DATA", "d")  # which the next command heeds as well
    assert folder_flags(mine, "data") == ""
    assert folder_flags(Folders(), "data") == " --data-dir data"


# Tab


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with runs and reports that are names of files and no more."""
    for name in ("mine", "other", ".hidden"):
        (tmp_path / "weights" / name).mkdir(parents=True)
        (tmp_path / "weights" / name / "generator.safetensors").touch()
    (tmp_path / "weights/other/checkpoint.safetensors").touch()
    (tmp_path / "weights/my-guide").mkdir()
    (tmp_path / "weights/my-guide/classifier.safetensors").touch()
    (tmp_path / "weights/unfinished").mkdir()
    for name in ("reports/mine", "reports/theirs", "elsewhere/third"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "results.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(typed: str) -> list[str]:
    """Return what a shell is offered after so many words, of which the last is being typed."""
    words = str(typed.count(" "))
    protocol = {"COMP_WORDS": typed, "COMP_CWORD": words, "_CGAN_COMPLETE": "bash_complete"}
    result = CliRunner().invoke(main, [], prog_name="cgan", env=protocol)
    return result.output.split()


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("cgan ev", ["evaluate"]),
        ("cgan evaluate ", ["digits", "mine", "mnist", "other"]),
        ("cgan sample m", ["mine", "mnist"]),
        ("cgan latent oth", ["other"]),
        ("cgan sample nosuch", []),
        ("cgan sample --weights-dir elsewhere ", ["digits", "mnist"]),
        ("cgan evaluate --judge my", ["my-guide"]),
        ("cgan train-gan --guide m", [*SHIPPED_OF_MNIST, "my-guide"]),
        ("cgan train-gan --resume ", ["other"]),
        ("cgan report ", ["digits", "mine", "mnist", "theirs"]),
        ("cgan report --reports-dir elsewhere ", ["digits", "mnist", "third"]),
        ("cgan report --reports-dir nowhere ", ["digits", "mnist"]),
        ("cgan compare mine ", ["digits", "mnist", "theirs"]),
    ],
)
def test_names_complete_from_what_is_there(typed: str, names: list[str], here: Path) -> None:
    assert completed(typed) == [f"plain,{name}" for name in names]


def test_data_completes_as_a_name_or_as_a_file(here: Path) -> None:
    assert completed("cgan run dig") == ["plain,digits"]
    assert completed("cgan train-gan --dataset kmn") == ["plain,kmnist"]
    assert completed("cgan data phot") == ["file,phot"]


def test_a_path_completes_as_a_folder(here: Path) -> None:
    assert completed("cgan sample weights/m") == ["dir,weights/m"]


def test_completing_imports_no_torch_and_writes_nothing(here: Path) -> None:
    before = sorted(here.rglob("*"))
    code = (
        "import sys\nfrom cgan.cli import main\n"
        "try: main(prog_name='cgan')\nexcept SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'matplotlib')))"
    )
    protocol = {"COMP_WORDS": "cgan sample mi", "COMP_CWORD": "2", "_CGAN_COMPLETE": "zsh_complete"}
    environment = {**os.environ, **protocol}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.split() == ["plain", "mine", "_"]
    assert sorted(here.rglob("*")) == before


def sources() -> dict[str, str]:
    """Return the commands of the docs that teach a shell, by its name."""
    text = (REPOSITORY / "docs/usage.md").read_text()
    return {
        shell: line.split("  ")[0]
        for line in text.splitlines()
        for shell in re.findall(r"_CGAN_COMPLETE=(\w+)_source", line)
    }


def test_the_docs_teach_three_shells() -> None:
    assert set(sources()) == {"bash", "zsh", "fish"}
    for shell in sources():
        protocol = {"_CGAN_COMPLETE": f"{shell}_source"}
        result = CliRunner().invoke(main, [], prog_name="cgan", env=protocol)
        assert "_cgan_completion" in result.output
        assert f"_CGAN_COMPLETE={shell}_complete" in result.output


@pytest.mark.parametrize(
    ("shell", "press"),
    [
        (
            "bash",
            "COMP_WORDS=(cgan sample mi) COMP_CWORD=2; _cgan_completion cgan; echo $COMPREPLY",
        ),
        ("fish", "complete -C 'cgan sample mi'"),
    ],
)
def test_a_shell_that_was_taught_completes_a_run(shell: str, press: str, here: Path) -> None:
    script = Path(sys.executable).parent / "cgan"
    if shutil.which(shell) is None or not script.is_file():
        pytest.skip(f"there is no {shell} here, or cgan is not installed as a command")
    environment = {**os.environ, "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [shell, "-c", f"{sources()[shell]}\n{press}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "mine", done.stderr
