"""The structure that docs/architecture.md promises: imports only go down."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY

# from the top down; packages of one row do not import each other
ORDER: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"api"},
    {"evaluation"},
    {"training", "deploy"},
    {"models", "reporting"},
    {"data"},
    {"metrics"},
    {"config", "io"},
    {"runtime"},
]
HEIGHT = {name: -row for row, names in enumerate(ORDER) for name in names}
NO_TORCH = ("reporting", "metrics", "config", "io", "api")
PACKAGE = REPOSITORY / "cgan"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_MODULES, MOST_ENTRIES = 16, 16


def part_of(path: Path) -> str:
    """Return the package or module directly below cgan that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(source: str) -> Iterator[str]:
    """Yield the full name of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides where it leads"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_parts(source: str) -> set[str]:
    """Return the parts of cgan that a module imports; `from cgan import x` leads to them all."""
    return {name.split(".")[1] for name in imported(source) if name.startswith("cgan.")}


def modules(source: str) -> set[str]:
    """Return the modules of cgan that a module imports."""
    found = set()
    for name in imported(source):
        for end in (name, name.rpartition(".")[0]):
            path = PACKAGE.parent / end.replace(".", "/")
            if end.startswith("cgan.") and (path.with_suffix(".py").is_file() or path.is_dir()):
                found.add(end)
                break
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_below(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":  # the public names, imported when they are asked for
        return
    for other in imported_parts(path.read_text()) - {part}:
        assert other in HEIGHT, f"{part} imports {other}, which is no part of cgan"
        assert HEIGHT[other] < HEIGHT[part], f"{part} imports {other}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    edges = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): modules(path.read_text())
        for path in FILES
        if path.name != "__init__.py"
    }

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {above[above.index(name) :]}"
        if name not in done:
            for other in edges.get(name, ()):
                visit(other, (*above, name))
            done.add(name)

    done: set[str] = set()
    for name in edges:
        visit(name, ())


def test_the_checks_see_an_import_that_goes_up() -> None:
    wrong = "from cgan.training.gan import train_gan\nfrom cgan import evaluation\n"
    assert imported_parts(wrong) == {"training", "evaluation"}
    assert modules(wrong) == {"cgan.training.gan", "cgan.evaluation"}


def test_every_part_has_a_place_and_every_place_a_part() -> None:
    assert {part_of(path) for path in FILES} == {*HEIGHT, "__init__"}


def test_no_folder_is_crowded() -> None:
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MOST_ENTRIES, sorted(path.name for path in entries)
    for folder in {path.parent for path in FILES} - {PACKAGE}:
        assert len(list(folder.glob("*.py"))) <= MOST_MODULES, folder


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_says_in_one_line_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{path} does not say what it is for"
    assert docstring.splitlines()[0].endswith(".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_knows_click(path: Path) -> None:
    if part_of(path) != "cli":
        assert not [name for name in imported(path.read_text()) if name.split(".")[0] == "click"]


def test_what_need_not_compute_does_not_import_torch() -> None:
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
        if part_of(path) in NO_TORCH
    ]
    names += ["cgan", "cgan.cli", "cgan.data.images", "cgan.data.grids"]
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_two_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
