"""The images of MNIST that ship with cgan: whole, balanced, small, refused where damaged."""

import lzma
from pathlib import Path

import numpy as np
import pytest
import torch

from cgan.data.datasets import load_split
from cgan.data.mnist_sample import FILE, LARGEST_PACKED, LICENCE, PER_CLASS, SIZE, read_sample
from cgan.data.spec import SPLITS, DataSpec
from cgan.runtime.errors import InputError


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_is_balanced_and_its_classes_take_turns(split: str) -> None:
    loaded = load_split("mnist-sample", Path("nowhere"), split)
    count = PER_CLASS[split]
    assert loaded.spec == DataSpec("mnist-sample", 1, 28, 28, 10)
    assert loaded.images.shape == (10 * count, 1, 28, 28)
    assert loaded.images.dtype == torch.uint8
    assert loaded.labels.dtype == torch.int64
    assert loaded.labels.tolist() == list(range(10)) * count


def test_an_image_and_its_label_belong_together() -> None:
    train, test = (load_split("mnist-sample", Path("nowhere"), name) for name in ("train", "test"))
    means = torch.stack([train.images[train.labels == k].float().mean(0) for k in range(10)])
    nearest = torch.cdist(test.images.float().flatten(1), means.flatten(1)).argmin(1)
    right = (nearest == test.labels).float().mean()
    assert 0.75 < float(right) < 0.9  # what the nearest mean image gets of MNIST


def test_no_image_is_in_two_splits_or_twice_in_one() -> None:
    images = np.concatenate([read_sample(split)[0] for split in SPLITS])
    assert len(images) == 12_000
    assert len({image.tobytes() for image in images}) == len(images)


def test_the_file_is_small_and_says_whose_it_is() -> None:
    assert FILE.stat().st_size <= LARGEST_PACKED
    text = LICENCE.read_text()
    for said in ("Yann LeCun", "Corinna Cortes", "CC-BY-SA-3.0", "licenses/by-sa/3.0/", FILE.name):
        assert said in text


def refused(content: bytes, tmp_path: Path) -> str:
    """Return what is said of a file of this content."""
    path = tmp_path / "x.xz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"install cgan again$") as caught:
        read_sample("train", path)
    assert str(caught.value).isprintable()
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    whole = FILE.read_bytes()
    assert "not the file" in refused(whole[:-100_000], tmp_path)
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    refused(bytes(changed), tmp_path)
    assert "damaged" in refused(b"no archive", tmp_path)
    assert "not the file" in refused(lzma.compress(bytes(SIZE)), tmp_path)
    assert "not the file" in refused(b"", tmp_path)
    (tmp_path / "x.xz").write_bytes(whole)
    assert len(read_sample("test", tmp_path / "x.xz")[0]) == 1000


def test_a_missing_file_or_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing or damaged .*install cgan again"):
        read_sample("train", tmp_path / "x.xz")
    (tmp_path / "x.xz").symlink_to(FILE)
    with pytest.raises(InputError, match=r"it is a link.*install cgan again"):
        read_sample("train", tmp_path / "x.xz")


def test_what_is_too_large_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    assert "2,500,000 is the maximum" in refused(bytes(LARGEST_PACKED + 1), tmp_path)
    assert "not the file" in refused(lzma.compress(bytes(200_000_000), preset=0), tmp_path)
    greedy = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**29}]
    assert "emory" in refused(lzma.compress(bytes(1000), filters=greedy), tmp_path)
