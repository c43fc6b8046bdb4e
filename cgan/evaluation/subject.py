"""What is scored (a run's generator or imported images), and the real data to compare with."""

from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.importing.arrays import ArrayImages
from cgan.data.importing.folders import ImportedImages, read_images
from cgan.data.spec import DataSpec
from cgan.data.splits import SPLITS, Split
from cgan.evaluation.comparison import Extractors
from cgan.io.run_layout import newest_run
from cgan.models.hub import (
    ClassifierRun,
    GanRun,
    load_classifier,
    load_generator,
    require_same_images,
)
from cgan.models.sampling import collect, sample
from cgan.runtime.device import place
from cgan.runtime.errors import InputError


@dataclass(frozen=True)
class Subject:
    """What is scored: a run's generator, or imported images."""

    name: str
    spec: DataSpec
    gan: GanRun | None = None
    imported: ImportedImages | None = None

    def generator(self) -> GanRun:
        """Return the run whose generator is scored; there is one if no images were imported."""
        assert self.gan is not None
        return self.gan


def find_subject(
    run: str | None, images: Path | ArrayImages | None, dataset: str | None, folders: Folders
) -> tuple[dict[str, Split], Subject]:
    """Find what is scored, and load the real images to compare with.

    Raises:
        InputError: both a run and images, or one that cannot be read or does not fit the data.
    """
    if images is None:
        if dataset is not None:
            raise InputError("--dataset needs --images; a run has its own data set")
        gan = load_generator(run or newest_run(folders.weights), folders.weights)
        splits = _splits(gan.spec.dataset, folders)
        found = splits["test"].spec
        if found != gan.spec:
            raise InputError(
                f"{gan.name} generates images of {gan.spec.image_shape} but {gan.spec.dataset} in "
                f"{folders.data} has {found.image_shape}; choose another --data-dir"
            )
        return splits, Subject(gan.name, gan.spec, gan=gan)
    if run is not None:
        raise InputError(f"score either the run {run} or the images in {images}, not both")
    if dataset is None:
        raise InputError("--images needs --dataset, the real images to compare with")
    splits = _splits(dataset, folders)
    spec = splits["test"].spec
    read = images.imported(spec) if isinstance(images, ArrayImages) else read_images(images, spec)
    return splits, Subject(read.name, spec, imported=read.shuffled())


def _splits(dataset: str, folders: Folders) -> dict[str, Split]:
    splits = {name: load_split(dataset, folders.data, name) for name in SPLITS}
    if len({split.spec for split in splits.values()}) > 1:
        raise InputError(f"the splits of {dataset} in {folders.data} differ in image size")
    return splits


@dataclass(frozen=True)
class Classifiers:
    """The classifiers that score images: the judge and, if known, the guide."""

    judge: ClassifierRun
    guide: ClassifierRun | None


def find_classifiers(
    subject: Subject, judge: str | None, guide: str | None, folders: Folders
) -> Classifiers:
    """Load the judge and the guide by name or folder.

    Args:
        subject: what is scored.
        judge: name or folder; None: `<dataset>-judge`.
        guide: name or folder; None: the generator's guide, if it is known.
        folders: the folders of runs.

    Raises:
        InputError: one is missing or was trained on other images, the judge guided the generator,
            or the guide has been retrained since and `guide` is None.
    """
    gan, spec = subject.gan, subject.spec
    judge_run = load_classifier(judge or f"{spec.dataset}-judge", folders.weights)
    name = guide or (gan.guide if gan else None)
    guide_run = load_classifier(name, folders.weights) if name else None
    for run in (judge_run, guide_run):
        if run is not None:
            require_same_images(run, spec)
    guided_by = {gan.guide_sha256 if gan else None, guide_run.sha256() if guide_run else None}
    if judge_run.sha256() in guided_by:
        what = gan.name if gan else "these images"
        raise InputError(f"{judge_run.name} guided {what}, so it cannot judge it; choose another")
    changed = gan and guide_run and guide_run.sha256() != gan.guide_sha256
    if gan is not None and guide_run is not None and changed and guide is None:
        raise InputError(
            f"{guide_run.name} is not the classifier that guided {gan.name}: its weights have "
            "changed; choose a classifier to show with --guide"
        )
    return Classifiers(judge_run, guide_run)


def draw(gan: GanRun, labels: torch.Tensor, seed: int, extractors: Extractors) -> ImportedImages:
    """Generate one image for each of the requested labels int64 [N].

    The images of an unconditional generator have no labels.
    """
    device = next(extractors.judge.parameters()).device
    network, pairs = place(gan.network, device), []
    size, dtype = extractors.batch_size, extractors.dtype
    with extractors.progress.bar(len(labels), "drawing") as bar:
        for pair in sample(network, labels, seed=seed, batch_size=size, dtype=dtype):
            pairs.append(pair)
            bar.advance(len(pair[1]))
    images, labels = collect(pairs)
    return ImportedImages(gan.name, images.cpu(), labels.cpu() if network.conditional else None)
