"""Loads the discriminator of a run with the guide it looks through; needs no data set."""

from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import DataSpec, GanConfig
from cgan.io.journal import require_whole
from cgan.io.run_layout import CONFIG, SHIPPED, WEIGHTS, plain_name
from cgan.models.base import Discriminator
from cgan.models.blanks import blank_discriminator
from cgan.models.classifiers import Classifier
from cgan.models.conv import GuidedDiscriminator
from cgan.models.frozen_features import Sight
from cgan.models.hub import (
    ClassifierRun,
    find_run,
    load_classifier,
    load_state,
    require_same_images,
)
from cgan.models.registry import looks_through_guide
from cgan.models.run_reader import read_config
from cgan.runtime.errors import InputError

FILE = "discriminator.safetensors"


@dataclass(frozen=True)
class DiscriminatorRun:
    """A discriminator read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: GanConfig
    guide: ClassifierRun | None  # whose eyes it looks through; None: it looks at pixels alone
    network: Discriminator


def load_discriminator(run: str, weights_dir: Path = Path("weights")) -> DiscriminatorRun:
    """Load the discriminator of a GAN run, by run name or folder, and its guide.

    The guide is looked for by its name in `weights_dir`, beside the run, and among those that ship.

    Raises:
        InputError: no such run, one without a discriminator, one whose files do not belong
            together, or whose guide is missing or has changed.
    """
    folder = find_run(run, weights_dir, "gan")
    if not (folder / FILE).is_file():
        raise InputError(f"{folder} has no {FILE}; its generator was kept without it")
    require_whole(folder, CONFIG, FILE)
    spec, config, facts = read_config(folder, GanConfig)
    guide = None
    if looks_through_guide(config):
        guide = _guide(folder, str(facts.get("guide")), str(facts.get("guide_sha256")), weights_dir)
        require_same_images(guide, spec)
    network = blank_discriminator(config, spec, guide.config if guide else None)
    load_state(network, folder / FILE)
    if guide is not None:
        lend_eyes(network, guide.network)
    return DiscriminatorRun(folder.resolve().name, folder, spec, config, guide, network)


def lend_eyes(network: Discriminator, guide: Classifier) -> None:
    """Let a discriminator see through a guide on the CPU, in float32."""
    assert isinstance(network, GuidedDiscriminator)
    network.sight = Sight(guide, torch.float32)


def _guide(folder: Path, name: str, sha256: str, weights_dir: Path) -> ClassifierRun:
    """Return the guide of a run: of its name and with the very weights that it had then.

    Raises:
        InputError: there is none of the name, or it has changed.
    """
    plain_name(name)
    for root in (weights_dir, folder.parent, SHIPPED):
        if (root / name / WEIGHTS["classifier"]).is_file():
            guide = load_classifier(str(root / name), weights_dir)
            if guide.sha256() == sha256:
                return guide
    load_classifier(name, weights_dir)  # words it where there is none
    raise InputError(
        f"the guide {name} is not the one that {folder} was trained with (another checksum than in "
        f"its {CONFIG}); put that one into {weights_dir}"
    )
