"""Guides and judges: those of a data set, whether they know its images, the guide that D needs."""

from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.commands import classifier_command, free_classifier_name
from cgan.config.schema import Folders, GanConfig
from cgan.data.roles import require_classifier
from cgan.data.run_config import read_config
from cgan.data.spec import DataSpec
from cgan.io.run_layout import (
    CONFIG,
    DISCRIMINATOR,
    SHIPPED,
    WEIGHTS,
    find_run,
    plain_name,
    require_intact,
)
from cgan.metrics.accuracy import accuracy
from cgan.metrics.features import Features
from cgan.models.base import Discriminator
from cgan.models.classifiers import Classifier
from cgan.models.conv import GuidedDiscriminator
from cgan.models.frozen_features import FrozenFeatures
from cgan.models.hub import ClassifierRun, load_classifier, load_state
from cgan.models.registry import make_discriminator_on_meta, uses_guide_features
from cgan.runtime.errors import InputError

FAR_BELOW = 0.1  # of the images; a judge that loses more than this does not know the images


@dataclass(frozen=True)
class DiscriminatorRun:
    """A discriminator read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: GanConfig
    guide: ClassifierRun | None  # whose features it uses; None: it uses pixels only
    network: Discriminator


def load_role(role: str, run: str | None, dataset: str, folders: Folders) -> ClassifierRun:
    """Load the guide or the judge of a data set; the arguments are those of `require_classifier`.

    Raises:
        InputError: no such run, or one whose files do not match.
    """
    return load_classifier(require_classifier(role, run, dataset, folders), folders.weights)


def of_other_images(
    role: str, classifier: ClassifierRun, data_sha256: str, folders: Folders
) -> str | None:
    """Return a line on a classifier that was trained on other images; None if it was on these.

    Args:
        role: "guide" or "judge".
        classifier: has this role for a data set of the same name.
        data_sha256: of the training images, as `Split.sha256` returns it.
        folders: the folders of the data and of one's own runs.
    """
    if classifier.data_sha256 in (None, data_sha256):
        return None
    dataset = classifier.spec.dataset
    name = free_classifier_name(dataset, role, folders.weights)
    use = "" if name == f"{dataset}-{role}" else f", then use --{role} {name}"
    return (
        f"{classifier.name} was trained on other images than those of {dataset} in "
        f"{folders.data}; to train a {role} of these: "
        f"{classifier_command(dataset, role, folders)}{use}"
    )


def require_knowledge(judge: ClassifierRun, real: Features, folders: Folders) -> None:
    """Check that a judge classifies real test images about as well as when it was trained.

    A judge of a version that recorded no accuracy is not checked.

    Args:
        judge: the judge.
        real: its outputs for real test images.
        folders: the folders of the data and of one's own runs.

    Raises:
        InputError: its accuracy, with its 95% interval, is more than `FAR_BELOW` below the recorded
            one, with its own.
    """
    recorded, found = judge.test_accuracy, accuracy(fake=real)
    if recorded is None:
        return
    least = recorded.value if recorded.low is None else recorded.low
    if found["high"] < least - FAR_BELOW:
        dataset = judge.spec.dataset
        raise InputError(
            f"the judge {judge.name} classifies {found['value']:.0%} of the test images of "
            f"{dataset} in {folders.data} correctly ({recorded.value:.1%} when it was trained): "
            "transposed, inverted, or another data set? To train a judge of these: "
            f"{classifier_command(dataset, 'judge', folders)}"
        )


def require_same_images(
    classifier: ClassifierRun, spec: DataSpec, folders: Folders | None = None
) -> None:
    """Check that a classifier was trained on images and classes like those of `spec`.

    Args:
        classifier: the classifier.
        spec: of the images.
        folders: the folders for the recommended command; None: the usual ones.

    Raises:
        InputError: another data set, image shape or number of classes.
    """
    if classifier.spec != spec:
        command = classifier_command(spec.dataset, classifier.config.role, folders or Folders())
        raise InputError(
            f"the classifier {classifier.name} was trained on {classifier.spec}, "
            f"not on {spec}; train one with: {command}"
        )


def load_discriminator(run: str, weights_dir: Path = Path("weights")) -> DiscriminatorRun:
    """Load the discriminator of a GAN run, by run name or folder, and its guide.

    The guide is looked for by its name in `weights_dir`, beside the run, and among the shipped
    runs.

    Raises:
        InputError: no such run, one without a discriminator, one whose files do not match, or whose
            guide is missing or has changed.
    """
    folder = find_run(run, weights_dir, "gan")
    if not (folder / DISCRIMINATOR).is_file():
        raise InputError(f"{folder} has no {DISCRIMINATOR}; only its generator was saved")
    require_intact(folder, CONFIG, DISCRIMINATOR)
    spec, config, facts = read_config(folder, GanConfig)
    guide = None
    if uses_guide_features(config):
        guide = _guide(folder, str(facts.get("guide")), str(facts.get("guide_sha256")), weights_dir)
        require_same_images(guide, spec)
    network = make_discriminator_on_meta(config, spec, guide.config if guide else None)
    load_state(network, folder / DISCRIMINATOR)
    if guide is not None:
        attach_guide(network, guide.network)
    return DiscriminatorRun(folder.resolve().name, folder, spec, config, guide, network)


def _guide(folder: Path, name: str, sha256: str, weights_dir: Path) -> ClassifierRun:
    """Return the guide of a run: a classifier with the recorded name and checksum.

    Raises:
        InputError: there is none of that name, or its weights are not the same.
    """
    plain_name(name)
    for root in (weights_dir, folder.parent, SHIPPED):
        if (root / name / WEIGHTS["classifier"]).is_file():
            guide = load_classifier(str(root / name), weights_dir)
            if guide.sha256() == sha256:
                return guide
    load_classifier(name, weights_dir)  # raises if there is none
    raise InputError(
        f"the guide {name} is not the one that {folder} was trained with (another checksum than in "
        f"its {CONFIG}); put the original guide into {weights_dir}"
    )


def attach_guide(network: Discriminator, guide: Classifier) -> None:
    """Give a discriminator the features of its guide, in float32 on the CPU."""
    assert isinstance(network, GuidedDiscriminator)
    network.extractor = FrozenFeatures(guide, torch.float32)
