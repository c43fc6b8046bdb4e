"""A toy data set with a guide and a judge, of which a training or an evaluation takes a second."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import torch

from cgan.config.recipes import classifier_config, gan_config
from cgan.config.schema import Folders, GanConfig
from cgan.data import datasets
from cgan.data.spec import DataSpec
from cgan.data.splits import Split, balanced_labels
from cgan.training.classifier import train_classifier

NAME = "toy"
SPEC = DataSpec(NAME, 1, 12, 8, 10, noun="row")
SIZES = {"train": 160, "validation": 150, "test": 150}  # more than a judge has features
STEPS = 8  # of an epoch, in batches of BATCH_SIZE
BATCH_SIZE = 20


def toy_split(data_dir: Path, split: str) -> Split:
    """Return images of a bright row whose place is the class; `data_dir` is unused."""
    random = torch.Generator().manual_seed(sum(map(ord, split)))
    labels = balanced_labels(SIZES[split], SPEC.n_classes)
    images = torch.randint(0, 60, (SIZES[split], *SPEC.image_shape), generator=random)
    bright = torch.randint(150, 256, (SIZES[split], 1, 1, SPEC.width), generator=random)
    rows = torch.arange(SPEC.height)[None, :, None] == labels[:, None, None] + 1
    images = torch.where(rows[:, None], bright, images)
    return Split(SPEC, images.to(torch.uint8), labels)


@pytest.fixture(scope="session")
def toy_classifiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the classifiers `toy-guide` and `toy-judge`; the data set can be loaded."""
    top = tmp_path_factory.mktemp("toy")
    datasets.DATASETS[NAME] = toy_split
    for role in ("guide", "judge"):
        config = classifier_config(
            role, NAME, epochs=8, batch_size=BATCH_SIZE, max_shift=0, precision="fp32", device="cpu"
        )
        train_classifier(config, Folders(weights=top), save_model=True)
    yield top
    del datasets.DATASETS[NAME]


def toy_folders(top: Path, classifiers: Path) -> Folders:
    """Return the three folders of a project in `top`, with the guide and the judge in it."""
    copytree(classifiers, top / "weights")
    return Folders(top / "data", top / "weights", top / "reports")


def toy_gan(recipe: str = "guided", **flags: object) -> GanConfig:
    """Return a training of the toy data set; an epoch has STEPS steps."""
    fixed = {"batch_size": BATCH_SIZE, "precision": "fp32", "device": "cpu"}
    return gan_config(recipe, NAME, **{**fixed, **flags})
