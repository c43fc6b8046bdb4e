"""What is read off a training step by step: sums on the device, looked at now and then."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from cgan.runtime.errors import TrainingError

Readings = dict[str, Tensor]
TERMS = {  # readings in words, where they are not plain
    "d_loss": "the discriminator's loss",
    "g_loss": "the generator's loss",
    "guidance_loss": "the guide's loss",
    "d_gradient": "the discriminator's gradient",
    "g_gradient": "the generator's gradient",
}

# readings and scores in short, for one line of a terminal, with their formats
SHORT = {
    "d_loss": ("D", ".2f"),
    "g_loss": ("G", ".2f"),
    "d_real": ("D(x)", ".2f"),
    "d_fake": ("D(G(z))", ".2f"),
    "judge_accuracy": ("acc", ".1%"),
    "coverage": ("cov", ".0%"),
}


def in_short(readings: Mapping[str, float]) -> str:
    """Return readings and scores by name as a person reads them beside a bar, in 60 columns.

    Those that stand in no line are left out.
    """
    known = ((SHORT[name], readings[name]) for name in SHORT if name in readings)
    return " ".join(f"{word} {value:{form}}" for (word, form), value in known)


class Log:
    """Sums readings on the device; only `check` and what calls it wait for their values."""

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
        """Look for the first reading since the last check that is no number.

        Raises:
            TrainingError: there is one; the message names its step.
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
