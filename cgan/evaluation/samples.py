"""A judge's outputs for images: the input of every metric."""

from pathlib import Path
from typing import Any

import torch

from cgan.config.schema import Folders
from cgan.data.images import Images
from cgan.data.importing.arrays import classes, pixels
from cgan.data.spec import DESCRIPTIONS, STORE_NAME
from cgan.metrics.features import Features
from cgan.models.judge import extract
from cgan.models.roles import load_role
from cgan.runtime.device import choose_device, place
from cgan.runtime.errors import lookup, naming_arguments

BATCH_SIZE = 500


class Samples(Features):
    """Input of every metric: labels int64 [N], logits float32 [N, K], features float32 [N, F]."""

    @classmethod
    @naming_arguments()
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
        """Return a judge's outputs for images, in fp32. It writes nothing and needs no data set.

        Args:
            images: an array or a tensor [N, C, H, W], [N, H, W, C], or with one channel [N, H, W]:
                whole numbers from 0 to 255, or floats from 0 to 1 or from -1 to 1; or Images, which
                have their own labels.
            labels: the requested labels of generated images, or the true ones of real images:
                whole numbers [N]. None: those of Images. If there are none, the judge's
                predictions are used instead (`requested` is False).
            dataset: the data set whose judge classifies the images: mnist, digits, ...
            judge: name or folder of another classifier.
            weights_dir: the folder of your runs; shipped runs are always found.
            device: "auto", "cpu", "cuda" or "mps".

        Raises:
            InputError: no such judge, a missing device, images of another size than the judge's,
                blank images, an unknown range of pixels, or labels that the judge does not know.
        """
        if not STORE_NAME.fullmatch(dataset):  # an imported one needs no images here
            lookup(DESCRIPTIONS, dataset, "data set")
        named = None if judge is None else str(judge)
        run = load_role("judge", named, dataset, Folders(weights=Path(weights_dir)))
        if isinstance(images, Images):
            labels = images.labels if labels is None and images.requested else labels
            images = images.images
        seen = torch.from_numpy(pixels(images, run.spec))
        known = None if labels is None else classes(labels, len(seen), run.spec)
        wanted = torch.zeros(len(seen), dtype=torch.int64)
        network = place(run.network, choose_device(device))
        pairs = zip(seen.split(BATCH_SIZE), wanted.split(BATCH_SIZE), strict=True)
        found = extract(network, pairs)
        answers = found.judged if known is None else known
        return cls(answers, found.logits, found.features, requested=known is not None)
