"""Gives pickles with malicious code to every function that loads networks or images."""

import io
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

import numpy as np
import torch

from cgan import load_classifier, load_generator
from cgan.data.importing.folders import read_images
from cgan.data.spec import DataSpec
from cgan.deploy.npz_network import read_network
from cgan.io.journal import MANIFEST
from cgan.io.run_layout import CHECKPOINT
from cgan.models.roles import load_discriminator
from cgan.runtime.errors import InputError
from cgan.training.checkpoint import read_checkpoint

REPOSITORY = Path(__file__).parent.parent.parent
SHIPPED = REPOSITORY / "cgan/weights"
SPEC = DataSpec("digits", 1, 28, 28, 10)


LOADERS: tuple[tuple[str, str, Callable[[str], object]], ...] = (
    ("digits-guide", "classifier.safetensors", load_classifier),
    ("digits", "generator.safetensors", load_generator),
    ("digits", "discriminator.safetensors", load_discriminator),
)


class Trap:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, marker: Path):
        """Store the path of that folder."""
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Return the call that unpickling makes."""
        return os.mkdir, (str(self.marker),)


class Outcome(NamedTuple):
    """The result of loading one file."""

    file: str
    refused: str  # the error message; empty if the file was read
    sprung: bool  # whether the code ran


def outcomes(top: Path) -> Iterator[Outcome]:
    """Create each file in an empty folder, load it, and yield the result."""
    marker = top / "sprung"
    for name, offer in _offers(top, Trap(marker)):
        refused = ""
        try:
            offer()
        except InputError as error:
            refused = str(error)
        yield Outcome(name, refused, marker.exists())
        if marker.exists():
            marker.rmdir()


def _offers(top: Path, trap: Trap) -> Iterator[tuple[str, Callable[[], object]]]:
    contents = {"pickle": pickle.dumps(trap), "torch.save": _by_torch(trap)}
    for kind, content in contents.items():
        for run, name, load in LOADERS:
            folder = copytree(SHIPPED / run, top / f"{name}-{kind}")
            (folder / name).write_bytes(content)
            (folder / MANIFEST).unlink(missing_ok=True)  # so that no checksum refuses it
            yield f"{kind} as {name}", partial(load, str(folder))
        (folder / CHECKPOINT).write_bytes(content)
        yield f"{kind} as {CHECKPOINT}", partial(read_checkpoint, folder)
        (top / f"{kind}.npz").write_bytes(content)
        yield f"{kind} as .npz", partial(read_images, top / f"{kind}.npz", SPEC)
        yield f"{kind} as a network", partial(read_network, top / f"{kind}.npz")
    objects = np.array([trap], dtype=object)
    good = np.arange(20 * 784).reshape(20, 1, 28, 28).astype(np.uint8)
    np.savez(top / "images.npz", images=objects)
    np.savez(top / "labels.npz", images=good, labels=objects)
    np.save(top / "plain.npy", objects)
    for file in ("images.npz", "labels.npz", "plain.npy"):
        yield f"array of objects in {file}", partial(read_images, top / file, SPEC)
    np.savez(top / "network.npz", about=objects)
    yield "array of objects in a network", partial(read_network, top / "network.npz")


def _by_torch(trap: Trap) -> bytes:
    stream = io.BytesIO()
    torch.save({"head.weight": trap}, stream)
    return stream.getvalue()


def refused() -> int:
    """Return the number of files with pickled code; all were refused.

    Raises:
        AssertionError: a file was read, or its code ran.
    """
    with tempfile.TemporaryDirectory() as place:
        found = list(outcomes(Path(place)))
    for one in found:
        assert not one.sprung, f"{one.file} ran its code"
        assert one.refused, f"{one.file} was read"
    return len(found)
