"""Networks as other programs use them: named input and output tensors, and facts about them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import Classifier
from cgan.models.conv import GuidedDiscriminator
from cgan.models.hub import ClassifierRun, GanRun
from cgan.models.roles import DiscriminatorRun
from cgan.models.spectral_norm import freeze
from cgan.runtime.version import __version__

GENERATOR, JUDGE, DISCRIMINATOR = "generator", "judge", "discriminator"
NETWORKS = (GENERATOR, JUDGE, DISCRIMINATOR)
NOISES = {"normal": "normal", "uniform": "uniform in (-1, 1)"}
FORMAT = 2  # of the names of inputs, outputs and facts; format 1 had no number
N_EXAMPLES = 3  # images while a network is traced; neither one nor the size of another axis

Source = GanRun | ClassifierRun | DiscriminatorRun
Fact = str | list[str] | list[int]


@dataclass(frozen=True)
class Portable:
    """A network in evaluation mode on the CPU, whose outputs depend on inputs and weights only."""

    kind: str  # one of NETWORKS
    source: Source
    network: nn.Module  # called with the inputs in order, returns a tensor for every output
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    facts: Mapping[str, Fact]  # about the network, for its users

    def facts_json(self) -> str:
        """Return the facts as JSON, with the number of their format."""
        return json.dumps({"format": FORMAT, **self.facts}, indent=2)

    def fact_texts(self) -> dict[str, str]:
        """Return the same as texts, for formats that hold nothing else; lists are JSON."""
        facts = {"format": str(FORMAT), **self.facts}
        return {
            name: fact if isinstance(fact, str) else json.dumps(fact)
            for name, fact in facts.items()
        }

    def random_inputs(self, n: int, seed: int = 0) -> tuple[Tensor, ...]:
        """Return random inputs for `n` images, in order, distributed as those in training."""
        random = torch.Generator().manual_seed(seed)
        spec = self.source.spec
        if isinstance(self.source, GanRun):
            generator = self.source.network
            z = generator.prior(torch.randn(n, generator.z_dim, generator=random))
            return z, torch.randint(spec.n_classes, (n,), generator=random)
        images = 2 * torch.rand(n, *spec.image_shape, generator=random) - 1
        if isinstance(self.source, ClassifierRun):
            return (images,)
        labels = torch.randint(spec.n_classes, (n,), generator=random)
        return images, labels, torch.randint(self.source.config.modes, (n,), generator=random)


class PortableGenerator(nn.Module):
    """A generator whose second output is the mode of each image, an input of a discriminator."""

    def __init__(self, generator: Generator):
        """Copy a generator."""
        super().__init__()
        self.generator = freeze(generator)
        self.eval()

    def forward(self, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return images [N, C, H, W] in [-1, 1] and modes int64 [N] of noise and labels."""
        modes = self.generator.choose_modes(z, labels)
        return self.generator(z, labels, modes), modes


class PortableDiscriminator(nn.Module):
    """A discriminator together with the guide whose features it uses: one logit for each image."""

    def __init__(self, discriminator: Discriminator, guide: Classifier | None):
        """Copy a discriminator, and the guide if there is one."""
        super().__init__()
        self.discriminator = freeze(discriminator)
        if isinstance(self.discriminator, GuidedDiscriminator):
            assert guide is not None
            self.guide = freeze(guide)
            self.discriminator.extractor = self.guide.local_and_global
        self.eval()

    def forward(self, images: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [N], the means over all heads; a positive one means it looks real."""
        logits = self.discriminator(images, labels, modes)
        return logits if logits.ndim == 1 else logits.mean(1)


def portable(source: Source) -> Portable:
    """Return the network of a run as other programs use it.

    A generator: `z` float32 [N, z_dim], `labels` int64 [N] -> `images` float32 [N, C, H, W] in
    [-1, 1], `modes` int64 [N]. `z` is the output of `Generator.prior`.
    A judge, or any other classifier: `images` as above -> `logits` float32 [N, K].
    A discriminator: `images`, `labels`, `modes` as above -> `logits` float32 [N].
    The facts of each hold the names of the classes in the order of their labels, `class_names`, and
    `image_shape`, [C, H, W].
    """
    if isinstance(source, GanRun):
        generator = PortableGenerator(source.network)
        facts = {**_facts(GENERATOR, source), **_facts_of_generator(source)}
        outputs = ("images", "modes")
        return Portable(GENERATOR, source, generator, ("z", "labels"), outputs, facts)
    if isinstance(source, ClassifierRun):
        facts = {**_facts(JUDGE, source), "role": source.config.role}
        return Portable(JUDGE, source, freeze(source.network), ("images",), ("logits",), facts)
    guide = source.guide
    facts = {
        **_facts(DISCRIMINATOR, source),
        "recipe": source.config.recipe,
        "modes": str(source.config.modes),
        "guide": guide.name if guide else "none: it uses pixels only",
    }
    discriminator = PortableDiscriminator(source.network, guide.network if guide else None)
    inputs = ("images", "labels", "modes")
    return Portable(DISCRIMINATOR, source, discriminator, inputs, ("logits",), facts)


def _facts(kind: str, source: Source) -> dict[str, Fact]:
    spec: DataSpec = source.spec
    return {
        "network": kind,
        "run": source.name,
        "version": __version__,
        "dataset": spec.dataset,
        "classes": str(spec.n_classes),
        "class_noun": spec.noun,
        "class_names": [spec.name_of(label) for label in range(spec.n_classes)],
        "image_shape": list(spec.image_shape),
        "images": f"{'x'.join(map(str, spec.image_shape))}, from -1 (black) to 1 (white)",
    }


def _facts_of_generator(gan: GanRun) -> dict[str, Fact]:
    return {
        "recipe": gan.config.recipe,
        "z_dim": str(gan.network.z_dim),
        "noise": NOISES[gan.network.noise],
        "modes": str(gan.network.n_modes),
        "conditional": "yes" if gan.network.conditional else "no: it does not use the label",
        "untrained_labels": sorted(gan.untrained),
        "guide": gan.guide,
    }
