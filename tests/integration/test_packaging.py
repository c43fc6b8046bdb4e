import email
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY
from PIL import Image

from cgan.io.journal import damaged
from cgan.io.run_layout import SHIPPED
from cgan.models.hub import load_generator
from cgan.models.sampling import draw
from cgan.reporting.read import read_results
from cgan.runtime.version import __version__

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}
RUNS = tuple(
    f"{dataset}-{role}"
    for dataset in ("digits", "mnist", "mnist-sample")
    for role in ("guide", "judge")
)
GANS = ("digits", "mnist")


def split(requirement: str) -> tuple[str, str]:
    """Return ("numpy", ">=2.2") of "numpy>=2.2" or "numpy >=2.2"."""
    name, bound = requirement.replace(" ", "").split(">=")
    return name, ">=" + bound


def wanted() -> dict[str, str]:
    extras = PROJECT["optional-dependencies"]
    assert extras["test"][0] == "cgan[docs,parquet]"
    every = [*PROJECT["dependencies"], *extras["test"][1:]]
    every += [one for name in ("docs", "onnx", "parquet") for one in extras[name]]
    return dict(split(requirement) for requirement in every)


def test_environment_yaml_has_the_packages_and_bounds_of_pyproject() -> None:
    environment = yaml.safe_load((REPOSITORY / "environment.yaml").read_text())
    *plain, pip, only_pip = environment["dependencies"]
    assert pip == "pip"
    conda = dict(split(requirement) for requirement in plain + only_pip["pip"])
    assert conda.pop("python") == PROJECT["requires-python"]
    assert conda == {CONDA_NAMES.get(name, name): bound for name, bound in wanted().items()}


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = {
        name.lower().replace("_", "-"): tuple(int(part) for part in version.split(".")[:2])
        for name, version in (line.split("==") for line in lines if "==" in line)
    }
    for name, bound in wanted().items():
        lowest = tuple(int(part) for part in bound.removeprefix(">=").split("."))
        assert pins[name] >= lowest, name


def test_the_page_on_installing_names_what_no_deps_leaves_out() -> None:
    page = (REPOSITORY / "docs/install.md").read_text()
    (_, listed) = page.split("pip install --no-deps")[1].split("pip install", 2)[:2]
    named = set(listed.split("```")[0].replace("\\\n", " ").split())
    assert named | {"torch", "torchvision"} == {split(one)[0] for one in PROJECT["dependencies"]}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_the_shipped_weights_and_nothing_that_was_trained_here(
    wheel: Path,
) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    runs = {name.split("/")[2] for name in names if name.startswith("cgan/weights/")}
    assert runs == {*RUNS, *GANS}
    for run in RUNS:
        assert f"cgan/weights/{run}/classifier.safetensors" in names
    for gan in GANS:
        assert f"cgan/weights/{gan}/generator.safetensors" in names
        assert f"cgan/weights/{gan}/discriminator.safetensors" in names
    assert "cgan/reporting/templates/page.html" in names
    assert "cgan/deploy/webapp/static/index.html" in names
    assert "cgan/deploy/webapp/runtime/ort-wasm-simd-threaded.wasm.xz" in names
    assert [
        name for name in names if name.endswith("licenses/cgan/deploy/webapp/runtime/LICENSE.txt")
    ]
    assert not [name for name in names if name.startswith("tests")]
    reports = {name.split("/")[2] for name in names if name.startswith("cgan/reports/")}
    assert reports == {*GANS}
    assert "cgan/reports/mnist/index.html" in names


def test_the_wheel_carries_the_embedded_images_with_their_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    folder = "cgan/data/embedded"
    licence = f"{folder}/mnist-sample.LICENSE.txt"
    for name in (f"{folder}/mnist-sample.xz", licence):
        assert archive.read(name) == (REPOSITORY / name).read_bytes()
    [about] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    told = email.message_from_bytes(archive.read(about))
    assert told["License-Expression"] == "MIT AND CC-BY-SA-3.0"
    assert licence in told.get_all("License-File", [])
    copied = archive.read(about.replace("METADATA", f"licenses/{licence}"))
    assert copied == (REPOSITORY / licence).read_bytes()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new virtual environment in which the wheel is installed.

    It borrows the packages that cgan needs from the environment of the tests, not cgan itself.
    """
    top = tmp_path_factory.mktemp("installed")
    venv.create(top, with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths(vars={"base": str(top), "platbase": str(top)})
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python"]
    command += [str(top), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, env=_plain_environment())
    # afterwards: pip would take the cgan of the tests for one that is installed
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(paths["purelib"], "borrowed.pth").write_text("\n".join(sorted(borrowed)))
    return Path(paths["scripts"])


def _plain_environment() -> dict[str, str]:
    """Return the variables of this process without those that lead Python to other modules."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def says(folder: Path, program: Path, *arguments: str) -> str:
    """Return what a program prints that is started in a folder."""
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=_plain_environment(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_an_installed_wheel_finds_its_weights_from_any_folder(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import json, cgan; run = cgan.load_classifier('mnist-judge'); "
        "print(json.dumps([cgan.__file__, str(run.folder), run.config.role]))"
    )
    module, folder, role = json.loads(says(tmp_path, installed / "python", "-c", code))
    assert Path(module).is_relative_to(installed.parent)
    assert Path(folder) == Path(module).parent / "weights/mnist-judge"
    assert role == "judge"


def test_an_installed_wheel_draws_images_in_another_folder(installed: Path, tmp_path: Path) -> None:
    module = Path(
        says(tmp_path, installed / "python", "-c", "import cgan; print(cgan.__file__)").strip()
    )
    assert module.is_relative_to(installed.parent)
    assert says(tmp_path, installed / "cgan", "--version") == f"cgan, version {__version__}\n"
    page = module.parent / "reports/mnist/index.html"
    assert says(tmp_path, installed / "cgan", "report", "mnist") == f"report: {page}\n"
    assert list(tmp_path.iterdir()) == []
    flags = ("-n", "4", "--out", "x.png")
    assert "x.png" in says(tmp_path, installed / "cgan", "sample", "digits", *flags)
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    with Image.open(tmp_path / "x.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    assert min(pixels.shape) >= 28
    assert np.ptp(pixels) > 200


@pytest.mark.parametrize("run", RUNS)
def test_shipped_weights_are_small_and_say_how_good_they_are(run: str) -> None:
    folder = SHIPPED / run
    assert (folder / "classifier.safetensors").stat().st_size < 1.2e6
    assert damaged(folder) == []
    assert json.loads((folder / "config.json").read_text())["test_accuracy"]["value"] >= 0.99


@pytest.mark.parametrize("name", GANS)
def test_shipped_generators_draw_and_are_reported(name: str) -> None:
    for network in ("generator", "discriminator"):
        assert (SHIPPED / name / f"{network}.safetensors").stat().st_size < 2.2e6
    assert {file.name for file in (SHIPPED / name).iterdir()} == {
        "config.json",
        "discriminator.safetensors",
        "generator.safetensors",
        "history.csv",
        "manifest.json",
    }
    assert damaged(SHIPPED / name) == []
    images, _ = draw(load_generator(name, Path("none")).network, 10, 20, device="cpu")
    assert images.shape == (20, 1, 28, 28)
    assert images.max() > 200
    report = REPOSITORY / "reports/examples" / name
    results = read_results(report)
    assert results.run == name
    assert results.metrics["judge_accuracy"].value > 0.99
    assert results.warnings == []
    assert sum(file.stat().st_size for file in report.iterdir()) < 2e6
