"""The one loop that teaches a classifier images and labels; who asks decides when to stop."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from cgan.config.schema import ClassifierConfig, DataSpec
from cgan.data import datasets as data
from cgan.data.augment import shift_together
from cgan.models.classifiers import CLASSIFIERS, Classifier
from cgan.runtime.device import autocast, place
from cgan.runtime.errors import TrainingError
from cgan.runtime.progress import Progress


@dataclass(frozen=True)
class Epoch:
    """What one pass over the images came to."""

    number: int  # from 1
    loss: float  # mean
    seconds: float  # of learning since the first epoch began, whatever the caller did between


def new_classifier(spec: DataSpec, config: ClassifierConfig, device: torch.device) -> Classifier:
    """Return an untrained network, seeded by the config, torch's random state undisturbed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return place(CLASSIFIERS[config.network](spec), device)


def fit(
    network: Classifier,
    train: data.Split,
    config: ClassifierConfig,
    *,
    dtype: torch.dtype,
    title: str,
    progress: Progress | None = None,
) -> Iterator[Epoch]:
    """Train `network` in place, yielding after each epoch so that the caller can validate it.

    Args:
        network: on the device of `train`.
        train: what to learn.
        config: rates, epochs and everything else; one step only with `dry_run`.
        dtype: number format of the products and convolutions.
        title: what the progress bar is called.
        progress: shows the steps; None shows nothing.

    Raises:
        TrainingError: a loss that is not finite.
    """
    random = torch.Generator().manual_seed(config.seed)
    batch_size = min(config.batch_size, len(train))
    epochs = 1 if config.dry_run else config.epochs
    epoch_steps = 1 if config.dry_run else len(train) // batch_size
    optimizer, schedule = _optimizer(network, config, epochs, epoch_steps)
    step, seconds = 0, 0.0
    with (progress or Progress()).bar(epochs * epoch_steps, title, unit="steps") as bar:
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            network.train()
            losses: list[Tensor] = []
            pairs = data.batches(train, batch_size, random, drop_last=True)
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
            loss_mean = float(torch.stack(losses).mean())
            if not math.isfinite(loss_mean):
                raise TrainingError(f"training diverged: the loss is {loss_mean}; lower --lr")
            seconds += time.perf_counter() - start
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
