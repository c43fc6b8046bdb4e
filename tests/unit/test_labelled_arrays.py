"""Arrays of labelled images: which are taken, what becomes of their numbers, what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cgan.data.formats import array_keys, labelled_arrays
from cgan.data.formats.array_keys import parse_key
from cgan.data.formats.labelled_arrays import array_images, npy_images, npz_images
from cgan.data.importing.found import NOT_GIVEN, FoundImages
from cgan.io import array_files, rows
from cgan.runtime.errors import InputError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (6, 9, 8), np.uint8)
GREY[0, 0, :2] = 0, 255
COLOUR = RANDOM.integers(0, 256, (6, 9, 8, 3), np.uint8)
CLASSES = np.array([0, 1, 2, 0, 1, 2])


def loaded(found: FoundImages) -> NDArray[Any]:
    images = [np.asarray(found.reader.load(index)) for index in range(len(found))]
    assert all(image.dtype == np.uint8 for image in images)
    return np.stack(images)


def save(folder: Path, **arrays: Any) -> Path:
    named = {key.replace("__", "/"): array for key, array in arrays.items()}
    np.savez_compressed(folder / "mine.npz", **named)
    return folder / "mine.npz"


LAYOUTS: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
    "rows and columns": (GREY, GREY),
    "a channel at the end": (GREY[..., None], GREY),
    "a channel in front": (GREY[:, None], GREY),
    "colour at the end": (COLOUR, COLOUR),
    "colour in front": (COLOUR.transpose(0, 3, 1, 2), COLOUR),
    "transparent": (COLOUR[..., [0, 1, 2, 0]], COLOUR[..., [0, 1, 2, 0]]),
    "flat": (GREY[:, :8].reshape(6, 64), GREY[:, :8]),
    "Fortran order": (np.asfortranarray(COLOUR), COLOUR),
    "another byte order": (GREY.astype(">u2"), GREY),
}
RANGES: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
    "bool": (GREY > 99, (GREY > 99) * 255),
    "bytes of 0 and 1": ((GREY > 99).astype(np.uint8), (GREY > 99) * 255),
    "whole numbers to 255": (GREY.astype(np.int64), GREY),
    "16 bits": (GREY.astype(np.uint16) * 257, GREY),
    "12 bits": ((GREY / 255 * 4095).round().astype(np.uint16), GREY),
    "0 to 1": (GREY / 255, GREY),
    "0 to 1, half": ((GREY / 255).astype(np.float16), GREY),
    "-1 to 1": ((GREY / 127.5 - 1).astype(np.float32), GREY),
    "floats to 255": (GREY.astype(np.float32), GREY),
}
GIVEN = {**LAYOUTS, **RANGES}


@pytest.mark.parametrize(("images", "wanted"), GIVEN.values(), ids=GIVEN)
def test_images_of_any_layout_and_range_become_the_same_bytes(
    tmp_path: Path, images: NDArray[Any], wanted: NDArray[Any]
) -> None:
    found = npz_images(save(tmp_path, images=images, labels=CLASSES))
    assert np.array_equal(loaded(found), wanted)
    assert found.names == ("0", "1", "2")
    assert found.labels.tolist() == CLASSES.tolist()
    assert found.splits.tolist() == [NOT_GIVEN] * 6


def test_it_is_said_what_was_done_to_numbers_and_only_then(tmp_path: Path) -> None:
    def notes(images: NDArray[Any]) -> str:
        return " ".join(npz_images(save(tmp_path, images=images, labels=CLASSES)).notes)

    assert notes(GREY) == notes(GREY.astype(np.int64)) == ""
    assert notes(GREY / 255) == "floats from 0 to 1 become whole numbers from 0 to 255"
    assert "12-bit numbers, 0 to 4095" in notes(GREY.astype(np.uint16) * 16)


def test_one_rule_scales_all_splits(tmp_path: Path) -> None:
    # alone, the dark test images would be taken for 8-bit numbers
    bright, dark = GREY.astype(np.uint16) * 257, np.full((2, 9, 8), 257, np.uint16)
    dark[0, 0, 0] = 0
    path = save(tmp_path, x_train=bright, y_train=CLASSES, x_test=dark // 257, y_test=[0, 1])
    assert loaded(npz_images(path))[6:].max() == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "floats to 16": ({"images": GREY / 255 * 16}, "floats from 0 to 16, not from 0 to 1"),
    "floats from -0.2": ({"images": GREY / 255 - 0.2}, "may mean 0 to 1 or -1 to 1"),
    "not finite": ({"images": np.where(GREY > 200, np.nan, 0.5)}, "not finite"),
    "negative": ({"images": GREY.astype(int) - 9}, "from -9 to 246; give uint8"),
    "17 bits": ({"images": GREY.astype(int) * 300}, "give uint8"),
    "complex": ({"images": GREY * 1j}, "complex128; give uint8"),
    "both ends": ({"images": np.zeros((6, 3, 8, 3), np.uint8)}, "either end may be the channels"),
    "five channels": ({"images": np.zeros((6, 5, 8, 9), np.uint8)}, "with 1, 3 or 4 channels"),
    "not square": ({"images": np.zeros((6, 65), np.uint8)}, "not square images"),
    "turned": ({"images": COLOUR.transpose(1, 2, 3, 0)}, "counted by its last dimension"),
    "too few": ({"images": GREY[:5]}, "one label for each image"),
    "no labels": ({"labels": None, "more": CLASSES}, r"no array `labels` \(only images, more\)"),
    "no images": ({"images": None, "more": GREY}, "no array `images`"),
    "a split without labels": ({"test_images": GREY}, "some belong to a split"),
    "several tasks": ({"labels": None, "fine_label": CLASSES, "coarse_label": CLASSES}, "several"),
    "two of a kind": ({"x": GREY}, "images and x, and either may be the images; keep one"),
    "objects": ({"images": np.array([None] * 6)}, "could run code; save plain numbers"),
    "several labels": ({"labels": np.eye(3)[CLASSES] + [1, 0, 0]}, "not one 1 and else 0"),
    "several classes": ({"labels": np.eye(3, dtype=int)[CLASSES] | [1, 0, 0]}, "row 1 2 classes"),
    "no class": ({"labels": np.eye(3)[CLASSES] * [1, 1, 0]}, "row 2 0 classes"),
    "half a class": ({"labels": CLASSES + 0.5}, "label 0.5 in row 0, which is not a whole"),
    "no number": ({"labels": np.where(CLASSES, CLASSES, np.nan)}, "label nan"),
    "below 0": ({"labels": CLASSES - 1}, "label -1; leave out the images that have no class"),
    "too few names": ({"names": np.array(["a", "b"])}, "from 0 to 2, but there are 2 names"),
    "from 0 or from 1": (
        {"labels": CLASSES + 1, "names": np.array(["a", "b", "c", "d"])},
        "runs from 1 to 3, and there are 4 names, so it may count from 0 or from 1",
    ),
    "names alike": ({"names": np.array(["a", "A", "b"])}, "differ only in spelling"),
    "names of objects": ({"names": np.array(["a", None, "b"])}, "names holds Python objects"),
    "a path": ({"labels": np.array(["../a", "b", "c"])[CLASSES]}, "is a path"),
    "one class": ({"labels": np.zeros(6, int)}, "one class"),
    "a class for each image": (
        {"images": np.zeros((1001, 8, 8)), "labels": np.arange(1001)},
        "1,001 classes",
    ),
}


@pytest.mark.parametrize(("arrays", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_clear_is_refused_in_a_line(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    given = {"images": GREY, "labels": CLASSES, **arrays}
    path = save(tmp_path, **{key: array for key, array in given.items() if array is not None})
    with pytest.raises(InputError, match=message) as caught:
        npz_images(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


LABELS: dict[str, tuple[NDArray[Any], tuple[str, ...]]] = {
    "a column": (CLASSES[:, None], ("0", "1", "2")),
    "one-hot": (np.eye(3)[CLASSES], ("0", "1", "2")),
    "one-hot with a gap": (np.eye(5, dtype=bool)[CLASSES + [0, 0, 1] * 2], ("0", "1", "3")),
    "whole floats": (CLASSES.astype(np.float32), ("0", "1", "2")),
    "from 1, with gaps": (np.array([1, 2, 10])[CLASSES], ("1", "2", "10")),
    "words": (np.array(["ant", "bee", "cat"])[CLASSES], ("ant", "bee", "cat")),
    "bytes": (
        np.array([b"ant", b"bee", "sp\u00e4t".encode()])[CLASSES],
        ("ant", "bee", "sp\u00e4t"),
    ),
    "numbers as words": (np.array(["9", "10", "11"])[CLASSES], ("9", "10", "11")),
}


@pytest.mark.parametrize(("labels", "names"), LABELS.values(), ids=LABELS)
def test_labels_of_any_form_are_counted_from_0(
    tmp_path: Path, labels: NDArray[Any], names: tuple[str, ...]
) -> None:
    found = npz_images(save(tmp_path, image=GREY, target=labels))
    assert found.names == names
    assert found.labels.tolist() == CLASSES.tolist()


@pytest.mark.parametrize("first", [0, 1])
def test_names_belong_to_labels_from_0_or_from_1(tmp_path: Path, first: int) -> None:
    names = np.array(["bee", "ant", "cat"])
    found = npz_images(save(tmp_path, x=GREY, y=CLASSES + first, class_names=names))
    assert found.names == ("bee", "ant", "cat")  # in the order of their labels
    assert found.labels.tolist() == CLASSES.tolist()


def test_a_name_without_images_is_left_out_and_told(tmp_path: Path) -> None:
    path = save(tmp_path, x=GREY, y=CLASSES, classes=np.array(["a", "b", "c", "d"]))
    found = npz_images(path)
    assert found.names == ("a", "b", "c")
    assert found.notes == ["the class d has no image and is left out"]


# names of images, names of labels, and the splits that they are formatted with
SPLIT_KEYS = {
    "MedMNIST": ("{}_images", "{}_labels", ("train", "val", "test")),
    "Keras": ("x_{}", "y_{}", ("train", "valid", "test")),
    "camels": ("{}X", "{}Y", ("train", "validation", "test")),
    "capitals": ("X{}", "y{}", ("train", "val", "test")),
    "paths": ("{}__image", "{}__label", ("training", "dev", "testing")),
    "a prefix": ("my_{}_data", "my_{}_targets", ("train", "val", "test")),
}


@pytest.mark.parametrize(("images", "labels", "splits"), SPLIT_KEYS.values(), ids=SPLIT_KEYS)
def test_given_splits_are_kept(
    tmp_path: Path, images: str, labels: str, splits: tuple[str, ...]
) -> None:
    arrays = {}
    for place, split in enumerate(splits):
        arrays[images.format(split)] = GREY[place * 2 :][:2]
        arrays[labels.format(split)] = CLASSES[place * 2 :][:2]
    found = npz_images(save(tmp_path, **arrays))
    assert found.splits.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(loaded(found), GREY)
    assert found.labels.tolist() == CLASSES.tolist()
    assert found.reader.place(3) == f"row 1 of {images.format(splits[1]).replace('__', '/')}"


def test_names_beside_splits_and_labels_of_another_prefix_are_taken(tmp_path: Path) -> None:
    splits = {"x_train": GREY, "y_train": CLASSES, "x_test": GREY, "y_test": CLASSES}
    found = npz_images(save(tmp_path, **splits, classes=np.array(["b", "a", "c"])))
    assert (found.names, len(found)) == (("b", "a", "c"), 12)
    assert npz_images(save(tmp_path, images=GREY, digit_label=CLASSES)).names == ("0", "1", "2")


def test_what_says_nothing_of_images_or_labels_is_not_taken() -> None:
    assert parse_key("bounding_boxes") is parse_key("weights") is None
    key = parse_key("emnist-letters-test-images")
    assert key == array_keys.Key("emnist_letters", 2, "images")


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let arrays be read in pieces of a few bytes, as large ones are."""

    def few(n: int) -> None:
        monkeypatch.setattr(rows, "PIECE", n)
        monkeypatch.setattr(array_files, "LARGEST_HELD", 0)

    return few


@pytest.mark.parametrize("size", [1, GREY[0].nbytes * 4, 10**6])
def test_large_arrays_are_read_in_pieces_in_any_order(
    tmp_path: Path, pieces: Callable[[int], None], size: int
) -> None:
    pieces(size)
    path = save(tmp_path, x_train=GREY, y_train=CLASSES, x_test=GREY[::-1], y_test=CLASSES)
    np.save(tmp_path / "x.npy", GREY)
    np.save(tmp_path / "y.npy", CLASSES)
    for found in (npz_images(path), npy_images(tmp_path / "y.npy")):
        both = np.concatenate([GREY, GREY[::-1]])[: len(found)]
        assert np.array_equal(loaded(found), both)
        for index in RANDOM.permutation(len(found)):
            assert np.array_equal(np.asarray(found.reader.load(index)), both[index])


def test_a_damaged_piece_is_told(tmp_path: Path, pieces: Callable[[int], None]) -> None:
    pieces(1000)
    images = RANDOM.integers(0, 256, (600, 20, 20), np.uint8)
    path = save(tmp_path, images=images, labels=np.arange(600) % 3)
    found, content = npz_images(path), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"mine.npz is damaged or cannot be read"):
        loaded(found)


def test_a_pair_of_npy_files_is_found_from_the_folder_or_either_file(tmp_path: Path) -> None:
    for name, array in {
        "images": COLOUR,
        "labels": CLASSES,
        "names": np.array(["c", "b", "a"]),
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
    for path in (tmp_path, tmp_path / "images.npy", tmp_path / "labels.npy"):
        found = npy_images(path)
        assert np.array_equal(loaded(found), COLOUR)
        assert found.names == ("c", "b", "a")
        assert found.name == labelled_arrays.plain_name(tmp_path)


def test_a_file_is_joined_by_its_own_pair_only(tmp_path: Path) -> None:
    pairs = {
        "cats_images": GREY,
        "cats_labels": CLASSES,
        "dogs_images": COLOUR,
        "dogs_labels": CLASSES,
    }
    for name, array in pairs.items():
        np.save(tmp_path / f"{name}.npy", array)
    assert loaded(npy_images(tmp_path / "dogs_labels.npy")).shape == COLOUR.shape
    with pytest.raises(InputError, match="several sets"):
        npy_images(tmp_path)
    np.save(tmp_path / "other.npy", GREY)
    with pytest.raises(InputError, match=r"other.npy holds one array.*images.npy and labels.npy"):
        npy_images(tmp_path / "other.npy")
    (tmp_path / "cats_labels.npy").unlink()
    with pytest.raises(InputError, match="no array `labels`"):
        npy_images(tmp_path / "cats_images.npy")


@pytest.mark.parametrize("damage", ["cut off", "empty", "objects"])
def test_a_damaged_npy_file_is_refused(tmp_path: Path, damage: str) -> None:
    np.save(tmp_path / "labels.npy", CLASSES)
    path = tmp_path / "images.npy"
    np.save(path, GREY if damage != "objects" else np.array([None] * 6))
    if damage != "objects":
        path.write_bytes(path.read_bytes()[: -9 if damage == "cut off" else 0])
    with pytest.raises(InputError, match=r"images.npy.*save"):
        npy_images(tmp_path)


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    first = npz_images(save(tmp_path, images=GREY, labels=CLASSES)).fingerprint
    assert npz_images(tmp_path / "mine.npz").fingerprint == first
    assert npz_images(save(tmp_path, images=GREY[:5], labels=CLASSES[:5])).fingerprint != first


def test_arrays_in_python_are_taken_like_those_of_a_file() -> None:
    import torch

    found = array_images(torch.from_numpy(GREY / 255), CLASSES.tolist(), ["c", "b", "a"], "My set")
    assert np.array_equal(loaded(found), GREY)
    assert (found.name, found.names) == ("My-set", ("c", "b", "a"))
    assert found.fingerprint == array_images(GREY / 255, CLASSES, ["c", "b", "a"]).fingerprint
    assert found.fingerprint != array_images(GREY / 255, CLASSES[::-1], ["c", "b", "a"]).fingerprint
    with pytest.raises(InputError, match="one label for each image"):
        array_images(GREY, CLASSES[1:])
