"""Writes the store of a data set: arrays in chunks, data.json, a picture; then one rename."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.conversion.staging import STORE, Staging
from cgan.data.grids import sheet_bytes, spread
from cgan.data.spec import SPLITS
from cgan.data.store import FACTS, FORMAT, Store, is_store, read_store
from cgan.io.files import json_bytes, sync, write_bytes, write_through
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

CHUNK_BYTES = 2**24  # of images that are copied at once
SAMPLES = "samples.png"
COLUMNS, MOST_ROWS, LONGEST_NAME = (
    10,
    40,
    24,
)  # of this picture: images of a class, classes, letters
MOST_SOURCES = 20  # that are remembered of one data set
Facts = dict[str, Any]


def write_store(
    staging: Staging,
    labels: NDArray[np.int64],
    splits: NDArray[np.int8],
    names: Sequence[str],
    facts: Mapping[str, Any],
    target: Path,
    progress: Progress,
) -> Store:
    """Write a data set, or keep the one that is there if it has the same content.

    Args:
        staging: has the images uint8 [N, C, H, W].
        labels: int64 [N], index into `names`.
        splits: int8 [N], index into SPLITS, or -1 to leave an image out.
        names: of the classes.
        facts: further entries of data.json; `source` is added to its `sources`.
        target: the path of the store without its checksum.
        progress: shows what is done.

    Raises:
        InputError: something else has the name of the data set.
        OSError: there is no room.
    """
    folder = staging.folder / STORE
    folder.mkdir(exist_ok=True)
    counts = {
        split: np.bincount(labels[splits == number], minlength=len(names)).tolist()
        for number, split in enumerate(SPLITS)
    }
    digests = _write_images(folder, staging, splits, progress)
    parts: dict[str, Facts] = {}
    for number, split in enumerate(SPLITS):
        mine = np.ascontiguousarray(labels[splits == number], np.int64)
        with (folder / f"{split}-labels.npy").open("wb") as stream:
            np.save(stream, mine)
        digests[number].update(mine.data)
        sha256 = digests[number].hexdigest()
        parts[split] = {"class_counts": counts[split], "sha256": sha256}
    channels, height, width = staging.shape
    content = {"channels": channels, "height": height, "width": width, "names": list(names)}
    checksum = _checksum({**content, "sha256": {name: p["sha256"] for name, p in parts.items()}})
    source = facts["source"]
    rest = {key: value for key, value in facts.items() if key != "source"}
    whole = {"format": FORMAT, **content, "splits": parts, **rest}
    write_through(folder / FACTS, json_bytes({**whole, "sources": [source]}))
    write_through(folder / SAMPLES, _samples(staging.images(), labels, splits, names, target.name))
    return _move(folder, target.with_name(f"{target.name}-{checksum}"), source)


def _write_images(
    folder: Path, staging: Staging, splits: NDArray[np.int8], progress: Progress
) -> list["hashlib._Hash"]:
    """Write the images of each split as an npy file; return the SHA-256 of each so far.

    The images are read once, in their order, and not mapped: pages of a mapped file count as memory
    of the process.
    """
    digests = [hashlib.sha256() for _ in SPLITS]
    with ExitStack() as files, progress.bar(len(splits), "writing") as bar:
        streams = [
            files.enter_context((folder / f"{name}-images.npy").open("wb")) for name in SPLITS
        ]
        for number, stream in enumerate(streams):
            shape = (int((splits == number).sum()), *staging.shape)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
        first = 0
        for images in staging.chunks(CHUNK_BYTES):
            mine = splits[first : first + len(images)]
            for number, (stream, digest) in enumerate(zip(streams, digests, strict=True)):
                chosen = images[mine == number]
                stream.write(chosen.data)
                digest.update(chosen.data)
            first += len(images)
            bar.advance(len(images))
    return digests


def _checksum(content: Facts) -> str:
    """Return the checksum of what a data set contains: 8 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def _move(folder: Path, target: Path, source: Facts) -> Store:
    """Let a finished data set appear; if it is there already, note where it also comes from."""
    if is_store(target.name, target.parent):
        add_source(read_store(target.name, target.parent), source)
        return read_store(target.name, target.parent)
    for path in folder.iterdir():
        sync(path)
    sync(folder)
    try:
        os.rename(folder, target)
    except OSError as error:
        if not target.exists():
            raise
        raise InputError(f"{target} is no whole data set; remove it and import again") from error
    sync(target.parent)
    return read_store(target.name, target.parent)


def add_source(store: Store, source: Facts) -> None:
    """Note in data.json where a data set comes from, the newest first.

    Raises:
        OSError: it cannot be written.
    """
    same = ("path", "settings")
    others = [
        one
        for one in store.facts.get("sources", [])
        if any(one.get(key) != source[key] for key in same)
    ]
    facts = {**store.facts, "sources": [source, *others][:MOST_SOURCES]}
    write_bytes(store.folder / FACTS, json_bytes(facts))


def _samples(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    splits: NDArray[np.int8],
    names: Sequence[str],
    title: str,
) -> bytes:
    """Return a PNG of the first images of each class; of many classes, of some."""
    shown = spread(len(names), MOST_ROWS)
    sheet = np.full((len(shown) * COLUMNS, *images.shape[1:]), 255, np.uint8)
    for row, label in enumerate(shown):
        first = np.flatnonzero((labels == label) & (splits >= 0))[:COLUMNS]
        sheet[row * COLUMNS : row * COLUMNS + len(first)] = images[first]
    some = f", {len(shown)} of {len(names)} classes" if len(shown) < len(names) else ""
    rows = [names[label] for label in shown]
    return sheet_bytes(
        sheet, [""] * COLUMNS, rows, f"{title}: the first images of each class{some}"
    )
