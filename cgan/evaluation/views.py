"""What the metrics look at: the generated images, and real ones in their place, judged once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgan import data
from cgan.errors import InputError
from cgan.features import extract
from cgan.metrics import Samples, manifold
from cgan.metrics.duplicates import close_distance, distinct
from cgan.metrics.neighbours import Near, nearest_in
from cgan.networks.classifiers import Classifier
from cgan.progress import Progress

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
        with self.progress.bar(len(images), "reading") as bar:

            def shown() -> Any:
                for pair in pairs:
                    yield pair
                    bar.advance(len(pair[1]))

            seen = extract(who, shown(), dtype=self.dtype)
        if labels is None:
            return Samples(seen.judged, seen.logits, seen.features, requested=False)
        return seen

    def see_split(self, who: Classifier, split: data.Split) -> Samples:
        """Return what a classifier says of real images."""
        return self.see(who, split.images, split.labels)


@dataclass(frozen=True)
class Reference:
    """The real images that generated ones are compared with, as the judge and the guide see them.

    The test images are the reference of every metric. In the `real` column other real images
    stand in for the generated ones: validation images, which nothing was trained on, and training
    images where those are too few.
    """

    seers: Seers
    progress: Progress
    test: Samples
    test_by_guide: Samples | None
    validation: Samples
    train: Samples  # in which copies are looked for
    train_images: NDArray[np.uint8]  # uint8 [N, C, H, W]
    test_to_train: Near

    @staticmethod
    def of(seers: Seers, splits: Mapping[str, data.Split]) -> "Reference":
        """Let the classifiers see the splits "train", "validation" and "test".

        Raises:
            InputError: a class without a test image.
        """
        judge, guide = seers.judge, seers.guide
        test, train = (seers.see_split(judge, splits[name]) for name in ("test", "train"))
        absent = set(range(test.n_classes)) - set(test.labels.tolist())
        if absent:
            raise InputError(f"no test image has the label {min(absent)}: the data are incomplete")
        return Reference(
            seers,
            seers.progress,
            test,
            None if guide is None else seers.see_split(guide, splits["test"]),
            seers.see_split(judge, splits["validation"]),
            train,
            splits["train"].images.cpu().numpy(),
            _nearest(test, train, seers.progress),
        )

    def generated(
        self, images: torch.Tensor, labels: torch.Tensor | None, student: Samples | None
    ) -> Views:
        """Return the views of generated images uint8 [N, C, H, W] and their requested labels."""
        guide = self.seers.guide
        fake = self.seers.see(self.seers.judge, images, labels)
        by_guide = None if guide is None else self.seers.see(guide, images, labels)
        return self.views(fake, by_guide, student)

    def views(self, fake: Samples, by_guide: Samples | None, student: Samples | None) -> Views:
        """Return the views of generated images that the judge and the guide have seen."""
        compared = fake.take(np.arange(min(len(fake), len(self.test))))
        balls = manifold.look(fake=compared, real=self.test, progress=self.progress)
        close = close_distance(balls.real_near)
        kept = distinct(compared.features.astype(np.float64), close)[: len(self.validation)]
        return {
            "all": fake,
            "guide": by_guide,
            "student": student,
            "fake": compared,
            "real": self.test,
            "balls": balls,
            **self._copies(compared.take(kept)),
            "kept": kept,
        }

    def in_their_place(self, views: Views, student: Samples | None) -> tuple[Views, int]:
        """Return the views of as many real images with the same labels, and how many are train's.

        Test images where a metric looks at the images alone; else images that are not among them.
        """
        chosen, from_train = _like(views["fake"], self.validation, self.train)
        balls = manifold.look(fake=chosen, real=self.test, progress=self.progress)
        alone = self.validation.take(np.arange(min(len(views["distinct"]), len(self.validation))))
        return {
            "all": self.test,
            "guide": self.test_by_guide,
            "student": student,
            "fake": chosen,
            "real": self.test,
            "balls": balls,
            **self._copies(alone),
        }, from_train

    def _copies(self, images: Samples) -> Views:
        near = _nearest(images, self.train, self.progress)
        return {
            "distinct": images,
            "held_out": self.test,
            "train": self.train,
            "distances": near.distances[:, 0],
            "nearest": near.indices[:, 0],
            "held_out_distances": self.test_to_train.distances[:, 0],
        }


def _nearest(images: Samples, train: Samples, progress: Progress) -> Near:
    centre = train.features.mean(axis=0, dtype=np.float64)
    return nearest_in(images.features - centre, train.features - centre, progress=progress)


def _like(wanted: Samples, first: Samples, second: Samples) -> tuple[Samples, int]:
    """Return real images with the labels of `wanted`, and how many are of the second pool.

    Where nothing was requested, as many images as they come. No image is taken twice: where both
    pools together have too few of a class there are fewer.
    """
    labels = np.concatenate([first.labels, second.labels])
    if wanted.requested:
        counts = np.bincount(wanted.labels, minlength=wanted.n_classes)
        index = np.concatenate([np.flatnonzero(labels == y)[:n] for y, n in enumerate(counts)])
    else:
        index = np.arange(min(len(wanted), len(labels)))
    logits = np.concatenate([first.logits, second.logits])[index]
    features = np.concatenate([first.features, second.features])[index]
    chosen = Samples(labels[index], logits, features, wanted.requested)
    return chosen, int((index >= len(first)).sum())
