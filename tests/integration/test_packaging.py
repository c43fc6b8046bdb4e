import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

from cgan.io.journal import damaged
from cgan.io.run_layout import SHIPPED
from cgan.models.hub import load_generator
from cgan.models.sampling import draw
from cgan.reporting.read import read_results

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}
RUNS = ("digits-guide", "digits-judge", "mnist-guide", "mnist-judge")
GANS = ("digits", "mnist")


def split(requirement: str) -> tuple[str, str]:
    """Return ("numpy", ">=2.2") of "numpy>=2.2" or "numpy >=2.2"."""
    name, bound = requirement.replace(" ", "").split(">=")
    return name, ">=" + bound


def wanted() -> dict[str, str]:
    extras = PROJECT["optional-dependencies"]
    every = PROJECT["dependencies"] + extras["onnx"] + extras["test"]
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


def test_an_installed_wheel_finds_its_weights_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    code = (
        "import json, cgan; run = cgan.load_classifier('mnist-judge'); "
        "print(json.dumps([cgan.__file__, str(run.folder), run.config.role]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "elsewhere",
        env={"PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    package, folder, role = json.loads(done.stdout)
    assert Path(package).is_relative_to(tmp_path / "site")
    assert Path(folder) == tmp_path / "site/cgan/weights/mnist-judge"
    assert role == "judge"


@pytest.mark.parametrize("run", RUNS)
def test_shipped_weights_are_small_and_say_how_good_they_are(run: str) -> None:
    folder = SHIPPED / run
    assert (folder / "classifier.safetensors").stat().st_size < 1.2e6
    assert damaged(folder) == []
    assert json.loads((folder / "config.json").read_text())["test_accuracy"]["value"] > 0.99


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
