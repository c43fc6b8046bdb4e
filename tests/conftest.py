"""Toy data and runs that many tests share."""

import gc
import json
import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray
from toys import few_training_images, toy_classifiers, toy_data

from cgan.config.recipes import gan_config
from cgan.config.schema import Folders, GanConfig
from cgan.data.spec import DataSpec, description
from cgan.metrics.results import Results
from cgan.metrics.results_file import parse_results
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.frozen_features import FrozenFeatures
from cgan.training.ema import MovingAverage
from cgan.training.gan import train_gan

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# fixtures for all tests
__all__ = ["few_training_images", "toy_classifiers", "toy_data"]
# A loaded machine makes examples slow, not wrong.
settings.register_profile("cgan", deadline=None, derandomize=True)
settings.load_profile("cgan")
# What a script begins in the background ignores Ctrl-C, and a training leaves that as it is.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
REPOSITORY = Path(__file__).parent.parent
TOY = DataSpec("toy", 3, 8, 12, 4)  # nothing in it is 28, 1 or 10


def golden_results() -> Results:
    """Return the results of a good generator of digits, as version 0.1.0 wrote them."""
    path = REPOSITORY / "tests/golden/format-1/report/results.json"
    return parse_results(json.loads(path.read_text()))


def plain_results() -> dict[str, Any]:
    """Return the same as the newest results.json holds them, to be changed."""
    return dict(msgspec.to_builtins(golden_results()))


def write_results_of_many(folder: Path, k: int = 242) -> Path:
    """Write results of `k` classes with unpleasant names to a folder, with pictures; return it.

    The judge takes some images of class 0 for class 1, and of class i for class i + 1 the fewer the
    larger i.
    """
    copytree(REPOSITORY / "tests/golden/format-1/report", folder)
    names = [f"script_{i // 20}/letter-{i:03d}" for i in range(k)]
    names[:5] = ["x" * 99 + "y", "x" * 99 + "z", "<b>&amp;", "=1+1", "$a$ $b$"]
    confusion = [[0] * k for _ in range(k)]
    for i, row in enumerate(confusion):
        row[i] = 10 + i
        row[(i + 1) % k] += max(0, 9 - i)
    counts = [sum(row) for row in confusion]
    shares = [row[i] / n for i, (row, n) in enumerate(zip(confusion, counts, strict=True))]
    content = plain_results() | {
        "class_names": names,
        "confusion": confusion,
        "per_class": [
            {"class": i, "n": n, "accuracy": share, "low": share / 2, "high": share, "fcd": 1.0}
            for i, (n, share) in enumerate(zip(counts, shares, strict=True))
        ],
        "histogram": [{"class": i, "generated": n, "real": 20} for i, n in enumerate(counts)],
    }
    (folder / "results.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - for code of others that reads it


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of the real MNIST files; the test is skipped where there is none."""
    places = [REPOSITORY / "data", REPOSITORY.parent / "shared/data/mnist"]
    if "CGAN_DATA" in os.environ:
        places.insert(0, Path(os.environ["CGAN_DATA"]))
    for place in places:
        if list(place.rglob("train-images-idx3-ubyte*")):
            return place.resolve()
    pytest.skip("MNIST is not here: set CGAN_DATA to the folder of its four files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open a browser, so that none is forgotten; put what takes long first.

    Where two processes share the tests, short ones at the end keep both at work.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=lambda item: "unit" in item.path.parts)


def pytest_collection_finish() -> None:
    """Let the search for garbage pass over what the imports made: a million objects that stay."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let Python end as usual."""
    gc.unfreeze()


def without_browser(reason: str | None) -> None:
    """Skip a test that lacks what it needs; fail it under CI, which must not pass without it."""
    if reason is not None and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """An installed Chromium, with axe-core beside it: see chromium.py for what to do with it."""
    from chromium import lacking, started

    without_browser(lacking())
    with started() as running:
        yield running


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """Return an idx file of unsigned bytes."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


@pytest.fixture
def toy_mnist(tmp_path: Path) -> Path:
    """Four idx files of MNIST's names with 5,040 training and 60 test images of 12x8."""
    random = np.random.default_rng(0)
    for part, n in (("train", 5040), ("t10k", 60)):
        images = random.integers(0, 256, (n, 12, 8), dtype=np.uint8)
        labels = (np.arange(n) % 10).astype(np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return tmp_path


def in_folder(top: Path) -> Folders:
    """Return the three folders of a project in `top`."""
    return Folders(top / "data", top / "weights", top / "reports")


def digits_config(**flags: Any) -> GanConfig:
    """One epoch on digits in batches so large that it has three steps."""
    flags = {"batch_size": 400, "epochs": 1, "precision": "fp32", "device": "cpu", **flags}
    return gan_config("guided", "digits", description("digits").size, **flags)


def toy_extractor(dtype: torch.dtype = torch.float32) -> FrozenFeatures:
    """Return the features of an untrained guide."""
    guide = CLASSIFIERS["leaky-cnn"](TOY).eval().requires_grad_(False)
    return FrozenFeatures(guide, dtype)


def send_at(step: int, numbers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Send signals to this process after a step of a training."""
    honest = MovingAverage.update

    def update(average: MovingAverage) -> None:
        honest(average)
        if average.n_updates == step:
            for number in numbers:
                os.kill(os.getpid(), number)

    monkeypatch.setattr(MovingAverage, "update", update)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Folders in which a toy generator of digits, the run `toy`, has been trained."""
    top = tmp_path_factory.mktemp("digits")
    folders = in_folder(top)
    train_gan(digits_config(epochs=2), folders, name="toy")
    return folders
