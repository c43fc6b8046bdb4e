"""The runtime of the page as it ships: whole, small, and refused where it is damaged."""

import json
import lzma
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

from cgan.deploy.webapp.runtime_files import RUNTIME, unpack
from cgan.runtime.errors import InputError


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A copy of the runtime as it ships, to be damaged."""
    return Path(shutil.copytree(RUNTIME, tmp_path / "runtime"))


def test_the_runtime_unpacks_to_what_its_contents_say() -> None:
    about = json.loads((RUNTIME / "runtime.json").read_text())
    unpacked = unpack()
    assert set(unpacked) == {"LICENSE.txt", "runtime.json", *about["files"]}
    assert {name: len(unpacked[name]) for name in about["files"]} == {
        name: file["bytes"] for name, file in about["files"].items()
    }
    assert unpacked["ort-wasm-simd-threaded.wasm"].startswith(b"\0asm")
    assert about["licence"] == "MIT"
    assert b"MIT License" in unpacked["LICENSE.txt"]
    assert (
        f'VERSION = "onnxruntime-web", "{about["version"]}"'
        in (REPOSITORY / "scripts/browser_runtime").read_text()
    )


def test_the_runtime_ships_small() -> None:
    assert sum(path.stat().st_size for path in RUNTIME.iterdir()) < 2.5e6


def changed(path: Path, **about: Any) -> None:
    contents = json.loads((path / "runtime.json").read_text())
    contents["files"]["ort.wasm.min.js"] |= about
    (path / "runtime.json").write_text(json.dumps(contents))


def test_a_damaged_runtime_is_refused(runtime: Path) -> None:
    packed = runtime / "ort.wasm.min.js.xz"
    whole = packed.read_bytes()
    packed.write_bytes(whole[:-200])
    with pytest.raises(InputError, match=r"missing or damaged .* install cgan again"):
        unpack(runtime)
    packed.write_bytes(lzma.compress(b"another program"))
    with pytest.raises(InputError, match="is not what runtime"):
        unpack(runtime)
    packed.write_bytes(b"no archive")
    with pytest.raises(InputError, match="missing or damaged"):
        unpack(runtime)
    packed.unlink()
    with pytest.raises(InputError, match="missing or damaged"):
        unpack(runtime)
    packed.write_bytes(whole)
    assert unpack(runtime) == unpack()


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"sha256": "0" * 64}, "is not what"),
        ({"bytes": 50125}, "is not what"),
        ({"bytes": 2**40}, "would have"),
        ({"bytes": -1}, "would have"),
        ({"bytes": "many"}, "would have"),
    ],
)
def test_contents_that_do_not_fit_are_refused(
    runtime: Path, about: dict[str, Any], message: str
) -> None:
    changed(runtime, **about)
    with pytest.raises(InputError, match=message):
        unpack(runtime)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"files": 3}', '{"files": {"a": {}}}'])
def test_contents_of_another_form_are_refused(runtime: Path, text: str) -> None:
    (runtime / "runtime.json").write_text(text)
    with pytest.raises(InputError, match="missing or damaged"):
        unpack(runtime)


def test_a_name_that_leads_elsewhere_is_refused(runtime: Path) -> None:
    (runtime / "runtime.json").write_text(
        json.dumps({"files": {"../secret": {"bytes": 3, "sha256": "0" * 64}}})
    )
    (runtime.parent / "secret.xz").write_bytes(lzma.compress(b"abc"))
    with pytest.raises(InputError, match="is no file name"):
        unpack(runtime)


def test_a_bomb_goes_off_no_further_than_it_claims_to_be_large(runtime: Path) -> None:
    (runtime / "ort.wasm.min.js.xz").write_bytes(lzma.compress(bytes(200_000_000), preset=0))
    changed(runtime, bytes=1000)
    with pytest.raises(InputError, match="is not what"):
        unpack(runtime)


def test_a_runtime_of_a_newer_format_is_refused_by_its_number(runtime: Path) -> None:
    contents = json.loads((runtime / "runtime.json").read_text())
    assert contents["format"] == 1
    (runtime / "runtime.json").write_text(json.dumps({**contents, "format": 2}))
    with pytest.raises(InputError, match=r"runtime.json is of format 2, .* reads up to 1"):
        unpack(runtime)
