"""Measures the chosen parts; writes the table and the figure after each part."""

import argparse
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch

from cgan.config.recipes import classifier_config, gan_config
from cgan.runtime.device import choose_precision, precision_name
from cgan.runtime.errors import InputError
from scripts.benchmarks import figure, rows, training
from scripts.benchmarks.quality import CHECKS, classifier, quality
from scripts.benchmarks.rows import Row
from scripts.benchmarks.speed import evaluation, sampling
from scripts.pages import rewrite

PARTS = ("throughput", "quality", "classifier", "sampling", "evaluation", "operations")
MOST_ROUNDS = 10  # as many as fit into one epoch of training, without its validation
REPOSITORY = Path(__file__).parent.parent.parent
FILE = REPOSITORY / "docs/assets/benchmark.csv"
PAGE = REPOSITORY / "docs/performance.md"


def main() -> None:
    """Measure the chosen parts and write their rows."""
    asked = _arguments()
    parts = [part for part in PARTS if not asked.only or part in asked.only]
    precision = precision_name(choose_precision("auto", torch.device("cpu")))
    machine, known = rows.machine(precision), rows.read(FILE)
    rows.check_same_machine(known, machine, parts, FILE)
    for measured in _measure(parts, asked, precision, known):
        known = rows.merge(known, [machine, *measured], PARTS)
        FILE.parent.mkdir(exist_ok=True)
        rows.write(FILE, known)
        figure.draw(known, FILE.with_suffix(".png"))
        if PAGE.exists():
            rewrite(PAGE, "benchmark", rows.table(known))
    if not PAGE.exists():
        sys.stdout.write(rows.table(known) + "\n")


def _measure(
    parts: list[str], asked: argparse.Namespace, precision: str, known: list[Row]
) -> Iterator[list[Row]]:
    """Yield the rows of each part in turn; `known` holds earlier rows of this machine."""
    fixed = {"device": "cpu", "precision": precision}
    config = gan_config("guided", "mnist", epochs=asked.epochs, **fixed)

    @cache  # two parts use the same pairs
    def pairs() -> training.Pairs:
        return training.measure_pairs(config, asked.mnist, asked.rounds, _say)

    for part in parts:
        _say(f"{part} ...")
        if part == "throughput":
            yield training.throughput(pairs())
        elif part == "quality":
            checked = gan_config("guided", "mnist", epochs=asked.epochs, checks=CHECKS, **fixed)
            speeds = training.throughput(pairs()) if "throughput" in parts else known
            epoch = training.baseline_epoch(speeds)
            yield quality(checked, asked.mnist, asked.seeds, epoch, _say, asked.keep)
        elif part == "classifier":
            guide = classifier_config("guide", "mnist", **fixed)
            yield classifier(guide, asked.mnist, asked.seeds, _say)
        elif part == "sampling":
            yield sampling(config, asked.rounds)
        elif part == "evaluation":
            yield evaluation(asked.rounds)
        else:
            yield training.operations(pairs(), precision)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument(
        "mnist", metavar="MNIST_FOLDER", type=Path, help="the folder of the four MNIST files"
    )
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each speed")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each training")
    parser.add_argument("--epochs", type=int, help="epochs of the GAN, instead of the recipe's")
    kept = "save the trained GANs in this folder as default-SEED, replacing older ones"
    parser.add_argument("--keep", type=Path, help=kept)
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure only these parts")
    asked = parser.parse_args()
    if not 1 <= asked.rounds <= MOST_ROUNDS or asked.seeds < 1:
        parser.error(f"--rounds must be 1 to {MOST_ROUNDS} and --seeds 1 or more")
    return asked


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"scripts/benchmark: {error}")
