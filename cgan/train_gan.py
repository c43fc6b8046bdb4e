"""Stage 2: the one GAN loop; which network learns when is a list of phases."""

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from cgan import data
from cgan.augmentations import draw_offsets, shift_each
from cgan.averaging import Average
from cgan.config import Folders, GanConfig
from cgan.errors import InputError, lookup
from cgan.losses import ADVERSARIAL
from cgan.machine import autocast, choose_device, choose_precision, place, precision_name
from cgan.networks import (
    DISCRIMINATORS,
    GENERATORS,
    Discriminator,
    Generator,
    make_discriminator,
    make_generator,
)
from cgan.networks.classifiers import Classifier
from cgan.penalties import PENALTIES
from cgan.phases import Batch, Log, guidance_at, make_phases
from cgan.progress import Progress
from cgan.record import Record
from cgan.store import (
    ClassifierRun,
    RunWriter,
    load_classifier,
    require_same_images,
    runs,
    unused_name,
)
from cgan.study import study
from cgan.validation import Validator

EARLY = 0.1  # of the training, in which no alarm is raised: nothing can be learned yet
NO_JUDGE = "none"


@dataclass(frozen=True)
class GanResult:
    """What stage 2 made: the run's folder (None after a dry run), its history and time.

    In the history `kept` is 1 for each epoch that was the best so far: the last of them is saved.
    """

    folder: Path | None
    history: list[dict[str, float]]
    seconds: float  # of training, without validation and pictures


def train_gan(
    config: GanConfig,
    folders: Folders,
    *,
    name: str | None = None,
    guide: str | None = None,
    judge: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> GanResult:
    """Train a generator and a discriminator; save the run whenever it is the best yet.

    It is scored after every epoch, or `checks` times an epoch. The best has the lowest FCD against
    validation images; without a judge it is the last.

    Args:
        config: what to train.
        folders: where the data and the guide are and where the run goes.
        name: of the run; None: `<dataset>-<recipe>`, numbered when that is taken.
        guide: name or folder of the classifier that guides and validates; None:
            `<dataset>-guide`.
        judge: name or folder of the classifier that scores every epoch; None: `<dataset>-judge`
            if there is one; "none": no judge, the guide alone validates.
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
    validation = data.load(config.dataset, folders.data, "validation")
    progress = progress or Progress()
    guide_run = load_classifier(guide or f"{config.dataset}-guide", folders.weights)
    require_same_images(guide_run, train.spec)
    if guide_run.config.role == "judge":
        raise InputError(f"{guide_run.name} is a judge; a classifier that guides cannot judge")
    judge_run = _find_judge(judge, config.dataset, folders, progress)
    if judge_run is not None:
        require_same_images(judge_run, train.spec)
        if judge_run.sha256() == guide_run.sha256():
            raise InputError(f"{judge_run.name} is the guide; the judge must be another classifier")
    name = name or unused_name(folders.weights, f"{config.dataset}-{config.recipe}", overwrite)
    facts = {
        "guide": guide_run.name,
        "guide_sha256": guide_run.sha256(),
        "judge": judge_run.name if judge_run else None,
        "device": device.type,
        "precision": precision_name(dtype),
        "data_sha256": train.sha256(),
    }
    with RunWriter(folders.weights, name, overwrite=overwrite) as writer:
        writer.save_config("gan", train.spec, config, facts)
        network = place(guide_run.network, device).requires_grad_(False)
        seer = place(judge_run.network, device) if judge_run else None
        validator = Validator(validation, network, seer, dtype)
        return _run(config, train, network, validator, dtype, writer, progress)


def _find_judge(
    judge: str | None, dataset: str, folders: Folders, progress: Progress
) -> ClassifierRun | None:
    if judge == NO_JUDGE:
        return None
    name = judge or f"{dataset}-judge"
    if judge is None and name not in runs(folders.weights, "classifier"):
        progress.line(
            f"there is no {name}, so epochs are scored by the guide alone and the last is kept; "
            f"cgan train-classifier --save-model --role judge --dataset {dataset} makes one"
        )
        return None
    return load_classifier(name, folders.weights)


def _run(
    config: GanConfig,
    train: data.Split,
    guide: Classifier,
    validate: Validator,
    dtype: torch.dtype,
    writer: RunWriter,
    progress: Progress,
) -> GanResult:
    device = train.images.device
    batch_size = min(config.batch_size, len(train))
    epoch_steps = len(train) // batch_size
    rounds = 1 if config.dry_run else max(1, round(config.epochs * config.checks))
    round_steps = 1 if config.dry_run else max(1, int(config.epochs * epoch_steps / rounds))
    steps = rounds * round_steps

    # what the guide finds in the images; networks, and one seeded stream for all that is drawn
    start = time.perf_counter()
    found = study(guide, train, config.modes, dtype)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        generator = make_generator(config, train.spec)
        discriminator = make_discriminator(config, train.spec, found.sight)
    _require_variance(generator, discriminator, batch_size)
    generator.set_modes(found.frequencies)
    generator, discriminator = place(generator, device), place(discriminator, device)
    average = Average(generator, config.ema)
    drawn = average.network  # the generator that is validated and saved
    random = torch.Generator().manual_seed(config.seed)
    phases = make_phases(config, generator, discriminator, guide, dtype, steps)
    shown = data.Split(train.spec, train.images, found.conditions)
    pairs = data.endless(shown, batch_size, random)

    step = 0
    seconds = time.perf_counter() - start
    with (
        progress.bar(steps, writer.name) as bar,
        Record(writer, dry_run=config.dry_run) as record,
    ):
        for ended in range(1, rounds + 1):
            # learn
            start = time.perf_counter()
            log = Log()
            generator.train()
            discriminator.train()
            for real, conditions in islice(pairs, round_steps):
                normal = torch.randn(batch_size, config.z_dim, generator=random)
                z = generator.prior(normal).to(device)
                # a shuffle of the real labels: both halves have the same mix of classes
                shuffle = torch.randperm(batch_size, generator=random)
                labels = conditions[shuffle.to(device)] // config.modes
                fake_conditions = generator.conditions(z, labels)
                offsets = draw_offsets(batch_size, config.d_shift, random, device)
                with autocast(device, dtype):
                    fake = generator(z, labels)
                    seen = discriminator.look(shift_each(fake, offsets))
                batch = Batch(step, real, conditions, fake, seen, fake_conditions, labels, offsets)
                for phase in phases:
                    if step % phase.every == 0:
                        discriminator.requires_grad_(phase.network is discriminator)
                        loss, readings = phase.loss(batch)
                        phase.optimizer.zero_grad(set_to_none=True)
                        loss.backward()
                        phase.optimizer.step()
                        log.add(readings)
                    phase.schedule.step()
                average.update()
                step += 1
                bar.advance()
                if step % config.log_interval == 0:
                    bar.say(**log.latest())
            readings_mean = log.means()
            seconds += time.perf_counter() - start

            # look at what it draws; keep the best
            start = time.perf_counter()
            verdict = validate(drawn, discriminator)
            row = {
                "epoch": config.epochs * ended / rounds,
                **readings_mean,
                "guidance": guidance_at(config, (step - 1) / steps),  # of the last step
                "seconds": seconds,
                "validation_seconds": time.perf_counter() - start,
            }
            networks = {"generator": drawn, "discriminator": discriminator}
            progress.line(record.add(row, verdict, networks))
            if step > EARLY * steps and not config.dry_run:
                for alarm in verdict.alarms:
                    progress.line(f"  ALARM: {alarm}")
    return GanResult(writer.folder if writer.published else None, record.history, seconds)


def _require_variance(generator: Generator, discriminator: Discriminator, batch_size: int) -> None:
    """Check that a batch norm over vectors sees more than one of them.

    Raises:
        InputError: it would not.
    """
    parts = [*generator.modules(), *discriminator.modules()]
    if batch_size == 1 and any(isinstance(part, nn.BatchNorm1d) for part in parts):
        raise InputError(
            "--batch-size 1: a batch norm of this recipe has no variance over one image"
        )
