"""The data sets of torchvision that cgan imports by name: files, checksums and classes."""

import string
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_MERGED = "abdefghnqrt"  # small letters that do not look like the capital one
# of EMNIST's sets, in the order of their labels; names that differ in case would be confused
EMNIST_NAMES = {
    "letters": ("", *string.ascii_lowercase),  # labelled from 1
    "balanced": (
        *string.digits,
        *string.ascii_uppercase,
        *(f"small-{letter}" for letter in _MERGED),
    ),
    "byclass": (
        *string.digits,
        *string.ascii_uppercase,
        *(f"small-{letter}" for letter in string.ascii_lowercase),
    ),
}
EMNIST_NAMES["bymerge"] = EMNIST_NAMES["balanced"]
BY_TRAIN = ({"train": True}, {"train": False})
BY_SPLIT = ({"split": "train"}, {"split": "test"})
CIFAR10_FILES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
EMNIST_SETS = ("balanced", "letters")
IDX_PARTS = ("images-idx3-ubyte", "labels-idx1-ubyte")
STL10_MORE = ("unlabeled_X.bin", "class_names.txt")
QMNIST_PARTS = ("images-idx3-ubyte", "labels-idx2-int")


class NamedSet(NamedTuple):
    """A data set of torchvision.

    Attributes:
        torchvision: its class there.
        choices: the arguments that choose the training and the test images.
        files: of these images, in torchvision's layout.
        archives: what is downloaded, and its MD5.
        kept: the files that stay; empty: `files`.
        names: of the classes by label; empty: as the files say.
        noun: the word for a class.
        mebibytes: size of the download.
    """

    torchvision: str
    choices: Sequence[Mapping[str, Any]]
    files: Sequence[str]
    archives: Mapping[str, str]
    mebibytes: int
    noun: str = "class"
    names: Sequence[str] = ()
    kept: Sequence[str] = ()


def _ends(parts: Sequence[str]) -> list[str]:
    return [f"{split}-{part}" for split in ("train", "test") for part in parts]


def _emnist(name: str, noun: str) -> NamedSet:
    paths = {
        one: [
            f"EMNIST/raw/emnist-{one}-{s}-{part}" for s in ("train", "test") for part in IDX_PARTS
        ]
        for one in EMNIST_SETS
    }
    return NamedSet(
        "EMNIST",
        [{"split": name, **choice} for choice in BY_TRAIN],
        paths[name],
        {"EMNIST/raw/gzip.zip": "58c8d27c78d21e728a6bc7b3cc06412e"},
        536,
        noun,
        EMNIST_NAMES[name],
        [path for one in EMNIST_SETS for path in paths[one]],  # of one archive
    )


SETS = {
    "cifar10": NamedSet(
        "CIFAR10",
        BY_TRAIN,
        [f"cifar-10-batches-py/{n}" for n in (*CIFAR10_FILES, "test_batch", "batches.meta")],
        {"cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a"},
        163,
    ),
    "cifar100": NamedSet(
        "CIFAR100",
        BY_TRAIN,
        [f"cifar-100-python/{name}" for name in ("train", "test", "meta")],
        {"cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85"},
        161,
    ),
    "svhn": NamedSet(
        "SVHN",
        BY_SPLIT,
        ["train_32x32.mat", "test_32x32.mat"],
        {
            "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
            "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
        },
        235,
        "digit",
        string.digits,
    ),
    "emnist-balanced": _emnist("balanced", "character"),
    "emnist-letters": _emnist("letters", "letter"),
    "qmnist": NamedSet(
        "QMNIST",
        BY_TRAIN,
        [f"QMNIST/raw/qmnist-{end}" for end in _ends(QMNIST_PARTS)],
        {
            "QMNIST/raw/qmnist-train-images-idx3-ubyte.gz": "ed72d4157d28c017586c42bc6afe6370",
            "QMNIST/raw/qmnist-train-labels-idx2-int.gz": "0058f8dd561b90ffdd0f734c6a30e5e4",
            "QMNIST/raw/qmnist-test-images-idx3-ubyte.gz": "1394631089c404de565df7b7aeaf9412",
            "QMNIST/raw/qmnist-test-labels-idx2-int.gz": "5b5b05890a5e13444e108efe57b788aa",
        },
        20,
        "digit",
        string.digits,
    ),
    "usps": NamedSet(
        "USPS",
        BY_TRAIN,
        ["usps.bz2", "usps.t.bz2"],
        {
            "usps.bz2": "ec16c51db3855ca6c91edd34d0e9b197",
            "usps.t.bz2": "8ea070ee2aca1ac39742fdd1ef5ed118",
        },
        8,
        "digit",
        string.digits,
    ),
    "stl10": NamedSet(
        "STL10",
        BY_SPLIT,
        [
            f"stl10_binary/{name}"  # torchvision asks for the unlabelled images, too
            for name in ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", *STL10_MORE)
        ],
        {"stl10_binary.tar.gz": "91f7769df0f17e558f3565bffb0c7dfb"},
        2519,
    ),
}
