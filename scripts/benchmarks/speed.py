"""Measures the speed of sampling, and the time of the metrics."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from cgan.config.schema import GanConfig
from cgan.data.spec import DataSpec
from cgan.data.splits import balanced_labels
from cgan.metrics.features import Features
from cgan.metrics.frechet import fcd
from cgan.metrics.manifold import look
from cgan.models.registry import make_generator
from cgan.models.sampling import sample
from cgan.runtime.device import PRECISIONS, place
from scripts.benchmarks.rows import Row, summary

SPEC = DataSpec("mnist", 1, 28, 28, 10)
N_DRAWN = 5000
BATCH_SIZE = 200  # the default
SIZES = (1000, 2000, 5000, 10_000)
N_FEATURES = 96  # as many as the judge's


def sampling(config: GanConfig, rounds: int, n_drawn: int = N_DRAWN) -> list[Row]:
    """Sample from an untrained generator; return the rows of the part "sampling"."""
    network = make_generator(config, SPEC)
    generator = place(network, torch.device("cpu"))
    labels = balanced_labels(n_drawn, SPEC.n_classes)
    rates: dict[str, list[float]] = {name: [] for name in dict.fromkeys(["fp32", config.precision])}

    def draw(dtype: torch.dtype) -> None:
        for _ in sample(generator, labels, seed=1, batch_size=BATCH_SIZE, dtype=dtype):
            pass

    for name in rates:
        draw(PRECISIONS[name])  # the first run prepares the kernels
    for _ in range(rounds):
        for name in rates:
            rates[name].append(n_drawn / _seconds(partial(draw, PRECISIONS[name])))
    return [
        summary(
            "sampling", f"default generator in {name}, batches of {BATCH_SIZE}", values, "images/s"
        )
        for name, values in rates.items()
    ]


def evaluation(rounds: int, sizes: Sequence[int] = SIZES) -> list[Row]:
    """Compare clusters of feature vectors; return the rows of the part "evaluation"."""
    rows = []
    for size in sizes:
        fake, real = _clouds(size)
        for name, function in (("FCD", fcd), ("precision, recall, density, coverage", look)):
            compare = partial(function, fake=fake, real=real)
            times = [_seconds(compare) for _ in range(rounds)]
            rows.append(summary("evaluation", f"{name} of {size:,} images", times, "s"))
    return rows


def _clouds(size: int) -> tuple[Features, Features]:
    """Return two samples of ten classes; each class is a cluster with its own centre."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(10, N_FEATURES))
    labels = np.arange(size) % 10
    logits = np.eye(10, dtype=np.float32)[labels]
    fake, real = (
        (centres[labels] + 0.3 * random.normal(size=(size, N_FEATURES))).astype(np.float32)
        for _ in range(2)
    )
    return Features(labels, logits, fake), Features(labels, logits, real)


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
