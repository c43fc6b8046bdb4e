"""Networks by name; one file a family, nothing about losses or loops in them."""

from collections.abc import Callable

from cgan.config import DataSpec
from cgan.networks.base import Discriminator as Discriminator
from cgan.networks.base import Generator as Generator
from cgan.networks.classifiers import CLASSIFIERS as CLASSIFIERS
from cgan.networks.conv import GuidedDiscriminator, ProjectionDiscriminator, ShuffleGenerator, Sight

GENERATORS: dict[str, Callable[[DataSpec, int, int], Generator]] = {
    "shuffle-conv": ShuffleGenerator
}
DISCRIMINATORS: dict[str, Callable[[DataSpec, Sight, int], Discriminator]] = {
    "projection-conv": ProjectionDiscriminator,
    "guided-conv": GuidedDiscriminator,
}
