"""Data sets: each split held whole as uint8 tensors, batched by indexing, scaled in one place."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.config.schema import DataSpec
from cgan.data.download import download
from cgan.data.idx import read_idx
from cgan.data.originals import find, places
from cgan.runtime.errors import InputError, lookup

SPLITS = ("train", "validation", "test")
VALIDATION_SIZE = 5000  # the last of the training images of MNIST and its kin
DIGITS_SEED = 0
DIGITS_HELD_OUT = 250  # images of digits in the validation and in the test split, each


@dataclass(frozen=True)
class Split:
    """One split of a data set: images uint8 [N, C, H, W] and labels int64 [N]."""

    spec: DataSpec
    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def to(self, device: torch.device) -> "Split":
        """Return the same split in the memory of `device`."""
        return Split(self.spec, self.images.to(device), self.labels.to(device))

    def sha256(self) -> str:
        """Return the checksum of the images' and labels' bytes, for provenance."""
        digest = hashlib.sha256(self.images.cpu().numpy().tobytes())
        digest.update(self.labels.cpu().numpy().tobytes())
        return digest.hexdigest()


def load(dataset: str, data_dir: Path, split: str) -> Split:
    """Load one split; no other split is touched.

    Args:
        dataset: a name in DATASETS.
        data_dir: holds the four idx files or torchvision's folders; digits needs no files.
        split: "train", "validation" or "test"; fixed and disjoint.

    Raises:
        InputError: an unknown name, or files that are missing or damaged.
    """
    loader = lookup(DATASETS, dataset, "data set")
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r} (one of: {', '.join(SPLITS)})")
    return loader(data_dir, split)


def scale(images: Tensor) -> Tensor:
    """Return uint8 images [..., 0 to 255] as float32 in [-1, 1], the range of every network."""
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def unscale(images: Tensor) -> Tensor:
    """Return float images in [-1, 1] as uint8 [0 to 255], rounded to the nearest level."""
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def batches(
    split: Split, batch_size: int, random: torch.Generator | None = None, *, drop_last: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images float32 [B, C, H, W] in [-1, 1], labels int64 [B]) once over the split.

    Args:
        split: the images, on any device.
        batch_size: B; the last batch is smaller unless `drop_last`.
        random: a CPU generator that orders the images; None keeps them as they stand.
        drop_last: leave out a last batch of fewer than `batch_size` images.
    """
    n = len(split)
    order = torch.arange(n) if random is None else torch.randperm(n, generator=random)
    end = n - n % batch_size if drop_last else n
    order = order[:end].to(split.labels.device)
    for chosen in order.split(batch_size):
        yield scale(split.images[chosen]), split.labels[chosen]


class Deck:
    """Deals full batches for ever, in a new order each time round the split.

    Between two batches `order` and `position`, with the state of `random`, are all that it knows.
    """

    def __init__(self, split: Split, batch_size: int, random: torch.Generator):
        """Begin before the first round; `random` orders the images and is a CPU generator."""
        self.split, self.batch_size, self.random = split, batch_size, random
        self.order = torch.empty(0, dtype=torch.int64)  # of the images, this time round
        self.position = 0

    def deal(self) -> tuple[Tensor, Tensor]:
        """Return (images float32 [B, C, H, W] in [-1, 1], labels int64 [B])."""
        if self.position + self.batch_size > len(self.order):
            self.order = torch.randperm(len(self.split), generator=self.random)
            self.position = 0
        chosen = self.order[self.position : self.position + self.batch_size]
        self.position += self.batch_size
        chosen = chosen.to(self.split.labels.device)
        return scale(self.split.images[chosen]), self.split.labels[chosen]


def interleaved(labels: Tensor) -> Tensor:
    """Return the order int64 [N] in which the classes take turns for as long as they last.

    The first images then show every class, whatever the mix of labels int64 [N].
    """
    rank = torch.empty_like(labels)
    for digit in labels.unique():
        mine = labels == digit
        rank[mine] = torch.arange(int(mine.sum()))
    return torch.argsort(rank * (int(labels.max()) + 1) + labels)


def subset(split: Split, n: int) -> Split:
    """Return `n` images of a split, or all when it has fewer: the same ones each time.

    Drawn at random, because files may be ordered (the first half of MNIST's test images is the
    easier one), then interleaved.
    """
    random = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(split), generator=random)[:n]
    chosen = chosen[interleaved(split.labels[chosen])]
    return Split(split.spec, split.images[chosen], split.labels[chosen])


def balanced_labels(n: int, n_classes: int) -> Tensor:
    """Return int64 labels [n], every class equally often (the first ones once more), in turn."""
    return torch.arange(n) % n_classes


def _digits(data_dir: Path, split: str) -> Split:
    """Scikit-learn's 1,797 real digits of 8x8 pixels, resized to 28x28; `data_dir` is unused."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    # 17 levels become 256, and the picture grows by interpolation: uint8, as MNIST comes.
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


def _idx(dataset: str, data_dir: Path, split: str) -> Split:
    """MNIST or one of its kin, from idx files: 60,000 training and 10,000 test images."""
    part = "t10k" if split == "test" else "train"
    files = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
    folders = places(dataset, data_dir)
    paths = find(files, folders)
    if paths is None:
        download(dataset, data_dir)
        paths = find(files, folders)
        if paths is None:
            raise InputError(f"the download of {dataset} left no {files[0]} in {folders[0]}")
    images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
    if len(images) != len(labels):
        raise InputError(
            f"{paths[0]} holds {len(images)} images but {paths[1].name} {len(labels)} labels; "
            "they do not belong together"
        )
    spec = DataSpec(dataset, 1, images.shape[1], images.shape[2], 10)
    if labels.max() >= spec.n_classes:
        raise InputError(f"{paths[1]} has the label {labels.max()}; labels end at 9")
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
    "mnist": partial(_idx, "mnist"),
    "fashion-mnist": partial(_idx, "fashion-mnist"),
    "kmnist": partial(_idx, "kmnist"),
}
