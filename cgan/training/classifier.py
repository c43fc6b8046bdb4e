"""Stage 1: trains a classifier (guide or judge) and measures its test accuracy."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from cgan.config.schema import ClassifierConfig, Folders
from cgan.data.augment import shift_together
from cgan.data.batches import batches
from cgan.data.datasets import load_split
from cgan.data.run_config import COUNTS
from cgan.data.spec import DataSpec
from cgan.data.splits import Split, unequal_classes
from cgan.io.files import csv_bytes
from cgan.metrics.accuracy import accuracy, balanced_accuracy, unequal
from cgan.models.classifiers import CLASSIFIERS, Classifier
from cgan.models.judge import extract_split
from cgan.runtime.crowding import Crowding, crowded
from cgan.runtime.device import (
    autocast,
    choose_device,
    choose_precision,
    place,
    precision_name,
    require_one_process,
)
from cgan.runtime.errors import TrainingError, lookup
from cgan.runtime.progress import Progress
from cgan.training.run_writer import RunWriter


@dataclass(frozen=True)
class ClassifierResult:
    """The result of stage 1: the run's folder (None if not saved), its accuracy and time."""

    folder: Path | None
    test_accuracy: dict[str, float]  # value, low, high
    balanced_accuracy: dict[str, float] | None  # the mean of the classes, if they are unequal
    seconds: float  # of training, without validation and test
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Epoch:
    """The result of one pass over the images."""

    number: int  # from 1
    loss: float  # mean
    seconds: float  # of training so far, without the work of the caller between epochs


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
        config: settings of the training.
        folders: the folder of the data, and the folder for the run.
        name: of the run; None: `<dataset>-<role>`, which stages 2 and 3 use by default.
        save_model: save weights, config.json and history.csv.
        overwrite: replace an existing run of that name.
        progress: where progress is shown; None: nowhere.

    Raises:
        InputError: an unknown name, missing or damaged data, a folder that cannot be written to.
        TrainingError: a loss that is not finite; nothing is saved.
    """
    require_one_process()
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)
    lookup(CLASSIFIERS, config.network, "classifier network")
    train = load_split(config.dataset, folders.data, "train").to(device)
    validation = load_split(config.dataset, folders.data, "validation")
    # read before the training, so that damage is found first
    test = load_split(config.dataset, folders.data, "test")
    name = name or f"{config.dataset}-{config.role}"
    if config.dry_run or not save_model:
        return _run(config, train, validation, test, dtype, None, progress)
    with RunWriter(folders.weights, name, overwrite=overwrite) as writer:
        return _run(config, train, validation, test, dtype, writer, progress)


def _run(
    config: ClassifierConfig,
    train: Split,
    validation: Split,
    test: Split,
    dtype: torch.dtype,
    writer: RunWriter | None,
    progress: Progress | None,
) -> ClassifierResult:
    network = new_classifier(train.spec, config, train.device)
    progress = progress or Progress()
    if line := unequal_classes(train):
        progress.line(f"WARNING: {line}")
    history: list[dict[str, float]] = []
    seconds = 0.0
    title = f"classifier {config.dataset}"
    for epoch in fit(network, train, config, dtype=dtype, title=title, progress=progress):
        found = extract_split(network, validation, batch_size=config.test_batch_size, dtype=dtype)
        valid = accuracy(fake=found)["value"]
        seconds = epoch.seconds
        history.append(
            {
                "epoch": epoch.number,
                "loss": epoch.loss,
                "validation_accuracy": valid,
                "seconds": seconds,
            }
        )
        if progress.shows(epoch.number, config.epochs):
            progress.line(
                f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation accuracy {valid:.2%}"
            )

    # test, once
    found = extract_split(network, test, batch_size=config.test_batch_size, dtype=torch.float32)
    test_accuracy = accuracy(fake=found)
    balanced = balanced_accuracy(fake=found) if unequal(found.labels) else None
    if writer is not None:
        facts = {
            "test_accuracy": test_accuracy,
            **({} if balanced is None else {"balanced_accuracy": balanced}),
            "seconds": seconds,
            "device": train.device.type,
            "precision": precision_name(dtype),
            "threads": torch.get_num_threads(),
            "data_sha256": train.sha256(),
            COUNTS: train.class_counts(),
        }
        writer.add_config("classifier", train.spec, config, facts)
        writer.add_network("classifier.safetensors", network)
        writer.add({"history.csv": csv_bytes(history)})
        writer.publish()
    folder = None if writer is None else writer.folder
    return ClassifierResult(folder, test_accuracy, balanced, seconds, history)


def new_classifier(spec: DataSpec, config: ClassifierConfig, device: torch.device) -> Classifier:
    """Return an untrained network, seeded by the config. Torch's random state is unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return place(CLASSIFIERS[config.network](spec), device)


def fit(
    network: Classifier,
    train: Split,
    config: ClassifierConfig,
    *,
    dtype: torch.dtype,
    title: str,
    progress: Progress | None = None,
) -> Iterator[Epoch]:
    """Train `network` in place; yield after each epoch, so that the caller can validate it.

    Args:
        network: on the device of `train`.
        train: the training images.
        config: settings of the training; with `dry_run`, only one step.
        dtype: number format of the products and convolutions.
        title: of the progress bar.
        progress: where progress is shown; None: nowhere.

    Raises:
        TrainingError: a loss that is not finite.
    """
    random = torch.Generator().manual_seed(config.seed)
    batch_size = min(config.batch_size, len(train))
    epochs = 1 if config.dry_run else config.epochs
    epoch_steps = 1 if config.dry_run else len(train) // batch_size
    optimizer, schedule = _optimizer(network, config, epochs, epoch_steps)
    step, seconds, progress = 0, 0.0, progress or Progress()
    crowding = Crowding()
    with progress.bar(epochs * epoch_steps, title, unit="steps") as bar:
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            crowding.start()
            network.train()
            losses: list[Tensor] = []
            pairs = batches(train, batch_size, random, drop_last=True)
            for images, labels in islice(pairs, epoch_steps):
                images = shift_together(images, config.max_shift, random)
                with autocast(images.device, dtype):
                    logits = network(images.contiguous(memory_format=torch.channels_last))
                loss = F.cross_entropy(
                    logits.float(), labels, label_smoothing=config.label_smoothing
                )
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.detach())
                step += 1
                bar.advance()
                if step % config.log_interval == 0:
                    bar.say(f"loss {float(losses[-1]):.3f}")
                if train.device.type == "cpu" and (share := crowding.share()):
                    again = "stop it and start again with"
                    progress.line(crowded(share, torch.get_num_threads(), again))
            loss_mean = float(torch.stack(losses).mean())
            if not math.isfinite(loss_mean):
                raise TrainingError(f"training diverged: the loss is {loss_mean}", "lower --lr")
            seconds += time.perf_counter() - start
            crowding.stop()
            yield Epoch(epoch, loss_mean, seconds)


def _optimizer(
    network: nn.Module, config: ClassifierConfig, epochs: int, epoch_steps: int
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    optimizer: torch.optim.Optimizer
    if config.optimizer == "adamw":
        fused = next(network.parameters()).device.type in ("cpu", "cuda")
        optimizer = torch.optim.AdamW(network.parameters(), config.lr, fused=fused)
    else:
        optimizer = torch.optim.Adadelta(network.parameters(), config.lr)
    if config.schedule == "one-cycle":
        return optimizer, OneCycleLR(optimizer, config.lr, total_steps=epochs * epoch_steps + 1)
    gamma = config.gamma if config.schedule == "step" else 1.0
    return optimizer, LambdaLR(optimizer, lambda step: gamma ** (step // epoch_steps))
