"""Networks by name; one file a family, nothing about losses or loops in them."""

from collections.abc import Callable

from torch import Tensor, nn

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.spec import DataSpec
from cgan.models import mlp, residual, transposed
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import CLASSIFIERS, Classifier
from cgan.models.conv import GuidedDiscriminator, ProjectionDiscriminator, ShuffleGenerator, Sight
from cgan.models.tensors import shapes_alone
from cgan.runtime.errors import InputError, lookup

GENERATORS: dict[str, Callable[[DataSpec, int, int], Generator]] = {
    "shuffle-conv": ShuffleGenerator,
    "mlp": mlp.MlpGenerator,
    "basic": mlp.BasicGenerator,
    "dropout-mlp": mlp.DropoutGenerator,
    "transposed-conv": transposed.TransposedGenerator,
    "labelled-conv": transposed.LabelledGenerator,
    "residual": residual.ResidualGenerator,
}
DISCRIMINATORS: dict[str, Callable[[DataSpec, Sight, int], Discriminator]] = {
    "projection-conv": ProjectionDiscriminator,
    "guided-conv": GuidedDiscriminator,
    "mlp": mlp.MlpDiscriminator,
    "basic": mlp.BasicDiscriminator,
    "dropout-mlp": mlp.DropoutDiscriminator,
    "conv": transposed.ConvDiscriminator,
    "unlabelled-conv": transposed.UnlabelledDiscriminator,
    "residual": residual.ResidualDiscriminator,
}


def make_generator(config: GanConfig, spec: DataSpec) -> Generator:
    """Return the generator of a config with start weights from torch's random state.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    make = lookup(GENERATORS, config.generator, "generator network")
    generator = make(spec, config.z_dim, config.modes)
    generator.noise = config.noise
    return generator


def make_discriminator(config: GanConfig, spec: DataSpec, sight: Sight) -> Discriminator:
    """Return the discriminator of a config with start weights from torch's random state.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    make = lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    return make(spec, sight, config.modes)


def looks_through_guide(config: GanConfig) -> bool:
    """Return whether the discriminator of a config sees what a guide sees.

    Raises:
        InputError: an unknown network.
    """
    known = lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    return known is GuidedDiscriminator


def require_variance(generator: Generator, discriminator: Discriminator, batch_size: int) -> None:
    """Check that a batch norm over vectors sees more than one of them.

    Raises:
        InputError: it would not.
    """
    parts = [*generator.modules(), *discriminator.modules()]
    if batch_size == 1 and any(isinstance(part, nn.BatchNorm1d) for part in parts):
        raise InputError(
            "--batch-size 1: a batch norm of this recipe has no variance over one image"
        )


def n_weights(config: GanConfig) -> tuple[bool, int, int]:
    """Return whether a config's generator heeds labels, and how many weights G and D have.

    For images of MNIST's size, with the sight of the guide that ships.
    """
    spec = DataSpec("mnist", 1, 28, 28, 10)

    def sight(images: Tensor) -> tuple[Tensor, Tensor]:
        return CLASSIFIERS["leaky-cnn"](spec).eval().look(images)

    generator, discriminator = make_generator(config, spec), make_discriminator(config, spec, sight)
    in_g, in_d = (sum(p.numel() for p in n.parameters()) for n in (generator, discriminator))
    return generator.conditional, in_g, in_d


def blank_classifier(config: ClassifierConfig, spec: DataSpec) -> Classifier:
    """Return a classifier in evaluation mode.

    Raises:
        InputError: an unknown network.
    """
    make = lookup(CLASSIFIERS, config.network, "classifier network")
    with shapes_alone():
        return make(spec).eval()


def blank_generator(config: GanConfig, spec: DataSpec) -> Generator:
    """Return a generator in evaluation mode.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    with shapes_alone():
        return make_generator(config, spec).eval()


def blank_discriminator(
    config: GanConfig, spec: DataSpec, guide: ClassifierConfig | None
) -> Discriminator:
    """Return a discriminator in evaluation mode, which sees only once it is lent a guide's eyes.

    Args:
        config: of the run.
        spec: of the images.
        guide: the config of the guide that it looks through; None: it looks at pixels alone.

    Raises:
        InputError: an unknown network, or images whose size it does not fit.
    """
    eyes = blank_classifier(guide or ClassifierConfig(), spec)
    with shapes_alone():
        return make_discriminator(config, spec, eyes.look).eval()
