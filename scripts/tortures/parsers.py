"""All parsers of untrusted files, with valid files and functions that damage and read them."""

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import safetensors.torch
import torch
from PIL import Image

from cgan.config.recipes import gan_config
from cgan.config.schema import GanConfig
from cgan.data.datasets import load_split
from cgan.data.grids import figure_bytes, mosaic_bytes
from cgan.data.idx import read_idx
from cgan.data.importing.folders import read_images
from cgan.data.spec import DataSpec
from cgan.deploy.npz_network import read_network, to_npz
from cgan.deploy.portable import portable
from cgan.io.journal import damaged
from cgan.metrics.results import Cell, Sheet
from cgan.metrics.results_file import parse_results, to_bytes
from cgan.models.hub import GanRun, load_classifier, load_generator
from cgan.models.registry import make_discriminator, make_generator
from cgan.models.roles import DiscriminatorRun
from cgan.models.tensors import read_tensors
from cgan.reporting import tables, training_figures
from cgan.reporting.commands import commands_of
from cgan.reporting.comparing import curves
from cgan.reporting.comparing.entries import Entry, board, groups
from cgan.reporting.comparing.leaderboard import leaderboard_text, write_leaderboard
from cgan.reporting.gallery import tiles
from cgan.reporting.page import write_report
from cgan.reporting.read import read_history, read_picture, read_results
from cgan.reporting.verdict import find_verdict
from cgan.training.checkpoint import make_checkpoint, parse, restore
from cgan.training.history import History
from cgan.training.modes import cluster_modes
from cgan.training.state import TrainingState
from scripts.tortures import mutations

SPEC = DataSpec("toy", 1, 8, 12, 3)
CONFIG = GanConfig(recipe="mlp", dataset="toy", generator="mlp", discriminator="mlp", z_dim=3)
REPORT = Path(__file__).parent.parent.parent / "reports/examples/mnist"
DRAWN = 40  # one in this many accepted files is also drawn, which is slow


@dataclass(frozen=True)
class Parser:
    """One kind of file: its name, valid contents, and functions that damage and read it."""

    place: str
    seeds: tuple[bytes, ...]
    mutate: mutations.Mutate
    read: Callable[[Path], Any]  # reads the file in a folder
    prepare: Callable[[Path], object] = lambda folder: None  # adds other needed files


def parsers() -> dict[str, Parser]:
    """Return the parsers by name."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (9, 1, 8, 12), np.uint8)
    idx = struct.pack(">4B3I", 0, 0, 8, 3, 9, 8, 12) + images.tobytes()
    results = (REPORT / "results.json").read_bytes()
    history = b"\n".join((REPORT / "history.csv").read_bytes().splitlines()[:5]) + b"\n"
    small = {"a": torch.ones(2, 3), "b": torch.zeros(3, dtype=torch.int64), "c": torch.ones(())}
    weights = safetensors.torch.save(small, {"by": "us"})

    def tensors(folder: Path) -> None:
        read_tensors(folder / "x.safetensors", None, 2**20)  # any tensors
        read_tensors(folder / "x.safetensors", small, 2**20)

    read: dict[str, Parser] = {
        "idx": Parser("x", (idx,), mutations.of_bytes, lambda f: read_idx(f / "x", 3)),
        "idx.gz": Parser(
            "x", (gzip.compress(idx),), mutations.of_gzip, lambda f: read_idx(f / "x", 3)
        ),
        "config.json": Parser(
            "config.json",
            (_config(),),
            mutations.of_json,
            lambda f: load_generator(str(f), f / "none"),
            lambda f: (f / "generator.safetensors").write_bytes(_weights()),
        ),
        "results.json": Parser(
            "results.json", (results, _newest(results)), mutations.of_json, _results
        ),
        "history.csv": Parser("history.csv", (history,), mutations.of_csv, _history),
        "safetensors": Parser("x.safetensors", (weights,), mutations.of_safetensors, tensors),
        "manifest.json": Parser("manifest.json", (_manifest(),), mutations.of_json, damaged),
        "checkpoint": Parser("facts", (_resting()[2],), mutations.of_json, _take_up),
        "npz": Parser(
            "x.npz", _npz(images), mutations.of_npz, lambda f: read_images(f / "x.npz", SPEC)
        ),
        "networks": Parser(
            "x.npz", _networks(), mutations.of_network, lambda f: read_network(f / "x.npz")
        ),
        "pictures": Parser(
            "x.png",
            _pictures(images),
            mutations.of_picture,
            lambda f: read_images(f, SPEC),
            lambda f: Image.fromarray(images[1, 0]).save(f / "good.png"),
        ),
        "sheets": Parser("x.png", (mosaic_bytes(images, 3),), mutations.of_picture, _sheet),
    }
    return read


def _newest(results: bytes) -> bytes:
    """Return results of an older format in the newest format."""
    return to_bytes(parse_results(json.loads(results)))


def _config() -> bytes:
    facts = {"kind": "gan", "spec": asdict(SPEC), "config": asdict(CONFIG), "guide": "g", "x": None}
    return json.dumps(facts | {"guide_sha256": "0" * 64, "judge": "j"}).encode()


def _weights() -> bytes:
    return safetensors.torch.save(make_generator(CONFIG, SPEC).state_dict())


def _networks() -> tuple[bytes, ...]:
    """Return a generator, and a discriminator without a guide, as npz."""
    there = Path("nowhere")
    generator = make_generator(CONFIG, SPEC).eval()
    discriminator = make_discriminator(CONFIG, SPEC, lambda images: (images, images)).eval()
    sources = (
        GanRun("toy", there, SPEC, CONFIG, "g", "0" * 64, generator),
        DiscriminatorRun("toy", there, SPEC, CONFIG, None, discriminator),
    )
    return tuple(to_npz(portable(source)) for source in sources)


def _npz(images: np.ndarray) -> tuple[bytes, ...]:
    streams = [io.BytesIO() for _ in range(3)]
    labels = np.arange(9) % 3
    np.savez(streams[0], images=images, labels=labels)
    np.savez_compressed(streams[1], images=images[:, 0], labels=labels.astype(np.uint8))
    np.savez(streams[2], images=np.asfortranarray(images.transpose(0, 2, 3, 1)))
    return tuple(stream.getvalue() for stream in streams)


def _pictures(images: np.ndarray) -> tuple[bytes, ...]:
    seeds = []
    for form, mode in (("PNG", "L"), ("PNG", "P"), ("PNG", "RGBA"), ("JPEG", "L"), ("BMP", "L")):
        stream = io.BytesIO()
        Image.fromarray(images[0, 0]).convert(mode).save(stream, form)
        seeds.append(stream.getvalue())
    return tuple(seeds)


def _manifest() -> bytes:
    sums = dict.fromkeys(("x", "samples/y", "z"), "0" * 64)
    return json.dumps({"sha256": sums, "gone": ["samples/w"]}).encode()


@cache
def _resting() -> tuple[TrainingState, History, bytes]:
    """Return a new training, its history, and the facts of a checkpoint."""
    config = gan_config("mlp", "digits", batch_size=8, device="cpu", precision="fp32")
    train = load_split("digits", Path(), "train")
    guide = load_classifier("digits-guide").network
    clusters = cluster_modes(guide, train, 1, torch.float32)
    training = TrainingState(config, train, clusters, guide, torch.float32, steps=9)
    training.sampler.next_batch()
    facts = make_checkpoint(training, History()).facts
    rows = [{"epoch": 1.0, "g_loss": 0.5, "fcd": 3.0, "kept": 1}]
    told = json.dumps({**facts, "history": {"rows": rows, "best": 3.0, "warnings": []}})
    return training, History(), told.encode()


def _take_up(folder: Path) -> None:
    """Resume a training from a checkpoint with these facts."""
    training, history, _ = _resting()
    tensors = dict(training.tensors())
    text = np.frombuffer((folder / "facts").read_bytes(), np.uint8).copy()
    restore(training, history, parse(tensors, text, "x"))
    training.sampler.next_batch()


def _results(folder: Path) -> None:
    """Read results, and use them as reports and leaderboards do."""
    results = read_results(folder)
    tables.headline(results), tables.per_class(results), tables.confusion(results)
    tables.histogram(results), tables.metrics(results), tables.cost(results, None)
    find_verdict(results), commands_of(results)
    for text in (tables.summary(results), json.dumps(msgspec.to_builtins(results))):
        text.encode()
    entries = [Entry(results, None)]
    board(entries).to_csv().encode()
    groups(entries)
    if _rarely(folder / "results.json"):
        write_report(folder)
        write_leaderboard(entries, folder)
        leaderboard_text(entries).encode()


def _sheet(folder: Path) -> None:
    """Cut a sheet into its nine images, as a page does."""
    content = read_picture(folder / "x.png")
    assert content is not None
    cell = Cell(label=None, judged=0, certainty=1.0)
    tiles("samples", Sheet(columns=3, cells=[cell] * 9), content)


def _history(folder: Path) -> None:
    """Read a history, and sometimes draw it."""
    history = read_history(folder)
    if history is not None and _rarely(folder / "history.csv"):
        figure_bytes(training_figures.training(history))
        figure_bytes(curves.curves([("$a $b", history)]))


def _rarely(path: Path) -> bool:
    """Return whether to draw this file; it depends only on the content."""
    return zlib.crc32(path.read_bytes()) % DRAWN == 0
