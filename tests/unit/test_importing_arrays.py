"""Images handed over as arrays: what is clear is taken, what is not is refused in a line."""

from typing import Any

import numpy as np
import pytest
import torch
from conftest import TOY

from cgan.data.importing.arrays import ArrayImages, classes, pixels
from cgan.data.importing.folders import require_classes
from cgan.data.spec import DataSpec
from cgan.runtime.errors import InputError

GREY = DataSpec("grey", 1, 6, 5, 4)
BYTES = np.random.default_rng(0).integers(0, 256, (8, 1, 6, 5), dtype=np.uint8)
BYTES[0, 0, 0, :2] = 0, 255  # the whole range, as in real images
COLOURS = np.random.default_rng(0).integers(0, 256, (7, *TOY.image_shape), dtype=np.uint8)

SAME: dict[str, Any] = {
    "as they are": BYTES,
    "without channels": BYTES[:, 0],
    "channels last": BYTES.transpose(0, 2, 3, 1),
    "whole numbers": BYTES.astype(np.int64),
    "from 0 to 1": BYTES / 255,
    "from 0 to 1 in short": (BYTES / 255).astype(np.float32),
    "from -1 to 1": BYTES.astype(np.float32) / 127.5 - 1,
    "rounded over the edge": BYTES / 255 * 1.0005,
    "a tensor": torch.from_numpy(BYTES),
    "a tensor with a gradient": (torch.from_numpy(BYTES) / 127.5 - 1).requires_grad_(),
    "a list": BYTES.tolist(),
    "in another order of memory": np.asfortranarray(BYTES),
}


@pytest.mark.parametrize("images", SAME.values(), ids=SAME)
def test_every_clear_form_is_the_same_images(images: Any) -> None:
    found = pixels(images, GREY)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert np.array_equal(found, BYTES)


def test_channels_may_come_last() -> None:
    assert np.array_equal(pixels(COLOURS.transpose(0, 2, 3, 1), TOY), COLOURS)


def test_numbers_in_half_precision_move_by_one_level_at_most() -> None:
    found = pixels((BYTES / 255).astype(np.float16), GREY)
    assert np.abs(found.astype(int) - BYTES).max() <= 1


UNCLEAR: dict[str, tuple[Any, str]] = {
    "floats from 0 to 255": (BYTES * 1.0, "floats from 0 to 255, not from 0 to 1"),
    "normalised": (BYTES / 255 / 0.3 - 0.4, "not from 0 to 1 or from -1 to 1"),
    "a little below 0": (BYTES / 255 * 1.1 - 0.1, "may mean 0 to 1 or -1 to 1"),
    "not finite": (np.where(BYTES == 255, np.nan, BYTES / 255), "not finite"),
    "infinite": (np.where(BYTES == 255, np.inf, BYTES / 255), "not finite"),
    "larger numbers": (BYTES.astype(int) * 257, "run from 0 to 65535"),
    "negative numbers": (BYTES.astype(int) - 1, "run from -1 to 254"),
    "truths": (BYTES > 9, "are bool"),
    "texts": (BYTES.astype(str), "are <U3"),
    "objects": (BYTES.astype(object), "are object"),
    "0 and 1": (BYTES // 255, "no pixel is above 1"),
    "another size": (BYTES[..., :4], r"shape \[8, 1, 6, 4\]; grey needs \[N, 1, 6, 5\]"),
    "one image": (BYTES[0, 0], r"shape \[6, 5\]"),
    "a number": (7, r"shape \[\]"),
    "none": (BYTES[:0], "holds no images"),
    "blank": (np.full_like(BYTES, 9), "are the same"),
    "rows of different lengths": ([[1], [2, 3]], "give an array"),
}


@pytest.mark.parametrize(("images", "message"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_not_clear_is_refused_in_a_line(images: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        pixels(images, GREY)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "labels", [[3, 0, 1], np.array([3, 0, 1], np.uint8), torch.tensor([3, 0, 1])]
)
def test_labels_of_any_kind_are_whole_numbers(labels: Any) -> None:
    found = classes(labels, 3, GREY)
    assert found.dtype == np.int64
    assert found.tolist() == [3, 0, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.0, 1.0, 2.0], "one whole number for each of the 3"),
        ([0, 1], "one whole number for each of the 3"),
        ([[0, 1, 2]], "one whole number for each of the 3"),
        ([0, 1, 4], "run from 0 to 4"),
        ([-1, 1, 2], "run from -1 to 2"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        classes(labels, 3, GREY)


def test_arrays_are_imported_with_their_labels_if_they_have_any() -> None:
    asked = ArrayImages(BYTES, np.arange(8) % 4).imported(GREY)
    assert asked.labels is not None
    assert asked.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert ArrayImages(BYTES).imported(GREY).labels is None


def test_images_may_be_required_of_every_class_that_is_scored() -> None:
    asked = ArrayImages(BYTES, np.arange(8) % 3).imported(GREY)
    assert asked.labels is not None
    with pytest.raises(InputError, match="the array: no image has the label 3"):
        require_classes(asked.labels.numpy(), range(4), "the array")
    require_classes(asked.labels.numpy(), range(3), "the array")
    kept = asked.without([1])
    assert kept.labels is not None
    assert kept.labels.tolist() == [0, 2, 0, 2, 0]
    assert torch.equal(kept.images, asked.images[asked.labels != 1])
    unlabelled = ArrayImages(BYTES).imported(GREY)
    assert unlabelled.without([1]) is unlabelled
