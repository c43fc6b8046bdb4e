"""An import is whole or not there, goes on where it was stopped, and is done once."""

import errno
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cgan.cli import main
from cgan.config.schema import ImportConfig
from cgan.data.conversion import importer, loading, staging
from cgan.data.conversion.staging import PREFIX
from cgan.data.datasets import load_split
from cgan.data.importing.resolve import resolve_dataset
from cgan.data.spec import SPLITS
from cgan.data.store import read_store
from cgan.runtime.errors import InputError

CLASSES = ("cat & dog", "ÿak", "bee")
EACH = 20


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three classes, whose images are 18 pixels wide and 16 high."""
    top = tmp_path_factory.mktemp("import") / "animals"
    random = np.random.default_rng(0)
    for name in CLASSES:
        (top / name).mkdir(parents=True)
        for i in range(EACH):
            pixels = random.integers(0, 256, (16, 18, 3), np.uint8)
            Image.fromarray(pixels).save(top / name / f"{i}.png")
    (top / "bee/half.png").write_bytes((top / "bee/0.png").read_bytes()[:200])
    (top / "bee/notes.txt").write_text("bees")
    return top


@pytest.fixture
def animals(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, in the working folder; a chunk has 8 images."""
    monkeypatch.setattr(loading, "CHUNK", 8)
    monkeypatch.setattr(loading, "EVERY", -1.0)  # a checkpoint after each
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original, tmp_path / "animals")
    return tmp_path / "animals"


def run(*arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(main, ["data", *arguments])
    assert done.exit_code == status, done.output
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".npy"}


def test_an_import_has_every_image_in_one_split_with_its_name(animals: Path) -> None:
    name = resolve_dataset("animals", Path("data"))
    splits = [load_split(name, Path("data"), split) for split in SPLITS]
    spec = splits[0].spec
    assert spec.image_shape == (3, 16, 16)
    assert sorted(spec.names) == sorted(CLASSES)
    got = {
        (spec.names[label], image.numpy().tobytes())
        for split in splits
        for image, label in zip(split.images, split.labels.tolist(), strict=True)
    }
    wanted = set()
    for path in animals.glob("*/[0-9]*.png"):
        cropped = np.asarray(Image.open(path))[:, 1:17].transpose(2, 0, 1)
        wanted.add((path.parent.name, np.ascontiguousarray(cropped).tobytes()))
    assert got == wanted
    assert len(got) == len(CLASSES) * EACH
    for split in splits:
        known, again = split.sha256(), type(split)(spec, split.images, split.labels).sha256()
        assert known == again


def test_an_import_is_done_once_and_again_if_the_images_or_the_settings_change(
    animals: Path,
) -> None:
    first = run("animals")
    assert "importing animals" in first.stderr
    (folder,) = Path("data").iterdir()
    for data in ("animals", str(animals), "./animals/", folder.name, str(folder)):
        done = run(data)
        assert "importing" not in done.stderr
        assert done.stdout.split("next:")[0] == first.stdout.split("next:")[0]
    animals.rename("moved")
    assert run("animals").stdout.startswith(folder.name)  # by its title
    assert "importing moved" in run("moved", "--name", "animals").stderr  # to the same store
    assert "importing" not in run("moved").stderr
    assert list(Path("data").iterdir()) == [folder]
    for name in ("animals", "digits", folder.name):
        assert "with other settings" in run(name, "--grey", status=2).stderr
    run("moved", "--grey")
    (grey,) = set(Path("data").iterdir()) - {folder}
    assert read_store(grey.name, Path("data")).spec.channels == 1
    assert run("moved").stdout.startswith(grey.name)  # the newest
    shutil.copy("moved/bee/0.png", "moved/bee/99.png")
    run("moved")
    assert len(list(Path("data").iterdir())) == 3


def test_the_command_says_what_it_found_and_did(animals: Path) -> None:
    done = run("animals", "--name", "zoo", "--fit", "pad", "--size", "20")
    for text in (
        "60 images of 3 classes, 20x20, in colour",
        "all 18x16",
        "60 padded to a square",
        "enlarged to 20x20",
        "1 damaged, such as bee/half.png",
        "1 with an unknown ending, such as bee/notes.txt",
        "next: cgan run animals\n",
    ):
        assert text in done.stdout, done.stdout
    facts = json.loads(run("zoo", "--json").stdout)
    assert facts["findings"]["read"] == 60
    picture = Image.open(Path(facts["folder"], "samples.png"))
    assert picture.width > 500
    listed = run()
    assert "zoo" in listed.stdout
    assert "mnist-sample" in listed.stdout
    assert "fashion-mnist" in json.loads(run("--json").stdout)["known"]
    assert "'zo' is neither" in run("zo", status=2).stderr
    assert "did you mean 'zoo'" in run("zo", status=2).stderr


def stop_after(chunks: int, error: BaseException, patch: pytest.MonkeyPatch) -> None:
    """Let an import add some chunks, then raise an error instead."""
    honest, left = staging.Staging.add, iter(range(chunks))

    def add(mine: staging.Staging, results: list[Any]) -> None:
        if next(left, None) is None:
            raise error
        honest(mine, results)

    patch.setattr(staging.Staging, "add", add)


def test_an_import_goes_on_where_it_was_stopped(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_store(resolve_dataset("animals", Path("whole")), Path("whole"))
    for _ in range(3):
        with monkeypatch.context() as patch:
            stop_after(2, KeyboardInterrupt(), patch)
            assert "goes on from here" in run("animals", status=130).stderr
        (left,) = Path("data").iterdir()
        assert left.name.startswith(PREFIX)
    done = run("animals")
    assert "going on after 48 of 61 images" in done.stderr
    (folder,) = Path("data").iterdir()
    assert folder.name == whole.folder.name
    assert contents(folder) == contents(whole.folder)


def test_an_import_begins_again_if_the_images_changed_since(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(2, KeyboardInterrupt(), patch)
        run("animals", status=130)
    Image.new("RGB", (16, 16)).save(animals / "bee/0.png")
    done = run("animals")
    assert "going on" not in done.stderr
    (folder,) = Path("data").iterdir()
    assert not folder.name.startswith(PREFIX)


@pytest.mark.parametrize(
    ("error", "text", "status"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "no room in data", 1),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "Input/output error", 1),
        (InputError("row 7 is damaged"), "row 7 is damaged", 2),
    ],
)
def test_an_import_that_cannot_go_on_leaves_nothing_behind(
    error: Exception, text: str, status: int, animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(2, error, monkeypatch)
    (line,) = run("animals", "-q", status=status).stderr.splitlines()
    assert text in line
    assert [path.name for path in Path().iterdir()] == ["animals"]


def test_too_little_room_is_noticed_before_anything_is_written(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    (line,) = run("animals", "-q", status=1).stderr.splitlines()
    assert "no room in data: about 0 MB are needed and 0 MB are free" in line
    assert not Path("data").exists()


def test_images_that_change_while_they_are_read_are_refused(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = staging.Staging.add

    def meddle(mine: staging.Staging, results: list[Any]) -> None:
        (animals / "bee/3.png").write_bytes(b"other")
        honest(mine, results)

    monkeypatch.setattr(staging.Staging, "add", meddle)
    (line,) = run("animals", "-q", status=2).stderr.splitlines()
    assert "changed while it was read" in line
    assert not Path("data").exists()


def test_one_process_at_a_time_imports(animals: Path) -> None:
    settings = importer.settings_of(ImportConfig())
    folder = staging.staging_folder(Path("data"), "animals", str(animals.resolve()), settings)
    with staging.alone(folder, animals):
        assert "another process is importing" in run("animals", status=2).stderr
    run("animals")


def test_a_folder_that_cannot_be_written_to_is_named(animals: Path) -> None:
    Path("file").touch()
    (line,) = run("animals", "-q", "--data-dir", "file", status=2).stderr.splitlines()
    assert "--data-dir" in line
    unreadable = [animals / name for name in CLASSES]
    for path in unreadable:
        for picture in path.glob("*.png"):
            picture.write_bytes(b"no picture")
    (line,) = run("animals", "-q", status=2).stderr.splitlines()
    assert "none of the 61 images can be read; the first" in line
    assert not Path("data").exists()


def test_a_name_is_a_data_set_before_it_is_a_folder(animals: Path) -> None:
    animals.rename("digits")
    assert resolve_dataset("digits", Path("data")) == "digits"
    assert resolve_dataset("./digits", Path("data")).startswith("digits-")
    with pytest.raises(InputError, match="does not exist"):
        resolve_dataset("no/such/folder", Path("data"))


def test_two_data_sets_of_one_title_are_told_apart(animals: Path) -> None:
    names = [resolve_dataset("animals", Path("data"), ImportConfig(size=size)) for size in (16, 18)]
    animals.rename("moved")
    with pytest.raises(InputError, match="may be any of") as refused:
        resolve_dataset("animals", Path("data"))
    assert all(name in str(refused.value) for name in names)
    store = Path("data", names[0])
    with pytest.raises(InputError, match="add --data-dir"):
        resolve_dataset(str(store), Path("other"))
