"""Data sets by name: loads their splits as uint8 tensors."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from cgan.data.download import download
from cgan.data.idx import read_idx
from cgan.data.mnist_sample import N_CLASSES, SIDE, read_sample
from cgan.data.originals import find, places, require_findable, why_not
from cgan.data.pages import Pages
from cgan.data.spec import SPLITS, DataSpec
from cgan.data.splits import Split
from cgan.data.store import is_store, mapped, read_store
from cgan.runtime.errors import InputError, lookup

VALIDATION_SIZE = 5000  # the last of the training images of MNIST and similar data sets
SMALL = 2**28  # bytes of images that are read into memory
DIGITS_SEED = 0
DIGITS_HELD_OUT = 250  # images of digits in the validation and in the test split, each


def load_split(dataset: str, data_dir: Path, split: str) -> Split:
    """Load one split; no other split is read.

    Args:
        dataset: a name in DATASETS, or that of an imported data set in `data_dir`.
        data_dir: holds the four idx files or torchvision's folders; digits and mnist-sample need
            no files.
        split: "train", "validation" or "test"; fixed and disjoint.

    Raises:
        InputError: an unknown name, or files that are missing or damaged.
    """
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r} (one of: {', '.join(SPLITS)})")
    if is_store(dataset, data_dir):
        return _stored(dataset, data_dir, split)
    return lookup(DATASETS, dataset, "data set")(data_dir, split)


def _stored(dataset: str, data_dir: Path, split: str) -> Split:
    """An imported data set; if it is large, its images stay in a memory-mapped file."""
    store = read_store(dataset, data_dir)
    images, labels = mapped(store, split)
    if images.nbytes <= SMALL:
        images = np.array(images)
    pixels, pages = torch.from_numpy(images), Pages.of(images)
    return Split(store.spec, pixels, torch.from_numpy(labels), store.sha256[split], pages)


def _digits(data_dir: Path, split: str) -> Split:
    """Scikit-learn's 1,797 real digits of 8x8 pixels, resized to 28x28; `data_dir` is unused."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    # 17 grey levels become 256, and images are enlarged by interpolation: uint8, like MNIST.
    small = torch.tensor(data.images, dtype=torch.float32)[:, None] * (255 / 16)
    images = F.interpolate(small, size=(28, 28), mode="bicubic", align_corners=False)
    images = images.round().clamp(0, 255).to(torch.uint8)
    labels = torch.tensor(data.target, dtype=torch.int64)
    indices = np.arange(len(labels))
    for held_out in ("test", "validation"):
        indices, chosen = train_test_split(
            indices,
            test_size=DIGITS_HELD_OUT,
            stratify=data.target[indices],
            random_state=DIGITS_SEED,
        )
        if split == held_out:
            indices = chosen
            break
    kept = torch.from_numpy(np.sort(indices))
    return Split(DataSpec("digits", 1, 28, 28, 10), images[kept], labels[kept])


def _mnist_sample(data_dir: Path, split: str) -> Split:
    """Images of MNIST that ship with cgan: 10,000, 1,000 and 1,000; `data_dir` is unused."""
    images, labels = read_sample(split)
    spec = DataSpec("mnist-sample", 1, SIDE, SIDE, N_CLASSES)
    return Split(spec, torch.from_numpy(images)[:, None], torch.from_numpy(labels))


def _idx(dataset: str, data_dir: Path, split: str) -> Split:
    """MNIST, Fashion-MNIST or KMNIST from idx files: 60,000 training and 10,000 test images."""
    part = "t10k" if split == "test" else "train"
    files = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
    folders = places(dataset, data_dir)
    paths = find(files, folders)
    if paths is None:
        require_findable(dataset, data_dir)
        download(dataset, data_dir)
        paths = find(files, folders)
        if paths is None:
            raise InputError(f"{files[0]} is missing in {folders[0]} after downloading {dataset}")
    images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
    # only of the labels: their checksum takes a millisecond, and tells the data sets apart
    if reason := why_not(dataset, data_dir, [paths[1]]):
        raise InputError(reason)
    if len(images) != len(labels):
        raise InputError(
            f"{paths[0]} holds {len(images)} images but {paths[1].name} {len(labels)} labels; "
            "they do not belong together"
        )
    spec = DataSpec(dataset, 1, images.shape[1], images.shape[2], 10)
    if labels.max() >= spec.n_classes:
        raise InputError(f"{paths[1]} has the label {labels.max()}; the largest allowed is 9")
    if part == "train" and len(images) <= VALIDATION_SIZE:
        raise InputError(f"{paths[0]} holds {len(images)} images; more than 5,000 are needed")
    chosen = {
        "train": slice(None, -VALIDATION_SIZE),
        "validation": slice(-VALIDATION_SIZE, None),
        "test": slice(None),
    }[split]
    return Split(
        spec,
        torch.from_numpy(images[chosen].copy())[:, None],
        torch.from_numpy(labels[chosen].astype(np.int64)),
    )


DATASETS: dict[str, Callable[[Path, str], Split]] = {
    "digits": _digits,
    "mnist-sample": _mnist_sample,
    "mnist": partial(_idx, "mnist"),
    "fashion-mnist": partial(_idx, "fashion-mnist"),
    "kmnist": partial(_idx, "kmnist"),
}
