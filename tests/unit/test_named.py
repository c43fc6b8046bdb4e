"""Data sets that torchvision downloads by name: files, labels, names; what is left behind."""

import bz2
import hashlib
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision
from conftest import idx_bytes

from cgan.data.formats.torchvision_sets import SETS
from cgan.data.importing import named
from cgan.data.importing.named import NAMES, named_images
from cgan.runtime.errors import InputError

COLOUR = np.random.default_rng(0).integers(0, 256, (6, 8, 9, 3), np.uint8)
ARCHIVE = "cifar-10-python.tar.gz"


class Cifar:
    """What torchvision.datasets.CIFAR10 does, without a network."""

    fetched = 0
    fails: type[BaseException] | None = None

    def __init__(self, root: str, train: bool, download: bool):
        files = [Path(root) / file for file in SETS["cifar10"].files]
        if download and not files[-1].exists():
            self._download(Path(root), files)
        assert all(file.exists() for file in files)
        self.data, self.targets = (
            (COLOUR if train else COLOUR[:4]),
            [0, 1, 2, 0, 1, 2][: len(COLOUR)],
        )
        self.targets = self.targets[: len(self.data)]
        self.classes = ["airplane", "automobile", "bird"]

    def _download(self, root: Path, files: list[Path]) -> None:
        if not (root / ARCHIVE).exists():
            (root / ARCHIVE).write_bytes(b"packed")
            type(self).fetched += 1
        for file in files:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"half")
            if self.fails is not None:
                raise self.fails("no route")


@pytest.fixture
def cifar(monkeypatch: pytest.MonkeyPatch) -> type[Cifar]:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Cifar)
    monkeypatch.setattr(Cifar, "fetched", 0)
    return Cifar


def test_a_set_is_downloaded_once_and_only_its_files_stay(
    cifar: type[Cifar], tmp_path: Path
) -> None:
    for _ in range(2):
        found = named_images("cifar10", tmp_path)
        assert cifar.fetched == 1
        assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-batches-py"]
    assert found.names == ("airplane", "automobile", "bird")
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert found.splits.tolist() == [0] * 6 + [2] * 4
    assert np.array_equal(np.asarray(found.reader.load(7)), COLOUR[1])
    assert found.fingerprint == named.fingerprint("cifar10") != named.fingerprint("cifar100")


@pytest.mark.parametrize("error", [urllib.error.URLError, KeyboardInterrupt])
def test_a_download_that_fails_or_is_stopped_leaves_nothing(
    cifar: type[Cifar],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    monkeypatch.setattr(cifar, "fails", error)
    target = tmp_path / "fresh"
    told = InputError if error is urllib.error.URLError else error
    with pytest.raises(told) as caught:
        named_images("cifar10", target)
    assert not target.exists()
    if told is InputError:
        assert f"Copy {ARCHIVE} to {target}, and run it again" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_archive_that_is_there_is_used_if_it_is_the_published_one(
    cifar: type[Cifar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ARCHIVE).write_bytes(b"mine")
    with pytest.raises(InputError, match=rf"{ARCHIVE} is damaged: its checksum is wrong"):
        named_images("cifar10", tmp_path)
    known = SETS["cifar10"]._replace(archives={ARCHIVE: hashlib.md5(b"mine").hexdigest()})
    monkeypatch.setitem(SETS, "cifar10", known)
    assert len(named_images("cifar10", tmp_path)) == 10
    assert cifar.fetched == 0
    assert (tmp_path / ARCHIVE).read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "labels", "names"),
    [
        ("emnist-letters", [1, 2, 26], ("a", "b", "z")),
        ("emnist-balanced", [0, 10, 36], ("0", "A", "small-a")),
    ],
)
def test_emnist_is_read_upright_without_a_network(
    tmp_path: Path, name: str, labels: list[int], names: tuple[str, ...]
) -> None:
    for file in SETS[name].files:
        array = COLOUR[:3, ..., 0] if "images" in file else np.array(labels, np.uint8)
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(idx_bytes(array))
    found = named_images(name, tmp_path)
    assert (found.names, found.labels.tolist()) == (names, [0, 1, 2] * 2)
    assert np.array_equal(np.asarray(found.reader.load(4)), COLOUR[1, ..., 0].T)
    assert "turned upright" in found.notes[0]
    (tmp_path / SETS[name].files[0]).write_bytes(b"half")
    with pytest.raises(InputError, match=r"are damaged .*; remove .*EMNIST"):
        named_images(name, tmp_path)


def test_usps_is_compared_with_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = " ".join(f"{place}:{-1 if place % 2 else 1}" for place in range(1, 257))
    content = bz2.compress("".join(f"{label} {line}\n" for label in (1, 10)).encode())
    for file in SETS["usps"].files:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=r"checksum of usps.bz2 is wrong.*remove .*usps.t.bz2"):
        named_images("usps", tmp_path)
    sums = dict.fromkeys(SETS["usps"].files, hashlib.md5(content).hexdigest())
    monkeypatch.setitem(SETS, "usps", SETS["usps"]._replace(archives=sums))
    found = named_images("usps", tmp_path)
    assert (found.names, found.noun) == (("0", "9"), "digit")
    assert np.array_equal(np.asarray(found.reader.load(3)), np.tile([0, 255], (16, 8)))


def published(name: str) -> set[str]:
    """Return the MD5 sums of what torchvision downloads for a data set."""
    kind: Any = getattr(torchvision.datasets, SETS[name].torchvision)
    for attribute in ("tgz_md5", "md5"):
        if hasattr(kind, attribute):
            return {getattr(kind, attribute)}
    if hasattr(kind, "split_list"):
        return {kind.split_list[split][2] for split in ("train", "test")}
    return {md5 for split in ("train", "test") for _, md5 in kind.resources[split]}


@pytest.mark.parametrize("name", NAMES)
def test_checksums_are_those_of_torchvision(name: str) -> None:
    assert {*SETS[name].archives.values()} == published(name)
