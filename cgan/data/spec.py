"""The properties of a data set that networks and reports need: image shape and classes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cgan.config.checks import check_kinds, within
from cgan.config.schema import (
    LONGEST_NOUN,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_PIXELS,
    PLAIN_NOUN,
)
from cgan.runtime.errors import InputError, lookup

NOUN = "class"  # the default
MOST_NAMED = 12  # classes in a line


@dataclass(frozen=True)
class Description:
    """What texts say about a data set."""

    title: str
    noun: str = NOUN  # the word for one of its classes
    original_size: tuple[int, int] | None = None  # height and width, if the images are enlarged

    @property
    def images(self) -> str:
        """What its images show: MNIST digits, Fashion-MNIST images."""
        return f"{self.title} {'images' if self.noun == NOUN else plural(self.noun)}"

    @property
    def enlarged(self) -> str:
        """A note on the size of the originals; empty if the images have that size."""
        if self.original_size is None:
            return ""
        return "x".join(map(str, self.original_size)) + " originals, enlarged"


DESCRIPTIONS = {
    "mnist": Description("MNIST", "digit"),
    "mnist-sample": Description("MNIST", "digit"),
    "digits": Description("scikit-learn", "digit", original_size=(8, 8)),
    "fashion-mnist": Description("Fashion-MNIST"),
    "kmnist": Description("KMNIST", "character"),
}


def require_data_set(dataset: str) -> None:
    """Check the name of a data set, before anything is loaded.

    Raises:
        InputError: there is none of that name; the message names the nearest.
    """
    lookup(DESCRIPTIONS, dataset, "data set")


def description(dataset: str) -> Description:
    """Return what texts say about a data set; of an unknown one they say its name."""
    return DESCRIPTIONS.get(dataset, Description(dataset))


@dataclass(frozen=True)
class DataSpec:
    """The properties of a data set that a network needs: image size, channels, number of classes.

    `noun` is the word for one of its classes. It is used in texts only and ignored when two specs
    are compared. If empty, it is chosen by the name of the data set.
    """

    dataset: str
    channels: int
    height: int
    width: int
    n_classes: int
    noun: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Raise InputError on the first invalid value."""
        check_kinds(self)
        within(self, 1, MOST_CHANNELS, "channels")
        within(self, 1, MOST_PIXELS, "height", "width")
        within(self, 1, MOST_CLASSES, "n_classes")
        if not self.noun:
            object.__setattr__(self, "noun", description(self.dataset).noun)
        if not re.search(PLAIN_NOUN, self.noun) or not len(self.noun) <= LONGEST_NOUN:
            raise InputError(
                f"the noun for a class is {self.noun!r:.60}; give a plain word of at most "
                f"{LONGEST_NOUN} letters"
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.channels, self.height, self.width


def plural(noun: str) -> str:
    """Return the plural of `noun`: digits, classes."""
    return noun + ("es" if noun.endswith(("s", "x", "sh", "ch")) else "s")


def listed(labels: Sequence[object], noun: str) -> str:
    """Return labels behind their noun, the digits 3, 5; of many, the first ones."""
    further = len(labels) - MOST_NAMED
    more = f" and {further} more" if further > 0 else ""
    word = noun if len(labels) == 1 else plural(noun)
    return f"the {word} {', '.join(map(str, labels[:MOST_NAMED]))}{more}"


def absent_classes(labels: Sequence[int], noun: str) -> str:
    """Return which classes an evaluation leaves out, and why."""
    return f"{listed(labels, noun)}: not every split of the real images has them"
