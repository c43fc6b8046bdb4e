"""What is scored: the generator of a run, or images from anywhere, with the real data beside it."""

from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.importing.arrays import Handed
from cgan.data.importing.pictures import Incoming, read_images
from cgan.data.spec import DataSpec
from cgan.data.splits import SPLITS, Split
from cgan.evaluation.views import Seers
from cgan.io.run_layout import newest_run
from cgan.models.hub import GanRun, load_generator
from cgan.models.sampling import collect, sample
from cgan.runtime.device import place
from cgan.runtime.errors import InputError


@dataclass(frozen=True)
class Subject:
    """What is scored: a run's generator, or images from anywhere."""

    name: str
    spec: DataSpec
    gan: GanRun | None = None
    incoming: Incoming | None = None

    def generator(self) -> GanRun:
        """Return the run whose generator is scored; there is one where nothing came in."""
        assert self.gan is not None
        return self.gan


def find_subject(
    run: str | None, images: Path | Handed | None, dataset: str | None, folders: Folders
) -> tuple[dict[str, Split], Subject]:
    """Find what is to be scored and load the data that it is compared with.

    Raises:
        InputError: neither or both of a run and images, or one that cannot be read or does not fit
            the data.
    """
    if images is None:
        if dataset is not None:
            raise InputError("--dataset goes with --images; a run knows its own")
        gan = load_generator(run or newest_run(folders.weights), folders.weights)
        splits = _splits(gan.spec.dataset, folders)
        found = splits["test"].spec
        if found != gan.spec:
            raise InputError(
                f"{gan.name} draws images of {gan.spec.image_shape} and the {gan.spec.dataset} in "
                f"{folders.data} has {found.image_shape}; name another --data-dir"
            )
        return splits, Subject(gan.name, gan.spec, gan=gan)
    if run is not None:
        raise InputError(f"score either the run {run} or the images in {images}, not both")
    if dataset is None:
        raise InputError("--images needs --dataset: the real images to compare with")
    splits = _splits(dataset, folders)
    spec = splits["test"].spec
    read = images.incoming(spec) if isinstance(images, Handed) else read_images(images, spec)
    return splits, Subject(read.name, spec, incoming=read.shuffled())


def _splits(dataset: str, folders: Folders) -> dict[str, Split]:
    splits = {name: load_split(dataset, folders.data, name) for name in SPLITS}
    if len({split.spec for split in splits.values()}) > 1:
        raise InputError(f"the splits of {dataset} in {folders.data} differ in image size")
    return splits


def draw(gan: GanRun, labels: torch.Tensor, seed: int, seers: Seers) -> Incoming:
    """Draw one image for each of the requested labels int64 [N].

    What a generator draws that does not heed labels comes without.
    """
    device = next(seers.judge.parameters()).device
    network, pairs = place(gan.network, device), []
    size, dtype = seers.batch_size, seers.dtype
    with seers.progress.bar(len(labels), "drawing") as bar:
        for pair in sample(network, labels, seed=seed, batch_size=size, dtype=dtype):
            pairs.append(pair)
            bar.advance(len(pair[1]))
    images, labels = collect(pairs)
    return Incoming(gan.name, images.cpu(), labels.cpu() if network.conditional else None)
