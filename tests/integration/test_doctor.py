"""What cgan doctor finds, and that it only looks."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from conftest import idx_bytes

from cgan.cli import main
from cgan.cli.doctor import computer, examine, stock
from cgan.cli.doctor.finding import Finding
from cgan.config.schema import Folders
from cgan.data.mnist_sample import FILE, read_sample
from cgan.data.originals import FILES, SHA256, is_original, unpacked_sha256
from cgan.io.files import json_bytes
from cgan.io.journal import COMING, LOCK, READY, commit, locked
from cgan.io.run_layout import SHIPPED
from cgan.runtime.errors import InputError

WEIGHTS = (SHIPPED / "digits/generator.safetensors").read_bytes()


@pytest.fixture(autouse=True)
def _without_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgan.runtime.device._seconds", lambda device, dtype: dtype.itemsize / 1000)
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})


@pytest.fixture
def known_toys(toy_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Toy files that count as MNIST's published ones, in a folder of their own."""
    folder = toy_mnist / "data"
    folder.mkdir()
    for name in FILES:
        (toy_mnist / name).rename(folder / name)
    sums = {name: unpacked_sha256(folder / name) for name in FILES}
    monkeypatch.setitem(SHA256, "mnist", sums)
    return folder


def doctor(top: Path, *flags: object) -> Result:
    folders = ["--data-dir", top / "data", "--weights-dir", top / "w", "--reports-dir", top / "r"]
    return CliRunner().invoke(main, ["doctor", *map(str, [*folders, *flags])])


def tree(top: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in top.rglob("*")}


def only(found: Iterator[Finding] | list[Finding], subject: str) -> Finding:
    [finding] = [finding for finding in found if finding.subject == subject]
    return finding


def of_runs(top: Path) -> list[Finding]:
    return list(stock.runs(Folders(top / "data", top / "w", top / "r")))


def test_a_machine_with_everything_is_well_and_stays_as_it_was(known_toys: Path) -> None:
    with locked(known_toys.parent / "w/mine"):
        commit(known_toys.parent / "w/mine", {"generator.safetensors": WEIGHTS})
    before = tree(known_toys.parent)
    result = doctor(known_toys.parent)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    lines = result.output.splitlines()
    assert {line.split()[0] for line in lines[:-1]} <= {"ok", "warning"}
    for said in (
        f"torch {torch.__version__.split('+')[0]}",
        "its operators work with this torch",
        "auto is bf16 here; a small convolution takes fp32 4.0 ms, bf16 2.0 ms",
        f"in {known_toys}; the checksums match the published files",
        "embedded in scikit-learn",
        "embedded in cgan, intact",
        "match their checksums: mine",
    ):
        assert said in result.output
    assert lines[-1] == "everything that is here can be used"
    assert tree(known_toys.parent) == before


def test_the_lines_are_aligned(tmp_path: Path) -> None:
    lines = doctor(tmp_path).output.splitlines()[:-1]
    column = lines[0].index("3.")  # of Python's version
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)


def test_missing_files_are_told_with_what_to_do_and_nothing_is_fetched(tmp_path: Path) -> None:
    result = doctor(tmp_path)
    assert result.exit_code == 0
    assert f"mnist          not in {tmp_path / 'data'}; downloaded when needed" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["changed", "truncated", "truncated gzip"])
def test_a_damaged_file_of_mnist_is_a_problem(known_toys: Path, how: str) -> None:
    path = known_toys / FILES[2]
    content = path.read_bytes()
    if how == "truncated gzip":
        path.unlink()
        path = path.with_name(f"{path.name}.gz")
        path.write_bytes(gzip.compress(content)[:-9])
    else:
        path.write_bytes(content[:-1] + (b"" if how == "truncated" else bytes([content[-1] ^ 1])))
    result = doctor(known_toys.parent)
    assert result.exit_code == 1
    [line] = [line for line in result.output.splitlines() if line.startswith("problem")]
    assert f"{path} is " in line
    assert line.endswith("delete it and download it again")
    assert result.output.splitlines()[-1] == "1 problem"


def test_damaged_embedded_images_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.xz").write_bytes(FILE.read_bytes()[:-5000])
    damaged_file = partial(read_sample, path=tmp_path / "x.xz")
    monkeypatch.setattr("cgan.cli.doctor.stock.read_sample", damaged_file)
    finding = only(stock.data_sets(tmp_path), "mnist-sample")
    assert finding.state == "problem"
    assert finding.text.endswith("install cgan again")


def test_a_set_that_lacks_a_file_is_told(known_toys: Path) -> None:
    (known_toys / FILES[3]).unlink()
    finding = only(stock.data_sets(known_toys), "mnist")
    assert finding.state == "warning"
    assert f"but {FILES[2]} is missing" in finding.text


def test_mnist_is_not_taken_for_its_kin(known_toys: Path) -> None:
    found = list(stock.data_sets(known_toys))
    for name in ("fashion-mnist", "kmnist"):
        assert only(found, name).state == "warning"
        told = f"{known_toys} has the files of MNIST; put those of {name} into {known_toys / name}"
        assert only(found, name).text == told


def test_a_file_without_a_known_checksum_is_told_by_the_md5_of_its_gz(tmp_path: Path) -> None:
    import hashlib

    plain, zipped = tmp_path / FILES[0], tmp_path / f"{FILES[0]}.gz"
    plain.write_bytes(b"clothes")
    assert is_original("kmnist", plain, {zipped.name: "0"}) is None
    zipped.write_bytes(gzip.compress(b"clothes"))
    md5s = {zipped.name: hashlib.md5(zipped.read_bytes()).hexdigest()}
    assert is_original("kmnist", plain, md5s)
    assert is_original("kmnist", zipped, md5s)
    assert is_original("kmnist", zipped, {zipped.name: "0"}) is None  # or gzipped anew
    plain.write_bytes(b"clothez")
    assert is_original("kmnist", plain, md5s) is False


def test_what_shipped_can_be_read(tmp_path: Path) -> None:
    assert only(of_runs(tmp_path), "shipped").state == "ok"


@pytest.mark.parametrize("manifest", [True, False])
def test_damaged_weights_are_a_problem(tmp_path: Path, manifest: bool) -> None:
    path = tmp_path / "w/mine/generator.safetensors"
    with locked(path.parent):
        commit(path.parent, {path.name: WEIGHTS})
    if manifest:
        path.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1]))
    else:
        (path.parent / "manifest.json").unlink()
        path.write_bytes(WEIGHTS[:-1])
    result = doctor(tmp_path)
    assert result.exit_code == 1
    assert f"problem  weights        {path} is " in result.output


def test_a_damaged_manifest_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "w/mine").mkdir(parents=True)
    (tmp_path / "w/mine/manifest.json").write_text("[]")
    assert "manifest.json is damaged" in only(of_runs(tmp_path), "weights").text


def test_a_training_that_can_go_on_is_named_with_how_far_it_is(tmp_path: Path) -> None:
    for name, epochs in (("done", 2), ("halted", 8), ("begun", 0)):
        folder = tmp_path / "w" / name
        folder.mkdir(parents=True)
        (folder / "checkpoint.safetensors").write_bytes(WEIGHTS)
        if epochs:
            (folder / "config.json").write_bytes(json_bytes({"config": {"epochs": epochs}}))
            (folder / "history.csv").write_text("epoch,d_loss\n1,0.5\n2,0.4\n")
    finding = only(of_runs(tmp_path), "unfinished")
    told = (
        "begun (not evaluated yet), halted (epoch 2 of 8); cgan train-gan --resume NAME continues"
    )
    assert finding.text == told


@pytest.mark.parametrize("root", ["w", "r"])
@pytest.mark.parametrize(
    ("name", "says"), [(COMING, "unharmed"), (READY, "complete"), (LOCK, "unharmed")]
)
def test_what_a_killed_process_left_is_told_and_left(
    tmp_path: Path, root: str, name: str, says: str
) -> None:
    folder = tmp_path / root / "mine"
    folder.mkdir(parents=True)
    if name == LOCK:
        (folder / name).write_text("1")
    else:
        (folder / name).mkdir()
        manifest = {"sha256": {"generator.safetensors": "0" * 64}, "gone": []}
        (folder / name / "manifest.json").write_text(json.dumps(manifest))
        (folder / name / "generator.safetensors").write_bytes(WEIGHTS)
    before = tree(tmp_path)
    finding = only(of_runs(tmp_path), "half-written")
    assert finding.state == "warning"
    assert str(folder) in finding.text
    assert says in finding.text
    assert tree(tmp_path) == before


def test_a_folder_that_a_living_process_writes_to_is_no_trouble(tmp_path: Path) -> None:
    with locked(tmp_path / "w/mine"):
        finding = only(of_runs(tmp_path), "in use")
        assert finding.state == "ok"
        assert (tmp_path / "w/mine" / LOCK).read_text() == str(os.getpid())


def test_a_killed_download_is_told(tmp_path: Path) -> None:
    (tmp_path / ".mnist-abcd1234").mkdir()
    killed = [finding for finding in stock.data_sets(tmp_path) if "interrupted" in finding.text]
    assert [finding.subject for finding in killed] == ["mnist"]


def test_a_folder_in_whose_place_a_file_is_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("in the way")
    result = doctor(tmp_path)
    assert result.exit_code == 1
    assert "is not a folder); choose another with --weights-dir" in result.output


def test_a_folder_without_permission_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(dir: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", forbidden)
    found = list(stock.room(Folders(tmp_path, tmp_path / "w", tmp_path / "r")))
    assert [finding.state for finding in found] == ["problem", "problem"]
    assert "Permission denied" in found[0].text
    assert "MPLCONFIGDIR" in only(computer.figures(), "figures").text


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgan.cli.doctor.stock.LITTLE", 2**60)
    found = stock.room(Folders(tmp_path, tmp_path / "w", tmp_path / "r"))
    assert [finding.state for finding in found] == ["warning", "warning"]


def test_more_threads_than_cores_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    assert "set OMP_NUM_THREADS=" in only(computer.cores_and_memory(), "cores").text


def test_a_torchvision_of_another_torch_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def nms(*_: object) -> None:
        raise RuntimeError("operator torchvision::nms\ndoes not exist")

    monkeypatch.setattr("torchvision.ops.nms", nms)
    finding = only(computer.torchvision_works(), "torchvision")
    assert finding.state == "problem"
    assert "operator torchvision::nms does not exist" in finding.text
    assert "reinstall both" in finding.text


def test_a_device_that_is_not_there_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = doctor(tmp_path, "--device", "cuda")
    assert result.exit_code == 1
    assert "use --device auto or cpu" in result.output
    with pytest.raises(InputError, match="did you mean 'cuda'"):
        examine(Folders(tmp_path, tmp_path, tmp_path), "cudda")


def test_a_look_that_fails_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(computer, "cores_and_memory", broken)
    result = doctor(tmp_path)
    assert result.exit_code == 1
    assert "problem  machine        the check failed: RuntimeError: no such thing" in result.output


def test_it_runs_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from cgan.cli import main; main(['doctor'])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "problem  torch " in done.stdout
    assert "Traceback" not in done.stderr


def test_toy_files_that_are_nobodys_are_not_called_mnist(tmp_path: Path) -> None:
    import numpy as np

    for name in FILES:
        (tmp_path / name).write_bytes(idx_bytes(np.zeros(9, np.uint8)))
    finding = only(stock.data_sets(tmp_path), "mnist")
    assert "is not the published file" in finding.text


def test_the_real_mnist_is_known(mnist: Path) -> None:
    assert only(stock.data_sets(mnist), "mnist").state == "ok"
    assert "the published" in only(stock.data_sets(mnist), "mnist").text
