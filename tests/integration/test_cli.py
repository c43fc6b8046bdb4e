"""The command line as a person meets it: exit statuses, one-line errors, files left behind."""

import errno
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import REPOSITORY, idx_bytes
from toys import TOY

from cgan import cli
from cgan.cli import main
from cgan.cli.help import COMMANDS, TRAINING
from cgan.config.recipes import ABOUT, RECIPES
from cgan.config.schema import EvalConfig, Folders
from cgan.data.datasets import DATASETS
from cgan.evaluation.evaluate import evaluate
from cgan.io.run_layout import SHIPPED
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.registry import n_weights
from cgan.runtime.version import __version__

pytestmark = pytest.mark.usefixtures("few_training_images")
UNCONDITIONAL = ("mlp", "basic", "udacity", "conv")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def folders_of(top: Path) -> list[object]:
    return ["--data-dir", top / "data", "--weights-dir", top / "w", "--reports-dir", top / "r"]


@pytest.mark.parametrize("command", [[], *([name] for name in cli.main.commands)])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(command: list[str], flag: str) -> None:
    result = run(*command, flag)
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


def test_commands_and_options_are_grouped_and_none_is_left_out_or_cut() -> None:
    grouped = [name for group in COMMANDS.values() for name in group]
    assert sorted(grouped) == sorted(main.commands)
    shown = run("-h").output
    assert all(text in shown for group in COMMANDS.values() for text in group.values())
    assert "..." not in shown.partition("Options:")[2]
    train_gan = main.commands["train-gan"]
    options = [name for group in TRAINING.values() for name in group]
    assert sorted(options) == sorted([*(str(one.name) for one in train_gan.params), "help"])
    for name in ("-h", "train-gan -h"):
        assert max(map(len, run(*name.split()).output.splitlines())) <= 80


def test_the_help_names_every_network_and_where_the_data_sets_are_listed() -> None:
    text = " ".join(run("train-classifier", "--help").output.split())
    assert "cgan data lists them" in text
    listed = run("data", "--data-dir", "nowhere").output
    assert all(name in text for name in CLASSIFIERS)
    assert all(name in listed for name in DATASETS)


def test_the_version_is_the_packages() -> None:
    assert run("--version").output == f"cgan, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train-gan", "--leraning-rate"]])
def test_what_computes_nothing_does_not_import_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom cgan.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'matplotlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0


# arguments that are wrong, by command, in a folder with a file called `file`
FOUND_EARLY: dict[str, list[list[str]]] = {
    "evaluate": [
        ["--images", "nowhere", "--dataset", "digits"],
        ["--images", "file", "--dataset", "digts"],
        ["--images", "file", "digits"],
        ["nosuch"],
        ["digits", "--judge", "nosuch"],
        ["digits", "--guide", "nosuch"],
        ["digits", "--name", "a/b"],
        ["digits", "--reports-dir", "file"],
    ],
    "train-classifier": [
        ["--dataset", "digts"],
        ["--save-model", "--name", "a/b"],
        ["--save-model", "--weights-dir", "file"],
    ],
    "train-gan": [
        ["--dataset", "digts"],
        ["--dataset", "kmnist"],
        ["--dataset", "digits", "--guide", "nosuch"],
        ["--dataset", "digits", "--judge", "nosuch"],
        ["--name", "a/b"],
        ["--weights-dir", "file"],
        ["--init", "nosuch"],
        ["--resume", "nosuch"],
    ],
    "sample": [["nosuch"], ["--out", "x.jpg"], ["--out", "file/x.png"]],
    "latent": [["nosuch"], ["--out", "file"], ["--reports-dir", "file"]],
    "export": [["nosuch"], ["nosuch", "--network", "judge"]],
    "play": [["nosuch"], ["--out", "file"]],
    "demo": [["--weights-dir", "file"], ["--reports-dir", "file"]],
}
EARLY_IN_PYTHON = (
    "cgan.evaluate(images='nowhere', dataset='digits')",
    "cgan.evaluate('nosuch')",
    "cgan.train_gan('kmnist')",
    "cgan.train_classifier('digits', weights_dir='file')",
)


def test_arguments_are_checked_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    typed = [[name, *wrong] for name, uses in FOUND_EARLY.items() for wrong in uses]
    code = (
        "import sys\nimport cgan\nfrom cgan.cli import main\n"
        f"for typed in {typed!r}:\n"
        "    try: main(typed)\n"
        "    except SystemExit as ended: assert ended.code == 2, typed\n"
        "    assert 'torch' not in sys.modules, typed\n"
        f"for call in {EARLY_IN_PYTHON!r}:\n"
        "    try: eval(call)\n"
        "    except cgan.InputError: pass\n"
        "    else: raise AssertionError(call)\n"
        "    assert 'torch' not in sys.modules, call\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == len(typed)  # each is told in one line
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("toy_data")
def test_the_three_commands_of_the_readme_work_in_a_row(tmp_path: Path) -> None:
    where = folders_of(tmp_path)
    small = ["--dataset", TOY, "--batch-size", 48, "--epochs", 1, "--precision", "fp32"]
    first = run("train-classifier", "--save-model", *small, *where)
    assert first.exit_code == 0, first.output
    assert "test accuracy" in first.output
    second = run("train-gan", "--lr", "2e-3", "--d-every", 2, "--name", "mine", *small, *where)
    assert second.exit_code == 0, second.output
    assert (tmp_path / "w/mine/generator.safetensors").is_file()
    third = run("evaluate", "-n", 100, "--gan-train-images", 0, *where)
    assert third.exit_code == 0, third.output
    assert "judge accuracy" in third.output
    left = {path.name for path in (tmp_path / "r/mine").iterdir()} - {"mistakes.png"}  # if any
    tables = ("metrics", "per_row", "confusion", "histogram", "history", "cost")
    drawn = ("scores", "accuracy", "confusion", "histogram")
    trained = ("loss", "discriminator", "shares", "fcd")
    assert left == {
        *("index.html", "results.json", "manifest.json", "latent"),
        *("samples.png", "certain.png", "uncertain.png", "copies.png", "epochs.png", "film.gif"),
        *(f"{name}.csv" for name in tables),
        *(f"{name}.svg" for name in drawn),
        *(f"training-{name}.svg" for name in trained),
    }
    again = run("report", "mine", "--reports-dir", tmp_path / "r")
    assert again.exit_code == 0, again.output


@pytest.mark.usefixtures("toy_data")
def test_every_recipe_trains_is_scored_and_stands_in_the_leaderboard(tmp_path: Path) -> None:
    where = folders_of(tmp_path)
    folders = Folders(*(tmp_path / part for part in ("data", "w", "r")))
    score = EvalConfig(n_samples=100, gan_train_images=0, copying=False, device="cpu")
    for recipe in RECIPES:
        small = ["--dataset", TOY, "--batch-size", 48, "--epochs", 1, "--name", recipe]
        done = run("train-gan", "--recipe", recipe, *small, "--precision", "fp32", *where)
        assert done.exit_code == 0, done.output
        assert (tmp_path / "w" / recipe / "training.png").is_file()
        evaluate(recipe, score, folders)
        results = json.loads((folders.reports / recipe / "results.json").read_text())
        conditional, *_ = n_weights(RECIPES[recipe])
        assert conditional == (recipe not in UNCONDITIONAL)
        assert results["format"] == 2
        assert results["conditional"] == conditional
        assert ("judge_accuracy" in results["metrics"]) == conditional
        assert {"fcd", "recall", "coverage", "missing_classes"} <= results["metrics"].keys()
    done = run("compare", "--reports-dir", tmp_path / "r")
    assert done.exit_code == 0, done.output
    for recipe in RECIPES:
        assert recipe in done.output
    assert (tmp_path / "r/leaderboard.html").is_file()


@pytest.mark.usefixtures("toy_data")
@pytest.mark.parametrize(
    ("recipe", "says"), [("mlp", "saved in"), ("conv", "saved in"), ("basic", "--batch-size 1")]
)
def test_one_image_a_step_works_where_a_batch_norm_does_not_forbid_it(
    recipe: str, says: str, tmp_path: Path
) -> None:
    small = ["--dataset", TOY, "--batch-size", 1, "--epochs", 0.02, "--precision", "fp32"]
    done = run("train-gan", "--recipe", recipe, *small, *folders_of(tmp_path))
    assert done.exit_code == (0 if says == "saved in" else 2)
    assert says in done.output


def test_the_latent_pictures_of_a_shipped_generator_are_written(tmp_path: Path) -> None:
    folders = ["--weights-dir", tmp_path / "none", "--reports-dir", tmp_path / "r"]
    done = run("latent", "digits", *folders)
    assert done.exit_code == 0, done.output
    for line in done.output.splitlines():
        assert Path(line).parent == tmp_path / "r/digits/latent"
        assert Path(line).is_file()


def test_sample_needs_no_run_of_ones_own(tmp_path: Path) -> None:
    picture = tmp_path / "x.png"
    done = run("sample", "-n", 4, "--out", picture, "--weights-dir", tmp_path / "none")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("4 images of mnist in")
    assert picture.is_file()


@pytest.mark.parametrize(
    ("form", "network"),
    [  # test_export.py has every pair
        *(("npz", network) for network in ("generator", "judge", "discriminator")),
        *((form, "judge") for form in ("onnx", "torchscript")),
    ],
)
def test_every_network_of_a_run_is_exported_and_found_to_compute_the_same(
    form: str,
    network: str,
    digits_run: Folders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(
        "export", "toy", "--format", form, "--network", network, "--weights-dir", digits_run.weights
    )
    assert done.exit_code == 0, done.output
    name = "digits-judge" if network == "judge" else f"toy-{network}"
    suffix = {"onnx": ".onnx", "torchscript": ".pt", "npz": ".npz"}[form]
    assert [path.name for path in tmp_path.iterdir()] == [name + suffix]
    (line,) = done.output.splitlines()
    assert f"in {name}{suffix} (" in line
    (told,) = re.findall(r"largest difference from the original ([0-9.e+-]+)$", line)
    assert float(told) < 1e-4


def test_an_export_needs_no_run_of_ones_own_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    out = tmp_path / "new/mine.npz"
    for _ in range(2):
        done = run("export", "--format", "npz", "--out", out, "--weights-dir", tmp_path / "none")
        assert done.exit_code == 0, done.output
        assert done.output.startswith(f"generator mnist in {out}")
        assert [path.name for path in out.parent.iterdir()] == ["mine.npz"]


def test_an_export_that_computes_something_else_fails_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cgan.deploy import export as exporting

    parity = exporting.Parity(0.5, 1e-4)
    monkeypatch.setattr(exporting, "compare", lambda *_: parity)
    done = run("export", "digits", "--format", "npz", "--out", tmp_path / "x.npz")
    assert done.exit_code == 1
    assert "nothing was written" in done.stderr
    assert "largest difference 5.0e-01" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_export_without_a_runtime_says_that_it_was_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    done = run("export", "digits-judge", "--network", "judge", "--out", tmp_path / "x.onnx")
    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith("not checked: onnxruntime is not installed")


def test_an_export_to_a_full_disk_fails_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cgan.io.files.os.fsync", full)
    done = run("export", "digits", "--format", "npz", "--out", tmp_path / "x.npz")
    assert done.exit_code == 1
    assert f"cannot write {tmp_path / 'x.npz'} (No space left on device)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_sample_writes_is_scored_from_anywhere(digits_run: Folders, tmp_path: Path) -> None:
    where = folders_of(tmp_path)
    drawn = run(
        "sample", "toy", "-n", 120, "--out", tmp_path / "drawn", "--weights-dir", digits_run.weights
    )
    assert drawn.exit_code == 0, drawn.output
    scored = run(
        "evaluate", "--images", tmp_path / "drawn", "--dataset", "digits", "--quick", *where
    )
    assert scored.exit_code == 0, scored.output
    assert scored.output.startswith("drawn: Not realistic")
    assert "120 images, digits " in scored.output
    assert "without guide accuracy, guide gap: no guide is known" in scored.output
    assert (tmp_path / "r/drawn/index.html").is_file()


def test_another_classifier_may_judge(digits_run: Folders, tmp_path: Path) -> None:
    where = ["--weights-dir", digits_run.weights, "--reports-dir", tmp_path]
    few = ["--quick", "-n", 120]
    refused = run("evaluate", "toy", *few, "--classifier", "digits-guide", *where)
    assert refused.exit_code == 2
    assert "digits-guide guided toy, so it cannot judge it" in refused.stderr
    judge = ["--classifier", SHIPPED / "digits-judge"]
    scored = run("evaluate", "toy", *few, *judge, *where, "--json")
    assert scored.exit_code == 0, scored.output
    said = json.loads(scored.stdout)
    assert said["format"] == 1
    assert said["report"] == str(tmp_path / "toy/index.html")
    assert said["verdict"]["title"] == "Not realistic"
    assert said["results"]["judge"]["name"] == "digits-judge"
    assert said["results"] == json.loads((tmp_path / "toy/results.json").read_text())
    assert '<a href="toy/index.html">' in (tmp_path / "index.html").read_text()


def test_quiet_says_only_the_result(tmp_path: Path) -> None:
    result = run("train-gan", "--dataset", "digits", "--dry-run", "-q", *folders_of(tmp_path))
    assert result.output == "dry run: one step done, nothing saved\n"
    assert list(tmp_path.iterdir()) == []


def test_a_letter_that_the_terminal_lacks_is_replaced(tmp_path: Path) -> None:
    reports = ["--reports-dir", tmp_path, "--dataset", "digits"]
    shutil.copytree(REPOSITORY / "reports/examples/digits", tmp_path / "digits")
    typed = [str(word) for word in ["compare", *reports]]
    done = CliRunner(charset="latin-1").invoke(main, typed)
    assert done.exit_code == 0, done.output
    assert "judge accuracy ?" in done.output  # an arrow, where there is one


def test_a_classifier_that_will_not_be_kept_is_said_before_it_is_trained(tmp_path: Path) -> None:
    small = ["--dataset", "digits", "--epochs", 1, *folders_of(tmp_path)]
    lines = run("train-classifier", *small).stderr.splitlines()
    assert lines[1] == "the classifier will not be saved; add --save-model to save it"
    assert lines[2].startswith("epoch 1: ")
    assert "will not be saved" not in run("train-classifier", "--save-model", *small).stderr


def test_both_rates_follow_lr_unless_set_themselves(tmp_path: Path) -> None:
    result = run(
        *("train-gan", "--dataset", "digits", "--dry-run", "--lr", "0.003", "--d-lr", "0.004"),
        *folders_of(tmp_path),
    )
    assert "g_lr 0.003, d_lr 0.004" in result.output


def test_sample_needs_no_data_and_repeats_itself(digits_run: Folders, tmp_path: Path) -> None:
    for name in ("a", "b"):
        result = run(
            *("sample", "toy", "--class", 7, "-n", 12, "--seed", 1),
            *("--out", tmp_path / f"{name}.png", "--weights-dir", digits_run.weights),
        )
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_old_name_of_the_class_warns_and_draws_the_same(
    digits_run: Folders, tmp_path: Path
) -> None:
    for flag in ("--class", "--digit"):
        result = run(
            *("sample", "toy", flag, 7, "-n", 12, "--out", tmp_path / f"{flag}.png"),
            *("--weights-dir", digits_run.weights),
        )
        assert result.exit_code == 0, result.output
        assert ("--digit is now --class" in result.stderr) == (flag == "--digit")
    assert (tmp_path / "--class.png").read_bytes() == (tmp_path / "--digit.png").read_bytes()
    assert "--digit" not in run("sample", "-h").output


def test_recipes_are_listed_with_their_faults_sizes_times_and_scores() -> None:
    text = run("recipes").output
    for name in RECIPES:
        assert f"{name}: {ABOUT[name].idea}" in text
        assert f"known fault: {ABOUT[name].fault}" in text
    assert "588,801 weights in G, 392,833 in D" in text  # guided-original
    assert text.count("unconditional: no class can be requested") == len(UNCONDITIONAL)
    measured = text.count("after four minutes there: ")
    assert measured >= 6
    assert measured + text.count("not measured yet") == len(RECIPES)


def test_the_fields_of_the_recipes_are_a_table() -> None:
    text = run("recipes", "--fields").output
    for word in (*RECIPES, "label_smoothing", "guidance_mixed", "transposed-conv"):
        assert word in text


WRONG = {
    "unknown command": (["trian-gan"], "train-gan"),
    "unknown option": (["train-gan", "--d-evry", "2"], "--d-every"),
    "unknown data set": (["train-gan", "--dataset", "minst"], "did you mean 'mnist'"),
    "unknown recipe": (["train-gan", "--recipe", "giuded"], "did you mean 'guided'"),
    "unknown run": (["evaluate", "nonesuch"], "no gan run 'nonesuch'"),
    "unknown report": (["report", "nonesuch"], "no report of a run 'nonesuch'"),
    "unknown device": (["train-gan", "--device", "cup"], "did you mean 'cpu'"),
    "unknown precision": (["train-gan", "--precision", "fp31"], "did you mean 'fp32'"),
    "unknown role": (["train-classifier", "--role", "jduge"], "did you mean 'judge'"),
    "unknown network": (
        ["train-classifier", "--network", "cnn", "--dataset", "digits"],
        "leaky-cnn",
    ),
    "unknown guide": (
        ["train-gan", "--dataset", "digits", "--guide", "digits-giude"],
        "did you mean 'digits-guide'",
    ),
    "a guide of another data set": (
        ["train-gan", "--dataset", "digits", "--guide", "mnist-guide"],
        "trained on mnist",
    ),
    "a judge as guide": (
        ["train-gan", "--dataset", "digits", "--guide", "digits-judge"],
        "is a judge",
    ),
    "a momentum of one": (["train-gan", "--beta1", "1"], "--beta1 must be 0 or more and below 1"),
    "a seed past 64 bits": (["train-gan", "--seed", str(2**64)], "--seed must be"),
    "a demo of no epochs": (["demo", "--epochs", "0"], "--epochs must be above 0"),
    "a D step never": (["train-gan", "--d-every", "0"], "--d-every must be 1 or more"),
    "a negative rate": (["train-gan", "--lr", "-1"], "must be above 0"),
    "a rate that is no number": (["train-gan", "--lr", "fast"], "not a valid float"),
    "no epochs": (["train-classifier", "--epochs", "0"], "--epochs must be 1 or more"),
    "networks of no recipe": (["train-gan", "--net", "gided"], "did you mean 'guided'"),
    "an unknown loss": (
        ["train-gan", "--dataset", "digits", "--loss", "logistc"],
        "did you mean 'logistic'",
    ),
    "unknown noise": (["train-gan", "--noise", "pink"], "--noise must be one of normal, uniform"),
    "uniform noise of modes": (["train-gan", "--noise", "uniform"], "needs --noise normal"),
    "the noise of no run": (["latent", "nosuch"], "train one with cgan train-gan"),
    "a negative seed of noise": (["latent", "--seed", "-1"], "--seed must be 0 or more"),
    "a comparison with nothing": (["compare", "nosuch"], "no report of a run 'nosuch'"),
    "a run name with a path": (["train-gan", "--dataset", "digits", "--name", "../x"], "run name"),
    "no images": (["evaluate", "-n", "0"], "must be 1 or more"),
    "images from nowhere": (
        ["evaluate", "--images", "nowhere.npz", "--dataset", "digits"],
        "does not exist",
    ),
    "images to compare with nothing": (["evaluate", "--images", "x.npz"], "needs --dataset"),
    "images that are counted": (["evaluate", "--images", "x.npz", "-n", "9"], "all are scored"),
    "a seed for images": (["evaluate", "--images", "x.npz", "--seed", "9"], "all are scored"),
    "a lesson of five images": (["evaluate", "--gan-train-images", "5"], "0 (leave it out) or 100"),
    "the guide as judge": (
        ["train-gan", "--dataset", "digits", "--judge", "digits-guide"],
        "must be another classifier",
    ),
    "unknown judge": (
        ["train-gan", "--dataset", "digits", "--judge", "digits-jduge"],
        "did you mean 'digits-judge'",
    ),
    "unknown precision of samples": (["sample", "--precision", "fp31"], "did you mean 'fp32'"),
    "a negative seed": (["sample", "--seed", "-1"], "--seed must be 0 or more and"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_status_2_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CGAN_DATA", raising=False)
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    complaint = result.stderr.strip().splitlines()[-1]
    assert complaint.startswith("cgan: ")
    assert message in complaint
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_what_ships_is_no_run_that_one_would_overwrite(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not SHIPPED.is_relative_to(REPOSITORY / "weights")
    monkeypatch.chdir(REPOSITORY)
    assert run("train-classifier", "--dataset", "digits", "--dry-run").exit_code == 0


def test_no_arguments_show_the_help() -> None:
    result = run()
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) > 10


def test_a_folder_without_permission_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/root/w")

    monkeypatch.setattr("cgan.io.run_layout.runs", forbidden)
    result = run("evaluate")
    assert result.exit_code == 2
    assert result.stderr == "cgan: /root/w: Permission denied\n"


def test_a_class_that_does_not_exist_is_wrong_use(digits_run: Folders, tmp_path: Path) -> None:
    result = run(
        *("sample", "toy", "--class", 12, "--weights-dir", digits_run.weights),
        *("--out", tmp_path / "x.png"),
    )
    assert result.exit_code == 2
    assert "0 to 9" in result.stderr
    for command in ("sample", "latent"):
        result = run(command, "digits", "--class", "seven", "--out", tmp_path / "x")
        assert result.exit_code == 2
        assert "have no names; give a number from 0 to 9" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("train-images-idx3-ubyte", b"\0\0\x08\x03\0\0", "truncated"),
        ("train-images-idx3-ubyte", b"not an idx file at all", "should start with 00000803"),
        ("train-labels-idx1-ubyte", idx_bytes(np.zeros(5000, np.uint8)), "do not belong together"),
    ],
)
def test_damaged_data_is_wrong_use(
    toy_mnist: Path, tmp_path: Path, file: str, content: bytes, message: str
) -> None:
    (toy_mnist / file).write_bytes(content)
    weights = tmp_path / "out"
    result = run("train-gan", "--data-dir", toy_mnist, "--weights-dir", weights)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not weights.exists()


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (["train-gan", "--dataset", "digits"], "--weights-dir"),
        (["train-classifier", "--dataset", "digits", "--save-model"], "--weights-dir"),
    ],
)
def test_a_folder_that_cannot_be_written_is_wrong_use(
    command: list[str], flag: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run(*command, flag, tmp_path / "file" / "folder")
    assert result.exit_code == 2
    assert re.search(f"cannot write to .*{flag}", result.stderr)


def test_an_output_that_cannot_be_written_is_wrong_use(digits_run: Folders, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    where = ["--weights-dir", digits_run.weights]
    for command in (
        ["evaluate", "toy", "-n", 100, "--reports-dir", tmp_path / "file" / "r", *where],
        ["sample", "toy", "--out", tmp_path / "file" / "x.png", *where],
    ):
        result = run(*command)
        assert result.exit_code == 2
        assert "cannot write to" in result.stderr


def test_an_interrupted_run_says_so_with_status_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cgan.training.history.History.add", interrupt)
    result = run("train-gan", "--dataset", "digits", *folders_of(tmp_path))
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "cgan: interrupted; nothing was saved yet"
    assert not (tmp_path / "w").exists()


def test_a_disk_that_is_full_fails_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cgan.io.journal.write_through", full)
    result = run("train-gan", "--dataset", "digits", *folders_of(tmp_path))
    assert result.exit_code == 1
    assert "(No space left on device); it is unchanged" in result.stderr
    assert not (tmp_path / "w").exists()
