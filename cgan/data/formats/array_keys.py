"""What the names of arrays say: which are images, labels and class names, and of which split."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cgan.data.importing.class_names import shown
from cgan.data.importing.found import SPLIT_WORDS
from cgan.io.array_files import ArrayFile
from cgan.runtime.errors import InputError

IMAGES, LABELS, NAMES = "images", "labels", "names"
# what arrays are called; `classes` may be labels or names
WORDS = {
    IMAGES: (
        *("images", "image", "imgs", "img", "pictures", "pixels", "x", "xs", "data", "inputs"),
        *("features", "arr_0"),
    ),
    LABELS: (
        *("labels", "label", "y", "ys", "targets", "target", "class_ids", "class_id"),
        *("class_labels", "class_label", "class", "classes", "arr_1"),
    ),
    NAMES: (
        *("names", "class_names", "class_name", "classes", "label_names", "target_names"),
        *("categories", "category_names"),
    ),
}
SHOWN = 8  # arrays in a message


class Key(NamedTuple):
    """What the name of an array says, such as `emnist_train_images`, `x_test` or `yTrain`.

    Attributes:
        prefix: what precedes the rest.
        split: index into SPLITS, or None.
        word: one of WORDS.
    """

    prefix: str
    split: int | None
    word: str

    def means(self, role: str) -> bool:
        """Return whether it may be an array of IMAGES, LABELS or NAMES."""
        return self.word in WORDS[role]


class Roles(NamedTuple):
    """The names of the arrays of a data set: images and labels by split; class names, if any."""

    images: Mapping[int | None, str]
    labels: Mapping[int | None, str]
    names: str | None


def parse_key(name: str) -> Key | None:
    """Return what the name of an array says; None if it says nothing that is known."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    spaced = re.sub(rf"(?i)\b([xy])({'|'.join(SPLIT_WORDS)})\b", r"\1_\2", spaced)
    spaced = re.sub(rf"(?i)\b({'|'.join(SPLIT_WORDS)})([xy])\b", r"\1_\2", spaced)
    tokens = re.findall(r"[a-z0-9]+", spaced.lower())
    split = next((token for token in tokens if token in SPLIT_WORDS), None)
    if split is not None:
        tokens.remove(split)
    for start in range(len(tokens)):  # the longest known word at the end
        word = "_".join(tokens[start:])
        if any(word in words for words in WORDS.values()):
            place = None if split is None else SPLIT_WORDS[split]
            return Key("_".join(tokens[:start]), place, word)
    return None


def roles_of(source: ArrayFile, path: Path) -> Roles:
    """Return which arrays are images, labels and names.

    Raises:
        InputError: some are missing, or it is not clear which to take.
    """
    keys = {name: key for name in source.names() if (key := parse_key(name)) is not None}
    of_images, of_labels = _prefixes(keys, source, path)
    images = _by_split(keys, IMAGES, of_images, path)
    labels = _by_split(keys, LABELS, of_labels, path)
    if None in images and len(images) > 1:
        raise InputError(
            f"{path} holds {' and '.join(images.values())}; some belong to a split, so remove the "
            "other one"
        )
    # `classes` beside the labels of splits are names
    labels = {
        split: name
        for split, name in labels.items()
        if split in images or not keys[name].means(NAMES)
    }
    for kind, one, other in ((LABELS, images, labels), (IMAGES, labels, images)):
        for split in one.keys() - other.keys():
            raise InputError(f"{path} holds {shown(one[split])} without its {kind}; add them")
    ranked = [
        (key.prefix != of_images, WORDS[NAMES].index(key.word), name)
        for name, key in keys.items()
        if key.means(NAMES)
        and key.prefix in (of_images, of_labels, "")
        and name not in labels.values()
    ]
    return Roles(images, labels, min(ranked)[-1] if ranked else None)


def _prefixes(keys: Mapping[str, Key], source: ArrayFile, path: Path) -> tuple[str, str]:
    """Return the prefix of the arrays of images and that of the arrays of labels.

    Raises:
        InputError: there are none, or those of several sets.
    """
    images = {key.prefix for key in keys.values() if key.means(IMAGES)}
    labels = {key.prefix for key in keys.values() if key.means(LABELS)}
    pairs = images & labels
    if len(pairs) == 1:
        (prefix,) = pairs
        return prefix, prefix
    if len(images) == len(labels) == 1:
        return images.pop(), labels.pop()
    names = shown(", ".join(list(source.names())[:SHOWN]) or "nothing")
    if images and labels:
        raise InputError(
            f"{path} holds several sets or several labels ({names:.200}); keep one array `images` "
            "and one `labels`"
        )
    raise InputError(
        f"{path} holds no array `{'labels' if images else 'images'}` (only {names:.200}); give the "
        "arrays `images` and `labels`"
    )


def _by_split(keys: Mapping[str, Key], role: str, prefix: str, path: Path) -> dict[int | None, str]:
    """Return the name of the array of a role in each split.

    Raises:
        InputError: a split has two.
    """
    chosen: dict[int | None, str] = {}
    found = [name for name, key in keys.items() if key.means(role) and key.prefix == prefix]
    for name in sorted(found, key=lambda name: keys[name].means(NAMES)):
        split = keys[name].split
        if split not in chosen:
            chosen[split] = name
        elif not keys[name].means(NAMES):
            both = f"{shown(chosen[split])} and {shown(name)}"
            raise InputError(f"{path} holds {both}, and either may be the {role}; keep one of them")
    return dict(sorted(chosen.items(), key=lambda item: -1 if item[0] is None else item[0]))
