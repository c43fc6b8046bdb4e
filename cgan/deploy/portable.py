"""Networks as other programs see them: tensors in and out by name, and what to know of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import Classifier
from cgan.models.conv import GuidedDiscriminator
from cgan.models.hub import ClassifierRun, DiscriminatorRun, GanRun
from cgan.models.spectral_norm import frozen
from cgan.runtime.version import __version__

GENERATOR, JUDGE, DISCRIMINATOR = "generator", "judge", "discriminator"
NETWORKS = (GENERATOR, JUDGE, DISCRIMINATOR)
NOISES = {"normal": "normal", "uniform": "uniform in (-1, 1)"}
N_EXAMPLES = 3  # images while a network is followed; no number that is a shape's or one

Source = GanRun | ClassifierRun | DiscriminatorRun


@dataclass(frozen=True)
class Portable:
    """A network in evaluation mode, on the CPU, that computes with its inputs and weights alone."""

    kind: str  # one of NETWORKS
    source: Source
    network: nn.Module  # called with the inputs in order, returns a tensor for every output
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    facts: Mapping[str, str]  # for people and programs that use it

    def facts_json(self) -> str:
        """Return the facts as JSON."""
        return json.dumps(self.facts, indent=2)

    def random_inputs(self, n: int, seed: int = 0) -> tuple[Tensor, ...]:
        """Return inputs for `n` images, in order, such as the network was made for."""
        random = torch.Generator().manual_seed(seed)
        spec = self.source.spec
        if isinstance(self.source, GanRun):
            generator = self.source.network
            z = generator.prior(torch.randn(n, generator.z_dim, generator=random))
            return z, torch.randint(spec.n_classes, (n,), generator=random)
        images = 2 * torch.rand(n, *spec.image_shape, generator=random) - 1
        if isinstance(self.source, ClassifierRun):
            return (images,)
        n_conditions = spec.n_classes * self.source.config.modes
        return images, torch.randint(n_conditions, (n,), generator=random)


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
        if isinstance(self.discriminator, GuidedDiscriminator):
            assert guide is not None
            self.guide = frozen(guide)
            self.discriminator.sight = self.guide.look
        self.eval()

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        """Return logits [N], the means over all heads; positive means that an image looks real."""
        logits = self.discriminator(images, conditions)
        return logits if logits.ndim == 1 else logits.mean(1)


def portable(source: Source) -> Portable:
    """Return the network of a run as other programs see it.

    A generator: `z` float32 [N, z_dim], `labels` int64 [N] -> `images` float32 [N, C, H, W] in
    [-1, 1], `conditions` int64 [N]. The noise is what `Generator.prior` makes of normal numbers,
    conditions are label x n_modes + mode.
    A judge, or any other classifier: `images` as above -> `logits` float32 [N, K].
    A discriminator: `images`, `conditions` as above -> `logits` float32 [N].
    """
    if isinstance(source, GanRun):
        drawing = Drawing(source.network)
        facts = {**_facts(GENERATOR, source), **_facts_of_generator(source)}
        outputs = ("images", "conditions")
        return Portable(GENERATOR, source, drawing, ("z", "labels"), outputs, facts)
    if isinstance(source, ClassifierRun):
        facts = {**_facts(JUDGE, source), "role": source.config.role}
        return Portable(JUDGE, source, frozen(source.network), ("images",), ("logits",), facts)
    guide = source.guide
    facts = {
        **_facts(DISCRIMINATOR, source),
        "recipe": source.config.recipe,
        "modes": str(source.config.modes),
        "guide": guide.name if guide else "none: it looks at pixels alone",
    }
    deciding = Deciding(source.network, guide.network if guide else None)
    inputs = ("images", "conditions")
    return Portable(DISCRIMINATOR, source, deciding, inputs, ("logits",), facts)


def _facts(kind: str, source: Source) -> dict[str, str]:
    spec: DataSpec = source.spec
    return {
        "network": kind,
        "run": source.name,
        "version": __version__,
        "dataset": spec.dataset,
        "classes": str(spec.n_classes),
        "images": f"{'x'.join(map(str, spec.image_shape))}, from -1 (background) to 1",
    }


def _facts_of_generator(gan: GanRun) -> dict[str, str]:
    return {
        "recipe": gan.config.recipe,
        "z_dim": str(gan.network.z_dim),
        "noise": NOISES[gan.network.noise],
        "modes": str(gan.network.n_modes),
        "conditional": "yes" if gan.network.conditional else "no: it heeds no label",
        "guide": gan.guide,
    }
