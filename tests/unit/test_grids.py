import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from cgan.data.grids import FRAMES, film_bytes, mosaic, sample_grid, sheet_bytes
from cgan.data.images import write_images
from cgan.runtime.errors import InputError

LABELS = np.arange(12) % 4


def images(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, channels, 8, 6), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_mosaic_holds_every_image_where_it_belongs(channels: int) -> None:
    given = images(channels)
    sheet = mosaic(given, columns=5, gap=2)
    assert sheet.shape == (3 * 10, 5 * 8, 3)
    for i in range(12):
        top, left = (i // 5) * 10, (i % 5) * 8
        cell = sheet[top : top + 8, left : left + 6].transpose(2, 0, 1)
        assert np.array_equal(cell, np.broadcast_to(given[i], cell.shape))


def test_a_png_is_a_grid_without_loss(tmp_path: Path) -> None:
    write_images(images(1), LABELS, tmp_path / "grid.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "grid.png")), mosaic(images(1)))


def test_an_npz_holds_images_and_labels_as_promised(tmp_path: Path) -> None:
    write_images(images(3), LABELS, tmp_path / "new" / "all.npz")
    with np.load(tmp_path / "new" / "all.npz") as file:
        assert set(file) == {"images", "labels"}
        assert np.array_equal(file["images"], images(3))
        assert file["images"].dtype == np.uint8
        assert np.array_equal(file["labels"], LABELS)
        assert file["labels"].dtype == np.int64


def test_a_folder_gets_one_png_an_image_named_by_its_label(tmp_path: Path) -> None:
    write_images(images(1), LABELS, tmp_path / "each")
    files = sorted(path.name for path in (tmp_path / "each").iterdir())
    assert files == [f"{i:05d}-label-{i % 4}.png" for i in range(12)]
    assert Image.open(tmp_path / "each" / files[3]).size == (6, 8)


def test_another_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="npz"):
        write_images(images(1), LABELS, tmp_path / "new" / "grid.jpg")
    assert not (tmp_path / "new").exists()


def test_a_sample_grid_shows_agreement_in_green_and_the_rest_in_red() -> None:
    def colours(answers: np.ndarray) -> tuple[int, int]:
        grid = sample_grid(images(1) // 255, LABELS, answers, "title")
        pixels = np.asarray(Image.open(io.BytesIO(grid)).convert("RGB")).astype(int)
        red, green = pixels[..., 0], pixels[..., 1]
        return int((red - green > 80).sum()), int((green - red > 60).sum())

    reds, greens = colours(LABELS)
    assert reds == 0
    assert greens > 100
    reds, greens = colours((LABELS + 1) % 4)
    assert reds > 100
    assert greens == 0


def test_a_border_is_whole_and_green_where_the_discriminator_is_fooled() -> None:
    def colours(fooled: bool) -> tuple[int, int]:
        border = np.full(len(LABELS), fooled)
        grid = sample_grid(images(1) // 255, None, LABELS, "title", border)
        pixels = np.asarray(Image.open(io.BytesIO(grid)).convert("RGB")).astype(int)
        red, green = pixels[..., 0], pixels[..., 1]
        return int((red - green > 80).sum()), int((green - red > 60).sum())

    red, green = colours(True)
    assert red == 0
    broken, none = colours(False)
    assert none == 0
    assert 0.4 * green < broken < 0.7 * green


def test_a_film_has_a_frame_an_epoch_and_of_many_the_first_and_the_last() -> None:
    def frames(n: int) -> list[tuple[Any, int]]:
        shades = [np.full((12, 1, 8, 6), 255 * i // n, np.uint8) for i in range(n)]
        content = film_bytes(shades, [str(i) for i in range(n)])
        with Image.open(io.BytesIO(content)) as film:
            return [
                (frame.convert("L").getpixel((2, 2)), frame.info["duration"])
                for frame in ImageSequence.Iterator(film)
            ]

    assert frames(3) == [(0, 250), (85, 250), (170, 2000)]
    many = frames(100)
    assert len(many) == FRAMES
    assert (many[0][0], many[-1][0]) == (0, 255 * 99 // 100)


def test_names_stand_above_an_image_in_two_lines_no_wider_than_the_image() -> None:
    labels = np.array([0, 1, 0, 1])

    def picture(*names: str) -> Image.Image:
        shown = sample_grid(images(1)[:4], labels, labels[::-1].copy(), "title", names=names)
        return Image.open(io.BytesIO(shown))

    short, long, none = picture("cat", "dog"), picture("c" * 100, "W" * 100), picture()
    assert short.size == long.size
    assert short.width == none.width
    assert short.height > none.height
    assert short.tobytes() != long.tobytes()
    assert short.tobytes() == picture("cat", "dog").tobytes()


def test_large_images_are_reduced_and_small_ones_enlarged() -> None:
    for side, wide in ((8, 56), (28, 56), (64, 64), (96, 48), (128, 64)):
        sheet = sheet_bytes(np.zeros((1, 3, side, side), np.uint8), [""], [""], "")
        with Image.open(io.BytesIO(sheet)) as shown:
            dark = (np.asarray(shown.convert("L")) == 0).any(axis=0).sum()
        assert dark == wide
