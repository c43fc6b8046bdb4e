"""The properties of a data set that networks and reports need: image shape and classes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cgan.config.checks import check_kinds, within
from cgan.config.schema import (
    LONGEST_CLASS_NAME,
    LONGEST_NOUN,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_PIXELS,
    PLAIN_NOUN,
    DataSize,
)
from cgan.runtime.errors import InputError

NOUN = "class"  # the default
MOST_NAMED = 12  # classes in a line


@dataclass(frozen=True)
class Description:
    """What texts say about a data set."""

    title: str
    noun: str = NOUN  # the word for one of its classes
    original_size: tuple[int, int] | None = None  # height and width, if the images are enlarged
    size: DataSize = DataSize()  # noqa: RUF009 - frozen

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
    "mnist-sample": Description("MNIST", "digit", size=DataSize(n_train=10_000)),
    "digits": Description(
        "scikit-learn", "digit", original_size=(8, 8), size=DataSize(n_train=1297)
    ),
    "fashion-mnist": Description("Fashion-MNIST"),
    "kmnist": Description("KMNIST", "character"),
}


# of the folder of an imported data set
STORE_NAME = re.compile(r"(?P<name>.+)-(?P<checksum>[0-9a-f]{8})")


def title_of(dataset: str) -> str:
    """Return the name of a data set; of an imported one without the checksum of its store."""
    match = STORE_NAME.fullmatch(dataset)
    return match["name"] if match else dataset


def description(dataset: str) -> Description:
    """Return what texts say about a data set; of one that does not ship they say its name."""
    return DESCRIPTIONS.get(dataset, Description(title_of(dataset)))


@dataclass(frozen=True)
class DataSpec:
    """The properties of a data set that a network needs: image size, channels, number of classes.

    `noun` is the word for one of its classes, and `names` are those of the classes, in the order of
    their labels. Both are used in texts only and ignored when two specs are compared. An empty noun
    is chosen by the name of the data set; without names, classes are called by their labels.
    """

    dataset: str
    channels: int
    height: int
    width: int
    n_classes: int
    noun: str = field(default="", compare=False)
    names: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Raise InputError on the first invalid value."""
        object.__setattr__(self, "names", tuple(self.names))  # a list in JSON
        check_kinds(self, but=("names",))
        _check_names(self.names, self.n_classes)
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

    def name_of(self, label: int) -> str:
        """Return what texts call a class: its name, or its label if it has none."""
        return self.names[label] if self.names else str(label)


def _check_names(names: Sequence[object], n_classes: int) -> None:
    """Check the names of classes, which may come from an untrusted file.

    Raises:
        InputError: not one for each class, two that are equal, or one that cannot be shown.
    """
    if not names:
        return
    if len(names) != n_classes or len(set(names)) < len(names):
        raise InputError(f"{len(names)} names do not name {n_classes} classes, each by one name")
    for name in names:
        known = isinstance(name, str) and 0 < len(name) <= LONGEST_CLASS_NAME
        if not known or not str(name).isprintable():
            raise InputError(
                f"{name!r:.60} is not a name of a class; use 1 to {LONGEST_CLASS_NAME} printable "
                "characters"
            )


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
