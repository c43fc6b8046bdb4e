"""Stage 1: trains a classifier (a guide or a judge) and tells its test accuracy."""

from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import ClassifierConfig, Folders
from cgan.data import datasets as data
from cgan.io.files import csv_bytes
from cgan.metrics.accuracy import accuracy
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.judge import extract_split
from cgan.runtime.device import choose_device, choose_precision, precision_name
from cgan.runtime.errors import lookup
from cgan.runtime.progress import Progress
from cgan.training.fitting import fit, new_classifier
from cgan.training.run_writer import RunWriter


@dataclass(frozen=True)
class ClassifierResult:
    """What stage 1 made: the run's folder (None if not saved), its accuracy and time."""

    folder: Path | None
    test_accuracy: dict[str, float]  # value, low, high
    seconds: float  # of training, without validation and test
    history: list[dict[str, float]]


def train_classifier(
    config: ClassifierConfig,
    folders: Folders,
    *,
    name: str | None = None,
    save_model: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ClassifierResult:
    """Train a classifier, validate it after each epoch and test it once at the end.

    Args:
        config: what to train.
        folders: where the data is and where the run goes.
        name: of the run; None: `<dataset>-<role>`, under which stages 2 and 3 look for it.
        save_model: keep weights, config.json and history.csv.
        overwrite: replace a run of that name.
        progress: shows the steps; None shows nothing.

    Raises:
        InputError: an unknown name, data that is missing or damaged, a folder not to be written.
        TrainingError: a loss that is not finite; nothing is saved.
    """
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)
    lookup(CLASSIFIERS, config.network, "classifier network")
    train = data.load(config.dataset, folders.data, "train").to(device)
    validation = data.load(config.dataset, folders.data, "validation")
    test = data.load(config.dataset, folders.data, "test")  # now, lest a damaged file cost the run
    name = name or f"{config.dataset}-{config.role}"
    if config.dry_run or not save_model:
        return _run(config, train, validation, test, dtype, None, progress)
    with RunWriter(folders.weights, name, overwrite=overwrite) as writer:
        return _run(config, train, validation, test, dtype, writer, progress)


def _run(
    config: ClassifierConfig,
    train: data.Split,
    validation: data.Split,
    test: data.Split,
    dtype: torch.dtype,
    writer: RunWriter | None,
    progress: Progress | None,
) -> ClassifierResult:
    network = new_classifier(train.spec, config, train.images.device)
    progress = progress or Progress()
    history: list[dict[str, float]] = []
    seconds = 0.0
    title = f"classifier {config.dataset}"
    for epoch in fit(network, train, config, dtype=dtype, title=title, progress=progress):
        seen = extract_split(network, validation, batch_size=config.test_batch_size, dtype=dtype)
        valid = accuracy(fake=seen)["value"]
        seconds = epoch.seconds
        history.append(
            {
                "epoch": epoch.number,
                "loss": epoch.loss,
                "validation_accuracy": valid,
                "seconds": seconds,
            }
        )
        progress.line(
            f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation accuracy {valid:.2%}"
        )

    # test, once
    seen = extract_split(network, test, batch_size=config.test_batch_size, dtype=torch.float32)
    test_accuracy = accuracy(fake=seen)
    if writer is not None:
        facts = {
            "test_accuracy": test_accuracy,
            "seconds": seconds,
            "device": train.images.device.type,
            "precision": precision_name(dtype),
            "data_sha256": train.sha256(),
        }
        writer.add_config("classifier", train.spec, config, facts)
        writer.add_network("classifier.safetensors", network)
        writer.add({"history.csv": csv_bytes(history)})
        writer.publish()
    folder = None if writer is None else writer.folder
    return ClassifierResult(folder, test_accuracy, seconds, history)
