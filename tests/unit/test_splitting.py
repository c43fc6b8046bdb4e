"""Duplicates are found in any set, and splits keep them on one side, with every class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from cgan.data.importing.found import NOT_GIVEN
from cgan.data.spec import SPLITS
from cgan.data.splitting import candidates, near_duplicates
from cgan.data.splitting.assignment import LEFT_OUT, Assignment, assign_splits
from cgan.data.splitting.dealing import leading_labels
from cgan.data.splitting.near_duplicates import DuplicateGroups
from cgan.data.splitting.pairs import NearPairs
from cgan.runtime.errors import InputError

Images = NDArray[np.uint8]
N_COPIED = 40


def photographs(n: int, seed: int = 0, side: int = 32) -> Images:
    """Return smooth random colour images uint8 [n, 3, side, side]: waves, as in photographs."""
    random = np.random.default_rng(seed)
    waves = np.arange(-6, 7)
    grid = np.exp(2j * np.pi * np.outer(waves, np.arange(side) / side))
    strength = 1 / (1 + waves[:, None] ** 2 + waves**2)
    noise = random.normal(size=(n, 3, 13, 13, 2)) @ np.array([1, 1j]) * strength
    pictures = (grid.T @ noise @ grid).real
    return bytes_of(128 + 50 * pictures / pictures.std(axis=(1, 2, 3), keepdims=True))


def digits() -> Images:
    """Return scikit-learn's digits, uint8 [1797, 1, 16, 16]: a dense set."""
    return bytes_of(load_digits().images.repeat(2, 1).repeat(2, 2) * 255 / 16)[:, None]


def bytes_of(values: NDArray[np.floating]) -> Images:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def moved(images: Images) -> Images:
    """Return the images moved by a pixel to the right."""
    return np.concatenate([images[..., :1], images[..., :-1]], axis=-1)


def noisy(images: Images) -> Images:
    return bytes_of(images + np.random.default_rng(1).normal(0, 4, images.shape))


CHANGES = {
    "brighter": lambda images: bytes_of(images * 1.05),
    "darker": lambda images: bytes_of(images - 12.0),
    "moved": moved,
    "noisy": noisy,
    "the same": lambda images: images,
}


@pytest.fixture(scope="module")
def sets() -> dict[str, Images]:
    return {"photographs": photographs(400), "digits": digits()}


@pytest.mark.parametrize("kind", ["photographs", "digits"])
def test_changed_copies_are_found_and_other_images_are_not(
    sets: dict[str, Images], kind: str
) -> None:
    images = sets[kind]
    clean = near_duplicates.near_duplicates(images)
    assert clean.exact == 0
    assert clean.near <= 0.02 * len(images)  # of digits, some ones hardly differ
    originals = np.arange(N_COPIED * len(CHANGES))
    copies = [
        change(images[originals[number * N_COPIED :][:N_COPIED]])
        for number, change in enumerate(CHANGES.values())
    ]
    found = near_duplicates.near_duplicates(np.concatenate([images, *copies]))
    hits = found.groups[len(images) :] == found.groups[originals]
    assert dict(zip(CHANGES, hits.reshape(-1, N_COPIED).mean(axis=1) >= 0.95, strict=True)) == (
        dict.fromkeys(CHANGES, True)
    )
    assert found.exact == 2 * N_COPIED
    assert found.largest <= 4
    assert 2 * 4 * N_COPIED * 0.95 <= found.near <= 2 * 4 * N_COPIED + 2 * clean.near


def test_another_contrast_or_another_detail_is_another_picture(sets: dict[str, Images]) -> None:
    images = sets["photographs"][:100]
    faded = bytes_of(128 + (images - 128.0) * 0.6)
    detail = images.copy()
    detail[:, :, 8:16, 8:16] = images[::-1, :, 8:16, 8:16]
    found = near_duplicates.near_duplicates(np.concatenate([images, faded, detail]))
    assert found.near <= 2


def test_a_film_is_one_group_and_another_film_is_another(sets: dict[str, Images]) -> None:
    wide = photographs(12, seed=5, side=96)
    ends = [48 - 16 - frame // 2 for frame in range(20)]
    films = [
        bytes_of(np.stack([zoomed(picture, end) for end in ends])).reshape(-1, 3, 32, 32)
        for picture in wide
    ]
    found = near_duplicates.near_duplicates(np.concatenate([*films, sets["photographs"]]))
    groups = found.groups[: 12 * len(ends)].reshape(12, -1)
    assert [len(set(film)) for film in groups.tolist()] == [1] * 12
    assert len(set(groups[:, 0].tolist())) == 12


def zoomed(picture: Images, start: int) -> NDArray[np.floating]:
    """Return the middle of a picture [3, 96, 96], from pixel `start` on, as [3, 32, 32]."""
    place = np.linspace(start, 95 - start, 32)
    low, part = np.floor(place).astype(int), place % 1
    rows = picture[:, low] * (1 - part[:, None]) + picture[:, low + 1] * part[:, None]
    return rows[..., low] * (1 - part) + rows[..., low + 1] * part


def test_the_order_of_the_images_makes_no_difference(sets: dict[str, Images]) -> None:
    images = np.concatenate([sets["digits"], noisy(sets["digits"][:200]), sets["digits"][:50]])
    order = np.random.default_rng(2).permutation(len(images))
    one, two = map(near_duplicates.near_duplicates, (images, images[order]))
    assert partition(one.groups[order]) == partition(two.groups)
    labels = np.arange(len(images)) % 7
    splits, again = (
        assigned(some, found, seed=3).splits
        for some, found in ((labels, one), (labels[order], two))
    )
    assert (splits[order] == again).all()
    assert (assigned(labels, one, seed=4).splits != splits).any()


def test_few_cells_suffice(sets: dict[str, Images], monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.concatenate([sets["digits"][:600], noisy(sets["digits"][:600])])
    monkeypatch.setattr(candidates, "IN_CELL", len(images))
    every = near_duplicates.near_duplicates(images)
    monkeypatch.setattr(candidates, "IN_CELL", 40)
    some = near_duplicates.near_duplicates(images)
    assert 0.99 * every.near <= some.near <= every.near


def test_images_that_hardly_differ_need_little_memory_and_are_not_one_group() -> None:
    images = np.zeros((1200, 1, 16, 16), np.uint8)
    images[np.arange(1200), 0, np.arange(1200) % 16, np.arange(1200) // 16 % 16] = 9
    images[:, 0, 0, 0] = np.arange(1200) // 256
    found = near_duplicates.near_duplicates(images)
    assert found.largest <= near_duplicates.LARGEST
    assert found.apart > 0
    assert any(
        f"more than {near_duplicates.LARGEST} pictures" in line for line in found.sentences()
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_images_are_enough(n: int) -> None:
    found = near_duplicates.near_duplicates(photographs(n))
    assert sorted(found.groups.tolist()) == list(range(n))
    assert found.sentences() == ["none", "each image was compared with all others"]


@given(
    st.integers(1, 400).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=300),
        )
    )
)
@settings(max_examples=25, deadline=None)
def test_groups_are_never_too_large(case: tuple[int, list[tuple[int, int]]]) -> None:
    n, chosen = case
    pairs = np.array([pair for pair in chosen if pair[0] != pair[1]], np.int64).reshape(-1, 2)
    ratios = np.linspace(0, 1, len(pairs), dtype=np.float32)
    groups, apart = near_duplicates.join(n, NearPairs(pairs, ratios, 1.0))
    assert np.bincount(groups).max() <= near_duplicates.most_together(n)
    assert apart >= (groups[pairs[:, 0]] != groups[pairs[:, 1]]).any()
    linked = {position for pair in pairs.tolist() for position in pair}
    assert all(np.sum(groups == groups[one]) == 1 for one in {*range(n)} - linked)


def made(groups: NDArray[np.int64], keys: NDArray[np.uint64] | None = None) -> DuplicateGroups:
    """Return groups of duplicates, none of them an exact copy unless keys say so."""
    keys = np.arange(len(groups), dtype=np.uint64) if keys is None else keys
    return DuplicateGroups(keys, groups, 0, 0, 0, 1, 0, 0.1, np.empty((0, 2), np.int64))


def assigned(
    labels: NDArray[np.int64],
    found: DuplicateGroups,
    given: NDArray[np.int8] | None = None,
    seed: int = 0,
    *,
    drop_rare: bool = False,
) -> Assignment:
    given = np.full(len(labels), NOT_GIVEN, np.int8) if given is None else given
    names = [f"class {label}" for label in range(labels.max() + 1)]
    return assign_splits(labels, given, found, names, seed=seed, drop_rare=drop_rare)


def partition(groups: NDArray[np.int64]) -> set[tuple[int, ...]]:
    return {tuple(np.flatnonzero(groups == group)) for group in set(groups.tolist())}


def counts(labels: NDArray[np.int64], splits: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the images of each class in each split, [3, K]."""
    return np.stack(
        [
            np.bincount(labels[splits == split], minlength=labels.max() + 1)
            for split in range(len(SPLITS))
        ]
    )


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=40), min_size=2, max_size=6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 5)), max_size=5),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_groups_are_whole_and_every_class_has_its_share_of_every_split(
    sizes: list[list[int]], noise: list[tuple[int, int]], random: object
) -> None:
    each = [size for own in sizes for size in own]
    labels = np.repeat(np.arange(len(sizes)), [sum(own) for own in sizes])
    groups = np.repeat(np.arange(len(each)), each)
    order = np.array(random.sample(range(len(labels)), len(labels)))  # type: ignore[attr-defined]
    found = made(groups)
    splits = assigned(labels, found).splits
    assert all(len({*splits[groups == group]}) == 1 for group in range(len(each)))
    table, ideal = counts(labels, splits), np.outer([0.8, 0.1, 0.1], np.bincount(labels))
    assert table.min() >= 1
    largest = np.array([max(own) for own in sizes])
    many = np.array([len(own) >= 20 for own in sizes])
    assert (np.abs(table - ideal) <= np.maximum(2, largest))[:, many].all()
    shuffled = made(groups[order], found.keys[order])
    assert (assigned(labels[order], shuffled).splits == splits[order]).all()
    # wrong labels within groups change nothing of this
    wrong = labels.copy()
    for place, label in noise:
        several = np.flatnonzero(np.bincount(groups)[groups] > 2)
        if len(several):
            first = several[place % len(several)]
            wrong[np.flatnonzero(groups == groups[first])[0]] = label % len(sizes)
    splits = assigned(wrong, found).splits
    assert counts(wrong, splits).min() >= 1
    assert all(len({*splits[groups == group]}) == 1 for group in range(len(each)))


def test_images_without_duplicates_are_divided_as_exactly_as_whole_images_can_be() -> None:
    labels = np.repeat(np.arange(5), [10, 15, 24, 100, 333])
    result = assigned(labels, made(np.arange(len(labels))))
    table = counts(labels, result.splits)
    assert (np.abs(table - np.outer([0.8, 0.1, 0.1], np.bincount(labels))) < 1).all()
    assert table.sum(axis=1).tolist() == [386, 48, 48]
    assert result.sentences == ("divided 80:10:10 at random, every class in this proportion",)


def test_given_splits_are_kept_and_what_they_share_is_told() -> None:
    labels = np.tile([0, 1], 30)
    given = np.repeat([0, 2], [40, 20]).astype(np.int8)
    groups, keys = np.arange(60), np.arange(60, dtype=np.uint64)
    groups[40], keys[40] = groups[0], keys[0]
    groups[41] = groups[1]
    found = made(groups, keys)
    result = assigned(labels, found, given)
    assert (result.splits[40:] == 2).all()
    assert counts(labels, result.splits).tolist() == [[18, 18], [2, 2], [10, 10]]
    assert result.overlaps == {("test", "train"): (1, 1)}
    assert result.sentences == (
        "train and test are kept as given",
        "validation: a tenth of the training images, at random",
        "given test images that are also in train: 2 (1 exact, 1 near duplicates); scores on them "
        "are too good",
    )
    every = np.where(given == 2, 2, np.arange(60) % 5 == 0).astype(np.int8)
    assert (assigned(labels, found, every).splits == every).all()
    loose = np.where(np.arange(60) < 5, NOT_GIVEN, every).astype(np.int8)
    result = assigned(labels, found, loose)
    assert (result.splits[:5] == 0).all()
    assert "5 images without a split are training images" in result.sentences
    beside = assigned(labels, found, np.where(given == 2, 2, NOT_GIVEN).astype(np.int8))
    assert (beside.splits[40:] == 2).all()
    assert counts(labels, beside.splits).tolist() == [[18, 18], [2, 2], [10, 10]]


def test_one_given_split_is_divided_and_splits_without_training_images_are_refused() -> None:
    labels, found = np.tile([0, 1], 15), made(np.arange(30))
    only = assigned(labels, found, np.full(30, 2, np.int8))
    assert (only.splits == assigned(labels, found).splits).all()
    assert only.sentences[0].endswith("; only test was given")
    with pytest.raises(InputError, match="without training images; add a folder"):
        assigned(labels, found, np.repeat([1, 2], 15).astype(np.int8))


def test_a_class_that_is_too_small_is_refused_or_left_out() -> None:
    labels = np.array([0] * 9 + [1] * 9 + [2] * 2 + [3] * 4)
    groups = np.arange(24)
    groups[20:] = [20, 20, 20, 21]
    with pytest.raises(InputError) as refused:
        assigned(labels, made(groups))
    assert str(refused.value) == (
        "2 classes have too few images: class 2 (2), class 3 (4 in 2 groups of duplicates); add "
        "images, at least 3 that are no duplicates of each other for each class, or leave these "
        "classes out with --drop-rare"
    )
    result = assigned(labels, made(groups), drop_rare=True)
    assert result.left_out == ("class 2", "class 3")
    assert (result.splits[18:] == LEFT_OUT).all()
    assert (result.splits[:18] != LEFT_OUT).all()
    assert "left out, too few images: class 2, class 3 (6 images)" in result.sentences
    with pytest.raises(InputError, match="1 of 2 classes have enough images; two are needed"):
        assigned(np.array([0] * 9 + [1] * 2), made(np.arange(11)), drop_rare=True)


def test_a_class_without_images_in_a_given_split_is_refused() -> None:
    labels = np.tile([0, 1, 2], 8)
    given = np.repeat([0, 1, 2], 8).astype(np.int8)
    given[(given == 2) & (labels == 1)] = 0
    with pytest.raises(InputError, match=r"1 class has .*: class 1 \(none for test\); add .* one "):
        assigned(labels, made(np.arange(24)), given)


def test_duplicates_with_different_labels_are_shown_and_kept_on_one_side() -> None:
    labels = np.tile([0, 1], 12)
    groups, keys = np.arange(24), np.arange(24, dtype=np.uint64)
    groups[1], keys[1] = groups[0], keys[0]  # exact
    groups[3] = groups[2]  # near
    result = assigned(labels, made(groups, keys))
    assert result.conflicts.tolist() == [[0, 1], [2, 3]]
    assert (result.splits[[0, 2]] == result.splits[[1, 3]]).all()
    assert result.sentences[1:] == (
        "4 duplicates in 2 groups, kept on one side",
        "duplicates with different labels: 2, such as image 0 (class 0) and image 1 (class 1); "
        "image 2 (class 0) and image 3 (class 1); check the labels",
    )


def test_a_group_counts_for_its_most_frequent_label() -> None:
    groups, labels = np.array([7, 7, 7, 3, 3, 9]), np.array([1, 2, 2, 4, 3, 0])
    assert [part.tolist() for part in leading_labels(labels, groups)] == [[3, 7, 9], [3, 2, 0]]
    assert [len(part) for part in leading_labels(labels[:0], groups[:0])] == [0, 0]
