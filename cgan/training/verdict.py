"""What one look at a generator in training found, and its picture."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgan.data.grids import sample_grid
from cgan.metrics.samples import Samples

N_SHOWN = 60  # of the fixed inputs in the picture of each epoch


@dataclass(frozen=True)
class Verdict:
    """What an epoch's generator draws from the fixed inputs, and what is thought of it."""

    images: NDArray[np.uint8]  # [N, C, H, W]
    by_guide: Samples
    fooled: NDArray[np.bool_]  # [N_SHOWN], whether the discriminator takes them for real
    scores: dict[str, float]  # guide_accuracy if labels are heeded; with a judge, the rest
    alarms: list[str]

    def picture(self, epoch: float) -> tuple[str, bytes]:
        """Return the images of the first fixed inputs as a PNG, and a name that tells the epoch."""
        requested = self.by_guide.requested
        # leading zeros, so that names sort: 0003, or 0003.25 within an epoch
        whole, _, part = f"{epoch:g}".partition(".")
        name = f"epoch-{whole:0>4}" + (f".{part}" if part else "")
        if requested:
            share = self.scores["guide_accuracy"]
            name += f"-accuracy-{share:.3f}"
            title = f"epoch {epoch:.4g}: T requested, C read by the guide ({share:.1%} agree)"
        else:
            name += "-unlabelled"
            title = f"epoch {epoch:.4g}: C read by the guide"
        content = sample_grid(
            self.shown,
            self.by_guide.labels[:N_SHOWN] if requested else None,
            self.by_guide.judged[:N_SHOWN],
            f"{title}\nborder green: the discriminator takes it for real; broken, red: not",
            self.fooled,
        )
        return f"{name}.png", content

    @property
    def shown(self) -> NDArray[np.uint8]:
        """The images [N_SHOWN, C, H, W] of the first fixed inputs."""
        return self.images[:N_SHOWN]

    def words(self) -> list[str]:
        """Return the scores as a person reads them."""
        return in_words(self.scores)


def in_words(scores: Mapping[str, float]) -> list[str]:
    """Return an epoch's scores by name as a person reads them, those that there are."""
    names = {"guide_accuracy": "guide accuracy", "judge_accuracy": "judge accuracy"}
    said = [f"{names[key]} {scores[key]:.1%}" for key in names if key in scores]
    if "fcd" in scores:
        said += [f"FCD {scores['fcd']:.3f}", f"coverage {scores['coverage']:.1%}"]
    return said
