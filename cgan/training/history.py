"""The readings of each step, and the history of a training: its scores and its best networks."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cgan.data.grids import COLUMNS, film_bytes, sheet_bytes, spread
from cgan.io.files import csv_bytes
from cgan.runtime.errors import InputError, TrainingError
from cgan.training.run_writer import RunWriter
from cgan.training.validation import ValidationResult

ROWS = 10  # epochs in the picture of all of them
Readings = dict[str, Tensor]
TERMS = {  # readings in words for error messages
    "d_loss": "the discriminator's loss",
    "g_loss": "the generator's loss",
    "guidance_loss": "the guide's loss",
    "d_gradient": "the discriminator's gradient",
    "g_gradient": "the generator's gradient",
}

# the short name and the format of readings and scores, for one line of a terminal
SHORT = {
    "d_loss": ("D", ".2f"),
    "g_loss": ("G", ".2f"),
    "d_real": ("D(x)", ".2f"),
    "d_fake": ("D(G(z))", ".2f"),
    "judge_accuracy": ("acc", ".1%"),
    "coverage": ("cov", ".0%"),
}


def in_short(readings: Mapping[str, float]) -> str:
    """Return readings and scores by name in words, in at most 60 columns for a progress bar.

    Only those in `SHORT` are included.
    """
    known = ((SHORT[name], readings[name]) for name in SHORT if name in readings)
    return " ".join(f"{word} {value:{form}}" for (word, form), value in known)


class StepLog:
    """Sums the readings of the steps on the device; only `check` waits for their values."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.sums: Readings = {}
        self.counts: dict[str, int] = {}
        self._unchecked: list[tuple[int, Readings]] = []
        self._latest: Readings = {}

    def add(self, step: int, readings: Readings) -> None:
        """Add a step's readings, each a detached scalar."""
        for key, value in readings.items():
            self.sums[key] = self.sums.get(key, 0) + value
            self.counts[key] = self.counts.get(key, 0) + 1
        self._unchecked.append((step, readings))
        self._latest |= readings

    def check(self) -> None:
        """Check that all readings since the last check are finite.

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
                    raise TrainingError(
                        f"training diverged: {TERMS.get(key, key)} is {float(value)} at step "
                        f"{step}; lower --lr, use --precision fp32, or let --on-nan rollback try"
                    )

    def latest(self) -> dict[str, float]:
        """Return the last reading of each kind, checked."""
        self.check()
        return {key: float(value) for key, value in self._latest.items()}

    def means(self) -> dict[str, float]:
        """Return the mean reading of each kind, checked."""
        self.check()
        return {key: float(total) / self.counts[key] for key, total in self.sums.items()}


class History:
    """The history of a training; it gives the best networks and the pictures to the writer."""

    def __init__(self, writer: RunWriter):
        """Start with nothing."""
        self.writer = writer
        self.rows: list[dict[str, float]] = []
        self.best = math.inf
        self.alarms: list[str] = []  # about the networks that are kept
        self._film: list[NDArray[np.uint8]] = []  # the images from the fixed inputs

    def tensors(self) -> dict[str, Tensor]:
        """Return what was drawn from the fixed inputs, uint8 [looks, N, C, H, W], for `restore`."""
        return {"film": torch.from_numpy(np.stack(self._film))} if self._film else {}

    def facts(self) -> dict[str, Any]:
        """Return the rest, for `restore`."""
        return {"history": self.rows, "best": self.best, "alarms": self.alarms}

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Become what gave these `tensors` and `facts`.

        Raises:
            InputError: they do not belong together.
        """
        drawn = tensors.get("film", torch.empty(0, 1, 1, 1, 1, dtype=torch.uint8)).numpy()
        try:
            self.rows = [
                {str(key): (int if key == "kept" else float)(n) for key, n in row.items()}
                for row in facts["history"]
            ]
            self.best = float(facts["best"])
            self.alarms = [str(text) for text in facts.get("alarms", [])]
            if not all(text.isprintable() for text in self.alarms):  # a terminal will show them
                raise ValueError("an alarm is no plain text")
            if not all("epoch" in row for row in self.rows):
                raise ValueError("a row tells no epoch")
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise InputError(f"the checkpoint's history is damaged ({error})") from error
        known = drawn.dtype == np.uint8 and drawn.ndim == 5
        if not known or len(drawn) != len(self.rows):
            raise InputError("the checkpoint's pictures are not those of its history")
        self._film = list(drawn)

    def add(
        self, row: Mapping[str, float], result: ValidationResult, networks: Mapping[str, nn.Module]
    ) -> str:
        """Add a row to the history; keep the networks if their scores are the best so far.

        The best has the lowest FCD; without a judge it is the last.

        Args:
            row: the readings since the last row; its first column is `epoch`.
            result: the scores of the present generator.
            networks: by the name of their file without its suffix.

        Returns:
            The row in words.
        """
        fcd = result.scores.get("fcd", -math.inf)
        kept = fcd <= self.best
        self.best = min(self.best, fcd)
        self.rows.append({**row, **result.scores, "kept": int(kept)})
        self._film.append(result.shown.copy())  # not a view of all that was drawn
        if kept:
            self.alarms = result.alarms
            for name, network in networks.items():
                self.writer.add_network(f"{name}.safetensors", network)
        picture, content = result.picture(row["epoch"])
        self.writer.add({f"samples/{picture}": content, "history.csv": csv_bytes(self.rows)})
        said = [f"G loss {row['g_loss']:.3f}"]
        if "d_loss" in row:  # where D learned
            said.insert(0, f"D loss {row['d_loss']:.3f}")
            said.append(f"D(x) {row['d_real']:.2f}")
            said.append(f"D(G(z)) {row['d_fake']:.2f} -> {row['d_fake_after']:.2f}")
        said += [*result.words(), f"{row['seconds']:.0f} s"]
        if not kept:
            said.append("not the best, not kept")
        return f"epoch {row['epoch']:.4g}: {', '.join(said)}"

    def add_film(self) -> None:
        """Keep the film and the picture of all epochs, if there were any."""
        if not self._film:
            return
        names = [f"{row['epoch']:.4g}" for row in self.rows]
        film = film_bytes(self._film, [f"epoch {n}" for n in names])
        rows = spread(len(names), ROWS)
        images = np.concatenate([self._film[row][:COLUMNS] for row in rows])
        title, heads = "the same inputs after so many epochs", [""] * len(self._film[0][:COLUMNS])
        sheet = sheet_bytes(images, heads, [names[row] for row in rows], title)
        self.writer.add({"samples.gif": film, "samples.png": sheet})
