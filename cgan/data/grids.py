"""Turns arrays of images into pictures: grids with or without titles; no torch."""

import io
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cgan.io.files import output_folder, require_writable, require_writable_file, write_files
from cgan.runtime.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREEN, RED, INK = "#1b7f3b", "#c0261c", "#222222"
COLUMNS = 10
CELL, GAP, TEXT, HEAD = 56, 12, 16, 30  # pixels: image, gap, text above it, title of the sheet
MARGIN = 48  # left of a sheet, for the names of its rows
LINE = 18  # pixels of each further line of the title
DASH = 5  # pixels of a dash of a dashed border
FRAME, GROUND = 4, 96  # pixels around each image of a plain grid, and the grey of the background
FRAMES, COLOURS = 24, 8  # upper limits for a film


def mosaic(
    images: NDArray[np.uint8], columns: int = COLUMNS, gap: int = 2, ground: int = 255
) -> NDArray[np.uint8]:
    """Join images uint8 [N, C, H, W] into one [height, width, 3], row by row."""
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap), columns * (width + gap), 3), ground, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        colours = image[:3] if channels >= 3 else np.repeat(image[:1], 3, axis=0)
        sheet[top : top + height, left : left + width] = colours.transpose(1, 2, 0)
    return sheet


def mosaic_bytes(images: NDArray[np.uint8], columns: int, gap: int = 0) -> bytes:
    """Return images uint8 [N, C, H, W] as one PNG, pixel for pixel, `columns` in a row.

    Between them are `gap` pixels of a grey that differs from black and white images.
    """
    stream = io.BytesIO()
    sheet = mosaic(images, columns, gap, ground=GROUND)
    picture = Image.fromarray(sheet[: len(sheet) - gap, : sheet.shape[1] - gap])
    if images.shape[1] < 3:
        picture = picture.convert("L")
    picture.save(stream, format="png", optimize=True)
    return stream.getvalue()


def plain_grid_bytes(images: NDArray[np.uint8], gap: int = 2) -> bytes:
    """Return images uint8 [N, C, H, W] as one PNG, pixel for pixel."""
    stream = io.BytesIO()
    Image.fromarray(mosaic(images, min(COLUMNS, len(images)), gap)).save(
        stream, format="png", optimize=True
    )
    return stream.getvalue()


def grid_bytes(images: NDArray[np.uint8], foot: str = "", cell: int = CELL) -> bytes:
    """Return a PNG of images uint8 [N, C, H, W] enlarged to about `cell` pixels, COLUMNS in a row.

    The background is a grey that differs from black and white images, on light and dark pages. The
    text `foot` is written below.
    """
    sheet = mosaic(_enlarged(images, cell), min(COLUMNS, len(images)), gap=FRAME, ground=GROUND)
    height, width = sheet.shape[:2]
    size = width + FRAME, height + FRAME + (TEXT + FRAME if foot else 0)
    picture = Image.new("RGB", size, (GROUND,) * 3)
    picture.paste(Image.fromarray(sheet), (FRAME, FRAME))
    if foot:
        pen = ImageDraw.Draw(picture)
        pen.text((FRAME, size[1] - FRAME), foot, "white", _font(12), anchor="lb")
    return _png(picture)


def require_images_target(out: Path) -> None:
    """Check, before anything is computed, that images can be written to `out`.

    Raises:
        InputError: another suffix, or a path that cannot be written to.
    """
    if out.suffix not in (".png", ".npz", ""):
        raise InputError(f"--out {out}: end it in .png or .npz, or name a folder without a dot")
    if out.suffix:
        require_writable_file(out, "--out")
    else:
        require_writable(out, "--out")


def write_images(images: NDArray[np.uint8], labels: NDArray[np.int64], out: Path) -> None:
    """Write images uint8 [N, C, H, W] and labels int64 [N] in the format that `out` selects.

    FILE.png: a grid. FILE.npz: arrays `images` and `labels`. Without a suffix: a folder with one
    PNG per image, named by its number and its label.

    Raises:
        InputError: another suffix, or a path that cannot be written to.
        OSError: not all files can be written; none is.
    """
    require_images_target(out)
    with output_folder(out if out.suffix == "" else out.parent, "--out"):
        if out.suffix == "":
            write_files(out, _each(images, labels))
            return
        content = plain_grid_bytes(images) if out.suffix == ".png" else _npz(images, labels)
        write_files(out.parent, [(out.name, content)])


def _each(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the PNG of each image."""
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        yield f"{i:05d}-label-{label}.png", plain_grid_bytes(image[None], gap=0)


def _npz(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, images=images, labels=labels)
    return stream.getvalue()


def sample_grid(
    images: NDArray[np.uint8],
    targets: NDArray[np.int64] | None,
    answers: NDArray[np.int64],
    title: str,
    fooled: NDArray[np.bool_] | None = None,
) -> bytes:
    """Return a PNG of images uint8 [N, C, H, W], each titled with its target and prediction.

    The title is green with a tick if target T and the classifier's prediction C agree, otherwise
    red with a cross. Without targets it is the prediction alone. The border is green and solid if a
    discriminator was `fooled` (bool [N]), otherwise red and dashed.
    """
    if targets is None:
        texts, colours = [f"C{answer}" for answer in answers], [INK] * len(answers)
    else:
        right = targets == answers
        texts = [
            f"T{target} C{answer} {'✓' if hit else '✗'}"
            for target, answer, hit in zip(targets, answers, right, strict=True)
        ]
        colours = [GREEN if hit else RED for hit in right]
    return _png(_titled(images, texts, colours, title, fooled))


def _titled(
    images: NDArray[np.uint8],
    texts: list[str],
    colours: list[str],
    title: str,
    fooled: NDArray[np.bool_] | None,
) -> Image.Image:
    """Draw every image under its text, COLUMNS in a row; without matplotlib, in milliseconds."""
    shown = _enlarged(images, CELL)
    height, width = shown.shape[2:]
    across, down = max(width, CELL) + GAP, height + TEXT + GAP
    rows = -(-len(images) // COLUMNS)
    head = HEAD + LINE * title.count("\n")
    sheet = Image.new("RGB", (COLUMNS * across + GAP, rows * down + head), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((sheet.width / 2, head / 2), title, INK, _font(13), anchor="mm", align="center")
    for i, (image, text, colour) in enumerate(zip(shown, texts, colours, strict=True)):
        left, top = GAP + (i % COLUMNS) * across, head + (i // COLUMNS) * down
        pen.text((left + width / 2, top), text, colour, _font(11), anchor="ma")
        sheet.paste(Image.fromarray(mosaic(image[None], 1, gap=0)), (left, top + TEXT))
        if fooled is not None:
            corners = left - 2, top + TEXT - 2, left + width + 1, top + TEXT + height + 1
            _border(pen, corners, bool(fooled[i]))
    return sheet


def sheet_bytes(
    images: NDArray[np.uint8], columns: Sequence[str], rows: Sequence[str], title: str
) -> bytes:
    """Return a PNG of images uint8 [rows x columns, C, H, W], each row and column named."""
    table = mosaic(_enlarged(images, CELL), len(columns), 2 * GAP // 3)
    side = max(MARGIN, 7 * max(map(len, rows)) + GAP) if any(rows) else GAP
    head = HEAD + LINE * title.count("\n") + TEXT
    size = max(side + table.shape[1], 7 * max(map(len, title.split("\n")))), head + table.shape[0]
    side = max(side, (size[0] - table.shape[1]) // 2)
    picture = Image.new("RGB", size, "white")
    picture.paste(Image.fromarray(table), (side, head))
    pen = ImageDraw.Draw(picture)
    pen.text((size[0] / 2, (head - TEXT) / 2), title, INK, _font(12), anchor="mm", align="center")
    across, down = table.shape[1] / len(columns), table.shape[0] / max(1, len(rows))
    for i, name in enumerate(columns):
        pen.text((side + (i + 0.45) * across, head - 3), name, INK, _font(10), anchor="mb")
    for i, name in enumerate(rows):
        pen.text((side - 6, head + (i + 0.45) * down), name, INK, _font(11), anchor="rm")
    return _png(picture)


def spread(n: int, most: int) -> list[int]:
    """Return at most `most` of the numbers 0 to n - 1, evenly spaced and including both ends."""
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, most))})


def _enlarged(images: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """Enlarge images [N, C, H, W] to a width of about `cell` by repeating their pixels."""
    zoom = max(1, round(cell / images.shape[3]))
    return images.repeat(zoom, axis=2).repeat(zoom, axis=3)


def _border(pen: ImageDraw.ImageDraw, corners: tuple[int, int, int, int], whole: bool) -> None:
    left, top, right, bottom = corners
    if whole:
        pen.rectangle(corners, outline=GREEN, width=2)
        return
    for x in range(left, right, 2 * DASH):
        for y in (top, bottom - 1):
            pen.rectangle((x, y, min(x + DASH, right), y + 1), RED)
    for y in range(top, bottom, 2 * DASH):
        for x in (left, right - 1):
            pen.rectangle((x, y, x + 1, min(y + DASH, bottom)), RED)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # here: importing it takes a second

    # matplotlib's own, which has the tick and the cross
    return ImageFont.truetype(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"), size)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="png", compress_level=1)  # half the time, a seventh larger
    return stream.getvalue()


def film_bytes(
    frames: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    *,
    seconds: float = 0.25,
    cell: int = CELL // 2,
) -> bytes:
    """Return an animated GIF that repeats: each frame, images uint8 [N, C, H, W], over its caption.

    Of many frames only some are shown, the first and the last among them. With captions the last
    frame is shown for longer, as the result. An image is enlarged to about `cell` pixels.
    """
    pictures = []
    for i in spread(len(frames), FRAMES):
        sheet = Image.fromarray(mosaic(_enlarged(frames[i], cell)))
        foot = HEAD if any(captions) else 0
        picture = Image.new("RGB", (sheet.width, sheet.height + foot), "white")
        picture.paste(sheet)
        at = (picture.width / 2, picture.height - HEAD / 2)
        ImageDraw.Draw(picture).text(at, captions[i], INK, _font(14), anchor="mm")
        pictures.append(picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS))
    stream = io.BytesIO()
    times = [round(1000 * seconds)] * len(pictures)
    if any(captions):
        times[-1] = 2000
    rest = {"save_all": True, "append_images": pictures[1:], "duration": times, "loop": 0}
    pictures[0].save(stream, format="gif", optimize=True, **rest)
    return stream.getvalue()


def figure_bytes(figure: "Figure") -> bytes:
    """Return a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
