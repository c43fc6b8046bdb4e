"""Every command and every line of Python that README.md and docs/ tell of is run, or says why not.

The commands run in one folder in the order of TABLE, each after those that a reader would have run
before it, shortened by flags that are appended and by nothing else. MNIST is not needed: digits
stand in for it.
"""

import os
import shlex
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chromium import check, opened
from click.testing import CliRunner
from conftest import REPOSITORY, send_at
from documented import commands, documented, programs
from PIL import Image
from playwright.sync_api import Browser

from cgan.cli import main
from cgan.config.recipes import RECIPES
from cgan.deploy.webapp import subprocess_build
from cgan.deploy.webapp.subprocess_build import make_site_in_subprocess

SHORT = "--dataset digits --epochs 0.3 --batch-size 300"


@dataclass(frozen=True)
class Row:
    """How one documented command is run."""

    command: str  # as it is documented
    added: str = ""  # flags that make it short
    filled: dict[str, str] = field(default_factory=dict)  # placeholders and what stands for them
    leaves: tuple[str, ...] = ()  # files that are there afterwards, and were not before
    says: str = ""
    before: Callable[[], None] | None = None  # makes what the text takes for granted
    slow: bool = False

    @property
    def arguments(self) -> list[str]:
        """The words of the command as it is run."""
        command = self.command
        for name, value in self.filled.items():
            assert name in command.split()
            command = command.replace(name, value)
        return shlex.split(f"{command} {self.added}")


def cgan(*arguments: str, status: int = 0) -> str:
    """Run the command line in this process; return all that it says."""
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, done.output
    return done.output


def their_images() -> None:
    """Make the images of somebody else that are to be scored."""
    cgan("sample", "digits", "-n", "120", "--out", "theirs.npz")


def labelled_images() -> None:
    """Make a folder with a folder for each of two classes."""
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        Path("animals", name).mkdir(parents=True, exist_ok=True)
        for i in range(20):
            image = Image.fromarray(random.integers(0, 256, (20, 30), np.uint8))
            image.save(f"animals/{name}/{i}.png")


def interrupted_training() -> None:
    """Begin a training and press Ctrl-C in it."""
    with pytest.MonkeyPatch.context() as patch:
        send_at(2, [2], patch)
        words = [*shlex.split(SHORT), "--epochs", "1", "--name", "interrupted"]
        assert "--resume" in cgan("train-gan", *words, status=130)


TABLE = [
    Row("cgan -h", says="train-gan"),
    Row("cgan train-gan -h", says="--d-every"),
    Row("cgan doctor", says="everything that is here can be used"),
    Row("cgan recipes", says="guided-original"),
    Row("cgan runs", says="mnist-judge"),
    Row(
        "cgan train-classifier --save-model",
        "--dataset digits --epochs 1 --name mnist-guide",
        leaves=("weights/mnist-guide/classifier.safetensors",),
    ),
    Row(
        "cgan train-classifier --save-model --dataset kmnist",
        "--dataset digits --epochs 1 --name kmnist-guide",
        leaves=("weights/kmnist-guide/classifier.safetensors",),
    ),
    Row(
        "cgan train-classifier --save-model --dataset mnist-sample",
        "--dataset digits --epochs 1 --name sample-guide",
        leaves=("weights/sample-guide/classifier.safetensors",),
    ),
    Row(
        "cgan data FOLDER",
        "--size 16",
        {"FOLDER": "animals"},
        says="40 images of 2 classes, 16x16, grey",
        before=labelled_images,
    ),
    Row("cgan data", says="animals-"),
    Row("cgan recipes --fields", says="label_smoothing"),
    Row("cgan train-gan --sample-labels balanced", f"{SHORT} --dry-run", says="nothing saved"),
    Row("cgan train-gan --checks 4", f"{SHORT} --dry-run", says="nothing saved"),
    Row(
        "cgan train-gan --recipe NAME",
        f"{SHORT} --name another",
        {"NAME": "mlp"},
        leaves=("weights/another/generator.safetensors", "weights/another/training.png"),
    ),
    *(
        Row(
            f"cgan train-gan --recipe {name}",
            f"{SHORT} --name some-{name}",
            leaves=(f"weights/some-{name}/generator.safetensors",),
        )
        for name in RECIPES
    ),
    Row(
        "cgan train-gan --dataset mnist-sample --epochs 20 --modes 8",
        f"{SHORT} --dry-run",
        says="nothing saved",
    ),
    Row(
        "cgan train-gan --dataset mnist-sample --epochs 2 --name short",
        SHORT,
        leaves=("weights/short/generator.safetensors",),
    ),
    Row(
        "cgan train-gan --dataset mnist-sample --epochs 40 --modes 8 --name longer",
        f"{SHORT} --dry-run",
        says="nothing saved",
    ),
    Row("cgan evaluate short --quick", "-n 120", leaves=("reports/short/index.html",)),
    Row(
        "cgan train-gan --recipe guided-original --lr 2e-3",
        f"{SHORT} --dry-run",
        says="g_lr 0.002, d_lr 0.002",
    ),
    Row(
        "cgan train-gan --init RUN --dataset OTHER",
        "--epochs 0.3 --batch-size 300 --name tuned",
        {"RUN": "mnist", "OTHER": "digits"},
        leaves=("weights/tuned/generator.safetensors", "weights/tuned/steps.csv"),
    ),
    Row(
        "cgan train-gan --resume",
        says="saved in",
        before=interrupted_training,
        leaves=("weights/interrupted/generator.safetensors",),
    ),
    Row(
        "cgan train-gan --lr 2e-3 --d-every 2",
        f"{SHORT} --name mnist-guided",
        leaves=("weights/mnist-guided/generator.safetensors", "weights/mnist-guided/history.csv"),
    ),
    Row(
        "cgan evaluate",
        "-n 120 --gan-train-images 0",
        says="report: reports/mnist-guided/index.html",
        leaves=("reports/mnist-guided/index.html", "reports/mnist-guided/results.json"),
    ),
    Row(".venv/bin/cgan report --open", says="report: reports/mnist-guided/index.html"),
    Row("cgan report mnist", says="report: "),
    Row("cgan report --all", says="all reports: reports/index.html"),
    Row("cgan report RUN", filled={"RUN": "mnist-guided"}, says="report: reports/mnist-guided"),
    Row("cgan evaluate mnist-guided --quick", "-n 120", says="left out"),
    Row(
        "cgan evaluate --images theirs.npz --dataset mnist",
        "--dataset digits --gan-train-images 0",
        before=their_images,
        says="120 images, digits",
        leaves=("reports/theirs/index.html",),
    ),
    Row(
        "cgan sample --class 7 -n 64 --seed 1 --out sevens.png",
        says="64 images of mnist-guided",
        leaves=("sevens.png",),
    ),
    Row("cgan sample", leaves=("samples.png",)),
    Row(
        "cgan compare RUN OTHER",
        filled={"RUN": "mnist-guided", "OTHER": "theirs"},
        says="side by side: reports/compare-mnist-guided+theirs.html",
        leaves=("reports/compare-mnist-guided+theirs.html",),
    ),
    Row(
        "cgan compare",
        says="leaderboard: reports/leaderboard.html",
        leaves=("reports/leaderboard.html", "reports/leaderboard.csv", "reports/leaderboard.svg"),
    ),
    Row("cgan report --all --open", says="all reports: reports/index.html"),
    Row(
        "cgan latent RUN",
        filled={"RUN": "some-guided"},
        leaves=("reports/some-guided/latent/labels.png",),
    ),
    Row(
        "cgan export --format onnx",
        says="largest difference from the original",
        leaves=("mnist-guided-generator.onnx",),
        slow=True,
    ),
    Row("cgan play", "--out page", leaves=("page/index.html",), slow=True),
    Row(
        "cgan play --out FOLDER",
        filled={"FOLDER": "site"},
        leaves=(
            *("site/index.html", "site/app.js", "site/run.json"),
            *("site/generator.onnx", "site/judge.onnx", "site/discriminator.onnx"),
            "site/runtime/ort-wasm-simd-threaded.wasm",
        ),
        slow=True,
    ),
    Row(
        "cgan data mnist-sample --write my-digits",
        says="12,000 images of 10 classes are in my-digits",
        leaves=("my-digits/train/0/000000.png", "my-digits/test/9/000999.png"),
    ),
    Row("cgan data my-digits", says="12,000 images of 10 classes, 28x28, grey"),
    Row(
        "cgan run my-digits",
        "--size 16 --epochs 0.02 --guide-epochs 1 --judge-epochs 1 --quick -n 120",
        says="4/4 scoring 120 generated images",
    ),
    Row(
        "cgan run FOLDER",
        "--size 16 --epochs 0.02 --guide-epochs 1 --judge-epochs 1 --quick -n 120",
        {"FOLDER": "my-digits"},
        says="was scored with these settings before",
    ),
    Row(
        "scripts/demo",
        "--guide-epochs 1 --epochs 0.1 --quick -n 120",
        says="report: reports/demo/index.html\nopen it with: cgan report demo --open\n",
        leaves=("reports/demo/index.html", "weights/demo/generator.safetensors"),
        slow=True,
    ),
    Row(
        "scripts/torture",
        "idx --times 10",
        leaves=("docs/assets/torture.csv",),
        before=lambda: Path("docs/assets/torture.csv").unlink(),
        slow=True,
    ),
]
(DEMO,) = [row for row in TABLE if row.command == "scripts/demo"]
# what cannot be run here, and why
EXCEPTIONS = {
    "scripts/test": "it runs these tests",
    "scripts/test --fast": "it runs tests; test_test_script.py runs it with stand-ins",
    "scripts/setup": "it installs; test_test_script.py runs it with stand-ins",
    "scripts/benchmark MNIST_FOLDER": "it takes minutes; test_benchmark.py runs what it calls",
    "scripts/compare_recipes": "it needs MNIST and trains for an hour and a half",
    "scripts/benchmark --against REV": "the copy has no history; test_benchmark_against.py runs it",
    "scripts/results_schema": "it writes a file of the docs; a test below runs it",
    "scripts/measure_mnist": "it needs MNIST and trains six times",
    "scripts/fault_table": "it needs MNIST and has no shorter form",
    "scripts/evaluation_cost": "it has no shorter form: its largest clouds take minutes",
    "scripts/guidance_study MNIST_FOLDER": "it needs MNIST and trains for an hour and a half",
}
ROWS = [
    pytest.param(row, id=row.command, marks=[pytest.mark.slow] if row.slow else []) for row in TABLE
]


class Reader:
    """Somebody who runs the commands, each once, in a folder and in a copy of the project."""

    def __init__(self, top: Path):
        self.folder = top / "folder"
        self.project = top / "project"
        self.folder.mkdir()
        self.said: dict[str, str] = {}
        self.left: dict[str, list[str]] = {}  # the promised files that were not there before
        self.make_site = cache(make_site_in_subprocess)  # two commands show the same run

    def runs(self, wanted: Row) -> str:
        """Run a command after all that come before it; return what it says."""
        for row in TABLE[: TABLE.index(wanted) + 1]:
            if row.command not in self.said and (row == wanted or not row.slow):
                self.said[row.command] = self._run(row)
        return self.said[wanted.command]

    def _run(self, row: Row) -> str:
        script = row.command.startswith("scripts/")
        place = self.copied() if script else self.folder
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(place)
            patch.delenv("CGAN_DATA", raising=False)
            patch.setattr(webbrowser, "open", lambda address: address.startswith("file:"))
            patch.setattr(subprocess_build, "make_site_in_subprocess", self.make_site)
            if row.before is not None:
                row.before()
            earlier = [name for name in row.leaves if Path(name).exists()]
            said = script_says(row.arguments) if script else cgan(*row.arguments[1:])
            left = [name for name in row.leaves if Path(name).is_file() and name not in earlier]
        self.left[row.command] = left
        return said

    def copied(self) -> Path:
        """Return a copy of the project that is set up, so that its scripts change nothing here."""
        if not self.project.exists():
            self.project.mkdir()
            for name in ("cgan", "scripts", "docs", "reports/examples/mnist"):
                copytree(REPOSITORY / name, self.project / name)
            for name in ("README.md", "pyproject.toml", "constraints.txt"):
                (self.project / name).write_bytes((REPOSITORY / name).read_bytes())
            environment = self.project / ".venv"
            environment.mkdir()
            for part in Path(sys.prefix).iterdir():
                if part.name != "installed":
                    (environment / part.name).symlink_to(part)
            versions = "$(cat pyproject.toml constraints.txt scripts/setup | cksum)"
            stamp = f'echo "{versions} onnx" > .venv/installed'
            subprocess.run(["bash", "-c", stamp], cwd=self.project, check=True)
        return self.project


def script_says(arguments: list[str], **variables: str) -> str:
    """Run a script of the working folder on the package beside it; return what it prints."""
    # all is set up, and must not be set up again: what is set up here is not the copy's own
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "PYTHON": "nowhere", **variables}
    done = subprocess.run(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tmp_path_factory.mktemp("reader"))


def test_every_documented_command_has_a_row_and_every_row_a_command() -> None:
    known = {row.command for row in TABLE} | EXCEPTIONS.keys()
    found = documented()
    assert {command: page.name for command, page in found.items() if command not in known} == {}
    assert known - found.keys() == set()
    assert not {row.command for row in TABLE} & EXCEPTIONS.keys()


@pytest.mark.parametrize("row", ROWS)
def test_a_documented_command_works_and_leaves_what_it_promises(row: Row, reader: Reader) -> None:
    said = reader.runs(row)
    assert row.says in said
    assert reader.left[row.command] == list(row.leaves)


@pytest.mark.parametrize("row", ROWS)
def test_only_flags_are_appended_and_only_placeholders_filled(row: Row) -> None:
    assert all(name.strip(".").isupper() for name in row.filled)
    for word in shlex.split(row.command):
        assert word in row.arguments or word in row.filled
    first = shlex.split(row.added)[:1]
    assert first == [] or first[0].startswith("-") or row.command.startswith("scripts/")


@pytest.mark.parametrize("command", EXCEPTIONS)
def test_a_script_that_is_not_run_here_is_there_and_can_be_read(command: str) -> None:
    script = REPOSITORY / command.split()[0]
    assert os.access(script, os.X_OK)
    source = script.read_text()
    if "bash" in source.splitlines()[0]:
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    else:
        compile(source, str(script), "exec")
        assert "Usage: " in source


def test_every_script_is_executable_and_told_of() -> None:
    told = (REPOSITORY / "docs/architecture.md").read_text()
    for script in (REPOSITORY / "scripts").iterdir():
        if script.is_file():
            assert f"scripts/{script.name}" in told
            assert os.access(script, os.X_OK) == (script.suffix != ".py")


def test_the_page_of_the_recipes_is_what_its_script_writes(reader: Reader) -> None:
    page, wanted = reader.copied() / "docs/recipes.md", REPOSITORY / "docs/recipes.md"
    page.write_text(page.read_text().replace("Known fault", "Advantage"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reader.copied())
        script_says([".venv/bin/python", "scripts/recipe_page"])
    assert page.read_text() == wanted.read_text()


def test_the_schema_of_results_is_what_its_script_writes(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "docs").mkdir()
    script = tmp_path / "scripts/results_schema"
    script.write_text((REPOSITORY / "scripts/results_schema").read_text())
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, script], env=environment, check=True)
    written = (tmp_path / "docs/results.schema.json").read_text()
    assert written == (REPOSITORY / "docs/results.schema.json").read_text()


@pytest.mark.slow
def test_the_python_of_the_pages_runs_from_top_to_bottom_and_does_what_it_says(
    tmp_path: Path,
) -> None:
    spaces: dict[str, dict[str, object]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for page, source in programs():
            exec(compile(source, page, "exec"), spaces.setdefault(page, {}))
    names: dict[str, Any] = spaces["python.md"]
    assert names["sevens"].images.shape == (16, 1, 28, 28)
    assert (tmp_path / "year.png").is_file()
    assert names["found"].report == Path("reports/digits/index.html")
    assert (tmp_path / names["found"].report).is_file()
    assert isinstance(names["found"].metrics, pd.DataFrame)
    assert (tmp_path / "reports/images/index.html").is_file()
    assert names["first"].requested
    assert not names["second"].requested


@pytest.mark.slow
def test_who_knows_only_the_readme_comes_to_a_report(reader: Reader, browser: Browser) -> None:
    assert "report: reports/demo/index.html" in reader.runs(DEMO)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reader.project)
        Path("open").write_text('#!/bin/sh\necho "$1" > opened\n')
        Path("open").chmod(0o755)
        # stands in for a browser on a screen: it writes down what it is to open
        script_says([".venv/bin/cgan", "report", "--open"], BROWSER=f"{Path('open').resolve()} %s")
        address = Path("opened").read_text().strip()
    assert address == (reader.project / "reports/demo/index.html").as_uri()
    with opened(browser, address) as visit:
        check(visit)
        title = "Evaluation of demo: a generator of MNIST digits"
        assert visit.page.locator("h1").inner_text().startswith(title)
        assert visit.page.locator("#verdict").is_visible()


PAGE = """Say `cgan evaluate
RUN` or `cgan` or `cganx y`, `scripts/test`, `python -m cgan`.

```
cgan sample --out x.png   # a picture
$ cgan doctor
cgan train-gan \\
  --lr 1
echo cgan report
```

```python
cgan = 1
```

## How it is built

```
scripts/demo   The demo.
```

## More

`scripts/other a.npz`
"""


def test_commands_are_found_in_text_and_in_blocks_but_not_in_the_tree_of_files() -> None:
    assert list(commands(PAGE)) == [
        "cgan sample --out x.png",
        "cgan doctor",
        "cgan train-gan --lr 1",
        "cgan evaluate RUN",
        "scripts/test",
        "scripts/other a.npz",
    ]
