"""Own images as a data set in Python, and written out as pictures."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import cgan
from cgan.api.dataset import found_dataset
from cgan.data.conversion.as_folders import folder_names, write_class_folders
from cgan.data.spec import SPLITS, DataSpec
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

NAMES = ["oak", "elm", "yew"]
LABELS = np.arange(36) % 3
PIXELS = np.random.default_rng(0).integers(0, 256, (36, 16, 16, 3), np.uint8)


def pixels_of(data: cgan.Dataset, split: str) -> NDArray[np.uint8]:
    return data.images(split).images


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> cgan.Dataset:
    folder = tmp_path_factory.mktemp("data")
    return cgan.Dataset.from_arrays(PIXELS, LABELS, NAMES, name="trees", data_dir=folder)


def test_arrays_become_a_data_set_that_holds_them_all(trees: cgan.Dataset) -> None:
    assert trees.names == ("oak", "elm", "yew")
    assert repr(trees) == f"<data set {trees}: 36 images of 3x16x16, 3 classes>"
    assert trees.counts.loc["elm"].sum() == 12
    assert list(trees.counts) == ["train", "validation", "test"]
    held = np.concatenate([pixels_of(trees, split) for split in SPLITS])
    there = {image.tobytes() for image in held}
    assert there == {image.transpose(2, 0, 1).tobytes() for image in PIXELS}
    first = trees.images("test", 1)
    (place,) = np.flatnonzero((PIXELS.transpose(0, 3, 1, 2) == first.images).all(axis=(1, 2, 3)))
    assert first.labels == LABELS[place]


def test_the_same_arrays_are_the_same_data_set(trees: cgan.Dataset) -> None:
    folder = trees.data_dir
    assert cgan.Dataset.from_arrays(PIXELS, LABELS, NAMES, name="trees", data_dir=folder) == trees
    assert found_dataset("trees", folder) == trees
    assert found_dataset(trees, None) is trees
    with pytest.raises(InputError, match="not in data_dir=elsewhere"):
        found_dataset(trees, "elsewhere")
    with pytest.raises(InputError, match="did you mean 'test'"):
        trees.images("tset")
    with pytest.raises(InputError, match="one label for each image"):
        cgan.Dataset.from_arrays(PIXELS, LABELS[:5], data_dir=folder)


def test_what_is_written_as_folders_is_read_again_pixel_for_pixel(
    trees: cgan.Dataset, tmp_path: Path
) -> None:
    splits = [(split, trees.images(split).images, trees.images(split).labels) for split in SPLITS]
    spec = DataSpec("trees", 3, 16, 16, 3, names=trees.names)
    write_class_folders(splits, spec, tmp_path / "wood", Progress())
    assert (tmp_path / "wood/test/yew").is_dir()
    again = cgan.Dataset.from_folder(tmp_path / "wood", data_dir=tmp_path / "data")
    assert again.names == ("elm", "oak", "yew")  # folders are sorted
    for split in SPLITS:
        expected = {image.tobytes() for image in pixels_of(trees, split)}
        assert {image.tobytes() for image in pixels_of(again, split)} == expected
    with pytest.raises(InputError, match="is not an empty folder"):
        write_class_folders(splits, spec, tmp_path / "wood", Progress())


def test_writing_that_fails_leaves_nothing(
    trees: cgan.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("PIL.Image.Image.save", full)
    with pytest.raises(KeyboardInterrupt):
        write_class_folders(
            [("test", PIXELS.transpose(0, 3, 1, 2), LABELS)],
            DataSpec("trees", 3, 16, 16, 3),
            tmp_path / "new/wood",
            Progress(),
        )
    assert list(tmp_path.iterdir()) == []


def test_names_of_classes_become_names_of_folders_that_differ() -> None:
    names = ("a/b", "A:b", "..", "è ü", "x" * 99, "CON ")
    folders = folder_names(DataSpec("set", 1, 16, 16, len(names), names=names))
    assert folders == ["a_b", "A_b_1", "_", "è ü", "x" * 80, "CON"]
