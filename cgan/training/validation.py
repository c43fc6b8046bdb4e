"""The quick evaluation during a GAN training, against validation images."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cgan.data.grids import sample_grid
from cgan.data.spec import DataSpec, plural
from cgan.data.splits import Split, scale, subset
from cgan.metrics import manifold
from cgan.metrics.accuracy import accuracy
from cgan.metrics.diversity import diversity_per_class
from cgan.metrics.features import Features
from cgan.metrics.frechet import fcd, has_covariance
from cgan.metrics.results import ClassRow, histogram_rows
from cgan.metrics.warnings import Found, find_warnings
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import Classifier
from cgan.models.judge import extract, extract_split
from cgan.models.sampling import collect, noise, sample
from cgan.runtime.device import autocast

N_IMAGES = 2000  # generated images, and as many real ones; fewer if there are fewer
SEED = 2**31  # of the fixed inputs; larger than any seed of a user
N_SHOWN = 60  # fixed inputs in the picture of each evaluation


@dataclass(frozen=True)
class ValidationResult:
    """The images that a generator makes of the fixed inputs, and their scores."""

    images: NDArray[np.uint8]  # [N, C, H, W]
    by_guide: Features
    fooled: NDArray[np.bool_]  # [N_SHOWN], whether the discriminator classifies an image as real
    scores: dict[str, float]  # guide_accuracy of a conditional generator; more with a judge
    warnings: list[str]
    names: tuple[str, ...] = ()  # of the classes; empty: they are called by their labels

    def picture(self, epoch: float) -> tuple[str, bytes]:
        """Return a file name with the epoch in it, and a PNG of the first images."""
        requested = self.by_guide.requested
        # leading zeros sort the names: 0003, or 0003.25 within an epoch
        whole, _, part = f"{epoch:g}".partition(".")
        name = f"epoch-{whole:0>4}" + (f".{part}" if part else "")
        if requested:
            share = self.scores["guide_accuracy"]
            name += f"-accuracy-{share:.3f}"
            title = (
                f"epoch {epoch:.4g}: T: requested, C: predicted by the guide ({share:.1%} agree)"
            )
        else:
            name += "-unlabelled"
            title = f"epoch {epoch:.4g}: C: predicted by the guide"
        content = sample_grid(
            self.shown,
            self.by_guide.labels[:N_SHOWN] if requested else None,
            self.by_guide.judged[:N_SHOWN],
            f"{title}\ngreen border: the discriminator says real; broken red border: generated",
            self.fooled,
            self.names,
        )
        return f"{name}.png", content

    @property
    def shown(self) -> NDArray[np.uint8]:
        """The images [N_SHOWN, C, H, W] of the first fixed inputs."""
        return self.images[:N_SHOWN]


class Validator:
    """Scores a generator on fixed inputs, without use of the training's random state.

    With a judge, the scores include `judge_accuracy`, `fcd` and `coverage`, from the functions of
    the full evaluation. The reference is as many validation images with the same labels. Without a
    judge, `guide_accuracy` is the only score. With few validation images, `fcd` and `coverage` are
    left out.
    """

    def __init__(
        self,
        validation: Split,
        guide: Classifier,
        judge: Classifier | None,
        dtype: torch.dtype,
    ):
        """Compute the judge's features of the validation images once."""
        self.guide, self.judge, self.dtype = guide, judge, dtype
        real = subset(validation, N_IMAGES)
        self.labels = real.labels
        self.spec = validation.spec
        self.n_shown = len(real.labels[:N_SHOWN])
        self.real = (
            None if judge is None else extract_split(judge, real, batch_size=N_IMAGES, dtype=dtype)
        )

    def __call__(self, generator: Generator, discriminator: Discriminator) -> ValidationResult:
        """Return images and scores; both networks are left in evaluation mode."""
        pairs = sample(generator, self.labels, seed=SEED, dtype=self.dtype)
        images, labels = collect(pairs)
        fooled = self._fooled(generator, discriminator.eval(), images[:N_SHOWN])
        by_guide = extract(self.guide, [(images, labels)], dtype=self.dtype)
        scores: dict[str, float] = {}
        if generator.conditional:
            scores["guide_accuracy"] = accuracy(fake=by_guide)["value"]
        else:
            by_guide = by_guide.as_judged()
        warnings: list[str] = []
        if self.judge is not None and self.real is not None:
            found, real = extract(self.judge, [(images, labels)], dtype=self.dtype), self.real
            if generator.conditional:
                scores["judge_accuracy"] = accuracy(fake=found)["value"]
            else:
                found, real = found.as_judged(), real.as_judged()
            scores |= _distances(found, real)
            warnings = _collapse(found, real, self.spec)
        return ValidationResult(
            images.cpu().numpy(), by_guide, fooled, scores, warnings, self.spec.names
        )

    @torch.no_grad()
    def _fooled(
        self, generator: Generator, discriminator: Discriminator, images: torch.Tensor
    ) -> NDArray[np.bool_]:
        n, device = len(images), images.device
        z = generator.prior(noise(SEED, n, generator.z_dim)).to(device)
        labels = self.labels[:n].to(device)
        modes = generator.choose_modes(z, labels)
        with autocast(device, self.dtype):
            logits = discriminator(scale(images), labels, modes).float()
        return (logits.reshape(n, -1).mean(1) > 0).cpu().numpy()


def _distances(fake: Features, real: Features) -> dict[str, float]:
    """Return `fcd` and `coverage`, unless there are too few images for them."""
    found = {}
    if has_covariance(len(real), real.features.shape[1]):
        found["fcd"] = fcd(fake=fake, real=real)["value"]
    if k := manifold.neighbours_of(len(real)):
        balls = manifold.look(fake=fake, real=real, k=k)
        found["coverage"] = manifold.coverage(balls=balls)["value"]
    return found


def _collapse(fake: Features, real: Features, spec: DataSpec) -> list[str]:
    """Return warnings about missing classes and low diversity within a class."""
    diversity = diversity_per_class(fake=fake, real=real)
    rows = [ClassRow(label=label, diversity_high=row["high"]) for label, row in diversity.items()]
    counts = histogram_rows(fake, real)
    found = find_warnings(Found({}, rows, counts, plural(spec.noun), spec.names))
    return [warning.message for warning in found]
