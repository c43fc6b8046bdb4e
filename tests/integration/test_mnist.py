"""The real MNIST, where it is present: the files, the splits and the shipped classifiers."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import REPOSITORY

from cgan.config.recipes import classifier_config
from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.mnist_sample import FILE, SIZE, read_sample
from cgan.data.spec import SPLITS
from cgan.data.splits import Split, scale, subset
from cgan.evaluation.comparison import Extractors, Reference
from cgan.evaluation.scores import score
from cgan.io.strict import unpack_xz
from cgan.metrics.accuracy import accuracy
from cgan.metrics.neighbours import Near
from cgan.models.hub import load_classifier
from cgan.models.judge import extract_split
from cgan.runtime.progress import Progress
from cgan.training.classifier import train_classifier


@pytest.mark.parametrize(
    ("split", "size", "firsts"),
    [
        ("train", 55_000, [5, 0, 4, 1, 9]),
        ("validation", 5_000, [1, 2, 8, 7, 4]),
        ("test", 10_000, [7, 2, 1, 0, 4]),
    ],
)
def test_the_splits_of_mnist(mnist: Path, split: str, size: int, firsts: list[int]) -> None:
    loaded = load_split("mnist", mnist, split)
    assert len(loaded) == size
    assert loaded.images.shape[1:] == (1, 28, 28)
    assert loaded.labels[:5].tolist() == firsts
    assert float(scale(loaded.images).mean()) == pytest.approx(2 * 0.1307 - 1, abs=0.01)


def labelled(split: Split) -> dict[bytes, int]:
    """Return the label of every image."""
    images = split.images.numpy()
    return {image.tobytes(): int(y) for image, y in zip(images, split.labels, strict=True)}


def test_the_embedded_images_are_originals_with_their_labels(mnist: Path) -> None:
    whole = {split: labelled(load_split("mnist", mnist, split)) for split in SPLITS}
    training = whole["train"] | whole["validation"]
    assert len(training) == 60_000  # no two are the same, so that an image tells which it is
    sample = {split: labelled(load_split("mnist-sample", mnist, split)) for split in SPLITS}
    assert sample["train"].items() <= training.items()
    assert sample["validation"].items() <= training.items()
    assert sample["test"].items() <= whole["test"].items()
    assert len(sample["train"] | sample["validation"] | sample["test"]) == 12_000


@pytest.mark.slow
def test_the_embedded_images_are_made_from_the_four_files(mnist: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.xz"
    script = runpy.run_path(str(REPOSITORY / "scripts/embed_mnist"))
    script["FILTERS"][0]["preset"] = 1  # packs six times faster
    script["main"](mnist, made)
    # another packer need not make the same bytes; the pixels must be the same
    assert unpack_xz(made.read_bytes(), SIZE) == unpack_xz(FILE.read_bytes(), SIZE)
    for split in SPLITS:
        assert np.array_equal(read_sample(split, made)[0], read_sample(split)[0])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist-guide", 0.992), ("mnist-judge", 0.994)])
def test_the_shipped_classifiers_know_the_test_images(mnist: Path, name: str, least: float) -> None:
    network = load_classifier(name).network
    test = subset(load_split("mnist", mnist, "test"), 5000)
    seen = extract_split(network, test, batch_size=500, dtype=torch.float32)
    assert accuracy(fake=seen)["value"] >= least


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"), [("mnist-sample-guide", 0.991), ("mnist-sample-judge", 0.992)]
)
def test_classifiers_of_the_embedded_images_read_the_rest_of_the_test_images(
    mnist: Path, name: str, least: float
) -> None:
    embedded = labelled(load_split("mnist-sample", mnist, "test"))
    test = load_split("mnist", mnist, "test")
    new = [i for i, image in enumerate(test.images.numpy()) if image.tobytes() not in embedded]
    assert len(new) == 9000
    half = new[::2]
    rest = Split(test.spec, test.images[half], test.labels[half])
    seen = extract_split(load_classifier(name).network, rest, batch_size=500, dtype=torch.float32)
    assert accuracy(fake=seen)["value"] >= least


@pytest.mark.slow
def test_one_epoch_already_classifies_most_of_mnist_correctly(mnist: Path, tmp_path: Path) -> None:
    config = classifier_config("guide", "mnist", epochs=1)
    result = train_classifier(config, Folders(data=mnist, weights=tmp_path))
    assert result.test_accuracy["value"] > 0.97


@pytest.mark.slow
def test_no_split_of_real_images_raises_a_warning(mnist: Path) -> None:
    judge = load_classifier("mnist-judge").network
    extractors = Extractors(judge, None, 500, torch.float32, Progress())
    splits = {name: subset(load_split("mnist", mnist, name), 2000) for name in SPLITS}
    real = extractors.of_split(judge, splits["validation"])
    whole = Reference.of(extractors, splits, 2000)
    random = np.random.default_rng(0)
    for n in (250, 500, 1000):
        for _ in range(3):
            order, test = random.permutation(2000), random.permutation(2000)[:n]
            assert whole.test_to_train is not None
            near = Near(whole.test_to_train.distances[test], whole.test_to_train.indices[test])
            reference = replace(
                whole,
                test=whole.test.take(test),
                tests=whole.test.take(test),
                tests_by_guide=None,
                validation=whole.validation.take(order[n:]),
                test_to_train=near,
            )
            fake, _ = reference.compare(real.take(order[:n]), None, None)
            others, _ = reference.compare_real(fake, None)
            assert score(fake, others, noun="digit", nouns="digits").warnings == []
