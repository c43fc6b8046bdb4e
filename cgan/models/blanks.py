"""Networks of shapes alone, without memory, for weights of somebody's file to be loaded into."""

from cgan.config.schema import ClassifierConfig, DataSpec, GanConfig
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import CLASSIFIERS, Classifier
from cgan.models.registry import make_discriminator, make_generator
from cgan.models.tensors import shapes_alone
from cgan.runtime.errors import lookup


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
