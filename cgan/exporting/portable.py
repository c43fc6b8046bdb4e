"""Networks as other programs see them: tensors in and out by name, and what to know of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgan import __version__
from cgan.config import DataSpec
from cgan.discriminator import DiscriminatorRun
from cgan.networks import Discriminator, Generator, GuidedDiscriminator
from cgan.networks.classifiers import Classifier
from cgan.networks.spectral import frozen
from cgan.store import ClassifierRun, GanRun

NOISES = {"normal": "normal", "uniform": "uniform in (-1, 1)"}


@dataclass(frozen=True)
class Portable:
    """A network in evaluation mode, on the CPU, that computes with its inputs and weights alone."""

    kind: str  # generator, judge or discriminator
    network: nn.Module  # called with the inputs in order, returns a tensor for every output
    inputs: Mapping[str, Tensor]  # an example of each, a batch of `N_EXAMPLES`
    outputs: tuple[str, ...]
    facts: Mapping[str, str]  # for people and programs that use it

    def facts_json(self) -> str:
        """Return the facts as JSON."""
        return json.dumps(self.facts, indent=2)


class Drawing(nn.Module):
    """A generator, and the conditions of what it draws, which a discriminator is told."""

    def __init__(self, generator: Generator):
        """Copy a generator."""
        super().__init__()
        self.generator = frozen(generator)
        self.eval()

    def forward(self, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return images [N, C, H, W] in [-1, 1] and conditions int64 [N] of noise and labels."""
        return self.generator(z, labels), self.generator.conditions(z, labels)


class Deciding(nn.Module):
    """A discriminator with the guide that it looks through: one logit an image."""

    def __init__(self, discriminator: Discriminator, guide: Classifier | None):
        """Copy a discriminator, and the guide where there is one."""
        super().__init__()
        self.discriminator = frozen(discriminator)
        self.guide = None if guide is None else frozen(guide)
        if isinstance(self.discriminator, GuidedDiscriminator):
            assert self.guide is not None
            self.discriminator.sight = self.guide.look
        self.eval()

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        """Return logits [N], the means over all heads; positive means that an image looks real."""
        logits = self.discriminator(images, conditions)
        return logits if logits.ndim == 1 else logits.mean(1)


N_EXAMPLES = 3  # no number that a shape could be mistaken for


def portable_generator(gan: GanRun) -> Portable:
    """Return a generator: `z` float32 [N, z_dim], `labels` int64 [N] -> `images`, `conditions`.

    `z` is what `Generator.prior` makes of normal numbers. Images are float32 [N, C, H, W] in
    [-1, 1]; conditions int64 [N] are label x n_modes + mode.
    """
    facts = {
        **_facts("generator", gan.name, gan.spec),
        "recipe": gan.config.recipe,
        "z_dim": str(gan.network.z_dim),
        "noise": NOISES[gan.network.noise],
        "modes": str(gan.network.n_modes),
        "conditional": "yes" if gan.network.conditional else "no: it heeds no label",
        "guide": gan.guide,
    }
    inputs = inputs_of("generator", gan.spec, N_EXAMPLES, gan.network.z_dim)
    return Portable("generator", Drawing(gan.network), inputs, ("images", "conditions"), facts)


def portable_judge(run: ClassifierRun) -> Portable:
    """Return a classifier: `images` float32 [N, C, H, W] in [-1, 1] -> `logits` [N, K]."""
    facts = {**_facts("judge", run.name, run.spec), "role": run.config.role}
    inputs = inputs_of("judge", run.spec, N_EXAMPLES)
    return Portable("judge", frozen(run.network), inputs, ("logits",), facts)


def portable_discriminator(run: DiscriminatorRun) -> Portable:
    """Return a discriminator: `images` float32, `conditions` int64 [N] -> `logits` float32 [N]."""
    facts = {
        **_facts("discriminator", run.name, run.spec),
        "recipe": run.config.recipe,
        "modes": str(run.config.modes),
        "guide": run.guide.name if run.guide else "none: it looks at pixels alone",
    }
    inputs = inputs_of("discriminator", run.spec, N_EXAMPLES, n_modes=run.config.modes)
    network = Deciding(run.network, run.guide.network if run.guide else None)
    return Portable("discriminator", network, inputs, ("logits",), facts)


def inputs_of(
    kind: str, spec: DataSpec, n: int, z_dim: int = 1, n_modes: int = 1, seed: int = 0
) -> dict[str, Tensor]:
    """Return random inputs of a network of a kind, by name."""
    random = torch.Generator().manual_seed(seed)
    if kind == "generator":
        z = torch.randn(n, z_dim, generator=random)
        return {"z": z, "labels": torch.randint(spec.n_classes, (n,), generator=random)}
    images = {"images": 2 * torch.rand(n, *spec.image_shape, generator=random) - 1}
    if kind == "judge":
        return images
    conditions = torch.randint(spec.n_classes * n_modes, (n,), generator=random)
    return {**images, "conditions": conditions}


def _facts(kind: str, run: str, spec: DataSpec) -> dict[str, str]:
    return {
        "network": kind,
        "run": run,
        "version": __version__,
        "dataset": spec.dataset,
        "classes": str(spec.n_classes),
        "images": f"{'x'.join(map(str, spec.image_shape))}, from -1 (background) to 1",
    }
