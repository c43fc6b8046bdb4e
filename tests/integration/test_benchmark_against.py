import importlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY

from cgan.runtime.errors import InputError

sys.path.insert(0, str(REPOSITORY))

from scripts.benchmarks import against
from scripts.benchmarks.against import Setting
from scripts.benchmarks.revisions import Revision, Used, checked_out

pytestmark = pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="needs Git's history")
DIGITS = Setting("digits", None, "fp32")
# stands in for the command line of a revision: it writes down what it is asked
STAND_IN = """
import os
import sys
from pathlib import Path

with Path(os.environ.get("ASKED", "asked")).open("a") as stream:
    print({version!r}, *sys.argv[1:], file=stream)
if sys.argv[1] == "train-gan":
    run = Path("weights/measured")
    run.mkdir(parents=True)
    (run / "history.csv").write_text("epoch,seconds\\n1,2.5\\n2,{seconds}\\n")
"""


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


def write_package(root: Path, version: str, seconds: float) -> None:
    package = root / "cgan"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(f"__version__ = {version!r}\n")
    (package / "__main__.py").write_text(STAND_IN.format(version=version, seconds=seconds))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose revision `old` takes 4 s and whose working tree takes 5 s to train."""
    root = tmp_path / "repository"
    root.mkdir()
    write_package(root, "1", 4)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "First")
    git(root, "tag", "old")
    write_package(root, "2", 5)  # not committed
    return root


def test_the_order_within_a_pair_turns_round_after_each() -> None:
    order: list[str] = []

    def measure(name: str, seconds: float) -> dict[str, float]:
        order.append(name)
        return {"part": seconds}

    said: list[str] = []
    pairs = against.in_pairs(
        lambda: measure("then", 2.0), lambda: measure("now", 3.0), 3, said.append
    )
    assert order == ["then", "now", "now", "then", "then", "now"]
    assert pairs == [({"part": 2.0}, {"part": 3.0})] * 3
    assert said == ["part: 2.00 and 3.00 s"] * 3


def test_the_ratio_is_the_median_of_pairs_and_not_the_ratio_of_medians() -> None:
    pairs = [({"x": 1.0}, {"x": 1.2}), ({"x": 2.0}, {"x": 2.2}), ({"x": 10.0}, {"x": 9.0})]
    (row,) = against.ratios(pairs)
    assert (row.value, row.low, row.high) == pytest.approx((1.1, 0.9, 1.2))
    assert row.n == 3
    assert against.table("old", pairs) == [["x", "2.00 s", "2.20 s", "1.10", "0.90 to 1.20", "3"]]


def test_one_pair_has_no_range() -> None:
    assert against.table("old", [({"x": 4.0}, {"x": 5.0})])[0][3:] == ["1.25", "", "1"]


@pytest.mark.parametrize(
    ("now", "slower"),
    [
        ([1.1, 1.2, 1.3], True),
        ([1.04, 1.2, 1.3], False),  # one pair is within what is tolerated
        ([1.0, 1.0, 1.0], False),
        ([0.5, 0.6, 0.7], False),
    ],
)
def test_what_is_slower_in_every_pair_is_named(now: list[float], slower: bool) -> None:
    pairs = [({"x": 1.0, "y": 1.0}, {"x": seconds, "y": 1.0}) for seconds in now]
    expected = "Slower by more than 5% in every pair: x."
    if not slower:
        expected = "Nothing is slower by more than 5% in every pair."
    assert against.verdict(against.ratios(pairs)) == expected


def test_few_pairs_are_said_to_say_little() -> None:
    line = against.verdict(against.ratios([({"x": 1.0}, {"x": 2.0})]))
    assert line == "Slower by more than 5% in every pair: x. So few pairs say little."


def test_a_revision_is_checked_out_and_removed_and_the_working_tree_stays(repository: Path) -> None:
    before = git(repository, "status", "--porcelain")
    with checked_out(repository, "old") as old:
        assert "'1'" in (old.root / "cgan/__init__.py").read_text()
        assert str(old.root) in git(repository, "worktree", "list")
    assert not old.root.parent.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert git(repository, "status", "--porcelain") == before


def test_a_revision_is_removed_after_an_error(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checked_out(repository, "old") as old:
        raise KeyboardInterrupt
    assert not old.root.parent.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("name", ["nonesuch", "-h", "old:cgan"])
def test_an_unknown_revision_is_refused(name: str, repository: Path) -> None:
    with (
        pytest.raises(InputError, match="there is no revision"),
        checked_out(repository, name),
    ):
        pass


def test_a_folder_without_history_is_refused(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, repository / "cgan"):  # the second is part of a repository
        with pytest.raises(InputError, match="not a Git repository"), checked_out(folder, "old"):
            pass
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="needs git"), checked_out(repository, "old"):
        pass


def test_a_command_that_fails_is_told_with_the_last_line_that_it_wrote(tmp_path: Path) -> None:
    package = tmp_path / "cgan"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys; sys.exit('first\\nno such flag')")
    with pytest.raises(InputError, match="old: cgan sample failed with 1: no such flag"):
        Revision("old", tmp_path).run(tmp_path, "sample")


def test_another_copy_of_the_package_is_not_measured_by_mistake(tmp_path: Path) -> None:
    (tmp_path / "cgan").mkdir()  # without __init__.py: the installed package is found
    with pytest.raises(InputError, match="would be measured instead of old"):
        Revision("old", tmp_path).prepare(tmp_path)


def test_both_revisions_get_the_same_commands_and_each_its_own_package(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(against, "REPOSITORY", repository)
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    setting = Setting("mnist", tmp_path, "bf16")
    said = against.compare("old", setting, ["training", "evaluation"], rounds=2)
    asked = [line.split() for line in (tmp_path / "asked").read_text().splitlines()]
    assert [words[0] for words in asked] == ["1", "2", "2", "1"] * 2
    commands = {" ".join(words[1:]) for words in asked}
    assert commands == {
        "train-gan --name measured --dataset mnist --epochs 0.3 "
        f"--precision bf16 -q --data-dir {tmp_path}",
        f"evaluate mnist --quick --precision bf16 -q --data-dir {tmp_path}",
    }
    assert "| training, 0.3 epochs of mnist | 4.00 s | 5.00 s | 1.25 | 1.25 to 1.25 | 2 |" in said
    assert "old is cgan 1, the working tree cgan 2." in said


def test_the_seconds_of_a_training_are_those_of_its_history(repository: Path) -> None:
    what = "training, 10 epochs of digits"
    with checked_out(repository, "old") as old:
        assert against.training(old, DIGITS)[what] == 4.0
    now = against.training(Revision("working tree", repository), DIGITS)
    assert now[what] == 5.0
    assert 0 < now[f"{what}: processor time"] < 5


def test_the_start_is_taken_from_the_seconds_of_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: Revision, folder: Path, *arguments: str) -> Used:
        n = int(arguments[arguments.index("-n") + 1])
        return Used(3 + n / 1000, 2 + n / 500)

    monkeypatch.setattr(Revision, "run", run)
    found = against.sampling(Revision("old", REPOSITORY), DIGITS)
    assert list(found.values()) == pytest.approx([19.9, 39.8, 3.1, 2.2])
    assert list(found)[:2] == [
        "sampling, 19,900 images of mnist",
        "sampling, 19,900 images of mnist: processor time",
    ]


def test_the_real_command_line_is_measured(tmp_path: Path) -> None:
    revision = Revision("working tree", REPOSITORY)
    used = revision.run(tmp_path, "sample", "digits", "-n", "2", "--out", "x.npz")
    assert (tmp_path / "x.npz").is_file()
    assert used.seconds > 0
    assert used.processor > 0


def test_a_script_that_is_stopped_leaves_nothing(repository: Path, tmp_path: Path) -> None:
    """The package that is measured waits for ever; the script is told to stop meanwhile."""
    waiting = "from pathlib import Path; import time; Path({!r}).touch(); time.sleep(60)"
    began = tmp_path / "began"
    (repository / "cgan/__main__.py").write_text(waiting.format(str(began)))
    git(repository, "commit", "--quiet", "--all", "--message", "Second")
    code = f"""
        import sys
        from pathlib import Path
        from cgan.runtime.signals import Stopped, stopping_at_once
        from scripts.benchmarks import against
        against.REPOSITORY = Path({str(repository)!r})
        try:
            with stopping_at_once():
                against.compare("HEAD", against.Setting("digits", None, "fp32"), ["training"], 1)
        except Stopped as stop:
            sys.exit(128 + stop.number)
    """
    places = tmp_path / "temporary"
    places.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(places)}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment)
    try:
        while not began.exists() and process.poll() is None:
            time.sleep(0.05)
        assert list(places.iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    finally:
        process.kill()
    assert not list(places.iterdir())
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["HEAD", "nowhere"], "nowhere is not a folder"),
        (["HEAD", "--rounds", "0"], "--rounds must be 1 or more"),
        (["HEAD", "--only", "quality"], "invalid choice: 'quality'"),
    ],
)
def test_wrong_use_is_told_in_a_line(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark", "--against", *words])
    with pytest.raises((SystemExit, InputError)) as caught:
        against.main()
    assert message in capsys.readouterr().err + str(caught.value)


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["--against", "old"], "scripts.benchmarks.against"),
        (["mnist", "--against=old"], "scripts.benchmarks.against"),
        (["mnist", "--rounds", "2"], "scripts.benchmarks"),
        ([], "scripts.benchmarks"),
    ],
)
def test_the_script_has_two_modes(words: list[str], module: str, tmp_path: Path) -> None:
    script, python = tmp_path / "scripts/benchmark", tmp_path / ".venv/bin/python"
    for path in (script, python):
        path.parent.mkdir(parents=True)
    script.symlink_to(REPOSITORY / "scripts/benchmark")
    python.write_text('#!/bin/sh\necho "$PYTHONPATH" "$@"\n')  # tells how it is called
    python.chmod(0o755)
    done = subprocess.run([script, *words], check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(tmp_path), "-P", "-m", module, *words]


@pytest.mark.parametrize("module", ["scripts.benchmarks", "scripts.benchmarks.against"])
def test_both_modes_say_how_they_are_used(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = importlib.import_module(f"{module}.__main__" if module.endswith("s") else module).main
    for words, status in ((["--help"], 0), ([], 2)):
        monkeypatch.setattr(sys, "argv", ["benchmark", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        assert stopped.value.code == status
        assert (said.out or said.err).startswith("usage: scripts/benchmark")


def test_the_real_script_tells_an_error_in_a_line() -> None:
    done = subprocess.run(
        [REPOSITORY / "scripts/benchmark", "--against", "nonesuch"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "there is no revision 'nonesuch'" in done.stderr.splitlines()[-1]
