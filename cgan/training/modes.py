"""What a guide finds in the training images: the modes of each class, the scale of what it sees."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor

from cgan.data.splits import Split
from cgan.models.classifiers import Classifier
from cgan.models.frozen_features import Sight
from cgan.models.judge import extract_split
from cgan.runtime.errors import InputError

BATCH_SIZE = 1000
N_FITTED = 2000  # images of a class whose features place the centres of its modes
N_SCALED = 1000  # images that say how widely the guide's features spread


@dataclass(frozen=True)
class Study:
    """The modes of the training images and the guide's sight of them."""

    conditions: Tensor  # int64 [N]: label x n_modes + mode of every training image
    frequencies: Tensor  # float32 [K, n_modes]: shares of a class, each row a sum of one
    sight: Sight
    scales: Tensor  # float32 [2]: they give what `sight` shows of training images unit spread


def study(
    guide: Classifier,
    train: Split,
    n_modes: int,
    dtype: torch.dtype,
    known: Tensor | None = None,
) -> Study:
    """Cluster the guide's features of each class into modes, and measure their spread.

    A generator of one smooth distribution a class leaves out what lies apart, such as sevens with
    a bar; told which mode to draw, it does not (Liu 2020, "Diverse Image Generation via
    Self-Conditioned GANs", section 3).

    Args:
        guide: on the device of `train`, trained on its classes.
        train: the training images.
        n_modes: modes a class; 1: the class is its only mode. A class of fewer images than that
            has as many modes as images.
        dtype: number format of the guide's products and convolutions.
        known: the conditions of an earlier study of the same images, which then hold.

    Raises:
        InputError: what is `known` cannot be of these images.
    """
    sight = Sight(guide, dtype)
    scales = sight.scales(train.images[:N_SCALED])
    n_classes = train.spec.n_classes
    if n_modes == 1:
        return Study(train.labels, torch.ones(n_classes, 1), sight, scales)
    if known is None:
        conditions = _conditions(guide, train, n_modes, dtype)
    else:
        conditions = known.cpu().numpy()
        if known.is_floating_point() or not np.array_equal(
            conditions // n_modes, train.labels.cpu().numpy()
        ):
            raise InputError("the modes in the checkpoint are not those of these images")
    counts = np.bincount(conditions, minlength=n_classes * n_modes).reshape(n_classes, n_modes)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return Study(
        torch.from_numpy(conditions).to(train.labels.device),
        torch.from_numpy(shares).float(),
        sight,
        scales,
    )


def _conditions(
    guide: Classifier, train: Split, n_modes: int, dtype: torch.dtype
) -> NDArray[np.int64]:
    seen = extract_split(guide, train, batch_size=BATCH_SIZE, dtype=dtype)
    modes = np.zeros(len(train), dtype=np.int64)
    # sums of more than two threads come in any order, and so would another mode now and then
    with threadpool_limits(limits=1, user_api="openmp"):
        for label in range(train.spec.n_classes):
            mine = seen.labels == label
            if mine.any():
                modes[mine] = _clusters(seen.features[mine], n_modes)
    return seen.labels * n_modes + modes


def _clusters(features: NDArray[np.float32], n_modes: int) -> NDArray[np.int64]:
    """Return the cluster int64 [N] of every feature vector [N, F], most frequent cluster first."""
    means = KMeans(min(n_modes, len(features)), n_init=2, random_state=0)
    nearest = means.fit(features[:N_FITTED]).predict(features)
    order = np.argsort(-np.bincount(nearest, minlength=n_modes), kind="stable")
    return np.argsort(order)[nearest]
