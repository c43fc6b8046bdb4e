"""The cheap evaluation after each epoch of a GAN, against validation images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgan import data
from cgan.features import extract, extract_split
from cgan.metrics import Samples, manifold
from cgan.metrics.accuracy import accuracy
from cgan.metrics.alarms import alarms
from cgan.metrics.collapse import histogram
from cgan.metrics.diversity import diversity_per_class
from cgan.metrics.frechet import fcd
from cgan.networks import Generator
from cgan.networks.classifiers import Classifier
from cgan.pictures import sample_grid
from cgan.sampling import collect, sample

N_IMAGES = 2000  # generated, and as many real ones; all validation images where there are fewer
N_SHOWN = 60  # of the fixed inputs in the picture of each epoch
SEED = 2**31  # of the fixed inputs, apart from every seed that a person would give


@dataclass(frozen=True)
class Verdict:
    """What an epoch's generator draws from the fixed inputs, and what is thought of it."""

    images: NDArray[np.uint8]  # [N, C, H, W]
    by_guide: Samples
    scores: dict[str, float]  # guide_accuracy and, where there is a judge, the rest
    alarms: list[str]

    def save_picture(self, folder: Path, epoch: float) -> None:
        """Write the images of the first fixed inputs; the name tells epoch and guide accuracy."""
        folder.mkdir(exist_ok=True)
        share = self.scores["guide_accuracy"]
        # leading zeros, so that names sort: 0003, or 0003.25 within an epoch
        whole, _, part = f"{epoch:g}".partition(".")
        number = f"{whole:0>4}" + (f".{part}" if part else "")
        sample_grid(
            self.images[:N_SHOWN],
            self.by_guide.labels[:N_SHOWN],
            self.by_guide.judged[:N_SHOWN],
            f"epoch {epoch:g}: T requested, C read by the guide "
            f"({share:.1%} of {len(self.images)} agree)",
            folder / f"epoch-{number}-accuracy-{share:.3f}.png",
        )


class Validator:
    """Scores a generator on fixed inputs; draws nothing from the training's random state.

    A judge gives `judge_accuracy`, `fcd` and `coverage` against as many validation images with the
    same labels, by the functions of the full evaluation. Without one only the guide speaks.
    """

    def __init__(
        self,
        validation: data.Split,
        guide: Classifier,
        judge: Classifier | None,
        dtype: torch.dtype,
    ):
        """Let the judge see the real images once."""
        self.guide, self.judge, self.dtype = guide, judge, dtype
        real = data.subset(validation, N_IMAGES)
        self.labels = real.labels
        self.real = (
            None if judge is None else extract_split(judge, real, batch_size=N_IMAGES, dtype=dtype)
        )

    def __call__(self, generator: Generator) -> Verdict:
        """Return the verdict on a generator, which is left in evaluation mode."""
        pairs = sample(generator, self.labels, seed=SEED, dtype=self.dtype)
        images, labels = collect(pairs)
        by_guide = extract(self.guide, [(images, labels)], dtype=self.dtype)
        scores = {"guide_accuracy": accuracy(fake=by_guide)["value"]}
        raised: list[str] = []
        if self.judge is not None and self.real is not None:
            seen = extract(self.judge, [(images, labels)], dtype=self.dtype)
            balls = manifold.look(fake=seen, real=self.real)
            scores["judge_accuracy"] = accuracy(fake=seen)["value"]
            scores["fcd"] = fcd(fake=seen, real=self.real)["value"]
            scores["coverage"] = manifold.coverage(balls=balls)["value"]
            raised = _collapse(seen, self.real)
        return Verdict(images.cpu().numpy(), by_guide, scores, raised)


def _collapse(fake: Samples, real: Samples) -> list[str]:
    """Return the alarms of missing classes and of little variety within a class."""
    diversity = diversity_per_class(fake=fake, real=real)
    results: dict[str, Any] = {
        "metrics": {},
        "per_digit": [
            {"digit": digit, "diversity_high": row["high"]} for digit, row in diversity.items()
        ],
        "histogram": histogram(fake=fake, real=real),
    }
    return [str(alarm["message"]) for alarm in alarms(results)]
