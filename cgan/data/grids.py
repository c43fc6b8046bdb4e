"""Turns arrays of images into pictures: grids with or without titles; no torch."""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cgan.runtime.wording import clipped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREEN, RED, INK = "#1b7f3b", "#c0261c", "#222222"
COLUMNS = 10
CELL, GAP, TEXT, HEAD = 56, 12, 16, 30  # pixels: image, gap, text above it, title of the sheet
MARGIN = 48  # left of a sheet, for the names of its rows
LINE = 18  # pixels of each further line of a title
LONGEST_BESIDE = 99  # largest label that stands beside another above an image
LEAST_LETTERS, MOST_LETTERS = 3, 24  # of the name of a class
DASH = 5  # pixels of a dash of a dashed border
FRAME, GROUND = 4, 96  # pixels around each image of a plain grid, and the grey of the background
FRAMES, GREYS, COLOURS = 24, 8, 64  # upper limits for a film: frames, and its palette
PALETTE = 256  # colours of a sheet


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
    sheet = mosaic(_resized(images, cell), min(COLUMNS, len(images)), gap=FRAME, ground=GROUND)
    height, width = sheet.shape[:2]
    size = width + FRAME, height + FRAME + (TEXT + FRAME if foot else 0)
    picture = Image.new("RGB", size, (GROUND,) * 3)
    picture.paste(Image.fromarray(sheet), (FRAME, FRAME))
    if foot:
        pen = ImageDraw.Draw(picture)
        pen.text((FRAME, size[1] - FRAME), foot, "white", _font(12), anchor="lb")
    return _png(picture)


def sample_grid(
    images: NDArray[np.uint8],
    targets: NDArray[np.int64] | None,
    answers: NDArray[np.int64],
    title: str,
    fooled: NDArray[np.bool_] | None = None,
    names: Sequence[str] = (),
) -> bytes:
    """Return a PNG of images uint8 [N, C, H, W], each titled with its target and prediction.

    The title is green with a tick if target T and the classifier's prediction C agree, otherwise
    red with a cross. Without targets it is the prediction alone. With the `names` of the classes,
    target and prediction are a line each, shortened to the width of an image. The border is green
    and solid if a discriminator was `fooled` (bool [N]), otherwise red and dashed.
    """
    if targets is None:
        texts = [f"C{_called(answer, names)}" for answer in answers]
        colours = [INK] * len(answers)
    else:
        right = targets == answers
        long = names or max(targets.max(), answers.max()) > LONGEST_BESIDE
        between = "\n" if long else " "
        texts = [
            f"T{_called(target, names)}{between}C{_called(answer, names)} {'✓' if hit else '✗'}"
            for target, answer, hit in zip(targets, answers, right, strict=True)
        ]
        colours = [GREEN if hit else RED for hit in right]
    return _png(_titled(images, texts, colours, title, fooled))


def _called(label: int, names: Sequence[str]) -> str:
    return f" {names[label]}" if names else str(label)


def _titled(
    images: NDArray[np.uint8],
    texts: list[str],
    colours: list[str],
    title: str,
    fooled: NDArray[np.bool_] | None,
) -> Image.Image:
    """Draw every image under its text, COLUMNS in a row; without matplotlib, in milliseconds."""
    shown = _resized(images, CELL)
    height, width = shown.shape[2:]
    room = TEXT + LINE * max(text.count("\n") for text in texts)
    across, down = max(width, CELL) + GAP, height + room + GAP
    rows = -(-len(images) // COLUMNS)
    head = HEAD + LINE * title.count("\n")
    sheet = Image.new("RGB", (COLUMNS * across + GAP, rows * down + head), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((sheet.width / 2, head / 2), title, INK, _font(13), anchor="mm", align="center")
    for i, (image, text, colour) in enumerate(zip(shown, texts, colours, strict=True)):
        left, top = GAP + (i % COLUMNS) * across, head + (i // COLUMNS) * down
        for number, line in enumerate(text.split("\n")):
            below = top + LINE * number
            line = _fitting(line, across - GAP // 3, _font(11))
            pen.text((left + width / 2, below), line, colour, _font(11), anchor="ma")
        sheet.paste(Image.fromarray(mosaic(image[None], 1, gap=0)), (left, top + room))
        if fooled is not None:
            corners = left - 2, top + room - 2, left + width + 1, top + room + height + 1
            _border(pen, corners, bool(fooled[i]))
    return sheet


def _fitting(text: str, width: float, font: ImageFont.FreeTypeFont) -> str:
    """Return a text, its middle left out as far as it is wider than `width` pixels."""
    for longest in range(min(len(text), MOST_LETTERS), LEAST_LETTERS, -1):
        if font.getlength(clipped(text, longest)) <= width:
            return clipped(text, longest)
    return clipped(text, LEAST_LETTERS)


def sheet_bytes(
    images: NDArray[np.uint8], columns: Sequence[str], rows: Sequence[str], title: str
) -> bytes:
    """Return a PNG of images uint8 [rows x columns, C, H, W], each row and column named.

    Long names of rows are shortened; a name may have several lines.
    """
    lines = [[clipped(line, MOST_LETTERS) for line in name.split("\n")] for name in rows]
    longest = max((len(line) for name in lines for line in name), default=0)
    table = mosaic(_resized(images, CELL), len(columns), 2 * GAP // 3)
    side = max(MARGIN, 7 * longest + GAP) if longest else GAP
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
    for i, texts in enumerate(lines):
        at = side - 6, head + (i + 0.45) * down
        pen.text(at, "\n".join(texts), INK, _font(11), anchor="rm", align="right")
    # as RGB, a sheet of colours is three times as large
    return _png(picture.quantize(PALETTE) if images.shape[1] >= 3 else picture)


def spread(n: int, most: int) -> list[int]:
    """Return at most `most` of the numbers 0 to n - 1, evenly spaced and including both ends."""
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, most))})


def _resized(images: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """Return images [N, C, H, W] with a width of about `cell`, two to four thirds of it.

    Pixels are repeated, or the means of squares of pixels are taken.
    """
    zoom, part = round(cell / images.shape[3]), round(images.shape[3] / cell)
    if part < 2:
        return images.repeat(max(1, zoom), axis=2).repeat(max(1, zoom), axis=3)
    n, channels, height, width = images.shape
    whole = images[:, :, : height - height % part, : width - width % part]
    squares = whole.reshape(n, channels, height // part, part, width // part, part)
    return squares.mean(axis=(3, 5)).round().astype(np.uint8)


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
        sheet = Image.fromarray(mosaic(_resized(frames[i], cell)))
        foot = HEAD if any(captions) else 0
        picture = Image.new("RGB", (sheet.width, sheet.height + foot), "white")
        picture.paste(sheet)
        at = (picture.width / 2, picture.height - HEAD / 2)
        ImageDraw.Draw(picture).text(at, captions[i], INK, _font(14), anchor="mm")
        most = COLOURS if frames[i].shape[1] >= 3 else GREYS
        pictures.append(picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=most))
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
