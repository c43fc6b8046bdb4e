"""Networks by name; one file a family, nothing about losses or loops in them."""

from collections.abc import Callable

from torch import nn

from cgan.config import DataSpec
from cgan.networks.base import Generator as Generator
from cgan.networks.classifiers import CLASSIFIERS as CLASSIFIERS
from cgan.networks.conv import GuidedDiscriminator, ProjectionDiscriminator, ShuffleGenerator, Sight

GENERATORS: dict[str, Callable[[DataSpec, int, int], Generator]] = {
    "shuffle-conv": ShuffleGenerator
}
DISCRIMINATORS: dict[str, Callable[[DataSpec, Sight, int], nn.Module]] = {
    "projection-conv": ProjectionDiscriminator,
    "guided-conv": GuidedDiscriminator,
}
