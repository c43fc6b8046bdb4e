"""Stage 3: generates images, asks a judge, and writes down what it says with its uncertainty."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from cgan.config.schema import EvalConfig, Folders
from cgan.data.importing.arrays import Handed
from cgan.data.importing.pictures import Incoming
from cgan.data.splits import Split, subset
from cgan.evaluation.gallery import Sheet, choose
from cgan.evaluation.gan_train import taught
from cgan.evaluation.latent import latent_files
from cgan.evaluation.scoring import score
from cgan.evaluation.subject import Subject, draw, find_subject
from cgan.evaluation.views import Reference, Seers, matching
from cgan.io.files import json_bytes, make_folder
from cgan.io.journal import PATIENCE, commit, locked
from cgan.io.run_layout import plain_name
from cgan.io.strict import read_plain
from cgan.metrics.accuracy import accuracy
from cgan.metrics.frechet import require_covariance
from cgan.metrics.samples import Samples
from cgan.models.hub import ClassifierRun, GanRun, load_classifier, require_same_images
from cgan.runtime.device import choose_device, choose_precision, peak_memory, place, precision_name
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress
from cgan.runtime.version import __version__

TRAINING = {"history.csv": "history.csv", "samples.gif": "film.gif", "samples.png": "epochs.png"}
LARGEST_COPIED = 2**25  # bytes of one of them
BINNED = 4000  # training images that are read where copies are not looked for
# files that an earlier report of that name may have left, even one of an older version
EARLIER = (
    *TRAINING.values(),
    *("copies.png", "index.html", "per_digit.csv", "confusion.csv", "histogram.csv"),
)
LESSON_SEED = 1  # of the images that the student learns from, added to --seed: not those scored


@dataclass
class Stopwatch:
    """Seconds spent in each named stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to stage `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def evaluate(
    run: str | None = None,
    config: EvalConfig = EvalConfig(),  # noqa: B008 - frozen
    folders: Folders = Folders(),  # noqa: B008 - frozen
    *,
    images: Path | Handed | None = None,
    dataset: str | None = None,
    name: str | None = None,
    judge: str | None = None,
    guide: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a generator, or images from anywhere; write results.json and pictures to a folder.

    Args:
        run: name or folder of a trained run; None: the newest.
        config: how many images, which seed, which machine.
        folders: where data and weights are and where the report goes.
        images: an npz file, a folder of pictures or arrays to score in place of a run.
        dataset: what those images are to be compared with.
        name: of the report's folder; None: the run's, or that of `images`.
        judge: name or folder of the classifier that scores; None: `<dataset>-judge`.
        guide: name or folder of the classifier shown beside it; None: the one that trained `run`.
        progress: shows the stages; None shows nothing.

    Returns:
        What results.json holds.

    Raises:
        InputError: no such run, judge or guide, one that does not fit the data set, a judge that
            guided the run, images or data that are missing or damaged or too few, a folder not to
            be written.
    """
    watch, progress = Stopwatch(), progress or Progress()
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)
    splits, subject = find_subject(run, images, dataset, folders)
    spec, gan = subject.spec, subject.gan
    n_scored = config.n_samples if subject.incoming is None else len(subject.incoming.images)
    n_compared = min(n_scored, len(splits["test"]), len(splits["validation"]))
    judge_run = load_classifier(judge or f"{spec.dataset}-judge", folders.weights)
    known_guide = guide or (gan.guide if gan else None)
    guide_run = load_classifier(known_guide, folders.weights) if known_guide else None
    for seer in (judge_run, guide_run):
        if seer is not None:
            require_same_images(seer, spec)
    _require_roles(gan, judge_run, guide_run, named=guide is not None)
    require_covariance(n_compared, judge_run.network.head.in_features)
    folder = folders.reports / plain_name(name or subject.name)
    make_folder(folder if folder.exists() else folders.reports, "--reports-dir")
    whole = dict(splits)
    if gan is not None:  # else all, to match whatever labels came in
        splits["test"] = subset(whole["test"], n_scored)
        splits["validation"] = subset(whole["validation"], n_compared)
    splits["train"] = subset(whole["train"], len(whole["train"]) if config.copying else BINNED)

    seers = Seers(
        place(judge_run.network, device),
        None if guide_run is None else place(guide_run.network, device),
        config.batch_size,
        dtype,
        progress,
    )
    with watch.stage("sampling"):
        # labels in the mix of the real images, so that like is compared with like
        asked = splits["validation"].labels[torch.arange(n_scored) % n_compared]
        incoming = subject.incoming or draw(subject.generator(), asked, config.seed, seers)
    students: tuple[Samples | None, Samples | None] = (None, None)
    if config.gan_train_images and incoming.labels is not None:
        with watch.stage("gan-train"):
            students = _students(subject, incoming, whole, config, seers)
    with watch.stage("features and neighbours"):
        reference = Reference.of(seers, splits, n_compared, copying=config.copying)
        fake, by_guide = seers.both(incoming.images, incoming.labels)
        views = reference.views(fake, by_guide, students[0])
        real_views, from_train = reference.in_their_place(views, students[1])
    with watch.stage("metrics"):
        scores = score(views, real_views)
    gallery = choose(incoming.images, views, reference)
    results = {
        "run": name or subject.name,
        "dataset": spec.dataset,
        "recipe": gan.config.recipe if gan else None,
        "conditional": incoming.labels is not None,
        "n_samples": n_scored,
        "seed": config.seed if gan else None,
        "judge": _about(judge_run, reference.tests),
        "guide": _about(guide_run, reference.tests_by_guide) if guide_run else None,
        "reference": {
            "test": len(reference.test),
            "validation": len(real_views["fake"]) - from_train,
            "train": from_train,
            "searched_for_copies": len(reference.train) if config.copying else 0,
        },
        **scores,
        "gallery": {name: sheet.told() for name, sheet in gallery.items()},
        "timing": watch.seconds,
        "cost": {
            "weights": sum(p.numel() for p in gan.network.parameters()) if gan else None,
            "threads": torch.get_num_threads(),
            "peak_memory": peak_memory(),
        },
        "provenance": {
            "version": __version__,
            "torch": torch.__version__,
            "device": device.type,
            "precision": precision_name(dtype),
            "data_sha256": whole["test"].sha256(),
            "judge_sha256": judge_run.sha256(),
            "config": asdict(gan.config) if gan else None,
            "guide": gan.guide if gan else None,
            "images": str(images) if isinstance(images, Path) else None,
            "evaluation": asdict(config),
        },
    }
    files = result_files(results, gallery, gan)
    with locked(folder, wait=PATIENCE):
        commit(folder, files, fresh=True, gone=EARLIER)
    return results


def _students(
    subject: Subject,
    incoming: Incoming,
    splits: dict[str, Split],
    config: EvalConfig,
    seers: Seers,
) -> tuple[Samples, Samples]:
    """Return what the student of generated and the student of real images say of the test images.

    As many generated as real images: new ones where there is a generator, else those that are
    scored.
    """
    train = subset(splits["train"], len(splits["train"]))
    count = min(config.gan_train_images, len(train))
    lesson = incoming
    if subject.gan is not None:
        asked = subset(train, count).labels
        lesson = draw(subject.gan, asked, config.seed + LESSON_SEED, seers)
    assert lesson.labels is not None
    alike = matching(lesson.labels[:count].numpy(), train.labels.numpy())
    generated = Split(subject.spec, lesson.images[:count], lesson.labels[:count])
    real = Split(subject.spec, train.images[alike], train.labels[alike])
    first, second = (taught(split, splits["test"], seers) for split in (generated, real))
    return first, second


def _require_roles(
    gan: GanRun | None, judge: ClassifierRun, guide: ClassifierRun | None, *, named: bool
) -> None:
    """Check that the judge did not guide this generator, and that the guide did.

    Raises:
        InputError: the judge's weights are those that guided; or the guide was trained anew since,
            unless a person `named` it.
    """
    guided_by = {gan.guide_sha256 if gan else None, guide.sha256() if guide else None}
    subject = gan.name if gan else "these images"
    if judge.sha256() in guided_by:
        raise InputError(f"{judge.name} guided {subject}, so it cannot judge it; name another")
    if gan is not None and guide is not None and not named and guide.sha256() != gan.guide_sha256:
        raise InputError(
            f"{guide.name} is not what guided {gan.name}: its weights have changed since; "
            "name a classifier to show with --guide"
        )


def _about(run: ClassifierRun, real: Samples | None) -> dict[str, Any]:
    assert real is not None
    return {
        "name": run.name,
        "arch": run.config.network,
        "seed": run.config.seed,
        "accuracy_real": accuracy(fake=real),
    }


# files of a run that its report shows, and their names there


def result_files(
    results: dict[str, Any], gallery: dict[str, Sheet], gan: GanRun | None
) -> dict[str, bytes]:
    """Return the files of a report by name, but for its page.

    They are results.json, a PNG of each sheet of the gallery, and of a run the history and the
    pictures of its training, and those of its noise.
    """
    files = {f"{name}.png": sheet.picture() for name, sheet in gallery.items()}
    files["results.json"] = json_bytes(results)
    if gan is None:
        return files
    files |= {f"latent/{name}": content for name, content in latent_files(gan).items()}
    for name, copy in TRAINING.items():  # so that the report is of this very training
        with suppress(OSError):  # not there, or a link to somebody else's
            files[copy] = read_plain(gan.folder / name, LARGEST_COPIED)
    return files
