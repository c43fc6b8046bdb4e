"""The arrays that every metric reads."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cgan.runtime.errors import InputError


@dataclass(frozen=True)
class Features:
    """Labels int64 [N], a classifier's logits float [N, K] and features float [N, F].

    For generated images the labels are the requested ones, for real images the true ones. Where
    nothing was requested (`requested` is False) they are the classifier's own answers.

    Raises:
        InputError: arrays of different lengths, none at all, a label that is no class, or a number
            that is not finite.
    """

    labels: NDArray[np.int64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    requested: bool = True

    def __post_init__(self) -> None:
        """Check that the arrays are consistent and finite."""
        if not len(self.labels) == len(self.logits) == len(self.features) > 0:
            raise InputError(
                f"{len(self.labels)} labels, {len(self.logits)} logits and {len(self.features)} "
                "features do not belong together"
            )
        low, high = self.labels.min(), self.labels.max()
        if low < 0 or high >= self.n_classes:
            raise InputError(
                f"the labels run from {low} to {high}; the classifier knows the classes 0 to "
                f"{self.n_classes - 1}"
            )
        if not (np.isfinite(self.logits).all() and np.isfinite(self.features).all()):
            raise InputError(
                "the classifier's outputs are not finite: its weights or the images are damaged"
            )

    def __len__(self) -> int:
        """Return N."""
        return len(self.labels)

    @property
    def n_classes(self) -> int:
        """Return K."""
        return self.logits.shape[1]

    @property
    def judged(self) -> NDArray[np.int64]:
        """Return the classifier's answers, int64 [N]."""
        return self.logits.argmax(axis=1)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Features":
        """Return the samples at `index`."""
        return replace(
            self,
            labels=self.labels[index],
            logits=self.logits[index],
            features=self.features[index],
        )

    def as_judged(self) -> "Features":
        """Return the same samples with the classifier's answers as their labels."""
        return replace(self, labels=self.judged, requested=False)
