"""Folders of idx files of other data sets than MNIST: pairs, splits, EMNIST's orientation."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import idx_bytes
from numpy.typing import NDArray

from cgan.data.formats.idx_files import UPRIGHT, idx_images
from cgan.data.importing.found import NOT_GIVEN
from cgan.io import rows
from cgan.runtime.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 9, 8), np.uint8)
LABELS = np.array([1, 2, 26, 1, 2, 26], np.uint8)


def pair(
    folder: Path,
    name: str,
    images: NDArray[np.uint8] = IMAGES,
    labels: NDArray[np.uint8] = LABELS,
    *,
    packed: bool = False,
) -> Path:
    """Write a pair of files; `name` has a place for what they hold."""
    for role, array in (("images", images), ("labels", labels)):
        content = idx_bytes(array)
        path = folder / f"{name.format(role)}-idx{array.ndim}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content, 1, mtime=0) if packed else content)
    return folder


@pytest.mark.parametrize("piece", [1, 2**20])
@pytest.mark.parametrize("packed", [False, True])
def test_a_pair_is_read_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool, piece: int
) -> None:
    monkeypatch.setattr(rows, "PIECE", piece)
    found = idx_images(pair(tmp_path, "{}", packed=packed))
    assert (found.names, found.kind) == (("1", "2", "26"), "idx files")
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.splits.tolist() == [NOT_GIVEN] * 6
    for index in (0, 5, 3, 4, 0):
        assert np.array_equal(np.asarray(found.reader.load(index)), IMAGES[index])


@pytest.mark.parametrize("test", ["t10k", "test"])
def test_training_and_test_files_are_kept_apart(tmp_path: Path, test: str) -> None:
    pair(tmp_path, f"{test}-{{}}", IMAGES[::-1], packed=True)
    found = idx_images(pair(tmp_path, "train-{}"))
    assert found.splits.tolist() == [0] * 6 + [2] * 6
    assert np.array_equal(np.asarray(found.reader.load(6)), IMAGES[5])
    assert found.reader.place(7) == f"row 1 of {test}-images-idx3-ubyte.gz"


def test_colour_images_are_read(tmp_path: Path) -> None:
    colour = np.stack([IMAGES] * 3, axis=1)
    found = idx_images(pair(tmp_path, "{}", colour))
    assert np.array_equal(np.asarray(found.reader.load(2)), colour[2].transpose(1, 2, 0))


def test_files_of_emnist_and_only_those_are_turned_upright(tmp_path: Path) -> None:
    for name in ("emnist-letters-train-{}", "emnist-letters-test-{}", "mnist-{}"):
        pair(tmp_path, name)
    letters = idx_images(tmp_path / "emnist-letters-test-labels-idx1-ubyte")
    assert np.array_equal(np.asarray(letters.reader.load(7)), IMAGES[1].T)
    assert letters.names == ("a", "b", "z")
    assert letters.notes == [UPRIGHT]
    assert letters.splits.tolist() == [0] * 6 + [2] * 6
    digits = idx_images(tmp_path / "mnist-images-idx3-ubyte")
    assert np.array_equal(np.asarray(digits.reader.load(1)), IMAGES[1])
    assert (digits.name, digits.notes) == ("mnist", [])
    with pytest.raises(InputError, match=r"several sets \(emnist-letters, mnist\); name a file"):
        idx_images(tmp_path)


def test_what_does_not_belong_together_is_refused_in_a_line(tmp_path: Path) -> None:
    def message(folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            idx_images(folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "has no name of idx files; call them" in message(tmp_path)
    (pair(tmp_path, "train-{}") / "train-labels-idx1-ubyte").unlink()
    assert re.search("train-images-idx3-ubyte lacks the file of its labels", message(tmp_path))
    pair(tmp_path, "train-{}", labels=LABELS[:5])
    assert "holds 6 images but train-labels-idx1-ubyte 5 labels" in message(tmp_path)
    path = pair(tmp_path, "train-{}") / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    assert "is not as long as its header [6, 9, 8] says" in message(tmp_path)


def test_a_gzip_stream_that_ends_early_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = pair(tmp_path, "{}", packed=True) / "images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES)[:-1]))
    with pytest.raises(InputError, match="ends early; it is damaged"):
        idx_images(tmp_path)
