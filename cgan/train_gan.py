"""Stage 2: the one GAN loop; which network learns when is a list of phases."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cgan import data
from cgan.augmentations import draw_offsets
from cgan.config import Folders, GanConfig
from cgan.errors import InputError, lookup
from cgan.features import extract
from cgan.files import write_csv
from cgan.losses import ADVERSARIAL
from cgan.machine import autocast, choose_device, choose_precision, place, precision_name
from cgan.metrics import Samples
from cgan.metrics.accuracy import accuracy
from cgan.networks import DISCRIMINATORS, GENERATORS, Generator
from cgan.networks.classifiers import Classifier
from cgan.penalties import PENALTIES
from cgan.phases import Batch, Log, guidance_at, make_phases
from cgan.pictures import sample_grid
from cgan.progress import Progress
from cgan.sampling import collect, sample
from cgan.store import RunWriter, load_classifier, require_same_images, unused_name

N_FIXED = 1000  # fixed inputs whose images are validated after each epoch
N_SHOWN = 60  # of them in the picture of each epoch
Average = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]
FIXED_SEED = 2**31  # apart from every seed that a person would give to `cgan sample`


@dataclass(frozen=True)
class GanResult:
    """What stage 2 made: the run's folder (None after a dry run), its history and time."""

    folder: Path | None
    history: list[dict[str, float]]
    seconds: float  # of training, without validation and pictures


def train_gan(
    config: GanConfig,
    folders: Folders,
    *,
    name: str | None = None,
    guide: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> GanResult:
    """Train a generator and a discriminator; save the run after every epoch.

    Args:
        config: what to train.
        folders: where the data and the guide are and where the run goes.
        name: of the run; None: `<dataset>-<recipe>`, numbered when that is taken.
        guide: name or folder of the classifier that guides and validates; None:
            `<dataset>-guide`.
        overwrite: replace a run of that name.
        progress: shows the steps; None shows nothing.

    Raises:
        InputError: an unknown name, data or a guide that is missing or does not fit, a folder not
            to be written.
        TrainingError: a loss that is not finite; what earlier epochs saved stays.
    """
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)
    lookup(GENERATORS, config.generator, "generator network")
    lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    lookup(ADVERSARIAL, config.loss, "adversarial loss")
    lookup(PENALTIES, config.penalty, "penalty")
    train = data.load(config.dataset, folders.data, "train").to(device)
    guide_run = load_classifier(guide or f"{config.dataset}-guide", folders.weights)
    require_same_images(guide_run, train.spec)
    if guide_run.config.role == "judge":
        raise InputError(f"{guide_run.name} is a judge; a classifier that guides cannot judge")
    name = name or unused_name(folders.weights, f"{config.dataset}-{config.recipe}", overwrite)
    facts = {
        "guide": guide_run.name,
        "guide_sha256": guide_run.sha256(),
        "device": device.type,
        "precision": precision_name(dtype),
        "data_sha256": train.sha256(),
    }
    with RunWriter(folders.weights, name, overwrite=overwrite) as writer:
        writer.save_config("gan", train.spec, config, facts)
        network = place(guide_run.network, device).requires_grad_(False)
        return _run(config, train, network, dtype, writer, progress or Progress())


def averaging(decay: float) -> Average:
    """Return the update of an exponential moving average of weights and buffers.

    Its horizon grows with the number of updates n, (1 + n) / (10 + n) up to `decay`, so that the
    untrained weights of the start are forgotten at once.
    """

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: Tensor | int) -> None:
        weight = 1 - min(decay, (1 + int(n)) / (10 + int(n)))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, weight)
            else:
                old.copy_(new)  # batch norm's counter

    return update


def _run(
    config: GanConfig,
    train: data.Split,
    guide: Classifier,
    dtype: torch.dtype,
    writer: RunWriter,
    progress: Progress,
) -> GanResult:
    device = train.images.device
    batch_size = min(config.batch_size, len(train))
    epochs = 1 if config.dry_run else config.epochs
    epoch_steps = 1 if config.dry_run else len(train) // batch_size
    steps = epochs * epoch_steps

    # networks, and one seeded stream for everything that training draws
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        generator = place(GENERATORS[config.generator](train.spec, config.z_dim), device)
        discriminator = place(DISCRIMINATORS[config.discriminator](train.spec), device)
    averaged = AveragedModel(generator, multi_avg_fn=averaging(config.ema), use_buffers=True)
    drawn = cast(Generator, averaged.module)  # the generator that is validated and saved
    random = torch.Generator().manual_seed(config.seed)
    phases = make_phases(config, generator, discriminator, guide, dtype, steps)
    fixed_labels = data.balanced_labels(N_FIXED, train.spec.n_classes)

    history: list[dict[str, float]] = []
    step, seconds = 0, 0.0
    with progress.bar(steps, writer.name) as bar:
        for epoch in range(1, epochs + 1):
            # learn
            start = time.perf_counter()
            log = Log()
            generator.train()
            discriminator.train()
            pairs = data.batches(train, batch_size, random, drop_last=True)
            for real, labels in islice(pairs, epoch_steps):
                z = torch.randn(batch_size, config.z_dim, generator=random).to(device)
                # a shuffle of the real labels: both halves have the same mix of classes
                shuffle = torch.randperm(batch_size, generator=random)
                fake_labels = labels[shuffle.to(device)]
                with autocast(device, dtype):
                    fake = generator(z, fake_labels)
                offsets = draw_offsets(batch_size, config.d_shift, random, device)
                batch = Batch(step, real, labels, fake, fake_labels, offsets)
                for phase in phases:
                    if step % phase.every == 0:
                        discriminator.requires_grad_(phase.network is discriminator)
                        loss, readings = phase.loss(batch)
                        phase.optimizer.zero_grad(set_to_none=True)
                        loss.backward()
                        phase.optimizer.step()
                        log.add(readings)
                    phase.schedule.step()
                averaged.update_parameters(generator)
                step += 1
                bar.advance()
                if step % config.log_interval == 0:
                    bar.say(**log.latest())
            readings_mean = log.means()
            seconds += time.perf_counter() - start

            # validate and save
            images, labels = collect(sample(drawn, fixed_labels, seed=FIXED_SEED, dtype=dtype))
            seen = extract(guide, [(images, labels)], dtype=dtype)
            row = {
                "epoch": epoch,
                **readings_mean,
                "guide_accuracy": accuracy(fake=seen)["value"],
                "guidance": guidance_at(config, step / steps),
                "seconds": seconds,
            }
            history.append(row)
            progress.line(_words(row))
            if not config.dry_run:
                _save(writer, drawn, discriminator, history, images, seen)
    return GanResult(writer.folder if writer.published else None, history, seconds)


def _words(row: dict[str, float]) -> str:
    return (
        f"epoch {row['epoch']:.0f}: D loss {row['d_loss']:.3f}, G loss {row['g_loss']:.3f}, "
        f"D(x) {row['d_real']:.2f}, D(G(z)) {row['d_fake']:.2f} -> {row['d_fake_after']:.2f}, "
        f"guide accuracy {row['guide_accuracy']:.1%} ({row['seconds']:.0f} s)"
    )


def _save(
    writer: RunWriter,
    generator: nn.Module,
    discriminator: nn.Module,
    history: list[dict[str, float]],
    images: Tensor,
    seen: Samples,
) -> None:
    """Write the run as it stands after an epoch, and the picture of its fixed inputs."""
    row = history[-1]
    writer.save_network("generator.safetensors", generator)
    writer.save_network("discriminator.safetensors", discriminator)
    write_csv(writer.where / "history.csv", history)
    pictures = writer.where / "samples"
    pictures.mkdir(exist_ok=True)
    picture = f"epoch-{row['epoch']:04.0f}-accuracy-{row['guide_accuracy']:.3f}.png"
    sample_grid(
        images[:N_SHOWN].cpu().numpy(),
        seen.labels[:N_SHOWN],
        seen.judged[:N_SHOWN],
        f"epoch {row['epoch']:.0f}: T requested, C read by the guide "
        f"({row['guide_accuracy']:.1%} of {N_FIXED} agree)",
        pictures / picture,
    )
    writer.publish()
