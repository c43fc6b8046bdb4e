"""What a training leaves behind: its history, its best networks, pictures of the way there."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cgan.data.grids import COLUMNS, film_bytes, sheet_bytes, spread
from cgan.io.files import csv_bytes
from cgan.runtime.errors import InputError
from cgan.training.run_writer import RunWriter
from cgan.training.validation import Verdict

ROWS = 10  # epochs in the picture of all of them


class Record:
    """Keeps the history of a training, and gathers for its folder all that is worth keeping."""

    def __init__(self, writer: RunWriter):
        """Start with nothing."""
        self.writer = writer
        self.history: list[dict[str, float]] = []
        self.best = math.inf
        self.alarms: list[str] = []  # what was raised about the networks that are kept
        self._film: list[NDArray[np.uint8]] = []  # what is drawn from the fixed inputs

    def tensors(self) -> dict[str, Tensor]:
        """Return what was drawn from the fixed inputs, uint8 [looks, N, C, H, W], for `restore`."""
        return {"film": torch.from_numpy(np.stack(self._film))} if self._film else {}

    def facts(self) -> dict[str, Any]:
        """Return the rest, for `restore`."""
        return {"history": self.history, "best": self.best, "alarms": self.alarms}

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Become what gave these `tensors` and `facts`.

        Raises:
            InputError: they do not belong together.
        """
        drawn = tensors.get("film", torch.empty(0, 1, 1, 1, 1, dtype=torch.uint8)).numpy()
        try:
            self.history = [
                {str(key): (int if key == "kept" else float)(n) for key, n in row.items()}
                for row in facts["history"]
            ]
            self.best = float(facts["best"])
            self.alarms = [str(text) for text in facts.get("alarms", [])]
            if not all(text.isprintable() for text in self.alarms):  # a terminal will show them
                raise ValueError("an alarm is no plain text")
            if not all("epoch" in row for row in self.history):
                raise ValueError("a row tells no epoch")
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise InputError(f"the checkpoint's history is damaged ({error})") from error
        known = drawn.dtype == np.uint8 and drawn.ndim == 5
        if not known or len(drawn) != len(self.history):
            raise InputError("the checkpoint's pictures are not those of its history")
        self._film = list(drawn)

    def add(
        self, row: Mapping[str, float], verdict: Verdict, networks: Mapping[str, nn.Module]
    ) -> str:
        """Add a row to the history; keep the networks if the verdict is the best yet.

        The best has the lowest FCD; without a judge it is the last.

        Args:
            row: what was learned since the last row, from the column `epoch` on.
            verdict: on the generator as it is now.
            networks: by the name of their file without its end.

        Returns:
            The row in words.
        """
        fcd = verdict.scores.get("fcd", -math.inf)
        kept = fcd <= self.best
        self.best = min(self.best, fcd)
        self.history.append({**row, **verdict.scores, "kept": int(kept)})
        self._film.append(verdict.shown.copy())  # not a view of all that was drawn
        if kept:
            self.alarms = verdict.alarms
            for name, network in networks.items():
                self.writer.add_network(f"{name}.safetensors", network)
        picture, content = verdict.picture(row["epoch"])
        self.writer.add({f"samples/{picture}": content, "history.csv": csv_bytes(self.history)})
        said = [f"G loss {row['g_loss']:.3f}"]
        if "d_loss" in row:  # where D learned
            said.insert(0, f"D loss {row['d_loss']:.3f}")
            said.append(f"D(x) {row['d_real']:.2f}")
            said.append(f"D(G(z)) {row['d_fake']:.2f} -> {row['d_fake_after']:.2f}")
        said += [*verdict.words(), f"{row['seconds']:.0f} s"]
        if not kept:
            said.append("not the best, not kept")
        return f"epoch {row['epoch']:.4g}: {', '.join(said)}"

    def add_film(self) -> None:
        """Keep the film and the picture of all epochs, if there were any."""
        if not self._film:
            return
        names = [f"{row['epoch']:.4g}" for row in self.history]
        film = film_bytes(self._film, [f"epoch {n}" for n in names])
        rows = spread(len(names), ROWS)
        images = np.concatenate([self._film[row][:COLUMNS] for row in rows])
        title, heads = "the same inputs after so many epochs", [""] * len(self._film[0][:COLUMNS])
        sheet = sheet_bytes(images, heads, [names[row] for row in rows], title)
        self.writer.add({"samples.gif": film, "samples.png": sheet})
