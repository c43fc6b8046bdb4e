"""The film of a training: what is in the folder comes out of it again, pixel for pixel."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from cgan.data.grids import COLUMNS, FRAMES, film_bytes, sheet_bytes, spread
from cgan.io.journal import checksums
from cgan.runtime.errors import InputError
from cgan.training.film import ROWS, TITLE, Film, frame_name
from cgan.training.run_writer import RunWriter


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    with RunWriter(tmp_path, "x") as opened:
        yield opened


def frames_of(n_frames: int, *shape: int) -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, shape, dtype=np.uint8) for _ in range(n_frames)]


@pytest.mark.parametrize("n_images", [1, 7, 10, 13, 60])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("n_frames", [1, 3])
def test_the_pictures_are_those_of_frames_in_memory(
    writer: RunWriter, n_frames: int, channels: int, n_images: int
) -> None:
    frames = frames_of(n_frames, n_images, channels, 8, 12)
    check_pictures(writer, frames)


def test_of_many_frames_the_same_ones_are_shown(writer: RunWriter) -> None:
    check_pictures(writer, frames_of(61, 3, 1, 4, 4))


def check_pictures(writer: RunWriter, frames: list[NDArray[np.uint8]]) -> None:
    film = Film(writer, frames[0].shape)
    epochs = [i / 4 for i in range(1, len(frames) + 1)]
    for number, frame in enumerate(frames, start=1):
        film.add(number, frame)
        if number % 2:  # some are in the folder, some are not yet
            writer.publish()
    film.finish(epochs)
    writer.publish()
    names = [f"{epoch:.4g}" for epoch in epochs]
    wanted = film_bytes(frames, [f"epoch {name}" for name in names])
    assert (writer.folder / "samples.gif").read_bytes() == wanted
    rows = spread(len(frames), ROWS)
    images = np.concatenate([frames[row][:COLUMNS] for row in rows])
    heads = [""] * len(frames[0][:COLUMNS])
    wanted = sheet_bytes(images, heads, [names[row] for row in rows], TITLE)
    assert (writer.folder / "samples.png").read_bytes() == wanted


def test_a_frame_is_a_lossless_mosaic_without_gaps(writer: RunWriter) -> None:
    (frame,) = frames_of(1, 20, 1, 8, 12)
    Film(writer, (20, 1, 8, 12)).add(1, frame)
    with Image.open(io.BytesIO(writer.read("frames/00001.png", 2**20))) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (2 * 8, 10 * 12)
    assert np.array_equal(pixels[8:, 12:24], frame[11, 0])


def test_only_frames_that_are_shown_are_read(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Film(writer, (2, 1, 4, 4))
    for number, frame in enumerate(frames_of(200, 2, 1, 4, 4), start=1):
        film.add(number, frame)
    read: list[str] = []
    honest = RunWriter.read

    def counted(self: RunWriter, name: str, largest: int) -> bytes:
        read.append(name)
        return honest(self, name, largest)

    monkeypatch.setattr(RunWriter, "read", counted)
    film.finish([float(i) for i in range(200)])
    assert len(read) == len(set(read)) <= FRAMES + ROWS


@pytest.mark.parametrize("content", [b"", b"no picture", None, "smaller", "cut"])
def test_a_frame_that_cannot_be_read_is_left_out(
    writer: RunWriter, content: bytes | str | None
) -> None:
    film = Film(writer, (10, 1, 4, 4))
    for number, frame in enumerate(frames_of(3, 10, 1, 4, 4), start=1):
        film.add(number, frame)
    writer.publish()
    path = writer.folder / frame_name(2)
    if content == "smaller":
        Image.new("L", (4, 4)).save(path)
    elif isinstance(content, str):
        path.write_bytes(path.read_bytes()[:60])
    elif content is not None:
        path.write_bytes(content)
    else:
        path.unlink()
    film.finish([1.0, 2.0, 3.0])
    with Image.open(io.BytesIO(writer.read("samples.gif", 2**20))) as gif:
        assert getattr(gif, "n_frames", 1) == 2


def test_without_a_frame_there_is_no_film(writer: RunWriter) -> None:
    film = Film(writer, (10, 1, 4, 4))
    film.finish([])
    film.finish([1.0])
    assert not writer.has("samples.gif")
    assert not writer.has("samples.png")


def test_a_repeated_frame_replaces_the_old_one_and_later_ones_go(writer: RunWriter) -> None:
    film = Film(writer, (2, 1, 4, 4))
    frames = frames_of(4, 2, 1, 4, 4)
    for number, frame in enumerate(frames, start=1):
        film.add(number, frame)
    writer.publish()
    film.resume(2)
    writer.forget()  # a rollback before the next commit
    film.add(3, frames[0])
    writer.publish()
    names = [frame_name(number) for number in (1, 2, 3)]
    assert sorted(checksums(writer.folder)) == names
    contents = [(writer.folder / name).read_bytes() for name in names]
    assert contents[2] == contents[0] != contents[1]
    assert not (writer.folder / frame_name(4)).exists()


def test_the_film_in_a_checkpoint_of_format_1_becomes_frames(writer: RunWriter) -> None:
    film = Film(writer, (2, 1, 4, 4))
    frames = frames_of(3, 2, 1, 4, 4)
    film.resume(3, torch.from_numpy(np.stack(frames)))
    writer.forget()  # a rollback before the next commit
    writer.publish()
    other = Film(writer, (2, 1, 4, 4))
    other.add(4, frames[1])
    assert writer.read(frame_name(2), 2**20) == writer.read(frame_name(4), 2**20)


@pytest.mark.parametrize("shape", [(), (1, 2), (1, 60, 1, 9, 9), (2, 60, 1, 28, 28)])
def test_a_film_of_another_shape_is_refused(writer: RunWriter, shape: tuple[int, ...]) -> None:
    film = Film(writer, (60, 1, 28, 28))
    with pytest.raises(InputError, match="pictures"):
        film.resume(1, torch.zeros(shape, dtype=torch.uint8))
    with pytest.raises(InputError, match="pictures"):
        film.resume(1, torch.zeros(1, 60, 1, 28, 28))
