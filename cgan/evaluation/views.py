"""What the metrics look at: the generated images, and real ones in their place, judged once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgan.data.splits import Split
from cgan.metrics import manifold
from cgan.metrics.duplicates import close_distance, distinct
from cgan.metrics.neighbours import Near, nearest_in
from cgan.metrics.samples import Samples
from cgan.models.classifiers import Classifier
from cgan.models.judge import extract
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

Views = dict[str, Any]


@dataclass(frozen=True)
class Seers:
    """Who looks at the images, and how."""

    judge: Classifier
    guide: Classifier | None
    batch_size: int
    dtype: torch.dtype
    progress: Progress

    def see(self, who: Classifier, images: torch.Tensor, labels: torch.Tensor | None) -> Samples:
        """Return what a classifier says of images; without labels, its answers stand for them."""
        wanted = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
        pairs = list(zip(images.split(self.batch_size), wanted.split(self.batch_size), strict=True))
        title = "the judge reads" if who is self.judge else "the guide reads"
        with self.progress.bar(len(images), title) as bar:

            def shown() -> Any:
                for pair in pairs:
                    yield pair
                    bar.advance(len(pair[1]))

            seen = extract(who, shown(), dtype=self.dtype)
        if labels is None:
            return Samples(seen.judged, seen.logits, seen.features, requested=False)
        return seen

    def both(
        self, images: torch.Tensor, labels: torch.Tensor | None
    ) -> tuple[Samples, Samples | None]:
        """Return what the judge and, if there is one, the guide says of images."""
        by_guide = None if self.guide is None else self.see(self.guide, images, labels)
        return self.see(self.judge, images, labels), by_guide

    def see_split(self, who: Classifier, split: Split) -> Samples:
        """Return what a classifier says of real images."""
        return self.see(who, split.images, split.labels)


@dataclass(frozen=True)
class Reference:
    """The real images that generated ones are compared with, as the judge and the guide see them.

    Test images are the reference of every metric. In the `real` column other real images stand in
    for the generated ones: test images where a metric looks at one set alone, else validation
    images, on which nothing was trained (and training images where those have too few of a class).
    """

    progress: Progress
    tests: Samples  # as many as there are generated images, if there are
    tests_by_guide: Samples | None
    test: Samples  # of them, the other side of a comparison
    validation: Samples
    train: Samples
    train_images: NDArray[np.uint8]  # uint8 [N, C, H, W]
    test_to_train: Near | None  # None: copies are not looked for

    @staticmethod
    def of(
        seers: Seers, splits: Mapping[str, Split], n: int, *, copying: bool = True
    ) -> "Reference":
        """Let the classifiers see the splits "train", "validation" and "test".

        Args:
            seers: the classifiers.
            splits: the real images.
            n: how many test images are the other side of a comparison.
            copying: find the training image that is nearest to each of those.

        Raises:
            InputError: a class without a test image.
        """
        judge, guide = seers.judge, seers.guide
        tests, validation, train = (
            seers.see_split(judge, splits[name]) for name in ("test", "validation", "train")
        )
        absent = set(range(tests.n_classes)) - set(tests.labels.tolist())
        if absent:
            raise InputError(f"no test image has the label {min(absent)}: the data are incomplete")
        test = tests.take(np.random.default_rng(0).permutation(len(tests))[:n])
        return Reference(
            seers.progress,
            tests,
            None if guide is None else seers.see_split(guide, splits["test"]),
            test,
            validation,
            train,
            splits["train"].images.cpu().numpy(),
            _nearest(test, train, seers.progress) if copying else None,
        )

    def views(self, fake: Samples, by_guide: Samples | None, student: Samples | None) -> Views:
        """Return the views of generated images that the judge and the guide have seen.

        Args:
            fake: as the judge sees them, in no order that matters: the first are compared.
            by_guide: the same images as the guide sees them.
            student: test images as seen by a classifier that learned from generated ones.
        """
        real = self.test if fake.requested else self.test.as_judged()
        compared = fake.take(np.arange(min(len(fake), len(real))))
        balls = manifold.look(fake=compared, real=real, progress=self.progress)
        close = close_distance(balls.real_near)
        kept = distinct(compared.features.astype(np.float64), close)
        return {
            "all": fake,
            "guide": by_guide,
            "student": student,
            "fake": compared,
            "real": real,
            "train": self.train,
            "balls": balls,
            "kept": kept,
            **self._copies(compared.take(kept)),
        }

    def in_their_place(self, views: Views, student: Samples | None) -> tuple[Views, int]:
        """Return the views of real images with the same labels, and how many are training images.

        No image is taken twice: where the data have too few of a class there are fewer.
        """
        pool = _joined(self.validation, self.train)
        chosen = _alike(views["fake"], pool.labels)
        stand_in = pool.take(chosen)
        alone = _alike(views["all"], self.tests.labels)
        if not views["fake"].requested:
            stand_in = stand_in.as_judged()
        balls = manifold.look(fake=stand_in, real=views["real"], progress=self.progress)
        distinct_ones = views["distinct"] if views["distinct"] is not None else views["fake"]
        held_out = self.validation.take(_alike(distinct_ones, self.validation.labels))
        return {
            "all": self.tests.take(alone),
            "guide": None if self.tests_by_guide is None else self.tests_by_guide.take(alone),
            "student": student,
            "fake": stand_in,
            "real": views["real"],
            "train": self.train,
            "balls": balls,
            **self._copies(held_out),
        }, int((chosen >= len(self.validation)).sum())

    def _copies(self, images: Samples) -> Views:
        if self.test_to_train is None:
            return dict.fromkeys(("distinct", "held_out", "distances", "held_out_distances"))
        near = _nearest(images, self.train, self.progress)
        return {
            "distinct": images,
            "held_out": self.test,
            "distances": near.distances[:, 0],
            "nearest": near.indices[:, 0],
            "held_out_distances": self.test_to_train.distances[:, 0],
        }


def matching(wanted: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first indices of `labels` [M] with the mix of classes of `wanted`, each once.

    Where there are too few of a class, fewer.
    """
    counts = np.bincount(wanted)
    return np.concatenate([np.flatnonzero(labels == y)[:n] for y, n in enumerate(counts)])


def _alike(wanted: Samples, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `matching` indices, or where nothing was requested as many as they come."""
    if wanted.requested:
        return matching(wanted.labels, labels)
    return np.arange(min(len(wanted), len(labels)))


def _nearest(images: Samples, train: Samples, progress: Progress) -> Near:
    centre = train.features.mean(axis=0, dtype=np.float64)
    return nearest_in(images.features - centre, train.features - centre, progress=progress)


def _joined(one: Samples, other: Samples) -> Samples:
    labels, logits, features = (
        np.concatenate([getattr(part, name) for part in (one, other)])
        for name in ("labels", "logits", "features")
    )
    return Samples(labels, logits, features)
