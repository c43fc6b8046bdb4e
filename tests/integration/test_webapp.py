"""The page of cgan play without a browser: its runtime, its directions, its files, the command."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin

import pytest
import torch
from click.testing import CliRunner
from conftest import REPOSITORY

from cgan.cli import main
from cgan.config.recipes import gan_config
from cgan.deploy.webapp import subprocess_build
from cgan.deploy.webapp.build import STATIC, find_judge, make_site, site_files
from cgan.deploy.webapp.server import POLICY
from cgan.deploy.webapp.site import FACTS, Site, require_free, write_site
from cgan.deploy.webapp.subprocess_build import make_site_in_subprocess
from cgan.io.journal import damaged
from cgan.io.run_layout import SHIPPED
from cgan.models.hub import load_generator
from cgan.runtime.errors import InputError
from cgan.runtime.version import __version__

NETWORKS = {"generator.onnx": b"G", "judge.onnx": b"J", "discriminator.onnx": b"D"}
ADDRESS = re.compile(r'(?:src|href)="([^"]+)"|from "([^"]+)"|(?:json|URL)\("([^"]+)"')


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The page of the run that ships, but for its networks."""
    gan = load_generator("mnist", Path("none"))
    return site_files(gan, find_judge(gan, Path("none")), NETWORKS)


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
    assert facts["format"] == 3
    assert (facts["noun"], facts["numbers"], facts["offered"]) == ("digit", True, list(range(10)))
    assert facts["names"] == list("0123456789")
    assert facts["run"] == "mnist"
    assert facts["version"] == __version__
    assert facts["guide"] == "mnist-guide"
    assert facts["image"] == [1, 28, 28]
    assert (facts["conditional"], facts["modes"], facts["size"]) == (True, 8, 64)
    assert facts["networks"] == sorted(NETWORKS)
    assert facts["judge"]["name"] == "mnist-judge"
    assert facts["judge"]["accuracy"] > 0.99
    assert facts["judge"]["target"] == pytest.approx(0.955)
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


def judge_with(accuracy: object, tmp_path: Path) -> None:
    """Write a judge of the digits whose config.json records something as its accuracy."""
    judge = Path(shutil.copytree(SHIPPED / "digits-judge", tmp_path / "digits-judge"))
    config = json.loads((judge / "config.json").read_text())
    (judge / "manifest.json").unlink()
    (judge / "config.json").write_text(json.dumps({**config, "test_accuracy": accuracy}))


def test_an_accuracy_that_is_not_recorded_is_left_out(tmp_path: Path) -> None:
    judge_with(None, tmp_path)
    gan = load_generator("digits", tmp_path)
    facts = json.loads(site_files(gan, find_judge(gan, tmp_path), NETWORKS)[FACTS])
    assert facts["judge"]["accuracy"] is None


@pytest.mark.parametrize("accuracy", [{}, 3, {"value": 7}, {"value": "all"}, {"value": True}])
def test_what_is_no_accuracy_is_refused(accuracy: object, tmp_path: Path) -> None:
    judge_with(accuracy, tmp_path)
    with pytest.raises(InputError, match="test_accuracy"):
        find_judge(load_generator("digits", tmp_path), tmp_path)


def test_what_is_not_known_or_was_not_used_is_not_told() -> None:
    shipped = load_generator("digits", Path("none"))
    gan = replace(shipped, config=gan_config("mlp", "digits"))  # which no guide taught
    spec = replace(gan.spec, dataset="birds-0123abcd", noun="bird", names=tuple("abcdefghij"))
    gan = replace(gan, spec=spec, class_counts=(0, 5, 0, *[5] * 7))
    facts = json.loads(site_files(gan, None, {"generator.onnx": b"G"})[FACTS])
    assert facts["judge"] is None
    assert facts["guide"] is None
    assert (facts["dataset"], facts["nouns"], facts["names"]) == ("birds", "birds", [*"abcdefghij"])
    assert facts["offered"] == [1, *range(3, 10)]
    assert not facts["numbers"]


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
def test_what_a_run_lacks_is_told_and_does_not_stop_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess_build, "make_site_in_subprocess", make_site)
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
    assert damaged(tmp_path / "page") == []


def test_without_the_packages_a_line_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime onnxscript"):
        make_site("digits", Path("none"))


def test_the_newest_run_is_shown_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgan.deploy.webapp.build.newest_run", lambda _: "no such run")
    with pytest.raises(InputError, match="'no such run'"):
        make_site(None, Path("none"))


def test_an_error_in_the_subprocess_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        make_site_in_subprocess("mnits", tmp_path)


def test_a_process_that_is_killed_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.deploy.webapp.subprocess_build._send_site", die)
    with pytest.raises(OSError, match="ended with status -9; is there enough memory"):
        make_site_in_subprocess("mnist", tmp_path)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_server_does_not_hold_torch() -> None:
    code = (
        "import sys, cgan.deploy.webapp.subprocess_build\n"
        "import cgan.deploy.webapp.server, cgan.deploy.webapp.site\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_server_without_a_traceback(number: int, status: int) -> None:
    code = (
        "from cgan.deploy.webapp import site, subprocess_build; from cgan.cli import main\n"
        "empty = site.Site('toy', {'index.html': b''}, ())\n"
        "subprocess_build.make_site_in_subprocess = lambda *_: empty\n"
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
