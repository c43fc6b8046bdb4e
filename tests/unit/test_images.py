import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgan.data.grids import CELL, FRAME, GROUND
from cgan.data.images import MOST_SHOWN, Images
from cgan.runtime.errors import InputError


def some(n: int, channels: int = 1) -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (n, channels, 28, 28), dtype=np.uint8)
    return Images(pixels, np.arange(n) % 10)


def picture(images: Images) -> Image.Image:
    content = images._repr_png_()
    assert content is not None
    return Image.open(io.BytesIO(content))


def test_an_index_gives_images_with_their_own_labels() -> None:
    images = some(12)
    assert len(images) == 12
    assert images[3].labels.tolist() == [3]
    assert images[-1].labels.tolist() == [1]
    assert images[2:5].labels.tolist() == [2, 3, 4]
    assert images[images.labels == 1].labels.tolist() == [1, 1]
    assert images[[7, 0]].labels.tolist() == [7, 0]
    assert np.array_equal(images[[7, 0]].images, images.images[[7, 0]])
    assert [int(image.labels[0]) for image in images] == [*range(10), 0, 1]


def test_what_heeds_no_label_stays_so_after_slicing() -> None:
    images = some(4)
    assert images[:2].requested
    assert not Images(images.images, images.labels, requested=False)[:2].requested


@pytest.mark.parametrize("index", [12, -13, (0, 0)])
def test_an_index_beyond_the_images_is_one(index: int | tuple[int, int]) -> None:
    with pytest.raises(IndexError):
        some(12)[index]


def test_the_representation_is_a_line() -> None:
    assert repr(some(1200)) == "<1,200 Images of 1x28x28>"


def test_a_notebook_shows_enlarged_images_on_a_ground_that_is_neither_black_nor_white() -> None:
    shown = picture(some(16))
    assert shown.size == (10 * (CELL + FRAME) + FRAME, 2 * (CELL + FRAME) + FRAME)
    assert shown.getpixel((0, 0)) == (GROUND,) * 3
    assert 64 <= GROUND <= 192
    pixels = np.asarray(shown)[FRAME : FRAME + CELL, FRAME : FRAME + CELL, 0]
    assert np.array_equal(pixels[::2, ::2], some(16).images[0, 0])  # each pixel twice
    assert np.array_equal(pixels[1::2, 1::2], some(16).images[0, 0])


def test_a_notebook_shows_colours_and_a_single_image() -> None:
    image = some(1, channels=3)
    assert picture(image).size == (CELL + 2 * FRAME, CELL + 2 * FRAME)
    pixels = np.asarray(picture(image))[FRAME : FRAME + CELL : 2, FRAME : FRAME + CELL : 2]
    assert np.array_equal(pixels.transpose(2, 0, 1), image.images[0])


def test_a_notebook_shows_so_many_and_says_that_there_are_more() -> None:
    assert picture(some(MOST_SHOWN + 1)).height > picture(some(MOST_SHOWN)).height
    assert picture(some(5000)).size == picture(some(MOST_SHOWN + 1)).size
    assert some(5)[:0]._repr_png_() is None


@pytest.mark.parametrize("name", ["x.png", "x.npz", "folder"])
def test_images_are_saved_in_the_form_that_the_path_asks_for(name: str, tmp_path: Path) -> None:
    images = some(3)
    images.save(str(tmp_path / name))
    if name == "x.npz":
        with np.load(tmp_path / name) as found:
            assert np.array_equal(found["images"], images.images)
            assert np.array_equal(found["labels"], images.labels)
    elif name == "folder":
        names = sorted(path.name for path in (tmp_path / name).iterdir())
        assert names == [f"{i:05d}-label-{i}.png" for i in range(3)]
    else:
        assert Image.open(tmp_path / name).size == (3 * 30, 30)


def test_images_are_not_saved_as_what_they_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"end it in .png or .npz"):
        some(3).save(tmp_path / "x.jpg")
    with pytest.raises(InputError, match="no images"):
        some(3)[:0].save(tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, 1, 4, 4)), np.arange(2)),
        (np.zeros((2, 4, 4), np.uint8), np.arange(2)),
        (np.zeros((2, 1, 4, 4), np.uint8), np.arange(3)),
        (np.zeros((2, 1, 4, 4), np.uint8), np.zeros(2)),
        ([[[[0]]]], [0]),
    ],
)
def test_arrays_of_another_kind_are_no_images(images: object, labels: object) -> None:
    with pytest.raises(InputError, match="must be a numpy array"):
        Images(images, labels)  # type: ignore[arg-type]
