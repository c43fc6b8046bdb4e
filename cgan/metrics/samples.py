"""The arrays that every metric reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Samples:
    """Labels int64 [N], a classifier's logits float [N, K] and features float [N, F].

    For generated images the labels are the requested ones, for real images the true ones.
    """

    labels: NDArray[np.int64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32]

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

    def take(self, index: NDArray[np.int64]) -> "Samples":
        """Return the samples at `index`."""
        return Samples(self.labels[index], self.logits[index], self.features[index])
