"""A toy data set with a guide and a judge, of which a training or an evaluation takes a second."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch

from cgan.config.recipes import classifier_config, gan_config
from cgan.config.schema import Folders, GanConfig
from cgan.data import datasets
from cgan.data.spec import DESCRIPTIONS, DataSpec, Description
from cgan.data.splits import Split, balanced_labels, subset
from cgan.io import run_layout
from cgan.training.classifier import train_classifier

TOY = "toy"
SPEC = DataSpec(TOY, 1, 12, 8, 10, noun="row")
N_TRAIN = 400
SIZES = {"train": 144, "validation": 150, "test": 150}  # as many as make covariances of features


def toy_split(data_dir: Path, split: str) -> Split:
    """Return images of a bright row whose place is the class; `data_dir` is unused."""
    random = torch.Generator().manual_seed(sum(map(ord, split)))
    labels = balanced_labels(SIZES[split], SPEC.n_classes)
    images = torch.randint(0, 60, (SIZES[split], *SPEC.image_shape), generator=random)
    bright = torch.randint(150, 256, (SIZES[split], 1, 1, SPEC.width), generator=random)
    rows = torch.arange(SPEC.height)[None, :, None] == labels[:, None, None] + 1
    images = torch.where(rows[:, None], bright, images)
    return Split(SPEC, images.to(torch.uint8), labels)


def know_toys(patch: pytest.MonkeyPatch) -> None:
    """Let the data set `toy` be one that ships."""
    patch.setitem(datasets.DATASETS, TOY, toy_split)
    patch.setitem(DESCRIPTIONS, TOY, Description(TOY, SPEC.noun))


@pytest.fixture(scope="session")
def toy_classifiers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the trained classifiers `toy-guide` and `toy-judge`, and those that ship."""
    top = tmp_path_factory.mktemp("toy") / "weights"
    copytree(run_layout.SHIPPED, top)
    flags: dict[str, Any] = {
        "epochs": 8,
        "batch_size": 20,
        "max_shift": 0,
        "precision": "fp32",
        "device": "cpu",
    }
    with pytest.MonkeyPatch.context() as patch:
        know_toys(patch)
        for role in ("guide", "judge"):
            config = classifier_config(role, TOY, **flags)
            train_classifier(config, Folders(weights=top), save_model=True)
    return top


@pytest.fixture(scope="module")
def toy_data(toy_classifiers: Path) -> Iterator[None]:
    """While a module is tested, the data set `toy` can be loaded and its classifiers be found."""
    with pytest.MonkeyPatch.context() as patch:
        know_toys(patch)
        for module in ("cgan.io.run_layout", "cgan.models.roles"):
            patch.setattr(f"{module}.SHIPPED", toy_classifiers)
        yield


@pytest.fixture(scope="module")
def few_training_images() -> Iterator[None]:
    """While a module is tested, an evaluation compares with few training images.

    To classify them all would take half of it.
    """

    def few(dataset: str, data_dir: Path, split: str) -> Split:
        whole = datasets.load_split(dataset, data_dir, split)
        return subset(whole, min(N_TRAIN, len(whole))) if split == "train" else whole

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cgan.evaluation.subject.load_split", few)
        yield


def toy_config(recipe: str = "guided", **flags: Any) -> GanConfig:
    """Return a training of one epoch, which has three steps."""
    row = {"batch_size": 48, "epochs": 1, "precision": "fp32", "device": "cpu"}
    if recipe == "guided":
        row |= {"g_lr": 1e-3, "d_lr": 1e-3, "d_shift": 3}
    return gan_config(recipe, TOY, **{**row, **flags})
