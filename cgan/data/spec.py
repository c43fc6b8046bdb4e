"""The properties of a data set that networks and reports need: image shape and classes."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
from cgan.runtime.errors import InputError, nearest
from cgan.runtime.wording import MOST_NAMED, clipped, enumerated

SPLITS = ("train", "validation", "test")
NOUN = "class"  # the default
LONGEST_FORM = 40  # characters of a class in the name of a file
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
NUMBERED = re.compile(r"(?:^|-)label-(\d{1,4})$")  # ends the name of a file: the label of its image


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
        return f"{self.title} {_pictured(self.noun)}"

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

    def __str__(self) -> str:
        """Return its name, image shape and number of classes: mnist (1x28x28, 10 classes)."""
        shape = "x".join(map(str, self.image_shape))
        return f"{self.dataset} ({shape}, {self.n_classes} classes)"

    @property
    def pictured(self) -> str:
        """What its images show: digits, or just images."""
        return _pictured(self.noun)

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


def _pictured(noun: str) -> str:
    return "images" if noun == NOUN else plural(noun)


def plural(noun: str) -> str:
    """Return the plural of `noun`: digits, classes."""
    return noun + ("es" if noun.endswith(("s", "x", "sh", "ch")) else "s")


def listed(labels: Sequence[object], noun: str, most: int = MOST_NAMED) -> str:
    """Return labels or names behind their noun, the digits 3, 5; of many, the first ones."""
    return f"the {noun if len(labels) == 1 else plural(noun)} {enumerated(labels, most)}"


def absent_classes(labels: Sequence[object], noun: str) -> str:
    """Return which classes, by label or name, an evaluation leaves out, and why."""
    return f"{listed(labels, noun)}: not every split of the real images has them"


def find_label(chosen: str, spec: DataSpec) -> int:
    """Return the label of a class, given by its name or its label.

    The text is a name as it is written, else a name in other upper and lower case, else a number.
    So where the name of a class is a number, the name counts.

    Args:
        chosen: the text.
        spec: has the names and the number of classes.

    Raises:
        InputError: there is no such class; the message names the nearest.
    """
    named = match_name(chosen, spec.names)
    if named is not None:
        return named
    last, shown = spec.n_classes - 1, clipped(chosen)
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 10:
        if int(chosen) > last:
            raise InputError(f"class {chosen}: the generator draws the classes 0 to {last}")
        return int(chosen)
    if not spec.names:
        raise InputError(
            f"{spec.noun} {shown!r}: the classes of {spec.dataset} have no names; give a number "
            f"from 0 to {last}"
        )
    raise InputError(f"there is no {spec.noun} {shown!r}{nearest(chosen, spec.names)}")


def match_name(text: str, names: Sequence[str]) -> int | None:
    """Return the label of the class of a name, else of the only one in other case, else None."""
    if text in names:
        return names.index(text)
    alike = [label for label, name in enumerate(names) if name.casefold() == text.casefold()]
    return alike[0] if len(alike) == 1 else None


def find_labels(chosen: Any, spec: DataSpec) -> Any:
    """Return a label, or a list of labels, with the label of its class in place of each name.

    Raises:
        InputError: there is no class of a name; the message names the nearest.
    """
    if isinstance(chosen, str):
        return find_label(chosen, spec)
    if not isinstance(chosen, list | tuple):
        return chosen
    return [find_label(one, spec) if isinstance(one, str) else one for one in chosen]


def file_forms(names: Sequence[str]) -> list[str]:
    """Return for each class a text for the names of its files.

    It has letters of English, digits, - and _, at most LONGEST_FORM of them, and no two are equal,
    also where upper and lower case are the same. It is the name of the class as far as possible,
    such as `cat`. Otherwise it ends in the label, such as `label-7`, which `NUMBERED` finds.
    """
    forms = [_form(name) for name in names]
    kept = [form.casefold() for form in forms]
    return [
        f"{form[: LONGEST_FORM - 10]}-label-{i}".lstrip("-")
        if not form or kept.count(form.casefold()) > 1 or NUMBERED.search(form)
        else form
        for i, form in enumerate(forms)
    ]


def _form(name: str) -> str:
    """Return a name without accents, with a - for what file names should not have."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return UNSAFE.sub("-", plain).strip("-_")[:LONGEST_FORM].rstrip("-_")
