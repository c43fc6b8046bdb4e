"""Runs a classifier over images: logits and penultimate features, as arrays."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from cgan.data.splits import Split, scale
from cgan.metrics.features import Features
from cgan.models.classifiers import Classifier
from cgan.runtime.device import autocast


@torch.no_grad()
def extract(
    classifier: Classifier,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    dtype: torch.dtype = torch.float32,
) -> Features:
    """Run a classifier over batches of (images uint8 [B, C, H, W], labels int64 [B]).

    Returns:
        Features with labels int64 [N], logits float32 [N, K] and features float32 [N, F].
    """
    device = next(classifier.parameters()).device
    classifier.eval()
    labels, logits, features = [], [], []
    for images, wanted in batches:
        scaled = scale(images.to(device)).contiguous(memory_format=torch.channels_last)
        with autocast(device, dtype):
            penultimate = classifier.features(scaled)
            output = classifier.classify(penultimate)
        labels.append(wanted.cpu().numpy())
        logits.append(output.float().cpu().numpy())
        features.append(penultimate.float().cpu().numpy())
    return Features(np.concatenate(labels), np.concatenate(logits), np.concatenate(features))


def extract_split(
    classifier: Classifier, split: Split, *, batch_size: int, dtype: torch.dtype
) -> Features:
    """Run a classifier over a split of real images."""
    return extract(classifier, split.parts(batch_size), dtype=dtype)
