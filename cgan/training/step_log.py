"""The logged values of each step, and steps.csv: those of every log interval."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from cgan.runtime.errors import InputError, TrainingError
from cgan.runtime.progress import Progress
from cgan.training.run_writer import RunWriter

Readings = dict[str, Tensor]
TERMS = {  # logged values in words, for error messages
    "d_loss": "the discriminator's loss",
    "g_loss": "the generator's loss",
    "guidance_loss": "the guide's loss",
    "d_gradient": "the discriminator's gradient",
    "g_gradient": "the generator's gradient",
}
STEPS = "steps.csv"  # in the folder of a run
LARGEST_STEPS = 2**27  # bytes; a row has about 150
VALUES = (  # columns of logged values; one that a training does not have is empty
    *("d_loss", "g_loss", "guidance_loss", "penalty", "d_real", "d_fake", "d_fake_after"),
    *("d_error", "d_gradient", "g_gradient"),
)
COLUMNS = ("step", "epoch", "images", *VALUES, "seconds")
HEADER = ",".join(COLUMNS)


class StepLog:
    """Sums the logged values of the steps on the device; only `check` waits for the values."""

    def __init__(self) -> None:
        """Start empty."""
        self.sums: Readings = {}
        self.counts: dict[str, int] = {}
        self.last: Readings = {}  # the last value of each name
        self._unchecked: list[tuple[int, Readings]] = []

    def add(self, step: int, readings: Readings) -> None:
        """Add the values of a step, each a detached scalar."""
        for key, value in readings.items():
            self.sums[key] = self.sums.get(key, 0) + value
            self.counts[key] = self.counts.get(key, 0) + 1
        self._unchecked.append((step, readings))
        self.last |= readings

    def check(self) -> None:
        """Check that all values since the last check are finite.

        Raises:
            TrainingError: one is not; the message names it and its step.
        """
        unchecked, self._unchecked = self._unchecked, []
        values = [value for _, readings in unchecked for value in readings.values()]
        if not values or torch.stack(values).isfinite().all():
            return
        for step, readings in unchecked:
            for key, value in readings.items():
                if not math.isfinite(value):
                    term = TERMS.get(key, key)
                    raise TrainingError(
                        f"training diverged: {term} is {float(value)} at step {step}",
                        "lower --lr, use --precision fp32, or add --on-nan rollback",
                    )

    def latest(self) -> dict[str, float]:
        """Return the last value of each name, checked."""
        self.check()
        return {key: float(value) for key, value in self.last.items()}

    def means(self) -> dict[str, float]:
        """Return the mean value of each name since `reset`, checked."""
        self.check()
        return {key: float(total) / self.counts[key] for key, total in self.sums.items()}

    def reset(self) -> None:
        """Start new means; the last values stay."""
        self.check()
        self.sums, self.counts = {}, {}


class StepTable:
    """The rows of steps.csv, in the order of the images that the training has used.

    The table is written with each checkpoint, so both are always of the same step. What a killed
    training did after its last checkpoint is done and added again when it is resumed.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._rows: list[tuple[int, bytes]] = []  # images, and the line

    @classmethod
    def of_run(cls, writer: RunWriter, images: int, progress: Progress) -> "StepTable":
        """Return the table of a run up to a number of images; it is empty for a new training."""
        table = cls()
        if images and writer.has(STEPS):
            try:
                table.read(writer.read(STEPS, LARGEST_STEPS))
            except (InputError, OSError, ValueError):  # it is no reason not to resume
                progress.line(f"{STEPS} of the run cannot be read, so it starts again")
        table.cut(images)
        return table

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def add(
        self, step: int, epoch: float, images: int, values: Mapping[str, float], seconds: float
    ) -> None:
        """Add a row.

        Args:
            step: optimiser steps so far.
            epoch: passes over the data so far.
            images: real images used so far.
            values: logged values of the step, by name.
            seconds: of training so far.
        """
        known = [f"{values[name]:.6g}" if name in values else "" for name in VALUES]
        cells = [str(step), f"{epoch:.6g}", str(images), *known, f"{seconds:.3f}"]
        self._rows.append((images, ",".join(cells).encode()))

    def cut(self, images: int) -> None:
        """Remove the rows of a training that went back to a number of images."""
        self._rows = [row for row in self._rows if row[0] <= images]

    def to_bytes(self) -> bytes:
        """Return the content of steps.csv."""
        return b"\n".join([HEADER.encode(), *(line for _, line in self._rows), b""])

    def read(self, content: bytes) -> None:
        """Take over the rows of a steps.csv.

        Raises:
            ValueError: it is malformed, or has other columns; the table is unchanged.
        """
        header, *lines = content.splitlines()
        if header != HEADER.encode():
            raise ValueError("other columns")
        place, rows = COLUMNS.index("images"), []
        for line in lines:
            cells = line.split(b",")
            numbers = [float(cell) for cell in cells if cell]
            if len(cells) != len(COLUMNS) or not all(map(math.isfinite, numbers)):
                raise ValueError("a row has no numbers")
            rows.append((int(cells[place]), line))
        self._rows = rows
