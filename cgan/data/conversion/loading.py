"""Loads the images of a source in order, converts several at a time, and keeps them; no torch."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from cgan.data.conversion.pixels import Conversion, Converted, Loaded, convert
from cgan.data.conversion.staging import Staging
from cgan.data.importing.found import FoundImages, UnreadableError
from cgan.runtime.progress import Progress

CHUNK = 256  # images that are in memory at once
THREADS = min(8, os.cpu_count() or 1)
IN_FLIGHT = 4 * THREADS  # images that are decoded, or wait for it
EVERY = 2.0  # seconds between two checkpoints


def convert_all(found: FoundImages, staging: Staging, progress: Progress) -> None:
    """Add all images that are not there yet, with a checkpoint from time to time.

    Args:
        found: the images of the source.
        staging: gets them.
        progress: shows how many are done.

    Raises:
        InputError: the source is damaged.
        OSError: there is no room.
    """
    staging.open()
    saved_at = progress.clock()
    try:
        with progress.bar(len(found), f"importing {found.name}", staging.done) as bar:
            for results in _converted(found, staging.conversion, staging.done):
                staging.add(results)
                bar.advance(len(results))
                if progress.clock() - saved_at > EVERY:
                    staging.checkpoint()
                    saved_at = progress.clock()
        staging.checkpoint()
    finally:
        staging.close()


def _converted(
    found: FoundImages, conversion: Conversion, first: int
) -> Iterator[list[Converted | str]]:
    """Yield images from number `first` in chunks, or the reasons why they cannot be read."""
    chunk = []
    for result in _each(found, conversion, first):
        chunk.append(result)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _each(found: FoundImages, conversion: Conversion, first: int) -> Iterator[Converted | str]:
    """Yield images from number `first`, or the reasons why they cannot be read.

    They are loaded in order, which some sources need, and decoded and resized in several threads,
    because Pillow lets these run at the same time.
    """

    def one(image: Loaded) -> Converted | str:
        try:
            return convert(image, conversion)
        except UnreadableError as error:
            return str(error)

    started: deque[Callable[[], Converted | str]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for index in range(first, len(found)):
            try:
                image = found.reader.load(index)
            except UnreadableError as error:
                started.append(partial(str, error))
            else:  # an array is done sooner than a thread could begin
                inline = isinstance(image, np.ndarray)
                started.append(partial(one, image) if inline else pool.submit(one, image).result)
            if len(started) > IN_FLIGHT:
                yield started.popleft()()
        while started:
            yield started.popleft()()
