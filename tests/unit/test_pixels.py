"""Images of every mode become uint8 of one size; what need not change does not."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cgan.config.schema import ImportConfig
from cgan.data.conversion.pixels import Conversion, convert
from cgan.data.conversion.survey import Survey
from cgan.data.importing.found import UnreadableError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (16, 16), np.uint8)
COLOUR = RANDOM.integers(0, 256, (16, 16, 3), np.uint8)


def grey(image: Image.Image | NDArray[np.uint8], **settings: object) -> NDArray[np.uint8]:
    """Return an image as uint8 [16, 16]."""
    return convert(image, Conversion(16, 1, **settings)).pixels[0]  # type: ignore[arg-type]


def decided(*images: Image.Image | NDArray[np.uint8], **settings: object) -> Conversion:
    """Return what is done to a set of these images."""
    survey = Survey(ImportConfig(**settings))  # type: ignore[arg-type]
    for image in images:
        survey.add(image)
    return survey.conversion()


def stored(image: Image.Image, kind: str, **flags: object) -> Image.Image:
    """Return an image as Pillow opens it from a file."""
    stream = BytesIO()
    image.save(stream, kind, **flags)
    return Image.open(stream)


def test_an_image_of_the_right_size_and_mode_is_not_changed() -> None:
    for image in (GREY, Image.fromarray(GREY), stored(Image.fromarray(GREY), "png")):
        assert (grey(image) == GREY).all()
    for image in (COLOUR, Image.fromarray(COLOUR), stored(Image.fromarray(COLOUR), "bmp")):
        pixels = convert(image, Conversion(16, 3)).pixels
        assert pixels.shape == (3, 16, 16)
        assert (pixels == COLOUR.transpose(2, 0, 1)).all()


def as_palette(image: Image.Image) -> Image.Image:
    palette = Image.fromarray(GREY)
    palette = palette.convert("P")
    palette.putpalette([level for level in range(256) for _ in range(3)])
    return stored(palette, "gif")


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "RGB": lambda image: image.convert("RGB"),
    "palette": as_palette,
    "LA": lambda image: image.convert("LA"),
    "RGBA": lambda image: stored(image.convert("RGBA"), "png"),
    "16 bits": lambda image: stored(
        Image.fromarray(np.asarray(image).astype(np.uint16) * 257), "png"
    ),
    "32 bits": lambda image: Image.fromarray(np.asarray(image).astype(np.int32) * 257),
    "floats": lambda image: stored(
        Image.fromarray(np.asarray(image).astype(np.float32) / 255), "tiff"
    ),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_grey_image_is_the_same_in_every_mode(mode: str) -> None:
    same = MODES[mode](Image.fromarray(GREY))
    conversion = decided(same, size=16)
    assert conversion.channels == 1
    assert (convert(same, conversion).pixels[0] == GREY).all()


def test_ink_on_paper_is_white_where_the_paper_is() -> None:
    paper = np.kron(np.eye(2, dtype=bool), np.ones((8, 8), bool))
    assert (grey(Image.fromarray(paper)) == 255 * paper).all()
    cmyk = Image.fromarray(np.uint8(255) * paper).convert("RGB").convert("CMYK")
    assert (grey(stored(cmyk, "tiff")) == 255 * paper).all()


def test_deep_images_are_scaled_by_one_rule_for_the_whole_set() -> None:
    dark, bright = (Image.fromarray(np.full((16, 16), n, np.uint16)) for n in (1000, 4000))
    conversion = decided(dark, bright, size=16)  # 12 bits in 16
    assert conversion.high == 4095
    assert [int(convert(image, conversion).pixels.mean()) for image in (dark, bright)] == [62, 249]
    beyond = convert(Image.fromarray(np.full((16, 16), 9000, np.uint16)), conversion)
    assert beyond.clipped
    assert (beyond.pixels == 255).all()
    assert not convert(dark, conversion).clipped


@pytest.mark.parametrize(
    ("numbers", "low", "high"),
    [
        ([0, 1], 0, 1),
        ([-1, 1], -1, 1),
        ([0, 200], 0, 255),
        ([0, 65000], 0, 65535),
        ([-9, 5], -9, 5),
    ],
)
def test_the_range_of_numbers_is_the_nearest_common_one(
    numbers: Sequence[float], low: float, high: float
) -> None:
    conversion = decided(Image.fromarray(np.array([numbers], np.float32)))
    assert (conversion.low, conversion.high) == (low, high)


def test_images_of_two_levels_are_black_and_white() -> None:
    mask = GREY % 2
    conversion = decided(mask, size=16)
    assert set(np.unique(convert(mask, conversion).pixels)) == {0, 255}
    assert decided(mask, GREY).byte_top == 255


def disc(colour: int) -> Image.Image:
    """Return a disc of a grey on a transparent ground, below which is red."""
    y, x = np.mgrid[:32, :32] - 15.5
    alpha = np.uint8(255) * (x**2 + y**2 < 100)
    red, other = np.where(alpha > 0, colour, [[255]]), np.where(alpha > 0, colour, [[0]])
    return Image.fromarray(np.stack([red, other, other, alpha], 2).astype(np.uint8))


@pytest.mark.parametrize(("colour", "ground"), [(20, "white"), (200, "black"), (150, "white")])
def test_transparent_images_lie_on_white_unless_their_edges_are_nearly_white(
    colour: int, ground: str
) -> None:
    image = disc(colour)
    conversion = decided(image, size=16)
    assert (conversion.ground, conversion.channels) == (ground, 1)
    done = convert(image, conversion)
    assert done.transparent
    assert done.pixels[0, 0, 0] == {"white": 255, "black": 0}[ground]
    assert abs(int(done.pixels[0, 8, 8]) - colour) <= 1


def test_a_ground_may_be_chosen() -> None:
    corner = convert(disc(20), decided(disc(20), size=16, ground="corner")).pixels
    assert (corner[:, 0, 0] == np.array([255, 0, 0])).all()
    assert decided(disc(20), ground="black").ground == "black"


def test_images_lie_as_their_camera_held_them() -> None:
    wide = Image.fromarray(np.pad(GREY, ((0, 0), (0, 8))))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    done = convert(stored(wide, "png", exif=exif), Conversion(16, 1))
    assert (done.height, done.width) == (24, 16)
    upright = convert(wide.transpose(Image.Transpose.ROTATE_270), Conversion(16, 1)).pixels
    assert (done.pixels == upright).all()


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    film = stored(frames[0], "webp", save_all=True, append_images=frames[1:], lossless=True)
    done = convert(film, Conversion(16, 1))
    assert (done.pixels[0] == GREY).all()
    assert "first of several frames" in done.mode


def test_smaller_images_are_averages_and_not_samples() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    assert abs(grey(stripes).astype(int) - 128)[:, 2:-2].max() <= 3  # nearest: 0 or 255


def test_larger_images_are_smooth() -> None:
    edge = np.repeat(np.array([[0, 255]], np.uint8), 2, axis=0)
    assert len(np.unique(grey(edge))) > 4  # nearest: 2


def test_a_square_is_cropped_padded_or_stretched() -> None:
    wide = np.zeros((16, 32), np.uint8)
    wide[:, 8:24] = 200
    wide[:, :8] = 100
    assert (grey(wide, fit="crop") == 200).all()
    padded = grey(wide, fit="pad", padding="corner")
    assert (padded[[0, 3, 12, 15]] == 100).all()
    assert padded[8, 15] == 0
    assert (grey(wide, fit="pad", padding="white")[0] == 255).all()
    stretched = grey(wide, fit="stretch")
    assert (stretched[:, 1] == 100).all()
    assert (stretched[:, 14] < 4).all()


@pytest.mark.parametrize(
    ("sides", "size"), [((9,), 16), ((27,), 16), ((28,), 28), ((31, 33, 500), 32), ((2000,), 64)]
)
def test_the_size_is_the_largest_that_half_of_the_images_have(
    sides: Sequence[int], size: int
) -> None:
    assert decided(*(Image.new("L", (side, side + 9)) for side in sides)).size == size
    assert decided(Image.new("L", (50, 50)), size=100).size == 100


def test_equal_channels_are_grey_unless_colour_is_asked_for() -> None:
    tinted = np.repeat(GREY[:, :, None], 3, axis=2)
    tinted[..., 0] = tinted[..., 0] // 8 * 8  # as JPEG may store it
    assert decided(tinted).channels == 1
    assert decided(tinted, colour="colour").channels == 3
    assert decided(GREY, COLOUR).channels == 3
    assert decided(COLOUR, colour="grey").channels == 1
    assert convert(COLOUR, Conversion(16, 1)).lost_colour
    assert not convert(tinted, Conversion(16, 1)).lost_colour


def test_a_large_photograph_is_decoded_in_part_and_reported_whole(tmp_path: Path) -> None:
    slope = np.linspace(0, 255, 1600).astype(np.uint8)
    Image.fromarray(np.tile(slope, (1200, 1))).save(tmp_path / "a.jpg")
    photograph = Image.open(tmp_path / "a.jpg")
    done = convert(photograph, Conversion(16, 1))
    assert (done.height, done.width) == (1200, 1600)
    assert photograph.width == 200
    whole = convert(np.tile(slope, (1200, 1)), Conversion(16, 1)).pixels
    assert abs(done.pixels.astype(int) - whole).max() <= 2


def test_what_cannot_be_decoded_has_a_reason() -> None:
    stream = BytesIO()
    Image.fromarray(COLOUR).resize((99, 99)).save(stream, "png")
    half = BytesIO(stream.getvalue()[: len(stream.getvalue()) // 2])
    with pytest.raises(UnreadableError, match="damaged"):
        convert(Image.open(half), Conversion(16, 1))
    with pytest.raises(UnreadableError, match="finite"):
        convert(Image.fromarray(np.full((4, 4), np.nan, np.float32)), Conversion(16, 1))
