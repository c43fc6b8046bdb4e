"""The properties of a data set that networks and reports need: image shape and classes."""

import re
from dataclasses import dataclass, field

from cgan.config.checks import check_kinds, within
from cgan.config.schema import (
    LONGEST_NOUN,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_PIXELS,
    PLAIN_NOUN,
)
from cgan.runtime.errors import InputError

NOUN = "class"  # the default
NOUNS = {
    **dict.fromkeys(("mnist", "mnist-sample", "digits"), "digit"),
    "kmnist": "character",
}


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
            object.__setattr__(self, "noun", NOUNS.get(self.dataset, NOUN))
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
