"""Finds the modes of each class in the training images, by clustering the guide's features."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor

from cgan.data.splits import Split
from cgan.models.classifiers import Classifier
from cgan.models.judge import extract_split
from cgan.runtime.errors import InputError

BATCH_SIZE = 1000
N_FITTED = 2000  # images per class for fitting the cluster centres


@dataclass(frozen=True)
class ModeClusters:
    """The mode of every training image, and the frequency of each mode."""

    modes: Tensor  # int64 [N], 0 to n_modes - 1; 0 is the most frequent mode of a class
    frequencies: Tensor  # float32 [K, n_modes]: shares of the class; each row sums to 1


def cluster_modes(
    guide: Classifier,
    train: Split,
    n_modes: int,
    dtype: torch.dtype,
    known: Tensor | None = None,
) -> ModeClusters:
    """Cluster the guide's features of each class into modes.

    A generator that is conditioned only on the class tends to drop rare modes, such as sevens with
    a bar. Conditioning on the mode prevents this (Liu 2020, "Diverse Image Generation via
    Self-Conditioned GANs", section 3).

    Args:
        guide: a classifier of these classes, on the device of `train`.
        train: the training images.
        n_modes: modes per class; 1: no modes. A class with fewer images than modes has one mode
            per image.
        dtype: number format of the guide's products and convolutions.
        known: modes int64 [N] of an earlier clustering, which are used instead of a new one.

    Raises:
        InputError: `known` cannot be the modes of these images.
    """
    n_classes = train.spec.n_classes
    if known is None:
        modes = _clustered(guide, train, n_modes, dtype)
    else:
        modes = _checked(known, len(train), n_modes)
    index = train.labels.cpu().numpy() * n_modes + modes
    counts = np.bincount(index, minlength=n_classes * n_modes).reshape(n_classes, n_modes)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    if n_modes == 1:
        shares = np.ones((n_classes, 1))
    return ModeClusters(
        torch.from_numpy(modes).to(train.labels.device), torch.from_numpy(shares).float()
    )


def _checked(known: Tensor, n_images: int, n_modes: int) -> NDArray[np.int64]:
    modes = known.cpu().numpy()
    possible = modes.dtype == np.int64 and modes.shape == (n_images,)
    if not possible or modes.min() < 0 or modes.max() >= n_modes:
        raise InputError("the modes in the checkpoint belong to other images")
    return modes


def _clustered(
    guide: Classifier, train: Split, n_modes: int, dtype: torch.dtype
) -> NDArray[np.int64]:
    modes = np.zeros(len(train), dtype=np.int64)
    if n_modes == 1:
        return modes
    found = extract_split(guide, train, batch_size=BATCH_SIZE, dtype=dtype)
    # with more threads the order of sums varies, which can change the modes
    with threadpool_limits(limits=1, user_api="openmp"):
        for label in range(train.spec.n_classes):
            mine = found.labels == label
            if mine.any():
                modes[mine] = _clusters(found.features[mine], n_modes)
    return modes


def _clusters(features: NDArray[np.float32], n_modes: int) -> NDArray[np.int64]:
    """Return the cluster int64 [N] of each feature vector [N, F]; cluster 0 is the largest."""
    means = KMeans(min(n_modes, len(features)), n_init=2, random_state=0)
    nearest = means.fit(features[:N_FITTED]).predict(features)
    order = np.argsort(-np.bincount(nearest, minlength=n_modes), kind="stable")
    return np.argsort(order)[nearest]
