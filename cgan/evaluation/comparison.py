"""Compares generated images, and held-out real images, with the reference images."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.data.splits import Split
from cgan.metrics import manifold
from cgan.metrics.duplicates import close_distance, distinct
from cgan.metrics.features import Features
from cgan.metrics.neighbours import Near, nearest_in
from cgan.metrics.registry import Copies, Inputs
from cgan.models.classifiers import Classifier
from cgan.models.judge import extract
from cgan.runtime.progress import Progress


@dataclass(frozen=True)
class Extractors:
    """The classifiers whose outputs are compared, with batch size and number format."""

    judge: Classifier
    guide: Classifier | None
    batch_size: int
    dtype: torch.dtype
    progress: Progress

    def features(self, network: Classifier, images: Tensor, labels: Tensor | None) -> Features:
        """Return a classifier's outputs for images uint8 [N, C, H, W] with labels int64 [N].

        Without labels, the classifier's predictions are used as labels.
        """
        known = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
        pairs = zip(images.split(self.batch_size), known.split(self.batch_size), strict=True)
        found = self._outputs(network, pairs, len(images))
        return found.as_judged() if labels is None else found

    def _outputs(
        self, network: Classifier, pairs: Iterable[tuple[Tensor, Tensor]], n: int
    ) -> Features:
        """Return a classifier's outputs for batches of images and labels, `n` images in all."""
        title = "the judge classifies" if network is self.judge else "the guide classifies"
        with self.progress.bar(n, title) as bar:

            def counted() -> Iterator[tuple[Tensor, Tensor]]:
                for pair in pairs:
                    yield pair
                    bar.advance(len(pair[1]))

            return extract(network, counted(), dtype=self.dtype)

    def by_guide(self, images: Tensor, labels: Tensor | None) -> Features | None:
        """Return the guide's outputs for images, if there is a guide."""
        return None if self.guide is None else self.features(self.guide, images, labels)

    def of_split(self, network: Classifier, split: Split) -> Features:
        """Return a classifier's outputs for real images."""
        return self._outputs(network, split.parts(self.batch_size), len(split))


@dataclass(frozen=True)
class Neighbours:
    """The training image nearest to each distinct generated image."""

    kept: NDArray[np.int64]  # indices of the distinct images among the compared generated ones
    nearest: NDArray[np.int64]  # indices of training images


@dataclass(frozen=True)
class Reference:
    """The real images that generated ones are compared with: outputs of the judge and the guide.

    Test images are the reference of every metric. The `real` column scores held-out real images the
    same way as generated ones: test images for metrics of a single set, otherwise validation
    images, on which nothing was trained (and training images if a class has too few of those).
    """

    progress: Progress
    tests: Features  # as many as generated images, if there are enough
    tests_by_guide: Features | None
    test: Features  # the part of `tests` that generated images are compared with
    validation: Features
    train: Features
    train_images: NDArray[np.uint8]  # uint8 [N, C, H, W]
    test_to_train: Near | None  # None: no search for copies

    @staticmethod
    def of(
        extractors: Extractors,
        splits: Mapping[str, Split],
        n: int,
        *,
        tests: Features | None = None,
        copying: bool = True,
    ) -> "Reference":
        """Extract the features of the splits "train", "validation" and "test".

        Args:
            extractors: the classifiers.
            splits: the real images.
            n: number of test images that generated images are compared with.
            tests: the judge's outputs for the split "test", if they are known.
            copying: find the nearest training image of each of these.
        """
        judge, guide = extractors.judge, extractors.guide
        tests = tests or extractors.of_split(judge, splits["test"])
        validation, train = (
            extractors.of_split(judge, splits[name]) for name in ("validation", "train")
        )
        test = tests.take(np.random.default_rng(0).permutation(len(tests))[:n])
        return Reference(
            extractors.progress,
            tests,
            None if guide is None else extractors.of_split(guide, splits["test"]),
            test,
            validation,
            train,
            splits["train"].images.cpu().numpy(),
            _nearest(test, train, extractors.progress) if copying else None,
        )

    def compare(
        self, fake: Features, by_guide: Features | None, student: Features | None
    ) -> tuple[Inputs, Neighbours | None]:
        """Return the inputs of the metrics for generated images, and their nearest training images.

        Args:
            fake: the judge's outputs for them, in random order: only the first are compared.
            by_guide: the guide's outputs for the same images.
            student: outputs for test images of a classifier trained on generated ones.
        """
        real = self.test if fake.requested else self.test.as_judged()
        compared = fake.take(np.arange(min(len(fake), len(real))))
        k = manifold.neighbours_of(len(compared))
        balls = self._balls(compared, real, k)
        inputs = Inputs(fake, compared, real, self.train, balls, by_guide, student)
        if self.test_to_train is None:
            return inputs, None
        kept = np.arange(len(compared))
        if balls is not None:
            kept = distinct(compared.features.astype(np.float64), close_distance(balls.real_near))
        copies, near = self._copies(compared.take(kept), self.test_to_train)
        return replace(inputs, copies=copies), Neighbours(kept, near.indices[:, 0])

    def compare_real(self, inputs: Inputs, student: Features | None) -> tuple[Inputs, int]:
        """Return the metrics' inputs for held-out real images, and how many are training images.

        They have the labels of the generated images. No image is used twice, so a class with too
        few images is represented by fewer.
        """
        pool = _joined(self.validation, self.train)
        chosen = _alike(inputs.fake, pool.labels)
        stand_in = pool.take(chosen)
        alone = _alike(inputs.all, self.tests.labels)
        if not inputs.fake.requested:
            stand_in = stand_in.as_judged()
        k = 0 if inputs.balls is None else inputs.balls.k
        balls = self._balls(stand_in, inputs.real, k)
        found = Inputs(
            self.tests.take(alone),
            stand_in,
            inputs.real,
            self.train,
            balls,
            None if self.tests_by_guide is None else self.tests_by_guide.take(alone),
            student,
        )
        if inputs.copies is not None and self.test_to_train is not None:
            labels = self.validation.labels
            held_out = self.validation.take(_alike(inputs.copies.distinct, labels))
            copies, _ = self._copies(held_out, self.test_to_train)
            found = replace(found, copies=copies)
        return found, int((chosen >= len(self.validation)).sum())

    def _balls(self, images: Features, real: Features, k: int) -> manifold.Balls | None:
        """Return the balls of k neighbours; None if k is 0, or there are no more than k images."""
        if not 0 < k < min(len(images), len(real)):
            return None
        return manifold.look(fake=images, real=real, k=k, progress=self.progress)

    def _copies(self, images: Features, test_to_train: Near) -> tuple[Copies, Near]:
        near = _nearest(images, self.train, self.progress)
        distances = near.distances[:, 0], test_to_train.distances[:, 0]
        return Copies(images, self.test, *distances), near


def matching(wanted: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first indices of `labels` [M] with the class counts of `wanted`, each once.

    A class with too few images gets fewer.
    """
    counts = np.bincount(wanted)
    return np.concatenate([np.flatnonzero(labels == y)[:n] for y, n in enumerate(counts)])


def _alike(wanted: Features, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `matching` indices, or the first ones if no labels were requested."""
    if wanted.requested:
        return matching(wanted.labels, labels)
    return np.arange(min(len(wanted), len(labels)))


def _nearest(images: Features, train: Features, progress: Progress) -> Near:
    centre = train.features.mean(axis=0, dtype=np.float64)
    return nearest_in(images.features - centre, train.features - centre, progress=progress)


def _joined(one: Features, other: Features) -> Features:
    labels, logits, features = (
        np.concatenate([getattr(part, name) for part in (one, other)])
        for name in ("labels", "logits", "features")
    )
    return Features(labels, logits, features)
