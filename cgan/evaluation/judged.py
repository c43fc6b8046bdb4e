"""Anybody's images as a judge sees them, so that every metric can be asked about them."""

from pathlib import Path
from typing import Any

import torch

from cgan.data.images import Images
from cgan.data.importing.arrays import classes, pixels
from cgan.metrics import samples as metrics
from cgan.models.hub import load_classifier
from cgan.models.judge import extract
from cgan.runtime.device import choose_device, place

BATCH_SIZE = 500


class Samples(metrics.Samples):
    """What every metric reads: labels int64 [N], logits float32 [N, K], features float32 [N, F]."""

    @classmethod
    def from_images(
        cls,
        images: Any,
        labels: Any = None,
        dataset: str = "mnist",
        judge: str | Path | None = None,
        *,
        weights_dir: str | Path = "weights",
        device: str = "auto",
    ) -> "Samples":
        """Let a judge look at images, in fp32; nothing is written and no data set is needed.

        Args:
            images: an array or a tensor [N, C, H, W], [N, H, W, C], or [N, H, W] where there is one
                channel: whole numbers from 0 to 255, or floats from 0 to 1 or from -1 to 1; or
                Images, which bring their labels.
            labels: the labels that were requested of them, or, of real images, that they have:
                whole numbers [N]. None: those of Images, or there are none, and the judge's own
                answers stand in their place (`requested` is False).
            dataset: whose judge is asked: mnist, digits, ...
            judge: name or folder of another classifier to ask.
            weights_dir: the folder of one's own runs; those that ship are found without it.
            device: "auto", "cpu", "cuda" or "mps".

        Raises:
            InputError: no such judge, a device that is not there, images that are not of the
                judge's size, blank, or in an unknown range, or labels that are no classes of its.
        """
        run = load_classifier(judge or f"{dataset}-judge", weights_dir)
        if isinstance(images, Images):
            labels = images.labels if labels is None and images.requested else labels
            images = images.images
        seen = torch.from_numpy(pixels(images, run.spec))
        known = None if labels is None else classes(labels, len(seen), run.spec)
        wanted = torch.zeros(len(seen), dtype=torch.int64)
        network = place(run.network, choose_device(device))
        pairs = zip(seen.split(BATCH_SIZE), wanted.split(BATCH_SIZE), strict=True)
        told = extract(network, pairs)
        answers = told.judged if known is None else known
        return cls(answers, told.logits, told.features, requested=known is not None)
