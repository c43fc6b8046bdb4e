"""Classes are found by name, and their names go into files and come back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgan.config.schema import GanConfig
from cgan.data.images import Images, write_images
from cgan.data.importing.folders import read_images
from cgan.data.run_config import read_config
from cgan.data.spec import LONGEST_FORM, DataSpec, file_forms, find_label, find_labels
from cgan.io.run_layout import SHIPPED
from cgan.models.hub import load_generator
from cgan.runtime.errors import InputError

NAMES = ("cat", "Dog", "dog", "Greek/alpha", "7", "été", "猫", "a b", "a-b", "label-3")
SPEC = DataSpec("pets", 1, 6, 5, len(NAMES), names=NAMES)
UNNAMED = replace(SPEC, names=())


@pytest.mark.parametrize(
    ("chosen", "label"),
    [
        *((name, label) for label, name in enumerate(NAMES)),
        ("CAT", 0),
        ("greek/ALPHA", 3),
        ("7", 4),  # the name, not the label
        ("8", 8),
    ],
)
def test_a_class_is_found_by_its_name_and_else_by_its_number(chosen: str, label: int) -> None:
    assert find_label(chosen, SPEC) == label


def test_a_class_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"there is no class 'cta': did you mean 'cat'\? \(one of"):
        find_label("cta", SPEC)
    with pytest.raises(InputError, match="no class 'DOG'"):  # either dog
        find_label("DOG", SPEC)
    with pytest.raises(InputError, match="class 10: the generator draws the classes 0 to 9"):
        find_label("10", SPEC)
    with pytest.raises(InputError, match="'cat': the classes of pets have no names; give a number"):
        find_label("cat", UNNAMED)
    assert find_label("3", UNNAMED) == 3
    many = replace(SPEC, n_classes=500, names=tuple(f"class {i:03d}" for i in range(500)))
    with pytest.raises(InputError) as caught:
        find_label("clas 017", many)
    assert "did you mean 'class 017'" in str(caught.value)
    assert str(caught.value).endswith("and 460 more)")


def test_a_generator_draws_classes_by_name() -> None:
    run = load_generator("digits")
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    named = replace(run, spec=replace(run.spec, names=words))
    drawn = named.sample(["two", "SEVEN", "2", 1], 4, device="cpu")
    assert drawn.labels.tolist() == [2, 7, 2, 1]
    assert drawn[:2].names == words
    assert (drawn.images == run.sample([2, 7, 2, 1], 4, device="cpu").images).all()
    assert named.sample("three", 2, device="cpu").labels.tolist() == [3, 3]
    assert find_labels(None, named.spec) is None
    unseen = replace(named, class_counts=(9, 0, *[9] * 8))
    with pytest.raises(InputError, match="class one: the generator was trained without an image"):
        unseen.sample("one", 1, device="cpu")


def test_a_name_makes_a_part_of_a_file_name_that_is_safe_and_its_own() -> None:
    long = "x" * 100, "x" * 99 + "y"
    forms = file_forms([*NAMES, "../..", "<b>", *long])
    assert forms[0] == "cat"
    assert forms[3] == "Greek-alpha"
    assert forms[5] == "ete"
    assert forms[1:3] == ["Dog-label-1", "dog-label-2"]  # alike where case does not count
    assert forms[6] == "label-6"
    assert forms[9] == "label-3-label-9"
    assert all(0 < len(form) <= LONGEST_FORM for form in forms)
    assert all(form.isascii() and not {*form} & {*"/.<> "} for form in forms)
    assert len({form.casefold() for form in forms}) == len(forms)
    assert file_forms([]) == []


def drawn(n: int = 10) -> Images:
    """Return an image of each class."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, *SPEC.image_shape), dtype=np.uint8)
    return Images(pixels, np.arange(n) % len(NAMES), names=NAMES)


def test_what_is_written_by_name_is_read_back_by_name(tmp_path: Path) -> None:
    images = drawn()
    images.save(tmp_path / "each")
    assert (tmp_path / "each/00000-cat.png").is_file()
    images.save(tmp_path / "all.npz")
    turned = replace(SPEC, names=NAMES[::-1])
    for name in ("each", "all.npz"):
        read = read_images(tmp_path / name, SPEC)
        assert read.labels is not None
        assert read.labels.tolist() == images.labels.tolist()
        assert (read.images.numpy() == images.images).all()
    with np.load(tmp_path / "all.npz") as arrays:
        assert arrays["names"].tolist() == list(NAMES)
    other = read_images(tmp_path / "all.npz", turned).labels
    assert other is not None
    assert other.tolist() == (9 - images.labels).tolist()
    with pytest.raises(InputError, match="pets has no class 'cat': did you mean 'cats'"):
        read_images(tmp_path / "all.npz", replace(SPEC, names=("cats", *NAMES[1:])))


def test_a_folder_may_be_called_like_a_class(tmp_path: Path) -> None:
    images = drawn(4).images
    for i, folder in enumerate(("cat", "Greek/alpha", "DOG", "8")):
        (tmp_path / "top" / folder).mkdir(parents=True)
        write_images(images[i : i + 1], np.array([0]), tmp_path / "one")
        (tmp_path / "one/00000-label-0.png").rename(tmp_path / "top" / folder / "x.png")
    spec = replace(SPEC, names=("cat", "dog", *NAMES[3:], "x"))
    labels = read_images(tmp_path / "top", spec).labels
    assert labels is not None
    assert sorted(labels.tolist()) == [0, 1, 2, 8]
    (tmp_path / "top/cat/x.png").rename(tmp_path / "top/cat/00001-dog.png")
    with pytest.raises(InputError, match=r"00001-dog\.png is called like the class 1 and"):
        read_images(tmp_path / "top", spec)


def test_the_config_of_a_run_may_have_names_that_a_table_would_compute(tmp_path: Path) -> None:
    content = json.loads((SHIPPED / "digits/config.json").read_text())
    content["spec"]["names"] = ["=1+1", "+a", "-b", "@c", *"defghi"]
    (tmp_path / "config.json").write_text(json.dumps(content))
    spec, _, _ = read_config(tmp_path, GanConfig)
    assert spec.names[:2] == ("=1+1", "+a")
    content["spec"]["names"][9] = "=1+1"
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="do not name 10 classes"):
        read_config(tmp_path, GanConfig)
