import gzip
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import idx_bytes
from hypothesis import given
from hypothesis import strategies as st

from cgan.data import originals
from cgan.data.batches import batches
from cgan.data.datasets import DATASETS, load_split
from cgan.data.originals import unpacked_sha256
from cgan.data.spec import DESCRIPTIONS, SPLITS, DataSpec
from cgan.data.splits import (
    Split,
    balanced_labels,
    interleaved,
    of_classes,
    scale,
    subset,
    unequal_classes,
    unscale,
)
from cgan.data.store import require_data_set
from cgan.runtime.errors import InputError

NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize("split", SPLITS)
def test_digits_have_the_promised_shape_range_and_labels(split: str) -> None:
    digits = load_split("digits", NOWHERE, split)
    assert digits.images.dtype == torch.uint8
    assert digits.images.shape[1:] == digits.spec.image_shape == (1, 28, 28)
    assert digits.labels.dtype == torch.int64
    assert sorted(digits.labels.unique().tolist()) == list(range(10))
    assert digits.images.max() > 240
    assert digits.images.min() == 0


def rows(split: Split) -> set[bytes]:
    return {image.numpy().tobytes() for image in split.images}


def test_the_splits_of_digits_are_disjoint_and_complete() -> None:
    train, validation, test = (load_split("digits", NOWHERE, split) for split in SPLITS)
    assert len(train) + len(validation) + len(test) == 1797
    assert not rows(train) & rows(test)
    assert not rows(validation) & rows(test)
    assert not rows(train) & rows(validation)


def test_digits_are_held_out_stratified() -> None:
    counts = load_split("digits", NOWHERE, "validation").labels.bincount()
    assert counts.min() >= 24
    assert counts.max() <= 26


def test_the_splits_of_mnist_are_the_last_5000_and_disjoint(toy_mnist: Path) -> None:
    train, validation, test = (load_split("mnist", toy_mnist, split) for split in SPLITS)
    assert (len(train), len(validation), len(test)) == (40, 5000, 60)
    assert not rows(train) & rows(validation)
    assert not rows(train) & rows(test)
    assert train.spec == DataSpec("mnist", 1, 12, 8, 10)


def test_training_never_opens_the_test_files(toy_mnist: Path) -> None:
    for file in toy_mnist.glob("t10k*"):
        file.write_bytes(b"nonsense")
    assert len(load_split("mnist", toy_mnist, "train")) == 40
    assert len(load_split("mnist", toy_mnist, "validation")) == 5000
    with pytest.raises(InputError):
        load_split("mnist", toy_mnist, "test")


@pytest.mark.parametrize(
    ("dataset", "folder"),
    [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw"), ("kmnist", "KMNIST/raw")],
)
def test_torchvisions_layout_is_found(toy_mnist: Path, dataset: str, folder: str) -> None:
    raw = toy_mnist / "root" / folder
    raw.mkdir(parents=True)
    for file in toy_mnist.glob("*ubyte"):
        file.rename(raw / file.name)
    assert len(load_split(dataset, toy_mnist / "root", "test")) == 60


def moved(toy_mnist: Path, folder: str) -> Path:
    """Move the toy files to a folder in a folder of data; return the latter."""
    data = toy_mnist / "data"
    (data / folder).mkdir(parents=True)
    for file in toy_mnist.glob("*ubyte"):
        file.rename(data / folder / file.name)
    return data


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("folder", ["", "fashion-mnist", "FashionMNIST/raw"])
def test_published_files_of_another_data_set_are_refused_wherever_they_are(
    toy_mnist: Path, folder: str, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = moved(toy_mnist, folder)
    sums = {name: unpacked_sha256(data / folder / name) for name in originals.FILES}
    monkeypatch.setitem(originals.SHA256, "mnist", sums)
    told = f"{data / folder} has the files of MNIST; put those of fashion-mnist into {data}"
    with pytest.raises(InputError, match=re.escape(told)):
        load_split("fashion-mnist", data, split)


def test_files_are_known_by_the_checksum_of_their_gz_too(
    toy_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in toy_mnist.glob("*ubyte"):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    sums = tuple(originals.md5(toy_mnist / f"{name}.gz") for name in originals.FILES)
    monkeypatch.setitem(originals.MD5, "kmnist", sums)
    assert len(load_split("kmnist", toy_mnist, "test")) == 60  # loose, but known to be its own
    with pytest.raises(
        InputError, match=r"has the files of KMNIST; put those of mnist into .*/mnist"
    ):
        load_split("mnist", toy_mnist, "test")


@pytest.mark.parametrize("dataset", ["fashion-mnist", "kmnist"])
def test_unknown_loose_files_are_those_of_mnist_unless_their_folder_says_otherwise(
    toy_mnist: Path, dataset: str
) -> None:
    assert len(load_split("mnist", toy_mnist, "test")) == 60
    told = f"may be those of MNIST, whose names they have; put those of {dataset} into {toy_mnist}"
    with pytest.raises(InputError, match=re.escape(told)):
        load_split(dataset, toy_mnist, "test")
    data = moved(toy_mnist, dataset)
    assert len(load_split(dataset, data, "test")) == 60
    assert len(load_split(dataset, data / dataset, "test")) == 60  # loose, in a folder of its name


def test_labels_that_do_not_match_the_images_are_refused(toy_mnist: Path) -> None:
    labels = toy_mnist / "t10k-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(np.zeros(59, np.uint8)))
    with pytest.raises(InputError, match=r"60 images .* 59 labels"):
        load_split("mnist", toy_mnist, "test")


def test_a_label_out_of_range_is_refused(toy_mnist: Path) -> None:
    labels = toy_mnist / "t10k-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(np.full(60, 10, np.uint8)))
    with pytest.raises(InputError, match="label 10; the largest allowed is 9"):
        load_split("mnist", toy_mnist, "test")


def test_missing_files_without_a_network_say_what_to_do_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    def unreachable(root: str, download: bool) -> None:
        (Path(root) / "MNIST").mkdir()
        raise RuntimeError("no route to host")

    monkeypatch.setattr(torchvision.datasets, "MNIST", unreachable)
    with pytest.raises(InputError) as caught:
        load_split("mnist", tmp_path / "deep" / "data", "train")
    for word in ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "digits and mnist-sample"):
        assert word in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_moved_into_place_beside_what_is_there(
    tmp_path: Path, toy_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    def fetch(root: str, download: bool) -> None:
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for file in toy_mnist.glob("*ubyte"):
            (raw / file.name).write_bytes(file.read_bytes())

    monkeypatch.setattr(torchvision.datasets, "MNIST", fetch)
    target = tmp_path / "elsewhere"
    (target / "MNIST").mkdir(parents=True)
    (target / "MNIST" / "mine.txt").write_text("kept")
    assert len(load_split("mnist", target, "test")) == 60
    assert [path.name for path in target.iterdir()] == ["MNIST"]
    assert (target / "MNIST" / "mine.txt").read_text() == "kept"


def of_counts(*counts: int) -> Split:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    images = torch.zeros(len(labels), 1, 4, 4, dtype=torch.uint8)
    return Split(DataSpec("some", 1, 4, 4, len(counts), noun="digit"), images, labels)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((10, 12, 9), None),
        ((50, 20, 20), None),  # unequal, but not rare
        ((10, 0, 10, 0), "no training image of the digits 1, 3"),
        (
            (90, 2, 2, 2, 2, 2, 0),
            "no training image of the digit 6; few of the digits 1 (2), 2 (2)",
        ),
        ((100, 5, 100), "few of the digit 1 (5)"),
        (
            (1, *[0] * 20),
            "no training image of the digits 1, 2, 3, 4, 5 and 15 more",
        ),
    ],
)
def test_classes_without_or_with_few_training_images_are_told(
    counts: tuple[int, ...], told: str | None
) -> None:
    split = of_counts(*counts)
    assert split.class_counts() == list(counts)
    line = unequal_classes(split)
    assert line == told if told is None else str(line).startswith(told)


def test_a_data_set_may_be_limited_to_some_classes() -> None:
    kept = of_classes(of_counts(3, 2, 4), {0, 2})
    assert kept.labels.tolist() == [0, 0, 0, 2, 2, 2, 2]
    assert len(kept.images) == 7
    assert kept.spec.n_classes == 3


def test_every_data_set_has_a_description() -> None:
    assert set(DATASETS) == set(DESCRIPTIONS)
    with pytest.raises(InputError, match="did you mean 'kmnist'"):
        require_data_set("kmnits", NOWHERE)


def test_an_unknown_data_set_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        load_split("minst", NOWHERE, "train")


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(InputError, match="split"):
        load_split("digits", NOWHERE, "dev")


@given(st.lists(st.integers(0, 255), min_size=1, max_size=9))
def test_scaling_reaches_both_ends_and_comes_back(levels: list[int]) -> None:
    images = torch.tensor(levels, dtype=torch.uint8)
    scaled = scale(images)
    assert scaled.dtype == torch.float32
    assert scaled.tolist() == pytest.approx([level / 127.5 - 1 for level in levels], abs=1e-6)
    assert unscale(scaled).tolist() == levels


def test_unscaling_clamps() -> None:
    assert unscale(torch.tensor([-3.0, 0.0, 3.0])).tolist() == [0, 128, 255]


def test_the_same_seed_gives_the_same_order_and_every_image_once() -> None:
    digits = load_split("digits", NOWHERE, "validation")

    def order(seed: int) -> list[int]:
        random = torch.Generator().manual_seed(seed)
        return torch.cat([labels for _, labels in batches(digits, 32, random)]).tolist()

    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == sorted(digits.labels.tolist())


def test_a_short_last_batch_is_dropped_only_on_request() -> None:
    digits = load_split("digits", NOWHERE, "validation")
    sizes = [len(labels) for _, labels in batches(digits, 100)]
    assert sizes == [100, 100, 50]
    sizes = [len(labels) for _, labels in batches(digits, 100, drop_last=True)]
    assert sizes == [100, 100]


@given(st.integers(1, 200), st.integers(1, 20))
def test_balanced_labels_differ_by_one_at_most(n: int, n_classes: int) -> None:
    counts = balanced_labels(n, n_classes).bincount(minlength=n_classes)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


def test_the_checksum_sees_a_changed_pixel() -> None:
    digits = load_split("digits", NOWHERE, "test")
    changed = Split(digits.spec, digits.images.clone(), digits.labels)
    assert changed.sha256() == digits.sha256()
    changed.images[3, 0, 4, 5] ^= 1
    assert changed.sha256() != digits.sha256()


def test_interleaved_labels_take_turns_for_as_long_as_they_last() -> None:
    labels = torch.tensor([2, 2, 0, 1, 2, 0])
    order = interleaved(labels)
    assert labels[order].tolist() == [0, 1, 2, 0, 2, 2]
    assert order.tolist() == [2, 3, 0, 5, 1, 4]  # and stay in order within a class


def test_a_subset_is_drawn_at_random_and_the_same_each_time() -> None:
    test = load_split("digits", Path(), "test")
    one, other = subset(test, 100), subset(test, 100)
    assert torch.equal(one.images, other.images)
    assert len(one) == 100
    assert one.labels[:10].tolist() == list(range(10))
    whole = subset(test, 10_000)
    assert len(whole) == len(test)
    assert torch.equal(whole.labels.bincount(), test.labels.bincount())
    # image and label stay together
    pairs, some = (
        {(x.numpy().tobytes(), int(y)) for x, y in zip(each.images, each.labels, strict=True)}
        for each in (test, one)
    )
    assert some <= pairs


def dotted(name: str) -> str:
    return name.replace("-idx", ".idx")


@pytest.mark.parametrize(
    ("form", "given"),
    [
        (lambda name: f"MNIST/raw/{name}", "MNIST"),
        (lambda name: f"mnist/raw/{name}", "."),
        (lambda name: f"mnist/raw/{name}", "mnist/raw"),
        (lambda name: f"MNIST/{name}", "."),
        (dotted, "."),
        (lambda name: f"{name}/{name}", "."),
        (lambda name: f"mnist/{name}/{dotted(name)}", "."),
    ],
)
def test_files_are_found_as_other_programs_leave_them(
    form: Callable[[str], str], given: str, toy_mnist: Path
) -> None:
    data = toy_mnist / "data"
    for file in toy_mnist.glob("*ubyte"):
        place = data / form(file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.rename(place)
    assert len(load_split("mnist", data / given, "test")) == 60


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("mine/{}", "name its folder with --data-dir .*mine, or move"),
        ("mine/MNIST/raw/{}", "name its folder with --data-dir"),
        ("T10K_images.IDX3-ubyte.gz", "its name would have to be train-images-idx3-ubyte"),
    ],
)
def test_a_near_miss_is_named_before_a_server_is_asked(
    place: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.data.datasets.download", pytest.fail)
    path = tmp_path / place.format("t10k-images-idx3-ubyte")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with pytest.raises(InputError, match=f"{path} may be a file of mnist.*{told}"):
        load_split("mnist", tmp_path, "test")


def test_files_of_another_data_set_in_its_own_folder_are_no_near_miss(
    toy_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = moved(toy_mnist, "FashionMNIST/raw")
    asked: list[str] = []
    monkeypatch.setattr("cgan.data.datasets.download", lambda name, _: asked.append(name))
    with pytest.raises(InputError, match="after downloading"):
        load_split("mnist", data, "test")
    assert asked == ["mnist"]


def test_a_data_dir_that_is_a_file_or_cannot_be_read_is_refused(
    toy_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="is not a folder; name the folder of"):
        load_split("mnist", toy_mnist / "t10k-images-idx3-ubyte", "test")
    monkeypatch.setattr("os.path.isfile", lambda _: False)  # as without the permission
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match="cannot be read: its permissions forbid it"):
        load_split("mnist", toy_mnist, "test")
