"""The film of a training: one PNG file per evaluation, all from the same fixed inputs."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cgan.data.grids import COLUMNS, FRAMES, film_bytes, mosaic_bytes, sheet_bytes, spread
from cgan.runtime.errors import InputError
from cgan.training.run_writer import RunWriter

FOLDER = "frames"  # in the folder of a run
ROWS = 10  # most evaluations in samples.png
TITLE = "images from the same inputs; the numbers are epochs"


def frame_name(number: int) -> str:
    """Return the file name of a frame in the run's folder; the first evaluation has number 1."""
    return f"{FOLDER}/{number:05d}.png"


class Film:
    """The frames of a training. They are files in the run's folder, not in memory.

    A frame is a lossless mosaic of the images. It shows the first three channels of images with
    more than three, and the first channel of images with two.
    """

    def __init__(self, writer: RunWriter, shape: tuple[int, int, int, int]):
        """Store the writer of the run and the shape [N, C, H, W] of a frame's images."""
        self.writer, self.shape = writer, shape

    def add(self, number: int, images: NDArray[np.uint8], *, keep: bool = False) -> None:
        """Add a frame, images uint8 [N, C, H, W]; it replaces an older frame of that number."""
        self.writer.add({frame_name(number): mosaic_bytes(images, COLUMNS)}, keep=keep)

    def resume(self, n_frames: int, frames: Tensor | None = None) -> None:
        """Continue after `n_frames` frames; later frames in the folder will be removed.

        Args:
            n_frames: number of evaluations in the history.
            frames: uint8 [n_frames, N, C, H, W], from a checkpoint of format 1, which are added.

        Raises:
            InputError: `frames` has another number or shape of images.
        """
        if frames is not None:
            images = frames.numpy()
            if images.dtype != np.uint8 or images.shape != (n_frames, *self.shape):
                raise InputError("the checkpoint's pictures do not fit this training")
            for number, frame in enumerate(images, start=1):
                self.add(number, frame, keep=True)
        names = (f"{FOLDER}/{path.name}" for path in (self.writer.folder / FOLDER).glob("*.png"))
        wanted = {frame_name(number) for number in range(1, n_frames + 1)}
        self.writer.remove(name for name in names if name not in wanted)

    def finish(self, epochs: Sequence[float]) -> None:
        """Add samples.gif and samples.png, of at most FRAMES and ROWS frames.

        Missing and damaged frames are left out.

        Args:
            epochs: the epoch of each frame.
        """
        captions = [f"{epoch:.4g}" for epoch in epochs]
        there = [i for i in range(len(epochs)) if self.writer.has(frame_name(i + 1))]
        in_film, in_rows = _spread(there, FRAMES), _spread(there, ROWS)
        read = {i: self._read(i + 1) for i in {*in_film, *in_rows}}
        frames = {i: frame for i, frame in read.items() if frame is not None}
        film = [i for i in in_film if i in frames]
        rows = [i for i in in_rows if i in frames]
        if film:
            content = film_bytes([frames[i] for i in film], [f"epoch {captions[i]}" for i in film])
            self.writer.add({"samples.gif": content})
        if rows:
            images = [frames[i][:COLUMNS] for i in rows]
            sheet = sheet_bytes(
                np.concatenate(images), [""] * len(images[0]), [captions[i] for i in rows], TITLE
            )
            self.writer.add({"samples.png": sheet})

    def _read(self, number: int) -> NDArray[np.uint8] | None:
        """Return the images uint8 [N, 1 or 3, H, W] of a frame; None if it cannot be read."""
        n, channels, height, width = self.shape
        rows = -(-n // COLUMNS)
        largest = 2 * n * channels * height * width + 2**16
        try:
            content = self.writer.read(frame_name(number), largest)
            with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
                if picture.size != (COLUMNS * width, rows * height):
                    return None
                sheet = np.asarray(picture.convert("RGB" if channels >= 3 else "L"))
        except Exception:  # a damaged picture can raise any exception
            return None
        cells = sheet.reshape(rows, height, COLUMNS, width, -1).transpose(0, 2, 4, 1, 3)
        return cells.reshape(rows * COLUMNS, -1, height, width)[:n]


def _spread(numbers: Sequence[int], most: int) -> list[int]:
    return [numbers[i] for i in spread(len(numbers), most)] if numbers else []
