"""Stage 2: trains a generator and a discriminator, with one loop for all recipes."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from cgan.config.schema import Folders, GanConfig
from cgan.data.augment import draw_offsets, shift_each
from cgan.data.splits import scale
from cgan.io.files import csv_bytes
from cgan.io.run_layout import CHECKPOINT, HISTORY
from cgan.runtime.crowding import Crowding, crowded
from cgan.runtime.device import autocast, memory_advice
from cgan.runtime.errors import TrainingError
from cgan.runtime.progress import Progress
from cgan.runtime.rng import own_randomness
from cgan.runtime.signals import Stopped, stop_request
from cgan.training.checkpoint import film_of_format_1, make_checkpoint, roll_back
from cgan.training.film import Film
from cgan.training.history import EARLY, HEAD, History, imbalances, in_short
from cgan.training.resume import resume_command
from cgan.training.run_writer import RunWriter
from cgan.training.setup import Setup, make_state, prepare
from cgan.training.state import TrainingState
from cgan.training.step_log import STEPS, StepTable
from cgan.training.updates import Batch, guidance_at
from cgan.training.validation import ValidationResult, Validator

ROLLBACKS = 3  # at most, each to half the learning rates


@dataclass(frozen=True)
class GanResult:
    """The result of stage 2: the run's folder (None after a dry run), its history and time.

    In the history, `kept` is 1 for each evaluation that was the best so far. The networks of the
    last of these are saved, and `warnings` is about them.
    """

    folder: Path | None
    history: list[dict[str, float]]
    seconds: float  # of training, without evaluations and pictures
    warnings: list[str]


def train_gan(
    config: GanConfig,
    folders: Folders,
    *,
    name: str | None = None,
    guide: str | None = None,
    judge: str | None = None,
    init: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    with_changes: bool = False,
    progress: Progress | None = None,
) -> GanResult:
    """Train a generator and a discriminator, and save the run at checkpoints.

    The generator is evaluated `checks` times per epoch. The best one has the lowest FCD against
    validation images. Without a judge, or with few validation images, the last one counts as best.
    SIGINT (Ctrl-C) or SIGTERM saves and stops.

    Args:
        config: settings of the training.
        folders: the folders of the data and the classifiers, and the folder for the run.
        name: of the run; None: `<dataset>-<recipe>`, numbered if that is taken.
        guide: name or folder of the classifier that guides and validates; None:
            `<dataset>-guide`, or the same one as before for a resumed run.
        judge: name or folder of the classifier that scores each evaluation; None:
            `<dataset>-judge` if there is one, or the same one as before for a resumed run; "none":
            no judge, so only the guide validates.
        init: name or folder of a run whose generator (averaged weights) and discriminator the
            training starts from; None: random weights. The networks and the size of the images
            must be the same. Vectors of classes are new if the number of classes differs.
        overwrite: replace an existing run of that name.
        resume: continue the run `name` from its checkpoint, on the same machine bit for bit.
        with_changes: resume even if the config, the guide, the data or the machine has changed.
        progress: where progress is shown; None: nowhere.

    Raises:
        InputError: an unknown name, data or a guide that is missing or does not fit, a folder that
            cannot be written to, a run that cannot be resumed with these settings.
        TrainingError: a loss or gradient that is not finite, or a device out of memory; the last
            checkpoint stays.
        Stopped: a signal stopped the training.
        OSError: the disk is full or missing; the last checkpoint stays.
    """
    progress = progress or Progress()
    setup = prepare(
        config,
        folders,
        name=name,
        guide=guide,
        judge=judge,
        init=init,
        overwrite=overwrite,
        resume=resume,
        with_changes=with_changes,
        progress=progress,
    )
    with RunWriter(folders.weights, setup.name, overwrite=overwrite, resume=resume) as writer:
        if setup.resume_point is not None:
            setup.resume_point.require_latest()
        writer.add_config("gan", setup.train.spec, setup.config, setup.facts)
        device = setup.device
        try:
            with memory_advice(device, config.batch_size), own_randomness(config.seed, device):
                return _training_loop(setup, writer, progress)
        except (TrainingError, KeyboardInterrupt, OSError) as error:
            if writer.published and (writer.folder / CHECKPOINT).is_file():
                error.add_note(resume_command(error, writer.folder, guide, judge))
            raise


def _training_loop(setup: Setup, writer: RunWriter, progress: Progress) -> GanResult:
    # set up networks, optimisers and history, for a resumed run from its checkpoint
    config, length = setup.config, setup.length
    validate = Validator(setup.validation, setup.guide, setup.judge, setup.dtype)
    start = time.perf_counter()  # the clustering of modes counts as training
    state, history = make_state(setup)
    film = Film(writer, (validate.n_shown, *setup.train.spec.image_shape))
    if setup.resume_point is not None:
        film.resume(len(history.rows), film_of_format_1(setup.resume_point.checkpoint))
    table = StepTable.of_run(writer, state.images, progress)
    good = make_checkpoint(state, history)  # for a rollback
    every_steps, every_seconds = config.checkpoint_interval
    every_steps *= length.steps_per_epoch
    saved_step, saved_at = state.step, time.perf_counter()
    shown = dict(history.rows[-1]) if history.rows else {}  # values beside the progress bar

    bars = progress.bar(length.steps, writer.name, done=state.step, unit="steps")
    with bars as bar, stop_request() as stop:
        progress.line(HEAD)
        crowding = Crowding()
        while state.step < length.steps:
            try:
                # train
                _train_step(state, config, setup.dtype)
                bar.advance()
                if state.step % config.log_interval == 0:
                    values = state.log.latest()
                    seconds = state.seconds + time.perf_counter() - start
                    epoch = float(length.epochs_at(state.step))
                    table.add(state.average.n_updates, epoch, state.images, values, seconds)
                    shown |= values
                    bar.say(in_short(shown))
                if setup.device.type == "cpu" and (share := crowding.share()):
                    progress.line(_crowded(share, writer))

                # continue, unless it is time to evaluate, to save or to stop
                now = time.perf_counter()
                evaluating = state.step % length.steps_per_evaluation == 0
                saving = state.step - saved_step >= every_steps or now - saved_at >= every_seconds
                if not (evaluating or saving or stop.number):
                    continue
                crowding.stop()
                state.check()
                state.seconds += now - start

                # evaluate
                if evaluating:
                    result = validate(state.average.network, state.discriminator)
                    took = time.perf_counter() - now
                    _record(setup, writer, state, history, film, result, took)
                    state.log.reset()
                    shown |= result.scores
                    bar.say(in_short(shown))
                    if progress.shows(len(history.rows), length.evaluations):
                        progress.line(history.last_line())
                        if state.step > EARLY * length.steps and not config.dry_run:
                            for warning in result.warnings:
                                progress.line(f"  WARNING: {warning}")
                    for warning in imbalances(history.rows, config):
                        progress.line(f"  WARNING: {warning}")

                # save
                if not config.dry_run:
                    good = make_checkpoint(state, history)
                    if state.step == length.steps or stop.number:
                        film.finish([row["epoch"] for row in history.rows])
                    writer.add({CHECKPOINT: good.to_bytes(), STEPS: table.to_bytes()})
                    writer.publish()
                saved_step, saved_at = state.step, time.perf_counter()
                start = saved_at
                crowding.start()

            # roll back
            except TrainingError as error:
                if config.on_nan == "stop":
                    raise
                if state.rollbacks == ROLLBACKS:
                    remedy = (
                        f"{ROLLBACKS} rollbacks did not help; lower --lr or use --precision fp32"
                    )
                    raise TrainingError(error.problem, remedy) from error
                roll_back(state, history, good)
                table.cut(state.images)
                writer.forget()
                progress.line(
                    f"{error.problem}; rolled back to step {state.step}, learning rates halved"
                )
                bar.go_to(state.step)
                saved_step, start = state.step, time.perf_counter()
                crowding.start()
            if stop.number:
                raise Stopped(stop.number)
    folder = writer.folder if writer.published else None
    return GanResult(folder, history.rows, state.seconds, history.warnings)


def _crowded(share: float, writer: RunWriter) -> str:
    """Return a line on a crowded machine; a saved training can go on with fewer threads."""
    again = "stop it and start again with"
    if writer.published:
        again = f"press Ctrl-C and go on with: cgan train-gan --resume {writer.folder}"
    return crowded(share, torch.get_num_threads(), again)


def _record(
    setup: Setup,
    writer: RunWriter,
    state: TrainingState,
    history: History,
    film: Film,
    result: ValidationResult,
    validation_seconds: float,
) -> None:
    """Add an evaluation to the history and its files to the writer; networks only if the best."""
    config, length = setup.config, setup.length
    done = state.step // length.steps_per_evaluation
    row = {
        "epoch": config.epochs * done / length.evaluations,
        **state.log.means(),
        "guidance": guidance_at(config, (state.step - 1) / length.steps),  # of the last step
        "seconds": state.seconds,
        "validation_seconds": validation_seconds,
    }
    if history.add(row, result):
        for name, network in state.networks().items():
            writer.add_network(f"{name}.safetensors", network)
    picture, content = result.picture(row["epoch"])
    writer.add({f"samples/{picture}": content, HISTORY: csv_bytes(history.rows)})
    film.add(len(history.rows), result.shown)


def _train_step(state: TrainingState, config: GanConfig, dtype: torch.dtype) -> None:
    """Sample a batch, and update every network that is due in this step."""
    generator, discriminator = state.generator, state.discriminator
    random, device = state.random, state.device
    generator.train()
    discriminator.train()
    chosen = state.sampler.next_batch()
    real, chosen = scale(state.train.take(chosen)), chosen.to(device)
    labels = state.train.labels[chosen]
    batch_size = len(real)
    normal = torch.randn(batch_size, config.z_dim, generator=random)
    z = generator.prior(normal).to(device)
    # the fake images have the same labels as the real ones, in another order
    shuffle = torch.randperm(batch_size, generator=random).to(device)
    fake_labels = labels[shuffle]
    fake_modes = generator.choose_modes(z, fake_labels)
    offsets = draw_offsets(batch_size, config.d_shift, random, device)
    with autocast(device, dtype):
        fake = generator(z, fake_labels, fake_modes)
        features = discriminator.extract(shift_each(fake, offsets))
    batch = Batch(
        step=state.step,
        real=real,
        labels=labels,
        modes=state.modes[chosen],
        fake=fake,
        fake_features=features,
        fake_labels=fake_labels,
        fake_modes=fake_modes,
        offsets=offsets,
        partners=shuffle,
    )
    for phase in state.phases:
        if state.step % phase.every == 0:
            discriminator.requires_grad_(phase.network is discriminator)
            state.log.add(state.step, phase.learn(batch, state.slower))
    state.average.update()
    state.step += 1
    state.images += batch_size
