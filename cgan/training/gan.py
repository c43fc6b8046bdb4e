"""Stage 2: the one GAN loop; which network learns when is a list of phases."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import Folders, GanConfig
from cgan.data.augment import draw_offsets, shift_each
from cgan.data.datasets import load_split
from cgan.data.splits import Split
from cgan.io.run_layout import CHECKPOINT, unused_name
from cgan.models.classifiers import Classifier
from cgan.models.registry import DISCRIMINATORS, GENERATORS
from cgan.runtime.device import (
    autocast,
    choose_device,
    choose_precision,
    memory_advice,
    place,
    precision_name,
)
from cgan.runtime.errors import InputError, TrainingError, lookup
from cgan.runtime.progress import Progress
from cgan.runtime.rng import own_randomness
from cgan.runtime.signals import Stopped, stop_request
from cgan.training.history import Record
from cgan.training.losses import ADVERSARIAL, require_penalty
from cgan.training.modes import study
from cgan.training.readings import Log, in_short
from cgan.training.resume import (
    Beginning,
    checkpoint_of,
    how_to_go_on,
    read_beginning,
    require_alike,
    restore,
    roll_back,
)
from cgan.training.roles import NO_JUDGE, find_teachers
from cgan.training.run_writer import RunWriter
from cgan.training.state import Training
from cgan.training.updates import Batch, guidance_at
from cgan.training.validation import Validator

ROLLBACKS = 3  # at most, each to half the rates
EARLY = 0.1  # of the training, in which no alarm is raised: nothing can be learned yet


@dataclass(frozen=True)
class GanResult:
    """What stage 2 made: the run's folder (None after a dry run), its history and time.

    In the history `kept` is 1 for each epoch that was the best so far: the last of them is saved,
    and `alarms` are those that it raised.
    """

    folder: Path | None
    history: list[dict[str, float]]
    seconds: float  # of training, without validation and pictures
    alarms: list[str]


def train_gan(
    config: GanConfig,
    folders: Folders,
    *,
    name: str | None = None,
    guide: str | None = None,
    judge: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    with_changes: bool = False,
    progress: Progress | None = None,
) -> GanResult:
    """Train a generator and a discriminator; save the run whenever it is scored, and on the way.

    It is scored after every epoch, or `checks` times an epoch. The best has the lowest FCD against
    validation images; without a judge it is the last. SIGINT (Ctrl-C) or SIGTERM saves and stops.

    Args:
        config: what to train.
        folders: where the data and the guide are and where the run goes.
        name: of the run; None: `<dataset>-<recipe>`, numbered when that is taken.
        guide: name or folder of the classifier that guides and validates; None:
            `<dataset>-guide`, or the one that the run was begun with.
        judge: name or folder of the classifier that scores every epoch; None: `<dataset>-judge`
            if there is one, or the one that the run was begun with; "none": no judge, the guide
            alone validates.
        overwrite: replace a run of that name.
        resume: go on with the run `name` from its checkpoint, on the same machine bit for bit.
        with_changes: even if the config, the guide, the data or the machine has changed.
        progress: shows the steps; None shows nothing.

    Raises:
        InputError: an unknown name, data or a guide that is missing or does not fit, a folder not
            to be written, a run that cannot go on like this.
        TrainingError: a loss or gradient that is not finite, or a device out of memory; what was
            saved before stays.
        Stopped: somebody asked for it.
        OSError: a disk that is full or gone; what was saved before stays.
    """
    begun = None
    if resume:
        if name is None:
            raise InputError("name the run to go on with")
        if config.dry_run:
            raise InputError("--dry-run goes with a new training, not with --resume")
        begun = read_beginning(folders.weights / name)
        guide = guide or begun.facts["guide"]
        judge = judge or begun.facts.get("judge") or NO_JUDGE
    device = choose_device(config.device)
    as_begun = begun is not None and begun.config.precision == config.precision
    precision = begun.facts["precision"] if begun and as_begun else config.precision
    dtype = choose_precision(precision, device)
    lookup(GENERATORS, config.generator, "generator network")
    lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    lookup(ADVERSARIAL, config.loss, "adversarial loss")
    require_penalty(config.penalty, config.penalty_weight)
    train = load_split(config.dataset, folders.data, "train").to(device)
    validation = load_split(config.dataset, folders.data, "validation")
    progress = progress or Progress()
    teachers = find_teachers(guide, judge, train.spec, folders, progress)
    if name is None:
        name = unused_name(folders.weights, f"{config.dataset}-{config.recipe}", overwrite)
    facts = {
        "guide": teachers.guide.name,
        "guide_sha256": teachers.guide.sha256(),
        "judge": teachers.judge.name if teachers.judge else None,
        "judge_sha256": teachers.judge.sha256() if teachers.judge else None,
        "device": device.type,
        "precision": precision_name(dtype),
        "data_sha256": train.sha256(),
    }
    if begun is not None:
        require_alike(begun, config, facts, with_changes=with_changes)
    with RunWriter(folders.weights, name, overwrite=overwrite, resume=resume) as writer:
        if begun is not None:
            begun.require_latest()
        writer.add_config("gan", train.spec, config, facts)
        network = place(teachers.guide.network, device).requires_grad_(False)
        seer = place(teachers.judge.network, device) if teachers.judge else None
        try:
            with memory_advice(device, config.batch_size), own_randomness(config.seed, device):
                validator = Validator(validation, network, seer, dtype)
                judged = facts["judge_sha256"]
                return _run(
                    config, train, network, validator, dtype, writer, begun, judged, progress
                )
        except (TrainingError, KeyboardInterrupt, OSError) as error:
            if writer.published and (writer.folder / CHECKPOINT).is_file():
                error.add_note(how_to_go_on(error, writer.folder, guide, judge))
            raise


def _run(
    config: GanConfig,
    train: Split,
    guide: Classifier,
    validate: Validator,
    dtype: torch.dtype,
    writer: RunWriter,
    begun: Beginning | None,
    judge_sha256: str | None,
    progress: Progress,
) -> GanResult:
    epoch_steps = len(train) // min(config.batch_size, len(train))
    rounds = 1 if config.dry_run else max(1, round(config.epochs * config.checks))
    round_steps = 1 if config.dry_run else max(1, int(config.epochs * epoch_steps / rounds))
    steps = rounds * round_steps

    # what the guide finds in the images; networks, or where they stood
    start = time.perf_counter()
    known = begun.checkpoint.tensors.get("conditions") if begun else None
    found = study(guide, train, config.modes, dtype, known)
    training = Training(config, train, found, guide, dtype, steps)
    record = Record(writer)
    if begun is not None:
        restore(training, record, begun.checkpoint)
        if begun.facts.get("judge_sha256") != judge_sha256:
            record.best = math.inf  # what another judge thought best says nothing
        if training.step >= steps:
            raise InputError(
                f"{writer.folder} is finished; to go further add --resume-with-changes --epochs N"
            )
    good = checkpoint_of(training, record)  # the last that can be gone back to
    every_steps, every_seconds = config.checkpoint_interval
    every_steps *= epoch_steps

    saved_step, saved_at = training.step, time.perf_counter()
    shown = dict(record.history[-1]) if record.history else {}  # behind the bar
    bars = progress.bar(steps, writer.name, done=training.step, unit="steps")
    with bars as bar, stop_request() as stop:
        while training.step < steps:
            try:
                # learn
                _learn(training, config, dtype)
                bar.advance()
                if training.step % config.log_interval == 0:
                    shown |= training.log.latest()
                    bar.say(in_short(shown))
                now = time.perf_counter()
                looking = training.step % round_steps == 0
                due = training.step - saved_step >= every_steps or now - saved_at >= every_seconds
                if not (looking or due or stop.number):
                    continue
                training.check()
                training.seconds += now - start

                # look at what it draws; keep the best
                if looking:
                    ended = training.step // round_steps
                    verdict = validate(training.average.network, training.discriminator)
                    row = {
                        "epoch": config.epochs * ended / rounds,
                        **training.log.means(),
                        # of the last step
                        "guidance": guidance_at(config, (training.step - 1) / steps),
                        "seconds": training.seconds,
                        "validation_seconds": time.perf_counter() - now,
                    }
                    progress.line(record.add(row, verdict, training.networks()))
                    shown |= verdict.scores
                    bar.say(in_short(shown))
                    if training.step > EARLY * steps and not config.dry_run:
                        for alarm in verdict.alarms:
                            progress.line(f"  ALARM: {alarm}")
                    training.log = Log()

                # save all that the rest depends on
                if not config.dry_run:
                    good = checkpoint_of(training, record)
                    if training.step == steps or stop.number:
                        record.add_film()
                    writer.add({CHECKPOINT: good.to_bytes()})
                    writer.publish()
                saved_step, saved_at = training.step, time.perf_counter()
                start = saved_at
            except TrainingError as error:
                if config.on_nan == "stop" or training.rollbacks == ROLLBACKS:
                    raise
                roll_back(training, record, good)
                writer.forget()
                progress.line(f"{error}; back at step {training.step}, rates halved")
                bar.go_to(training.step)
                saved_step, start = training.step, time.perf_counter()
            if stop.number:
                raise Stopped(stop.number)
    folder = writer.folder if writer.published else None
    return GanResult(folder, record.history, training.seconds, record.alarms)


def _learn(training: Training, config: GanConfig, dtype: torch.dtype) -> None:
    """Draw a batch, and let every network whose turn it is learn from it."""
    generator, random, device = training.generator, training.random, training.device
    generator.train()
    training.discriminator.train()
    real, conditions = training.deck.deal()
    batch_size = len(real)
    normal = torch.randn(batch_size, config.z_dim, generator=random)
    z = generator.prior(normal).to(device)
    # a shuffle of the real labels: both halves have the same mix of classes
    shuffle = torch.randperm(batch_size, generator=random)
    labels = conditions[shuffle.to(device)] // config.modes
    fake_conditions = generator.conditions(z, labels)
    offsets = draw_offsets(batch_size, config.d_shift, random, device)
    with autocast(device, dtype):
        fake = generator(z, labels)
        seen = training.discriminator.look(shift_each(fake, offsets))
    step = training.step
    batch = Batch(step, real, conditions, fake, seen, fake_conditions, labels, offsets)
    for phase in training.phases:
        if step % phase.every == 0:
            training.discriminator.requires_grad_(phase.network is training.discriminator)
            training.log.add(step, phase.learn(batch, training.slower))
    training.average.update()
    training.step += 1
