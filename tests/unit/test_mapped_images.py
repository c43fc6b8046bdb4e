"""Images in a mapped file give the same batches as in memory, in constant memory."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cgan.data import datasets, pages, splits
from cgan.data.batches import BatchSampler, balanced_order, batches
from cgan.data.datasets import load_split
from cgan.data.splits import Split, of_classes, subset
from cgan.runtime.errors import InputError

NAME, N = "some-0123abcd", 600
SHAPE = (N, 3, 16, 16)
LABELS = torch.tensor([0] * 500 + [1] * 90 + [2] * 10)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], Split]:
    """Return a function that loads the training images of a store, mapped or into memory."""
    folder = tmp_path / NAME
    folder.mkdir()
    np.save(folder / "train-labels.npy", LABELS.numpy())
    pixels = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    np.save(folder / "train-images.npy", pixels)
    counts = {"class_counts": LABELS.bincount().tolist(), "sha256": "0" * 64}
    facts = {"format": 1, "channels": 3, "height": 16, "width": 16, "noun": "class"}
    content = {**facts, "names": ["a", "b", "c"], "splits": {"train": counts}}
    (folder / "data.json").write_text(json.dumps(content))

    def loaded(mapped: bool) -> Split:
        monkeypatch.setattr(datasets, "SMALL", 0 if mapped else 2**28)
        return load_split(NAME, tmp_path, "train")

    return loaded


def test_mapped_images_give_the_same_batches_while_their_pages_are_released(
    load: Callable[[bool], Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped, memory = load(True), load(False)
    assert mapped.pages is not None
    assert memory.pages is None
    released: list[int] = []
    watched = SimpleNamespace(madvise=released.append)
    counted = replace(mapped, pages=pages.Pages(watched))  # type: ignore[arg-type]
    monkeypatch.setattr(pages, "RELEASE_AFTER", pages.AROUND + 64 * 768)
    for images, other in zip(counted.parts(64), memory.parts(64), strict=True):
        assert torch.equal(images[0], other[0])
    assert len(released) == N // 64  # the last part has fewer
    order = torch.tensor([5, 5, 599, 0])
    assert torch.equal(mapped.take(order), memory.take(order))
    for one, other in zip(
        *(batches(s, 200, torch.Generator().manual_seed(1)) for s in (mapped, memory)), strict=True
    ):
        assert torch.equal(one[0], other[0])
    assert torch.equal(subset(mapped, 50).images, subset(memory, 50).images)
    assert mapped.sha256() == "0" * 64  # without reading the images


def resident() -> int:
    """Return the bytes of files that count as memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_pass_over_a_mapped_file_takes_constant_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 2**26
    with (tmp_path / "file").open("wb") as stream:
        stream.truncate(size)

    def grown(release_after: int) -> int:
        monkeypatch.setattr(pages, "RELEASE_AFTER", release_after)
        array = np.memmap(tmp_path / "file", np.uint8, "c", shape=(size // 4096, 1, 64, 64))
        images, before = torch.from_numpy(array), resident()
        labels, known = torch.zeros(len(images), dtype=torch.int64), pages.Pages.of(array)
        spec = datasets.DataSpec("some", 1, 64, 64, 2)
        most = 0
        for part, _ in Split(spec, images, labels, pages=known).parts(256):
            part.sum()
            most = max(most, resident() - before)
        return most

    assert grown(2**60) > 0.9 * size
    assert grown(2**24) < 0.3 * size


def test_the_classes_of_a_large_mapped_file_are_copied_in_part(
    load: Callable[[bool], Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped, memory = load(True), load(False)
    both = {0, 1}
    assert torch.equal(of_classes(mapped, both).images, of_classes(memory, both).images)
    monkeypatch.setattr(splits, "LARGEST_COPY", 300 * 768)
    some = of_classes(mapped, both)
    assert len(some) == 300
    assert set(some.labels.tolist()) == both
    assert len(of_classes(memory, both)) == 590


def shares(sampler: BatchSampler, n_batches: int) -> torch.Tensor:
    drawn = torch.stack(
        [LABELS[sampler.next_batch()].bincount(minlength=3) for _ in range(n_batches)]
    )
    assert drawn.sum() == n_batches * sampler.batch_size
    return drawn


def test_balanced_batches_show_each_class_equally_often_and_others_as_the_data_do() -> None:
    balanced = BatchSampler(N, 30, torch.Generator().manual_seed(0), LABELS)
    assert (shares(balanced, 60) == 10).all()  # three passes of 20 batches
    plain = BatchSampler(N, 30, torch.Generator().manual_seed(0))
    assert shares(plain, 20).sum(0).tolist() == [500, 90, 10]
    order = balanced_order(LABELS, torch.Generator().manual_seed(0))
    counts = order.bincount(minlength=N)
    assert counts[LABELS == 0].max() == 1  # of many images, others in each pass
    assert counts[LABELS == 2].tolist() == [20] * 10  # few are repeated, all equally often
    # classes without an image are left out, more classes than a batch has images take turns
    assert set(balanced_order(torch.tensor([3, 3, 5]), torch.Generator()).tolist()) <= {0, 1, 2}
    many = balanced_order(torch.arange(100).repeat(3), torch.Generator().manual_seed(0)) % 100
    assert many.reshape(3, 100).sort().values.equal(torch.arange(100).repeat(3, 1))


@pytest.mark.parametrize("labels", [None, LABELS])
def test_a_sampler_goes_on_where_it_was_and_refuses_an_order_of_other_images(
    labels: torch.Tensor | None,
) -> None:
    one = BatchSampler(N, 32, torch.Generator().manual_seed(0), labels)
    for _ in range(20):
        one.next_batch()
    random = torch.Generator()
    random.set_state(one.random.get_state())
    other = BatchSampler(N, 32, random, labels)
    other.restore(one.order, one.position)
    for _ in range(40):
        assert torch.equal(one.next_batch(), other.next_batch())
    wrong = one.order.clone()
    wrong[0] = N
    for order, position in (
        (wrong, 0),
        (one.order[1:], 0),
        (one.order, N + 1),
        (one.order.int(), 0),
    ):
        with pytest.raises(InputError, match="does not fit this data set"):
            other.restore(order, position)
    repeated = torch.zeros(N, dtype=torch.int64)
    if labels is None:
        with pytest.raises(InputError, match="does not fit this data set"):
            other.restore(repeated, 0)
    else:
        other.restore(repeated, 0)
