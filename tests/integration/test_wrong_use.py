"""Wrong uses of every command: one line that says what to do, status 2, nothing touched."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cgan.cli import main
from cgan.deploy.webapp import subprocess_build
from cgan.deploy.webapp.build import make_site
from cgan.io.run_layout import SHIPPED

ABSURD = 10**15
DIGITS = ["--dataset", "digits"]
TRAINED_DIGITS = ["digits", "--weights-dir", "w"]

# What is typed, and a part of what is answered.
WRONG: dict[str, list[tuple[list[object], str]]] = {
    "": [
        (["trian-gan"], "train-gan"),
        (["evalute"], "'evaluate'"),
        (["docter"], "'doctor'"),
        (["7"], "No such command '7'"),
        (["../train-gan"], "No such command"),
        (["TRAIN-GAN"], "No such command"),
        ([""], "No such command ''"),
        (["--verison"], "'--version'"),
        (["--quiet"], "No such option"),
        (["-x"], "No such option '-x'"),
        (["--version=3"], "does not take a value"),
        (["train-gan train-classifier"], "No such command"),
    ],
    "train-classifier": [
        (["--role", "jugde"], "did you mean 'judge'"),
        (["--dataset", "digit"], "did you mean 'digits'"),
        ([*DIGITS, "--network", "leaky-cn"], "did you mean 'leaky-cnn'"),
        ([*DIGITS, "--optimizer", "sgd"], "one of adamw, adadelta"),
        ([*DIGITS, "--schedule", "sometimes"], "one of one-cycle, step, constant"),
        ([*DIGITS, "--epochs", "0"], "--epochs must be 1 or more"),
        ([*DIGITS, "--epochs", "2.5"], "not a valid integer"),
        ([*DIGITS, "--batch-size", "-4"], "--batch-size must be 1 or more"),
        ([*DIGITS, "--lr", "inf"], "--lr must be a finite number"),
        ([*DIGITS, "--lr", "nan"], "--lr must be a finite number"),
        ([*DIGITS, "--label-smoothing", "1.5"], "at most 1"),
        ([*DIGITS, "--max-shift", "-1"], "--max-shift must be 0 or more"),
        ([*DIGITS, "--seed", 2**63], "--seed must be a whole number below 2^63"),
        ([*DIGITS, "--precision", "fp16"], "did you mean 'bf16'"),
        ([*DIGITS, "--device", "gpu"], "unknown device 'gpu'"),
        ([*DIGITS, "--save-model", "--name", "a/b"], "is not a run name"),
        ([*DIGITS, "--save-model", "--name", ".."], "is not a run name"),
        ([*DIGITS, "--save-model", "--name", "x" * 300], "is not a run name"),
        ([*DIGITS, "--save-model", "--name", "taken", "--weights-dir", "w"], "--overwrite"),
        ([*DIGITS, "--save-model", "--weights-dir", "file"], "choose another with --weights-dir"),
        ([*DIGITS, "--save-model", "--weights-dir", "file/w"], "cannot write to"),
        (["--data-dir", "damaged"], "should start with 00000803"),
        ([*DIGITS, "surplus"], "unexpected extra argument"),
        ([*DIGITS, "--epoch", "1"], "'--epochs'"),
    ],
    "train-gan": [
        (["--recipe", "guided-orginal"], "did you mean 'guided-original'"),
        (["--dataset", "mnst"], "did you mean 'mnist'"),
        (["--net", "convo"], "did you mean 'conv'"),
        ([*DIGITS, "--generator", "mpl"], "did you mean 'mlp'"),
        ([*DIGITS, "--discriminator", "guided"], "did you mean 'guided-conv'"),
        ([*DIGITS, "--loss", "hing"], "did you mean 'hinge'"),
        ([*DIGITS, "--penalty", "r1+r3", "--penalty-weight", "1"], "did you mean 'r1+r2'"),
        ([*DIGITS, "--penalty", "R1"], "one of: none, r1, r1+r2"),
        ([*DIGITS, "--penalty", "r1"], "--penalty r1 needs a --penalty-weight above 0"),
        ([*DIGITS, "--penalty-weight", "0.5"], "add --penalty r1 or r1+r2"),
        (["--penalty", "r1", "--penalty-weight", "-1"], "--penalty-weight must be 0 or more"),
        (["--penalty", "r1", "--penalty-weight", "inf"], "must be a finite number"),
        (["--penalty-every", "0"], "--penalty-every must be 1 or more"),
        (["--penalty-every", "1.5"], "not a valid integer"),
        ([*DIGITS, "--guide", "digits-giude"], "did you mean 'digits-guide'"),
        ([*DIGITS, "--judge", "digits-guide"], "the judge must be another classifier"),
        ([*DIGITS, "--guide", "w/dull"], "is damaged"),
        (["--epochs", "nan"], "--epochs must be a finite number"),
        (["--epochs", "-1"], "--epochs must be above 0"),
        (["--batch-size", "0"], "--batch-size must be 1 or more"),
        (["--batch-size", "many"], "not a valid integer"),
        (["--z-dim", "0"], "--z-dim must be 1 or more"),
        (["--beta1", "1"], "below 1"),
        (["--ema", "-0.1"], "--ema must be 0 or more"),
        (["--decay", "2"], "at most 1"),
        (["--noise", "uniform"], "needs --noise normal"),
        (["--checkpoint-every", "5 weeks"], "--checkpoint-every must be"),
        (["--on-nan", "cry"], "one of stop, rollback"),
        ([*DIGITS, "--name", "../x"], "is not a run name"),
        ([*DIGITS, "--name", ""], "is not a run name"),
        ([*DIGITS, "--name", "CON"], "Windows reserves it"),
        ([*DIGITS, "--name", "a."], "no '.' at the end"),
        ([*DIGITS, "--name", "taken", "--weights-dir", "w"], "--overwrite"),
        ([*DIGITS, "--weights-dir", "file"], "choose another with --weights-dir"),
        (["--resume", "nosuch", "--weights-dir", "w"], "no training 'nosuch'"),
        (["--resume", "--recipe", "conv"], "--recipe is for a new training"),
        (["--resume-with-changes"], "works only with --resume"),
        (["--resume", "digits"], "cannot be resumed"),
        (["--resume", "w/taken"], "cgan train-gan --init w/taken"),
        (["--resume", "--init", "digits"], "--init is for a new training"),
        ([*DIGITS, "--init", "mnits"], "no gan run 'mnits'"),
        ([*DIGITS, "--init", "broken", "--weights-dir", "w"], "is damaged"),
        ([*DIGITS, "--init", "digits", "--recipe", "conv"], "has other networks"),
        ([*DIGITS, "--threads", "0"], "--threads must be auto or 1 to"),
        ([*DIGITS, "--device", "cpu:1"], "cpu takes no index"),
        (["--data-dir", "damaged"], "should start with 00000803"),
    ],
    "evaluate": [
        (["mnits"], "did you mean 'mnist'"),
        (["broken", "--weights-dir", "w"], "is damaged"),
        (["alien", "--weights-dir", "w"], "is damaged"),
        ([*TRAINED_DIGITS, "--judge", "digits-jugde"], "did you mean 'digits-judge'"),
        ([*TRAINED_DIGITS, "--judge", "mnist-judge"], "was trained on mnist"),
        ([*TRAINED_DIGITS, "--judge", "digits-guide"], "cannot judge it"),
        ([*TRAINED_DIGITS, "--guide", "nobody"], "no guide 'nobody'"),
        ([*TRAINED_DIGITS, "--name", "a/b"], "is not a run name"),
        ([*TRAINED_DIGITS, "--name", "nul.txt"], "Windows reserves it"),
        ([*TRAINED_DIGITS, "-n", "0"], "must be 1 or more"),
        ([*TRAINED_DIGITS, "-n", "1e3"], "not a valid integer"),
        ([*TRAINED_DIGITS, "-n", "3"], "more"),
        ([*TRAINED_DIGITS, "-n", ABSURD], "-n"),
        ([*TRAINED_DIGITS, "--batch-size", "0"], "--batch-size must be 1 or more"),
        ([*TRAINED_DIGITS, "--gan-train-images", "5"], "0 (leave it out) or 100"),
        ([*TRAINED_DIGITS, "--seed", "-1"], "--seed must be 0 or more"),
        ([*TRAINED_DIGITS, "--device", "cudda"], "did you mean 'cuda'"),
        ([*TRAINED_DIGITS, "--precision", "int8"], "unknown precision"),
        ([*TRAINED_DIGITS, "--reports-dir", "file"], "choose another with --reports-dir"),
        ([*TRAINED_DIGITS, "--images", "floats.npz", *DIGITS], "not both"),
        ([*TRAINED_DIGITS, *DIGITS], "--dataset needs --images"),
        (["--images", "floats.npz"], "needs --dataset"),
        (["--images", "floats.npz", *DIGITS], "save them as uint8"),
        (["--images", "file", *DIGITS], "cannot be read"),
        (["--images", "empty", *DIGITS], "holds no pictures"),
        (["--images", "nowhere", *DIGITS], "does not exist"),
        (["--images", "floats.npz", "--dataset", "minst"], "did you mean 'mnist'"),
        (["--images", "floats.npz", *DIGITS, "-n", "9"], "all are scored"),
    ],
    "sample": [
        (["mnits"], "did you mean 'mnist'"),
        (["broken", "--weights-dir", "w"], "is damaged"),
        (["alien", "--weights-dir", "w"], "is damaged"),
        (["digits", "--class", "10"], "0 to 9"),
        (["digits", "--digit", "10"], "0 to 9"),
        (["digits", "--class", "-1"], "0 to 9"),
        (["digits", "--class", "seven"], "give a number from 0 to 9"),
        (["digits", "-n", "0"], "must be 1 or more"),
        (["digits", "-n", ABSURD], "-n"),
        (["digits", "--seed", 2**64], "--seed must be a whole number below 2^63"),
        (["digits", "--out", "x.jpg"], "end it in .png or .npz"),
        (["digits", "--out", "new/x.tiff"], "end it in .png or .npz"),
        (["digits", "--out", "file/x.png"], "choose another with --out"),
        (["digits", "--out", "file"], "choose another with --out"),
        (["digits", "--out", "folder.png"], "is a folder"),
        (["digits", "--device", "cup"], "did you mean 'cpu'"),
        (["digits", "--precision", "fp64"], "one of: auto, bf16, fp32"),
        (["digits", "mnist"], "unexpected extra argument"),
        (["digits-judge"], "no gan run"),
    ],
    "latent": [
        (["mnits"], "did you mean 'mnist'"),
        (["broken", "--weights-dir", "w"], "is damaged"),
        (["alien", "--weights-dir", "w"], "is damaged"),
        (["digits", "--seed", "-1"], "--seed must be 0 or more"),
        (["digits", "--seed", "one"], "not a valid integer"),
        (["digits", "--seed", 2**64], "--seed must be a whole number below 2^63"),
        (["digits", "--out", "file"], "choose another with --out"),
        (["digits", "--out", "file/latent"], "choose another with --out"),
        (["digits", "--out", f"new/{'x' * 300}"], "File name too long"),
        (["digits", "--reports-dir", "file"], "cannot write to"),
        (["digits", "mnist"], "unexpected extra argument"),
        (["digits-guide"], "no gan run"),
        (["../digits"], "no gan run"),
        (["digits", "--sed", "1"], "'--seed'"),
    ],
    "export": [
        (["mnits"], "did you mean 'mnist'"),
        (["nosuch", "--network", "judge"], "no gan run 'nosuch'"),
        (["mnits", "--network", "discriminator"], "did you mean 'mnist'"),
        (["broken", "--weights-dir", "w"], "is damaged"),
        (["alien", "--weights-dir", "w"], "is damaged"),
        (["alien", "--weights-dir", "w", "--network", "judge"], "is damaged"),
        (["broken", "--weights-dir", "w", "--network", "discriminator"], "has no discriminator"),
        (["w/dull", "--network", "judge"], "is damaged"),
        (["digits-judge"], "no gan run"),
        (["digits-guide", "--network", "discriminator"], "no gan run"),
        (["digits", "--format", "onx"], "did you mean 'onnx'"),
        (["digits", "--format", "ONNX"], "unknown format 'ONNX'"),
        (["digits", "--format", ""], "unknown format ''"),
        (["digits", "--network", "discrminator"], "did you mean 'discriminator'"),
        (["digits", "--network", "guide"], "unknown network 'guide'"),
        (["digits", "--out", "x.pt"], "end it in .onnx, or choose another --format"),
        (["digits", "--format", "torchscript", "--out", "x.onnx"], "end it in .pt"),
        (["digits", "--format", "npz", "--out", "x"], "end it in .npz"),
        (["digits", "--format", "npz", "--out", ""], "end it in .npz"),
        (["digits", "--format", "npz", "--out", ".."], "end it in .npz"),
        (["digits", "--format", "npz", "--out", "folder.npz"], "is a folder"),
        (["digits", "--format", "npz", "--out", "file/x.npz"], "choose another with --out"),
        (["digits", "--format", "npz", "--out", "file/new/x.npz"], "choose another with --out"),
        (["digits", "mnist"], "unexpected extra argument"),
        (["../digits"], "no gan run"),
        (["--out"], "requires an argument"),
        (["--formt", "npz"], "'--format'"),
    ],
    "report": [
        (["nosuch"], "no report of a run 'nosuch'"),
        (["brokn", "--reports-dir", "r"], "did you mean 'broken'"),
        (["broken", "--reports-dir", "r"], "cannot be read"),
        (["lacking", "--reports-dir", "r"], "lacks"),
        (["--reports-dir", "r"], "run cgan evaluate again"),
        ([], "run cgan evaluate first"),
        (["--reports-dir", "file"], "run cgan evaluate first"),
        (["--reports-dir", "nowhere"], "run cgan evaluate first"),
        (["a/b"], "no report of a run 'a/b'"),
        (["r"], "no report of a run 'r'"),
        ([""], "no report of a run ''"),
        (["one", "two"], "unexpected extra argument"),
        (["--report-dir", "r"], "'--reports-dir'"),
        (["--all", "one"], "--all takes no RUN"),
        (["--all"], "there is no report in reports"),
    ],
    "compare": [
        (["nosuch"], "no report of a run 'nosuch'"),
        (["brokn", "--reports-dir", "r"], "did you mean 'broken'"),
        (["broken", "--reports-dir", "r"], "cannot be read"),
        (["lacking", "broken", "--reports-dir", "r"], "lacks"),
        ([], "there is no report in reports"),
        (["--reports-dir", "file"], "there is no report in file"),
        (["--reports-dir", "nowhere"], "there is no report in nowhere"),
        (["../up"], "no report of a run '../up'"),
        ([""], "no report of a run ''"),
        (["--dataset"], "requires an argument"),
        ([*DIGITS], "there is no report"),
        (["--datset", "digits"], "'--dataset'"),
        (["one", "two"], "no report of a run 'one'"),
        (["--out"], "requires an argument"),
    ],
    "recipes": [
        (["guided"], "unexpected extra argument"),
        (["--field"], "'--fields'"),
        (["--fields", "mlp"], "unexpected extra argument"),
        (["--fields=all"], "does not take a value"),
        (["--recipe", "mlp"], "No such option '--recipe'"),
        (["-n", "3"], "No such option '-n'"),
        ([""], "unexpected extra argument"),
        (["--fields", "--dataset", "digits"], "No such option '--dataset'"),
        (["../guided"], "unexpected extra argument"),
        (["a", "b"], "unexpected extra arguments"),
    ],
    "runs": [
        (["mnist"], "unexpected extra argument"),
        (["a", "b"], "unexpected extra arguments"),
        ([""], "unexpected extra argument"),
        (["--jsn"], "'--json'"),
        (["--json=all"], "does not take a value"),
        (["--weight-dir", "w"], "'--weights-dir'"),
        (["--weights-dir"], "requires an argument"),
        (["--reports-dir"], "requires an argument"),
        (["--dataset", "mnist"], "No such option '--dataset'"),
        (["-n", "3"], "No such option '-n'"),
    ],
    "demo": [
        (["--epochs", "0"], "--epochs must be above 0"),
        (["--epochs", "-3"], "--epochs must be above 0"),
        (["--epochs", "some"], "not a valid float"),
        (["--seed", "-1"], "--seed"),
        (["-n", "0"], "must be 1 or more"),
        (["-n", "-1"], "must be 1 or more"),
        (["-n", ABSURD], "-n"),
        (["--device", "cup"], "did you mean 'cpu'"),
        (["--reports-dir", "file"], "choose another with --reports-dir"),
        (["--reports-dir", "file/r"], "choose another with --reports-dir"),
        (["--weights-dir", "file"], "choose another with --weights-dir"),
        (["--weights-dir", "file/w"], "choose another with --weights-dir"),
        (["digits"], "unexpected extra argument"),
        (["--epoch", "1"], "'--epochs'"),
        (["--dataset", "mnist"], "No such option '--dataset'"),
    ],
    "run": [
        ([], "Missing argument 'DATA'"),
        (["digts"], "did you mean 'digits'"),
        (["nowhere/at/all"], "does not exist"),
        (["file"], "file"),
        (["digits", "digits"], "unexpected extra argument"),
        (["digits", "--size", "15"], "not in the range 16<=x<=128"),
        (["digits", "--size", "32"], "digits"),
        (["digits", "--fit", "squeeze"], "'crop', 'pad', 'stretch'"),
        (["digits", "--ground", "red"], "is not one of"),
        (["digits", "--recipe", "giuded"], "did you mean 'guided'"),
        (["digits", "--epochs", "0"], "--epochs must be above 0"),
        (["digits", "--judge-epochs", "0"], "--epochs must be 1 or more"),
        (["digits", "--name", "a/b"], "is not a run name"),
        (["digits", "--reports-dir", "file"], "choose another with --reports-dir"),
        (["digits", "--opne"], "'--open'"),
    ],
    "data": [
        (["digts"], "did you mean 'digits'"),
        (["nowhere/at/all"], "does not exist"),
        (["file"], "file"),
        (["w"], "w"),
        (["digits", "digits"], "unexpected extra argument"),
        (["digits", "--size", "129"], "not in the range 16<=x<=128"),
        (["digits", "--seed", "-1"], "seed"),
        (["digits", "--seed", "one"], "not a valid integer"),
        (["digits", "--name", "mine"], "leave the settings out"),
        (["digits", "--write", "file"], "is not an empty folder"),
        (["digits", "--write", "w"], "is not an empty folder"),
        (["--write", "new"], "--write needs DATA"),
        (["digits", "--gery"], "'--grey'"),
        (["--json=all"], "does not take a value"),
    ],
    "doctor": [
        (["--device", "cup"], "did you mean 'cpu'"),
        (["--device", "gpu"], "unknown device 'gpu'"),
        (["--device", ""], "unknown device ''"),
        (["--device"], "requires an argument"),
        (["--devices", "cpu"], "'--device'"),
        (["--wieghts-dir", "w"], "'--weights-dir'"),
        (["--dataset", "mnist"], "No such option '--dataset'"),
        (["mnist"], "unexpected extra argument"),
        (["--fix"], "No such option '--fix'"),
        (["--data-dir"], "requires an argument"),
        (["../x"], "unexpected extra argument"),
    ],
    "play": [
        (["mnits"], "did you mean 'mnist'"),
        (["broken", "--weights-dir", "w"], "broken"),
        (["alien", "--weights-dir", "w"], "alien/config.json"),
        (["--port", "70000"], "not in the range"),
        (["--port", "-1"], "not in the range"),
        (["--port", "http"], "not a valid integer"),
        (["--out", "file"], "choose another with --out"),
        (["--out", "file/page"], "choose another with --out"),
        (["--out", "x" * 300], "File name too long"),
        (["--out", "w"], "has other files in it; name a new folder"),
        (["--out", "w/taken"], "has other files in it; name a new folder"),
        (["--out"], "requires an argument"),
        (["mnist", "digits"], "unexpected extra argument"),
        (["--opne"], "'--open'"),
    ],
}
CASES = [
    pytest.param([command] * bool(command) + arguments, part, id=f"{command or 'cgan'}-{i}")
    for command, uses in WRONG.items()
    for i, (arguments, part) in enumerate(uses)
]
# they tell what they do otherwise
QUIET = ("train-classifier", "train-gan", "evaluate", "demo", "run", "data")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes | None]]:
    """A folder with what can be in the way of a person: damaged, foreign and empty things.

    With all that is in the folder around it, which no wrong use may change.
    """
    top = tmp_path_factory.mktemp("around") / "world"
    top.mkdir()
    (top / "file").write_text("in the way")
    for name in ("empty", "folder.png", "folder.npz", "damaged", "r/broken", "r/lacking"):
        (top / name).mkdir(parents=True)
    shutil.copytree(SHIPPED / "digits", top / "w/taken")
    shutil.copytree(SHIPPED / "digits", top / "w/broken")
    shutil.copytree(SHIPPED / "digits", top / "w/alien")
    shutil.copytree(SHIPPED / "digits-guide", top / "w/dull")
    for path in (top / "w/broken/generator.safetensors", top / "w/dull/classifier.safetensors"):
        path.write_bytes(path.read_bytes()[:-100])
    (top / "w/broken/discriminator.safetensors").unlink()
    (top / "w/alien/config.json").write_text('{"kind": "gan"}')
    (top / "r/broken/results.json").write_text("{")
    (top / "r/lacking/results.json").write_text("{}")
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (top / f"damaged/{part}-{kind}-ubyte").write_text("no idx file")
    np.savez(top / "floats.npz", images=np.zeros((3, 28, 28)), labels=np.arange(3))
    return top, tree(top.parent)


def tree(top: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(top)): path.read_bytes() if path.is_file() else None
        for path in sorted(top.rglob("*"))
    }


@pytest.mark.parametrize(("arguments", "part"), CASES)
def test_a_wrong_use_is_one_line_with_status_2_and_touches_nothing(
    arguments: list[object],
    part: str,
    place: tuple[Path, dict[str, bytes | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, before = place
    monkeypatch.chdir(here)
    monkeypatch.delenv("CGAN_DATA", raising=False)
    # what is asked of another process is tested elsewhere; to start one takes seconds
    monkeypatch.setattr(subprocess_build, "make_site_in_subprocess", make_site)
    typed = [*map(str, arguments), *["-q"] * (arguments[0] in QUIET)]
    result = CliRunner().invoke(main, typed)
    assert tree(here.parent) == before
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("cgan: ")
    assert part in lines[0]


def test_every_command_is_used_wrongly_in_ten_ways() -> None:
    assert set(WRONG) == {"", *main.commands}
    assert min(len(uses) for uses in WRONG.values()) >= 10
