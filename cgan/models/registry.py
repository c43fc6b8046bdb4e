"""Networks by name; each family has a file of its own."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.spec import DataSpec
from cgan.models import mlp, residual, transposed
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import CLASSIFIERS, Classifier
from cgan.models.conv import (
    DeepGuidedDiscriminator,
    FeatureExtractor,
    GuidedDiscriminator,
    ProjectionDiscriminator,
    ShuffleGenerator,
)
from cgan.models.tensors import on_meta_device
from cgan.runtime.errors import InputError, lookup

GENERATORS: dict[str, Callable[[DataSpec, int, int], Generator]] = {
    "shuffle-conv": ShuffleGenerator,
    "wide-shuffle-conv": partial(ShuffleGenerator, width=128),
    "mlp": mlp.MlpGenerator,
    "basic": mlp.BasicGenerator,
    "dropout-mlp": mlp.DropoutGenerator,
    "transposed-conv": transposed.TransposedGenerator,
    "labelled-conv": transposed.LabelledGenerator,
    "residual": residual.ResidualGenerator,
}
DISCRIMINATORS: dict[str, Callable[[DataSpec, FeatureExtractor, int], Discriminator]] = {
    "projection-conv": ProjectionDiscriminator,
    "guided-conv": GuidedDiscriminator,
    "wide-projection-conv": partial(ProjectionDiscriminator, width=64),
    "deep-guided-conv": DeepGuidedDiscriminator,
    "mlp": mlp.MlpDiscriminator,
    "basic": mlp.BasicDiscriminator,
    "dropout-mlp": mlp.DropoutDiscriminator,
    "conv": transposed.ConvDiscriminator,
    "unlabelled-conv": transposed.UnlabelledDiscriminator,
    "residual": residual.ResidualDiscriminator,
}


def make_generator(config: GanConfig, spec: DataSpec) -> Generator:
    """Return the generator of a config with start weights drawn from torch's random state.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    make = lookup(GENERATORS, config.generator, "generator network")
    generator = make(spec, config.z_dim, config.modes)
    generator.noise = config.noise
    return generator


def make_discriminator(
    config: GanConfig, spec: DataSpec, extractor: FeatureExtractor
) -> Discriminator:
    """Return the discriminator of a config with start weights drawn from torch's random state.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    make = lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    return make(spec, extractor, config.modes)


def uses_guide_features(config: GanConfig) -> bool:
    """Return whether the discriminator of a config uses the features of the guide.

    Raises:
        InputError: an unknown network.
    """
    known = lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    return known in (GuidedDiscriminator, DeepGuidedDiscriminator)


def require_variance(generator: Generator, discriminator: Discriminator, batch_size: int) -> None:
    """Check that a batch norm over vectors gets more than one vector.

    Raises:
        InputError: it would get one, whose variance is zero.
    """
    parts = [*generator.modules(), *discriminator.modules()]
    if batch_size == 1 and any(isinstance(part, nn.BatchNorm1d) for part in parts):
        raise InputError(
            "--batch-size 1: a batch norm of this recipe has no variance over one image; use 2 or "
            "more"
        )


def n_weights(config: GanConfig) -> tuple[bool, int, int]:
    """Return whether a config's generator is conditional, and the number of weights of G and D.

    The sizes are those for MNIST, with the features of the shipped guide's network.
    """
    spec = DataSpec("mnist", 1, 28, 28, 10)

    def extractor(images: Tensor) -> tuple[Tensor, Tensor]:
        return CLASSIFIERS["leaky-cnn"](spec).eval().local_and_global(images)

    generator = make_generator(config, spec)
    discriminator = make_discriminator(config, spec, extractor)
    in_g, in_d = (sum(p.numel() for p in n.parameters()) for n in (generator, discriminator))
    return generator.conditional, in_g, in_d


def make_classifier_on_meta(config: ClassifierConfig, spec: DataSpec) -> Classifier:
    """Return a classifier without memory for its weights, in evaluation mode.

    Raises:
        InputError: an unknown network.
    """
    make = lookup(CLASSIFIERS, config.network, "classifier network")
    with on_meta_device():
        return make(spec).eval()


def make_generator_on_meta(config: GanConfig, spec: DataSpec) -> Generator:
    """Return a generator without memory for its weights, in evaluation mode.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    with on_meta_device():
        return make_generator(config, spec).eval()


def make_discriminator_on_meta(
    config: GanConfig, spec: DataSpec, guide: ClassifierConfig | None
) -> Discriminator:
    """Return a discriminator without memory for its weights, in evaluation mode.

    If it uses a guide's features, `roles.attach_guide` must follow before it can compute.

    Args:
        config: of the run.
        spec: of the images.
        guide: the config of the guide whose features it uses; None: it uses pixels only.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    classifier = make_classifier_on_meta(guide or ClassifierConfig(), spec)
    with on_meta_device():
        return make_discriminator(config, spec, classifier.local_and_global).eval()
