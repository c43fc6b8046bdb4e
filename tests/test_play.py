"""The page of cgan play without a browser: its runtime, its directions, its files, the command."""

import json
import lzma
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin

import pytest
import torch
from click.testing import CliRunner
from conftest import REPOSITORY, TOY
from torch import Tensor

from cgan import __version__
from cgan.cli import main
from cgan.errors import InputError
from cgan.journal import damaged
from cgan.networks import Generator
from cgan.networks.conv import ShuffleGenerator
from cgan.networks.mlp import MlpGenerator
from cgan.play.directions import Direction, find_directions, properties
from cgan.play.server import POLICY
from cgan.play.site import FACTS, STATIC, Site, find_judge, require_free, site_files, write_site
from cgan.play.unpacking import RUNTIME, unpack
from cgan.store import SHIPPED, load_generator

NETWORKS = {"generator.onnx": b"G", "judge.onnx": b"J", "discriminator.onnx": b"D"}
ADDRESS = re.compile(r"""(?:src|href)="([^"]+)"|from "([^"]+)"|json\("([^"]+)"\)""")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The page of the run that ships, but for its networks."""
    gan = load_generator("mnist", Path("none"))
    return site_files(gan, find_judge(gan, Path("none")), NETWORKS)


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
    contents["files"]["ort.wasm.min.mjs"] |= about
    (path / "runtime.json").write_text(json.dumps(contents))


def test_a_damaged_runtime_is_refused(runtime: Path) -> None:
    packed = runtime / "ort.wasm.min.mjs.xz"
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
    (runtime / "ort.wasm.min.mjs.xz").write_bytes(lzma.compress(bytes(200_000_000), preset=0))
    changed(runtime, bytes=1000)
    with pytest.raises(InputError, match="is not what"):
        unpack(runtime)


class Leaning(Generator):
    """Draws an upright bar: numbers 2 and 3 of its noise are its slant and its thickness."""

    def paint(self, z: Tensor, vectors: Tensor) -> Tensor:
        down, right = torch.arange(28.0)[:, None], torch.arange(28.0)
        middle = 13.5 + (13.5 - down) * 0.2 * z[:, 2, None, None]
        thickness = 2 + 0.3 * z[:, 3, None, None]
        inside = torch.sigmoid(4 * (thickness - (right - middle).abs()))
        return 2 * inside * ((down > 5) & (down < 22)) - 1


class Blank(Generator):
    """Draws nothing, whatever it is given."""

    def paint(self, z: Tensor, vectors: Tensor) -> Tensor:
        return torch.full((len(z), 1, 8, 8), -1.0)


class Channelled(Leaning):
    def paint(self, z: Tensor, vectors: Tensor) -> Tensor:
        return super().paint(z, vectors)[:, None]


def test_slant_and_ink_are_found_where_they_lie() -> None:
    found = {one.name: one for one in find_directions(Channelled(8, 3), 3)}
    assert found["slant"].vector[2] > 0.99
    assert found["ink"].vector[3] > 0.99
    assert found["slant"].share > 0.8
    assert "width" not in found  # of a bar it follows from the others, to no side
    assert "kind" not in found


def test_where_nothing_is_to_be_seen_no_direction_has_the_name_of_a_property() -> None:
    found = find_directions(Blank(8, 3), 3)
    assert [one.name for one in found] == [f"movement {i}" for i in range(1, 7)]
    check_right_angles(found)


def check_right_angles(found: list[Direction]) -> None:
    vectors = torch.stack([one.vector for one in found])
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(len(found)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("z_dim", [1, 2, 5])
def test_there_are_no_more_directions_than_numbers(z_dim: int) -> None:
    torch.manual_seed(0)
    found = find_directions(MlpGenerator(TOY, z_dim, 1), TOY.n_classes)
    assert len(found) == z_dim
    check_right_angles(found)


@pytest.mark.parametrize("run", ["mnist", "digits"])
def test_the_directions_of_what_ships_explain_something_and_leave_the_kind_alone(run: str) -> None:
    gan = load_generator(run, Path("none"))
    found = find_directions(gan.network, 10)
    check_right_angles(found)
    assert len(found) == 7
    shares = {one.name: one.share for one in found}
    assert shares["slant"] > 0.15
    assert shares["ink"] > 0.25
    assert found[-1].name == "kind"
    assert all(one.vector[0].abs() < 1e-5 for one in found[:-1])
    again = find_directions(gan.network, 10)
    assert all(torch.equal(a.vector, b.vector) for a, b in zip(found, again, strict=True))


def test_moving_along_a_direction_changes_what_it_is_named_after() -> None:
    gan = load_generator("mnist", Path("none"))
    z, labels = torch.randn(60, gan.network.z_dim), torch.arange(60) % 10
    for one in find_directions(gan.network, 10)[:3]:
        here = [z + step * one.vector for step in (-2, 2)]
        with torch.no_grad():
            seen = [(gan.network(point, labels)[:, 0] + 1) / 2 for point in here]
        low, high = (properties(ink)[one.name] for ink in seen)
        assert (high > low).float().mean() > 0.9, one.name


def test_properties_of_images_made_by_hand() -> None:
    ink = torch.zeros(3, 9, 9)
    ink[0, 1:8, 4] = 1.0  # upright
    for row in range(1, 8):
        ink[1, row, 8 - row] = 1.0  # leaning to the right: /
        ink[2, row, row] = 0.5  # leaning to the left, in grey
    seen = properties(ink)
    torch.testing.assert_close(seen["slant"], torch.tensor([0.0, 1.0, -1.0]))
    torch.testing.assert_close(seen["ink"], torch.tensor([7.0, 7.0, 3.5]) / 81)
    torch.testing.assert_close(seen["width"], torch.tensor([0.0, 2.0, 2.0]))


def test_every_file_that_the_page_asks_for_is_there_and_relative(files: dict[str, bytes]) -> None:
    asked = set(json.loads(files[FACTS])["networks"])
    for name, content in files.items():
        if "/" in name or not name.endswith((".html", ".js", ".css")):
            continue
        text = content.decode()
        assert not re.findall(r"https?:|//\w+\.|url\(", re.sub(r"^\s*//.*$", "", text, flags=re.M))
        assert "eval(" not in text
        assert "innerHTML" not in text
        asked |= {next(filter(None, groups)) for groups in ADDRESS.findall(text)}
    asked = {urljoin("/", address.removeprefix("./")).removeprefix("/") for address in asked}
    assert {"app.js", "style.css", "noise.js", FACTS, "runtime/runtime.json"} <= asked
    assert asked <= set(files)
    assert all(PurePosixPath(name).parts[0] not in ("/", "..") for name in files)


def test_the_page_and_the_server_have_one_policy(files: dict[str, bytes]) -> None:
    page = files["index.html"].decode()
    (told,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert f"{told}; frame-ancestors 'none'" == POLICY  # which a page cannot say itself
    assert "unsafe-inline" not in POLICY
    assert not re.findall(r"<style|style=|<script(?! type=\"module\" src)", page)


def test_the_facts_tell_the_run_and_its_judge(files: dict[str, bytes]) -> None:
    facts = json.loads(files[FACTS])
    assert facts["run"] == "mnist"
    assert facts["version"] == __version__
    assert facts["image"] == [1, 28, 28]
    assert (facts["conditional"], facts["modes"], facts["size"]) == (True, 8, 64)
    assert facts["networks"] == sorted(NETWORKS)
    assert facts["judge"]["name"] == "mnist-judge"
    assert facts["judge"]["accuracy"] > 0.99
    assert facts["judge"]["taught"] == pytest.approx(0.955)
    vectors = torch.tensor([one["vector"] for one in facts["directions"]])
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(7), atol=1e-4, rtol=0)


def test_a_page_tells_nothing_of_the_machine_it_was_made_on(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if not name.startswith("runtime/"):
            assert str(REPOSITORY).encode() not in content, name


def test_a_judge_of_other_images_is_none(tmp_path: Path) -> None:
    gan = load_generator("digits", Path("none"))
    assert find_judge(gan, tmp_path) is not None
    judge = Path(shutil.copytree(SHIPPED / "digits-judge", tmp_path / "digits-judge"))
    config = json.loads((judge / "config.json").read_text())
    config["spec"]["n_classes"] = 10
    (judge / "manifest.json").unlink()
    (judge / "config.json").write_text(json.dumps(config))
    assert find_judge(gan, tmp_path) is not None
    config["spec"]["dataset"] = "others"
    (judge / "config.json").write_text(json.dumps(config))
    assert find_judge(gan, tmp_path) is None


@pytest.mark.parametrize("accuracy", [None, {}, 3, {"value": 7}, {"value": "all"}, {"value": True}])
def test_an_accuracy_that_is_none_is_left_out(accuracy: object, tmp_path: Path) -> None:
    judge = Path(shutil.copytree(SHIPPED / "digits-judge", tmp_path / "digits-judge"))
    config = json.loads((judge / "config.json").read_text())
    (judge / "manifest.json").unlink()
    (judge / "config.json").write_text(json.dumps({**config, "test_accuracy": accuracy}))
    gan = load_generator("digits", tmp_path)
    facts = json.loads(site_files(gan, find_judge(gan, tmp_path), NETWORKS)[FACTS])
    assert facts["judge"]["accuracy"] is None


def test_without_a_judge_the_facts_have_none() -> None:
    gan = load_generator("digits", Path("none"))
    assert json.loads(site_files(gan, None, {"generator.onnx": b"G"})[FACTS])["judge"] is None


def small_site(**more: bytes) -> Site:
    own = {path.name: path.read_bytes() for path in STATIC.iterdir()}
    return Site("toy", {**own, FACTS: b"{}", "runtime/a.js": b"1", **more}, ())


def test_a_page_is_written_whole_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    out = tmp_path / "some/page"
    write_site(small_site(old=b"1"), out)
    assert (out / "runtime/a.js").read_bytes() == b"1"
    assert damaged(out) == []
    write_site(small_site(new=b"2"), out)
    assert (out / "new").read_bytes() == b"2"
    assert not (out / "old").exists()
    assert not list(out.glob(".*"))


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="has other files in it; name a new folder"):
        write_site(small_site(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_run_is_never_taken_for_a_page(tmp_path: Path) -> None:
    run = Path(shutil.copytree(SHIPPED / "digits", tmp_path / "digits"))
    with pytest.raises(InputError, match="has other files"):
        require_free(run)
    require_free(tmp_path / "new")  # which is none yet
    (tmp_path / "empty").mkdir()
    require_free(tmp_path / "empty")
    assert damaged(run) == []


def play(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["play", *map(str, arguments)])


@pytest.mark.slow
def test_the_command_writes_a_page_with_everything_in_it(tmp_path: Path) -> None:
    result = play("digits", "--out", tmp_path / "page", "--weights-dir", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    names = {str(path.relative_to(tmp_path / "page")) for path in (tmp_path / "page").rglob("*")}
    assert {*NETWORKS, "index.html", FACTS, "runtime/ort-wasm-simd-threaded.wasm"} <= names
    assert damaged(tmp_path / "page") == []


@pytest.mark.slow
def test_what_a_run_lacks_is_told_and_does_not_stop_the_page(tmp_path: Path) -> None:
    run = Path(shutil.copytree(SHIPPED / "digits", tmp_path / "w/bare"))
    config = json.loads((run / "config.json").read_text())
    config["spec"]["dataset"] = "others"
    for name in ("manifest.json", "discriminator.safetensors"):
        (run / name).unlink()
    (run / "config.json").write_text(json.dumps(config))
    result = play("bare", "--out", tmp_path / "page", "--weights-dir", tmp_path / "w")
    assert result.exit_code == 0, result.output
    assert "there is no judge of others" in result.stderr
    assert "has no discriminator.safetensors" in result.stderr
    facts = json.loads((tmp_path / "page" / FACTS).read_text())
    assert facts["networks"] == ["generator.onnx"]
    assert facts["judge"] is None


def test_without_the_packages_a_line_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    result = play("digits", "--out", tmp_path / "page", "--weights-dir", tmp_path)
    assert result.exit_code == 2
    assert "pip install 'cgan[onnx]'" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "page").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_server_without_a_traceback(number: int, status: int) -> None:
    code = (
        "from cgan.play import site; from cgan.cli import main\n"
        "site.make_site = lambda *_: site.Site('toy', {'index.html': b''}, ())\n"
        "main(['play', '--no-open'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(
            r"the page of toy is at http://127\.0\.0\.1:\d+/ until Ctrl-C\n", line
        ), line
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert errors.strip() == "cgan: interrupted"


def test_toys_have_no_size_of_their_own() -> None:
    """A generator of three channels and odd shapes has directions as well."""
    found = find_directions(ShuffleGenerator(TOY, 6, 2), TOY.n_classes)
    assert [one.name for one in found][-1] == "kind"
    assert len(found) == 6
