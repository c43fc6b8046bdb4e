"""The unfinished import: a locked folder with the pixels so far, from which an import goes on.

Images are added in chunks. The file that tells how many there are is written last, so whatever is
behind them was left by a killed import and is overwritten.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import Timeout
from numpy.typing import NDArray

from cgan.data.conversion.pixels import Conversion, Converted
from cgan.io.files import json_bytes, write_bytes
from cgan.io.journal import LOCK, locked
from cgan.io.strict import read_json
from cgan.runtime.errors import InputError

PREFIX = ".importing-"  # begins the names of these folders
STATE = "state.json"
FORMAT = 1  # of the state
LARGEST_STATE = 2**20  # bytes
PIXELS, RECORDS = "pixels", "records"
STORE = "store"  # the finished data set, before it is moved
MOST_REASONS = 200  # different modes, and reasons why images cannot be read
OTHER = "other"
# of each image: its original size, its mode and why it was left out, by number, and what was done
RECORD = np.dtype(
    [
        ("height", "<u4"),
        ("width", "<u4"),
        ("mode", "u1"),
        ("reason", "u1"),  # 0: it was read
        ("lost_colour", "?"),
        ("clipped", "?"),
        ("transparent", "?"),
    ]
)


class Staging:
    """Images that were converted so far, in the order in which they were found.

    Attributes:
        folder: holds everything.
        conversion: what is done to each image.
        done: images that were tried.
        kept: those that could be read.
    """

    def __init__(self, folder: Path, key: str, conversion: Conversion):
        """Start with nothing; `key` tells whether another import may go on from here."""
        self.folder, self.conversion, self._key = folder, conversion, key
        self.done = self.kept = 0
        self._words: dict[str, list[str]] = {"mode": [], "reason": ["read"]}
        self._files: tuple[BinaryIO, BinaryIO] | None = None  # pixels and records, while open

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.conversion.channels, self.conversion.size, self.conversion.size

    def begin(self) -> None:
        """Remove what is there.

        Raises:
            OSError: the folder cannot be written to.
        """
        clear(self.folder)
        self._save()

    def resume(self) -> bool:
        """Go on from what an earlier import with the same key left; return whether there is any."""
        try:
            state = read_json(self.folder / STATE, LARGEST_STATE)
            if state["key"] != self._key or state["format"] != FORMAT:
                return False
            conversion = Conversion(**state["conversion"])
            words = {name: [str(word) for word in state[name]] for name in self._words}
            done, kept = int(state["done"]), int(state["kept"])
            n_bytes = kept * conversion.channels * conversion.size**2
            enough = [
                (self.folder / PIXELS).stat().st_size >= n_bytes,
                (self.folder / RECORDS).stat().st_size >= done * RECORD.itemsize,
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if not all(enough):
            return False
        self.conversion, self._words, self.done, self.kept = conversion, words, done, kept
        return True

    def open(self) -> None:
        """Prepare to add images behind those that are there."""
        n_bytes = self.kept * int(np.prod(self.shape))
        pixels = _cut(self.folder / PIXELS, n_bytes)
        self._files = pixels, _cut(self.folder / RECORDS, self.done * RECORD.itemsize)

    def add(self, results: Sequence[Converted | str]) -> None:
        """Add images, or the reasons why they cannot be read, and write them to the disk.

        Raises:
            OSError: there is no room.
        """
        assert self._files is not None
        pixels_file, records_file = self._files
        records = np.zeros(len(results), RECORD)
        good = [one for one in results if not isinstance(one, str)]
        for record, one in zip(records, results, strict=True):
            if isinstance(one, str):
                record["reason"] = self._number("reason", one)
                continue
            record["height"], record["width"] = one.height, one.width
            record["mode"] = self._number("mode", one.mode)
            for flag in ("lost_colour", "clipped", "transparent"):
                record[flag] = getattr(one, flag)
        if good:
            images = np.stack([one.pixels for one in good])
            pixels_file.write(np.ascontiguousarray(images).data)
        records_file.write(records.tobytes())
        self.done += len(results)
        self.kept += len(good)

    def _number(self, kind: str, word: str) -> int:
        words = self._words[kind]
        if word not in words:
            if len(words) == MOST_REASONS:
                word = OTHER
            if word not in words:
                words.append(word)
        return words.index(word)

    def checkpoint(self) -> None:
        """Let another import go on from here.

        Raises:
            OSError: there is no room.
        """
        for stream in self._files or ():
            stream.flush()
            os.fsync(stream.fileno())
        self._save()

    def close(self) -> None:
        """Close the files; images after the last checkpoint are lost."""
        for stream in self._files or ():
            with suppress(OSError):  # a full disk, which was reported
                stream.close()
        self._files = None

    def _save(self) -> None:
        state = {
            "format": FORMAT,
            "key": self._key,
            "conversion": asdict(self.conversion),
            "done": self.done,
            "kept": self.kept,
            **self._words,
        }
        write_bytes(self.folder / STATE, json_bytes(state))

    def images(self) -> NDArray[np.uint8]:
        """Return the images uint8 [kept, C, H, W], memory-mapped."""
        return np.memmap(self.folder / PIXELS, np.uint8, "r", shape=(self.kept, *self.shape))

    def chunks(self, n_bytes: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the images in their order, uint8 [N, C, H, W] of about `n_bytes` at a time."""
        each = int(np.prod(self.shape))
        step = max(1, n_bytes // each)
        with (self.folder / PIXELS).open("rb") as stream:
            for first in range(0, self.kept, step):
                images = np.fromfile(stream, np.uint8, min(step, self.kept - first) * each)
                yield images.reshape(-1, *self.shape)

    def records(self) -> NDArray[np.void]:
        """Return a RECORD of each image that was tried: [done]."""
        return np.fromfile(self.folder / RECORDS, RECORD, self.done)

    def words(self, kind: str) -> list[str]:
        """Return what the numbers in the column "mode" or "reason" of the records stand for."""
        return list(self._words[kind])


def _cut(path: Path, n_bytes: int) -> BinaryIO:
    """Open a file to write behind its first bytes."""
    path.touch()
    stream = path.open("r+b")
    stream.truncate(n_bytes)
    stream.seek(n_bytes)
    return stream


def staging_folder(data_dir: Path, name: str, source: str, settings: Mapping[str, Any]) -> Path:
    """Return where a source is imported with given settings, until it is finished."""
    text = json.dumps([source, settings], sort_keys=True)
    return data_dir / f"{PREFIX}{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@contextmanager
def alone(folder: Path, source: object) -> Iterator[None]:
    """Let one process at a time import a source into a folder, which is created.

    Raises:
        InputError: another process does.
        OSError: it cannot be created.
    """
    try:
        with locked(folder):
            yield
    except InputError as error:
        if not isinstance(error.__cause__, Timeout):
            raise
        raise InputError(
            f"another process is importing {source}; wait until it has finished"
        ) from error


def clear(folder: Path) -> None:
    """Remove everything in a locked folder but its lock."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Remove an unfinished import, if there is one that no process goes on with."""
    if folder.is_dir():
        with suppress(InputError, OSError), locked(folder):
            clear(folder)


def counted(words: Sequence[str], numbers: NDArray[np.integer]) -> dict[str, int]:
    """Return how often each word is meant, the most frequent first."""
    counts = Counter(numbers.tolist())
    return {words[number]: n for number, n in counts.most_common()}
