"""Ctrl-C and SIGTERM save what was learned and say how to go on; a second one stops at once."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import send_at
from toys import TOY

from cgan.cli import main
from cgan.models.hub import load_generator
from cgan.runtime.signals import SIGNALS, Stopped, stop_request, stopping_at_once
from cgan.training.checkpoint import read_checkpoint

pytestmark = pytest.mark.usefixtures("toy_data")
TRAIN = [
    *("train-gan", "--dataset", TOY, "--name", "x", "--epochs", 2, "--batch-size", 48),
    *("--precision", "fp32", "--device", "cpu"),
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def folders_of(top: Path) -> list[object]:
    return ["--data-dir", top / "data", "--weights-dir", top / "w", "--reports-dir", top / "r"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_saves_and_says_how_to_go_on(
    number: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*TRAIN, *folders_of(tmp_path)]
    with monkeypatch.context() as patched:
        send_at(4, [number], patched)
        result = run(*command)
    assert result.exit_code == status
    folder = tmp_path / "w/x"
    said = f"cgan: interrupted; resume it with: cgan train-gan --resume {folder}"
    assert result.stderr.splitlines()[-1] == said
    assert read_checkpoint(folder).facts["training"]["step"] == 4
    assert load_generator("x", tmp_path / "w").name == "x"  # of the first epoch, of three steps
    assert (folder / "samples.gif").is_file()
    again = run("train-gan", *folders_of(tmp_path), "--resume")
    assert again.exit_code == 0, again.stderr
    finished = run("train-gan", *folders_of(tmp_path), "--resume", folder)
    assert finished.exit_code == 2
    assert "is finished" in finished.stderr
    assert len((folder / "history.csv").read_text().splitlines()) == 3
    taken = run(*command)
    assert taken.exit_code == 2
    assert "exists already; choose another --name or add --overwrite, or resume it" in taken.stderr


def test_a_second_signal_stops_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgan.runtime.signals.ECHO", -1)
    send_at(2, [signal.SIGINT, signal.SIGINT], monkeypatch)
    command = [*TRAIN, *folders_of(tmp_path)]
    result = run(*command)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "cgan: interrupted; nothing was saved yet"
    assert not (tmp_path / "w").exists()


def test_the_signals_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with stop_request() as stop:
        for _ in range(2):  # a wrapper may send one twice
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number == signal.SIGTERM
        monkeypatch.setattr("cgan.runtime.signals.ECHO", -1)
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_request() as stop, stopping_at_once():
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.number is None
    finally:
        signal.signal(signal.SIGINT, before)


WRONG: dict[str, list[object]] = {
    "--recipe is for a new training": ["--recipe", "mlp"],
    "--overwrite is for a new training": ["--overwrite"],
    "was started with other settings (seed 1 -> 2": ["--seed", 2],
}


def test_a_run_that_goes_on_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        send_at(1, [signal.SIGINT], patched)
        run(*TRAIN, *folders_of(tmp_path))
    for message, flags in WRONG.items():
        result = run("train-gan", "--resume", "x", *flags, *folders_of(tmp_path))
        assert result.exit_code == 2
        assert message in result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--resume"], "there is no training with a checkpoint.safetensors"),
        (["--resume", "mein"], "no training 'mein'"),
        (["--resume-with-changes"], "--resume-with-changes works only with --resume"),
        (["--checkpoint-every", "often"], "must be a number of epochs"),
        (["--checkpoint-every", "-1"], "must be a number of epochs"),
        (["--on-nan", "pray"], "--on-nan must be one of stop, rollback"),
    ],
)
def test_what_cannot_go_on_is_refused(flags: list[str], message: str, tmp_path: Path) -> None:
    result = run("train-gan", *flags, *folders_of(tmp_path))
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "w").exists()


def test_sigterm_outside_of_a_training_leaves_with_143(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> Callable[..., None]:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError

    monkeypatch.setattr("cgan.evaluation.evaluate.find_subject", killed)
    result = run("evaluate", "digits", *folders_of(tmp_path))
    assert result.exit_code == 143
    assert result.stderr.splitlines()[-1] == "cgan: interrupted"
