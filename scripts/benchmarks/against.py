"""Compares the speed of the working tree with that of an earlier revision, in pairs."""

import argparse
import csv
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from cgan.runtime.device import choose_precision, precision_name
from cgan.runtime.errors import InputError
from cgan.runtime.signals import Stopped, stopping_at_once
from scripts.benchmarks.revisions import Revision, Used, checked_out
from scripts.benchmarks.rows import Row, machine, summary, worded
from scripts.pages import markdown

REPOSITORY = Path(__file__).parent.parent.parent
EPOCHS = {"digits": "10", "mnist": "0.3"}  # about 15 seconds each
N_MANY, N_FEW = 20_000, 100  # images; N_FEW measures the start
TOLERATED = 1.05  # times the seconds of the earlier revision
Seconds = dict[str, float]  # by measurement
Measure = Callable[[], Seconds]


@dataclass(frozen=True)
class Setting:
    """The settings that both revisions share."""

    dataset: str
    data: Path | None  # the folder of MNIST; None for digits
    precision: str

    @property
    def flags(self) -> list[str]:
        """The flags of every command that reads images."""
        found = ["--precision", self.precision, "-q"]
        return found if self.data is None else [*found, "--data-dir", str(self.data)]


def training(revision: Revision, setting: Setting) -> Seconds:
    """Return the seconds of a short training from its history, without the start."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--dataset", setting.dataset, "--epochs", EPOCHS[setting.dataset]]
        used = revision.run(Path(folder), "train-gan", "--name", "measured", *flags, *setting.flags)
        history = Path(folder) / "weights/measured/history.csv"
        with history.open(newline="") as stream:
            *_, last = csv.DictReader(stream)
    what = f"training, {EPOCHS[setting.dataset]} epochs of {setting.dataset}"
    return _both(what, Used(float(last["seconds"]), used.processor))


def sampling(revision: Revision, setting: Setting) -> Seconds:
    """Return the seconds of a start, and those of many images without the start."""
    with tempfile.TemporaryDirectory() as folder:
        many, few = (
            revision.run(
                Path(folder),
                *("sample", "mnist", "-n", str(n), "--out", "x.npz"),
                *("--precision", setting.precision),
            )
            for n in (N_MANY, N_FEW)
        )
    beyond = Used(many.seconds - few.seconds, many.processor - few.processor)
    return {
        **_both(f"sampling, {N_MANY - N_FEW:,} images of mnist", beyond),
        **_both(f"start and {N_FEW} images", few),
    }


def evaluation(revision: Revision, setting: Setting) -> Seconds:
    """Return the seconds of the whole command that scores a shipped generator."""
    with tempfile.TemporaryDirectory() as folder:
        used = revision.run(Path(folder), "evaluate", setting.dataset, "--quick", *setting.flags)
    return _both(f"evaluation, {setting.dataset} --quick", used)


def _both(what: str, used: Used) -> Seconds:
    return {what: used.seconds, f"{what}: processor time": used.processor}


PARTS = {"training": training, "sampling": sampling, "evaluation": evaluation}


def in_pairs(
    then: Measure, now: Measure, rounds: int, say: Callable[[str], None] = lambda _: None
) -> list[tuple[Seconds, Seconds]]:
    """Measure both alternately, so that a pair has the same state of the machine.

    Args:
        then: measures the earlier revision.
        now: measures the working tree.
        rounds: number of pairs; the order within a pair alternates.
        say: receives a line about every pair.

    Returns:
        The results of (then, now) of each pair.
    """
    pairs = []
    for i in range(rounds):
        if i % 2 == 0:
            first = then()
            pair = first, now()
        else:
            first = now()
            pair = then(), first
        pairs.append(pair)
        say("; ".join(f"{what}: {pair[0][what]:.2f} and {pair[1][what]:.2f} s" for what in first))
    return pairs


def ratios(pairs: Sequence[tuple[Seconds, Seconds]]) -> list[Row]:
    """Return the ratio of now to then for each measurement: median, range, number of pairs."""
    return [
        summary("against", what, [now[what] / then[what] for then, now in pairs], "times")
        for what in pairs[0][0]
    ]


def table(name: str, pairs: Sequence[tuple[Seconds, Seconds]]) -> list[list[str]]:
    """Return a line of the table for each measurement."""
    lines = []
    for row in ratios(pairs):
        medians = [statistics.median(pair[side][row.what] for pair in pairs) for side in (0, 1)]
        spread = f"{row.low:.2f} to {row.high:.2f}" if row.n > 1 else ""
        seconds = [f"{worded(median)} s" for median in medians]
        lines.append([row.what, *seconds, f"{row.value:.2f}", spread, str(row.n)])
    return lines


def verdict(rows: Sequence[Row]) -> str:
    """Return a sentence: whether anything is slower in every pair."""
    share = f"{TOLERATED - 1:.0%}"
    slower = [row.what for row in rows if row.low > TOLERATED]
    line = f"Nothing is slower by more than {share} in every pair."
    if slower:
        line = f"Slower by more than {share} in every pair: {'; '.join(slower)}."
    few = max((row.n for row in rows), default=0) < 3
    return f"{line} So few pairs say little." if few else line


def compare(name: str, setting: Setting, parts: Sequence[str], rounds: int) -> str:
    """Measure the parts for both revisions; return the table and the verdict."""
    pairs: list[list[tuple[Seconds, Seconds]]] = []
    with checked_out(REPOSITORY, name) as then, tempfile.TemporaryDirectory() as folder:
        now = Revision("working tree", REPOSITORY)
        versions = [revision.prepare(Path(folder)) for revision in (then, now)]
        for part in parts:
            _say(f"{part} ...")
            older, newer = (partial(PARTS[part], revision, setting) for revision in (then, now))
            pairs.append(in_pairs(older, newer, rounds, lambda text: _say(f"  {text}")))
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    heads = ["part", name, "working tree", f"working tree to {name}", "range", "n"]
    lines = [line for one in pairs for line in table(name, one)]
    rows = [row for one in pairs for row in ratios(one)]
    top = (
        f"{machine(setting.precision).what}, OMP_NUM_THREADS {threads}; "
        f"{name} is cgan {versions[0]}, the working tree cgan {versions[1]}."
    )
    return "\n".join([top, "", markdown(heads, lines), "", verdict(rows), ""])


def main() -> None:
    """Compare the revisions, and print the table."""
    asked = _arguments()
    dataset = "digits" if asked.mnist is None else "mnist"
    data = None if asked.mnist is None else asked.mnist.resolve()
    if data is not None and not data.is_dir():
        raise InputError(f"{asked.mnist} is not a folder; give the folder of the four MNIST files")
    precision = precision_name(choose_precision("auto", torch.device("cpu")))
    parts = [part for part in PARTS if not asked.only or part in asked.only]
    setting = Setting(dataset, data, precision)
    with stopping_at_once():  # so that temporary folders are removed
        sys.stdout.write(compare(asked.against, setting, parts, asked.rounds))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--against", metavar="REV", required=True, help="a commit, branch or tag")
    parser.add_argument("mnist", type=Path, nargs="?", help="folder of MNIST; default: use digits")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of each measurement")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure only these parts")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return asked


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"scripts/benchmark: {error}")
    except Stopped as stop:
        sys.stderr.write("scripts/benchmark: stopped\n")
        sys.exit(128 + stop.number)
