"""The structure that the README promises: imports go down, every file says what it is for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

LAYERS = {
    "cgan": 9,
    "__main__": 9,
    "cli": 8,
    "notebook": 8,
    "judged": 8,
    "report": 7,
    "play": 7,
    "train_classifier": 7,
    "train_gan": 7,
    "evaluation": 7,
    "doctor": 5,
    "discriminator": 5,
    "exporting": 6,
    "resuming": 6,
    "training": 5,
    "checkpoint": 4,
    "teachers": 5,
    "fitting": 4,
    "validation": 4,
    "sampling": 3,
    "study": 4,
    "features": 3,
    "latent": 5,
    "record": 4,
    "verdict": 3,
    "phases": 3,
    "store": 4,
    "run_writer": 3,
    "recipes": 2,
    "data": 2,
    "augmentations": 2,
    "averaging": 2,
    "faults": 3,
    "machine": 2,
    "blanks": 3,
    "networks": 2,
    "losses": 2,
    "penalties": 2,
    "readings": 2,
    "metrics": 2,
    "pictures": 2,
    "journal": 2,
    "config": 1,
    "tensors": 1,
    "files": 1,
    "archives": 1,
    "download": 1,
    "originals": 0,
    "idx": 1,
    "disk": 0,
    "randomness": 0,
    "reading": 0,
    "errors": 0,
    "progress": 0,
    "run_folders": 1,
    "run_reader": 3,
    "images": 3,
    "stopping": 0,
}
FILES = sorted((REPOSITORY / "cgan").rglob("*.py"))


def part_of(path: Path) -> str:
    """Return the name in LAYERS of a file: its module, or the package below cgan it is in."""
    inside = path.relative_to(REPOSITORY / "cgan").with_suffix("").parts
    return "cgan" if inside == ("__init__",) else inside[0]


def imported_parts(path: Path) -> set[str]:
    parts = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            parts |= {alias.name.split(".")[1] for alias in node.names if "cgan." in alias.name}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "cgan":
                parts |= {alias.name for alias in node.names if alias.name in LAYERS}
            elif node.module.startswith("cgan."):
                parts.add(node.module.split(".")[1])
    return parts


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_module_imports_only_from_lower_layers(path: Path) -> None:
    part = part_of(path)
    for other in imported_parts(path) - {part}:
        assert LAYERS[other] < LAYERS[part], f"{part} imports {other}"


def test_every_part_has_a_layer_and_every_layer_a_part() -> None:
    assert {part_of(path) for path in FILES} == set(LAYERS)


def test_the_layer_check_sees_an_import_that_goes_up(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from cgan.train_gan import train_gan\nfrom cgan import evaluation\n")
    assert imported_parts(wrong) == {"train_gan", "evaluation"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_the_readme_tree_repeats_the_first_line_of_each_file(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{path} does not say what it is for"
    purpose = docstring.splitlines()[0]
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    name = path.name if path.name != "__init__.py" else f"{path.parent.name}/"
    assert any(name in line and purpose in line for line in lines), f"{name}: {purpose}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_only_the_command_line_knows_click(path: Path) -> None:
    if part_of(path) != "cli":
        assert "import click" not in path.read_text()


@pytest.mark.parametrize(
    "module", ["cgan", "cgan.cli", "cgan.report", "cgan.metrics", "cgan.images", "cgan.notebook"]
)
def test_what_need_not_compute_does_not_import_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
