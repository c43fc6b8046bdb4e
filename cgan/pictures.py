"""Pictures made of arrays: grids of images with or without titles; no torch."""

import io
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cgan.errors import InputError
from cgan.files import make_folder, write_bytes

GREEN, RED, INK = "#1b7f3b", "#c0261c", "#222222"
COLUMNS = 10


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


def write_grid(images: NDArray[np.uint8], path: Path, gap: int = 2) -> None:
    """Write images uint8 [N, C, H, W] as one PNG, pixel for pixel."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(mosaic(images, min(COLUMNS, len(images)), gap)).save(
        stream, format="png", optimize=True
    )
    write_bytes(path, stream.getvalue())


def write_images(images: NDArray[np.uint8], labels: NDArray[np.int64], out: Path) -> None:
    """Write images uint8 [N, C, H, W] and labels int64 [N] in the form that `out` asks for.

    FILE.png: a grid. FILE.npz: arrays `images` and `labels`. Without a suffix: a folder of one
    PNG an image, named by its number and its label.

    Raises:
        InputError: another suffix, or a place that cannot be written to.
    """
    if out.suffix not in (".png", ".npz", ""):
        raise InputError(f"--out {out}: end it in .png or .npz, or name a folder without a dot")
    make_folder(out if out.suffix == "" else out.parent, "--out")
    if out.suffix == ".png":
        write_grid(images, out)
    elif out.suffix == ".npz":
        stream = io.BytesIO()
        np.savez_compressed(stream, images=images, labels=labels)
        write_bytes(out, stream.getvalue())
    else:
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            write_grid(image[None], out / f"{i:05d}-label-{label}.png", gap=0)


def sample_grid(
    images: NDArray[np.uint8],
    targets: NDArray[np.int64] | None,
    answers: NDArray[np.int64],
    title: str,
    path: Path,
) -> None:
    """Write a PNG of images uint8 [N, C, H, W], each titled with its target and its answer.

    The title is green with a tick where target T and the classifier's answer C agree, red with a
    cross where not; without targets it is the answer alone.
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
    write_figure(_titled(images, texts, colours, title), path)


def pair_grid(
    above: NDArray[np.uint8],
    below: NDArray[np.uint8],
    distances: NDArray[np.float64],
    title: str,
    path: Path,
) -> None:
    """Write a PNG of images uint8 [N, C, H, W], each over the one at its distance from it."""
    pairs = np.concatenate([above, below], axis=2)
    texts = [f"{distance:.3f}" for distance in distances]
    write_figure(_titled(pairs, texts, [INK] * len(texts), title), path)


def _titled(images: NDArray[np.uint8], texts: list[str], colours: list[str], title: str) -> Figure:
    # one picture and N texts, not N axes: a tenth of the time
    height, width = images.shape[2:]
    gap = 9
    sheet = mosaic(images, COLUMNS, gap)
    inches = COLUMNS * 0.8 / sheet.shape[1]
    figure = Figure(
        figsize=(COLUMNS * 0.8, sheet.shape[0] * inches + 0.5), dpi=100, layout="constrained"
    )
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    axes.set_ylim(sheet.shape[0] - gap / 2, -gap)
    for i, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        axes.text(
            (i % COLUMNS) * (width + gap) + width / 2,
            (i // COLUMNS) * (height + gap) - 1.5,
            text,
            color=colour,
            fontsize=8,
            ha="center",
            va="bottom",
        )
    figure.suptitle(title, fontsize=10)
    return figure


def figure_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    FigureCanvasAgg(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    write_bytes(path, figure_bytes(figure))
