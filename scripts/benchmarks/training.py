"""Measures the training speed of cgan and the baseline alternately, and counts operations."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from cgan.config.schema import Folders, GanConfig
from cgan.data.datasets import load_split
from cgan.runtime.device import PRECISIONS
from cgan.runtime.progress import Bar, Progress
from cgan.training.gan import train_gan
from cgan.training.setup import NO_JUDGE
from scripts.benchmarks.rows import Row, summary
from scripts.benchmarks.textbook import BATCH_SIZE, Textbook

EPOCH = 60_000  # images
BASELINE_EPOCH = "baseline, epoch of 60,000"
N_IMAGES = 4800  # of cgan's training in a round; ten rounds fit into an epoch
N_SETTLING = 320  # images after the baseline's turn that are not timed
N_BASELINE = 2560  # images of the baseline in a round; it is slower
N_WARM_UP = 1280
COUNTED_STEPS = 16  # the steps between two penalties
PRODUCT = 2048  # rows and columns of the matrices in the reference product
N_PRODUCTS = 4


@dataclass
class Pairs:
    """Measurements, one per round in each list, and operations, counted once."""

    ours: list[float] = field(default_factory=list)  # images per second
    baseline: list[float] = field(default_factory=list)
    product: list[float] = field(default_factory=list)  # operations per second in cgan's precision
    product_fp32: list[float] = field(default_factory=list)
    operations: float = 0.0  # per training image
    baseline_operations: float = 0.0


class Finished(Exception):  # noqa: N818 - not an error: it ends a timed training
    """All measurements are done."""


class Watch(Progress):
    """Advances an iterator after every training step, in place of a progress bar."""

    def __init__(self, measuring: Iterator[None]):
        """Run `measuring` between steps; the training ends when it ends."""
        super().__init__()
        self._measuring = measuring

    @contextmanager
    def bar(self, total: int, title: str, done: int = 0, unit: str = "images") -> Iterator[Bar]:
        """Return an object that advances the iterator instead of a bar."""
        yield _Steps(self._measuring)


class _Steps(Bar):
    def __init__(self, measuring: Iterator[None]):
        self._measuring = measuring

    def advance(self, steps: int = 1) -> None:
        try:
            next(self._measuring)
        except StopIteration:
            raise Finished from None


def watch_training(config: GanConfig, mnist: Path, measuring: Iterator[None]) -> None:
    """Train with cgan until `measuring` ends; save nothing."""
    with tempfile.TemporaryDirectory() as place, suppress(Finished):
        folders = Folders(mnist, Path(place), Path(place))
        train_gan(config, folders, judge=NO_JUDGE, progress=Watch(measuring))


def measure_pairs(
    config: GanConfig, mnist: Path, rounds: int, say: Callable[[str], None] = lambda _: None
) -> Pairs:
    """Time the baseline and cgan's training alternately, `rounds` times.

    The state of the machine is the same within a round, so ratios are more reliable than speeds.

    Args:
        config: settings of cgan's training; its precision is not "auto".
        mnist: the folder of the data.
        rounds: number of pairs.
        say: receives a line about every pair.
    """
    pairs = Pairs()
    baseline = Textbook(load_split(config.dataset, mnist, "train"))
    watch_training(config, mnist, _measuring(pairs, config, baseline, rounds, say))
    return pairs


def _measuring(
    pairs: Pairs, config: GanConfig, baseline: Textbook, rounds: int, say: Callable[[str], None]
) -> Iterator[None]:
    """Fill `pairs`; each yield lets cgan's training make one step."""
    steps = N_IMAGES // config.batch_size
    baseline.images_per_second(N_WARM_UP // BATCH_SIZE)
    yield from _steps(N_WARM_UP // config.batch_size)
    for _ in range(rounds):
        pairs.baseline.append(baseline.images_per_second(N_BASELINE // BATCH_SIZE))
        pairs.product.append(product_rate(PRECISIONS[config.precision]))
        pairs.product_fp32.append(product_rate(torch.float32))
        yield from _steps(N_SETTLING // config.batch_size)
        start = time.perf_counter()
        yield from _steps(steps)
        pairs.ours.append(steps * config.batch_size / (time.perf_counter() - start))
        say(f"  {pairs.baseline[-1]:.0f} and {pairs.ours[-1]:.0f} images a second")
    with counter() as counted:
        n_images = sum(baseline.step()["images"] for _ in range(COUNTED_STEPS))
    pairs.baseline_operations = counted.get_total_flops() / n_images
    with counter() as counted:
        yield from _steps(COUNTED_STEPS)
    pairs.operations = counted.get_total_flops() / (COUNTED_STEPS * config.batch_size)


def _steps(n: int) -> Iterator[None]:
    for _ in range(n):
        yield


def counter() -> FlopCounterMode:
    """Return a context that counts the operations of products and convolutions.

    A multiplication and an addition count as two. PyTorch's counter does not count matrix-vector
    products, which spectral norms use.
    """
    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.mv: _of_a_vector})


def _of_a_vector(matrix: torch.Size, vector: torch.Size, **_: object) -> int:
    return 2 * matrix[0] * matrix[1]


def product_rate(dtype: torch.dtype) -> float:
    """Return the highest operations per second that the machine reaches in a matrix product."""
    left, right = torch.randn(2, PRODUCT, PRODUCT).to(dtype)
    seconds = []
    for _ in range(N_PRODUCTS):
        start = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - start)
    return 2 * PRODUCT**3 / min(seconds)


def throughput(pairs: Pairs) -> list[Row]:
    """Return the rows of the part "throughput"."""
    part, rate = "throughput", "images/s"
    ratios = _ratios(pairs.ours, pairs.baseline)
    return [
        summary(part, "baseline, training", pairs.baseline, rate),
        summary(part, "default recipe, training", pairs.ours, rate),
        summary(part, "default recipe to baseline, in pairs", ratios, "times"),
        summary(part, BASELINE_EPOCH, _epochs(pairs.baseline), "s"),
        summary(part, "default recipe, epoch of 60,000", _epochs(pairs.ours), "s"),
    ]


def baseline_epoch(rows: Iterable[Row]) -> float | None:
    """Return the seconds of the baseline's epoch; None if it was not measured."""
    return next((row.value for row in rows if row.what == BASELINE_EPOCH), None)


def operations(pairs: Pairs, precision: str) -> list[Row]:
    """Return the rows of the part "operations"."""
    part, rate = "operations", "GFLOP/s"
    rows = []
    for name, images, count, product, format_name in (
        ("baseline", pairs.baseline, pairs.baseline_operations, pairs.product_fp32, "fp32"),
        ("default recipe", pairs.ours, pairs.operations, pairs.product, precision),
    ):
        reached = [speed * count / 1e9 for speed in images]
        possible = [speed / 1e9 for speed in product]
        shares = [100 * share for share in _ratios(reached, possible)]
        rows += [
            summary(part, f"{name}, training, per image", [count / 1e6], "MFLOP"),
            summary(part, f"{name}, training", reached, rate),
            summary(part, f"{name}, matrix product in {format_name}", possible, rate),
            summary(part, f"{name}, training to matrix product", shares, "%"),
        ]
    return rows


def _ratios(above: list[float], below: list[float]) -> list[float]:
    return [one / other for one, other in zip(above, below, strict=True)]


def _epochs(rates: list[float]) -> list[float]:
    return [EPOCH / rate for rate in rates]
