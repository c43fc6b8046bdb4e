"""What is scored (a run's generator or imported images), and the real data to compare with."""

from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.importing.arrays import ArrayImages
from cgan.data.importing.folders import ImportedImages, read_images, require_classes
from cgan.data.spec import SPLITS, DataSpec
from cgan.data.splits import Split, of_classes
from cgan.evaluation.comparison import Extractors
from cgan.io.run_layout import newest_run
from cgan.models.hub import ClassifierRun, GanRun, load_generator
from cgan.models.roles import load_role, require_same_images
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


@dataclass(frozen=True)
class RealImages:
    """The real images to compare with, of the classes that all splits have."""

    splits: dict[str, Split]
    absent: list[int]  # classes that a split lacks; they are left out


def find_subject(
    run: str | None, images: Path | ArrayImages | None, dataset: str | None, folders: Folders
) -> tuple[RealImages, Subject]:
    """Find what is scored, and load the real images to compare with.

    The arguments were checked by `cgan.evaluation.arguments.require_subject`.

    Raises:
        InputError: a run or images that cannot be read or do not fit the data.
    """
    if images is None:
        gan = load_generator(run or newest_run(folders.weights), folders.weights)
        real = _real_images(gan.spec.dataset, folders)
        found = real.splits["test"].spec
        if found != gan.spec:
            raise InputError(
                f"{gan.name} generates images of {gan.spec.image_shape} but {gan.spec.dataset} in "
                f"{folders.data} has {found.image_shape}; choose another --data-dir"
            )
        return real, Subject(gan.name, gan.spec, gan=gan)
    assert dataset is not None
    real = _real_images(dataset, folders)
    spec = real.splits["test"].spec
    read = images.imported(spec) if isinstance(images, ArrayImages) else read_images(images, spec)
    read = read.without(real.absent)
    if read.labels is not None:
        where = f"{images}"
        require_classes(read.labels.numpy(), set(range(spec.n_classes)) - {*real.absent}, where)
    return real, Subject(read.name, spec, imported=read.shuffled())


def _real_images(dataset: str, folders: Folders) -> RealImages:
    """Load the splits of a data set, without the classes that one of them lacks.

    Raises:
        InputError: files that are missing or damaged, splits that differ, or no class in all.
    """
    splits = {name: load_split(dataset, folders.data, name) for name in SPLITS}
    if len({split.spec for split in splits.values()}) > 1:
        raise InputError(f"the splits of {dataset} in {folders.data} differ in image size")
    counts = [split.class_counts() for split in splits.values()]
    absent = [label for label, each in enumerate(zip(*counts, strict=True)) if 0 in each]
    kept = {*range(len(counts[0]))} - {*absent}
    if not kept:
        raise InputError(f"the splits of {dataset} in {folders.data} have no class in common")
    if absent:
        splits = {name: of_classes(split, kept) for name, split in splits.items()}
    return RealImages(splits, absent)


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
    judge_run = load_role("judge", judge, spec.dataset, folders)
    name = guide or (gan.guide if gan else None)
    guide_run = load_role("guide", name, spec.dataset, folders) if name else None
    for run in (judge_run, guide_run):
        if run is not None:
            require_same_images(run, spec, folders)
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
