"""What a training leaves behind: its history, its best networks, pictures of the way there."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cgan.files import write_csv
from cgan.pictures import COLUMNS, spread, write_film, write_sheet
from cgan.store import RunWriter
from cgan.verdict import Verdict

ROWS = 10  # epochs in the picture of all of them


class Record:
    """Keeps the history of a training, and in a run's folder all that is worth keeping.

    Use as a context: on the way out the film of what was learned is written, if anything was.
    """

    def __init__(self, writer: RunWriter, *, dry_run: bool):
        """Start with nothing; a dry run writes nothing."""
        self.writer, self.dry_run = writer, dry_run
        self.history: list[dict[str, float]] = []
        self.best = math.inf
        self._film: list[NDArray[np.uint8]] = []  # what is drawn from the fixed inputs

    def __enter__(self) -> "Record":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write the film and the picture of all epochs, of an interrupted training too."""
        if not self._film:
            return
        names = [f"{row['epoch']:.4g}" for row in self.history[: len(self._film)]]
        write_film(self._film, [f"epoch {n}" for n in names], self.writer.where / "samples.gif")
        rows = spread(len(names), ROWS)
        images = np.concatenate([self._film[row][:COLUMNS] for row in rows])
        title, heads = "the same inputs after so many epochs", [""] * len(self._film[0][:COLUMNS])
        path = self.writer.where / "samples.png"
        write_sheet(images, heads, [names[row] for row in rows], title, path)

    def add(
        self, row: Mapping[str, float], verdict: Verdict, networks: Mapping[str, nn.Module]
    ) -> str:
        """Add a row to the history; save the networks if the verdict is the best yet.

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
        if not self.dry_run:
            where = self.writer.where
            if kept:
                for name, network in networks.items():
                    self.writer.save_network(f"{name}.safetensors", network)
            write_csv(where / "history.csv", self.history)
            verdict.save_picture(where / "samples", row["epoch"])
            self._film.append(verdict.shown.copy())  # not a view of all that was drawn
            self.writer.publish()
        said = [f"G loss {row['g_loss']:.3f}"]
        if "d_loss" in row:  # where D learned
            said.insert(0, f"D loss {row['d_loss']:.3f}")
            said.append(f"D(x) {row['d_real']:.2f}")
            said.append(f"D(G(z)) {row['d_fake']:.2f} -> {row['d_fake_after']:.2f}")
        said += [*verdict.words(), f"{row['seconds']:.0f} s"]
        if not kept:
            said.append("not the best, not kept")
        return f"epoch {row['epoch']:.4g}: {', '.join(said)}"
