"""Stage 1: trains a classifier (a guide or a judge) and tells its test accuracy."""

import math
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from cgan import data
from cgan.augmentations import shift_together
from cgan.config import ClassifierConfig, Folders
from cgan.errors import TrainingError, lookup
from cgan.features import extract_split
from cgan.files import write_csv
from cgan.machine import autocast, choose_device, choose_precision, place, precision_name
from cgan.metrics.accuracy import accuracy
from cgan.networks import CLASSIFIERS
from cgan.progress import Progress
from cgan.store import RunWriter


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
    device = train.images.device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = place(CLASSIFIERS[config.network](train.spec), device)
    random = torch.Generator().manual_seed(config.seed)
    batch_size = min(config.batch_size, len(train))
    epochs = 1 if config.dry_run else config.epochs
    epoch_steps = 1 if config.dry_run else len(train) // batch_size
    optimizer, schedule = _optimizer(network, config, epochs, epoch_steps)
    progress = progress or Progress()
    history: list[dict[str, float]] = []
    step, seconds = 0, 0.0

    with progress.bar(epochs * epoch_steps, f"classifier {config.dataset}") as bar:
        for epoch in range(1, epochs + 1):
            # learn
            start = time.perf_counter()
            network.train()
            losses: list[Tensor] = []
            pairs = data.batches(train, batch_size, random, drop_last=True)
            for images, labels in islice(pairs, epoch_steps):
                images = shift_together(images, config.max_shift, random)
                with autocast(device, dtype):
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
                    bar.say(loss=float(losses[-1]))
            loss_mean = float(torch.stack(losses).mean())
            if not math.isfinite(loss_mean):
                raise TrainingError(f"training diverged: the loss is {loss_mean}; lower --lr")
            seconds += time.perf_counter() - start

            # validate
            seen = extract_split(
                network, validation, batch_size=config.test_batch_size, dtype=dtype
            )
            valid = accuracy(fake=seen)["value"]
            history.append(
                {
                    "epoch": epoch,
                    "loss": loss_mean,
                    "validation_accuracy": valid,
                    "seconds": seconds,
                }
            )
            progress.line(f"epoch {epoch}: loss {loss_mean:.4f}, validation accuracy {valid:.2%}")

    # test, once
    seen = extract_split(network, test, batch_size=config.test_batch_size, dtype=torch.float32)
    test_accuracy = accuracy(fake=seen)
    if writer is not None:
        facts = {
            "test_accuracy": test_accuracy,
            "seconds": seconds,
            "device": device.type,
            "precision": precision_name(dtype),
            "data_sha256": train.sha256(),
        }
        writer.save_config("classifier", train.spec, config, facts)
        writer.save_network("classifier.safetensors", network)
        write_csv(writer.where / "history.csv", history)
        writer.publish()
    folder = None if writer is None else writer.folder
    return ClassifierResult(folder, test_accuracy, seconds, history)


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
