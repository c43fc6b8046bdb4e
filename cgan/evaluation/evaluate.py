"""Stage 3: scores a generator, or imported images, against real images."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from cgan.config.schema import EvalConfig, Folders
from cgan.data.importing.arrays import ArrayImages
from cgan.data.importing.folders import ImportedImages
from cgan.data.spec import absent_classes, plural
from cgan.data.splits import Split, copied_at_most, subset, subset_indices
from cgan.evaluation.arguments import require_subject
from cgan.evaluation.comparison import Extractors, Reference, matching
from cgan.evaluation.gallery import choose
from cgan.evaluation.gan_train import gan_train
from cgan.evaluation.report_files import (
    EARLIER,
    Setting,
    make_results,
    report_files,
    training_files,
)
from cgan.evaluation.report_name import report_name, source_of
from cgan.evaluation.scores import score
from cgan.evaluation.subject import Subject, draw, find_classifiers, find_subject
from cgan.io.files import output_folder, require_writable
from cgan.io.journal import PATIENCE, commit, locked
from cgan.metrics import results as schema
from cgan.metrics.features import Features
from cgan.metrics.frechet import has_covariance, require_covariance
from cgan.metrics.results import Results
from cgan.models.roles import require_knowledge
from cgan.runtime.device import choose_device, choose_precision, place, require_one_process
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

LEAST_COMPARED = 2  # generated, and as many real images
BINNED = 4000  # training images that are used without a search for copies
STUDENT_SEED = 1  # added to --seed, so that the student is not trained on the scored images


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
    images: Path | ArrayImages | None = None,
    dataset: str | None = None,
    name: str | None = None,
    judge: str | None = None,
    guide: str | None = None,
    progress: Progress | None = None,
) -> Results:
    """Score a generator, or imported images; write results.json and pictures to a folder.

    Args:
        run: name or folder of a trained run; None: the newest.
        config: how many images, which seed, which device.
        folders: the folders of data, weights and reports.
        images: an npz file, a folder of pictures or arrays to score instead of a run.
        dataset: the data set to compare those images with.
        name: name of the report's folder; None: the run's, or that of `images`.
        judge: name or folder of the classifier that scores; None: `<dataset>-judge`.
        guide: name or folder of the guide, shown beside the judge; None: the guide of `run`.
        progress: where progress is shown; None: nowhere.

    Returns:
        The content of results.json.

    Raises:
        InputError: no such run, judge or guide, one that does not fit the data set, a judge that
            guided the run, images or data that are missing, damaged or too few, a folder that
            cannot be written to, or a `name` that is the report of another source.
    """
    require_one_process()
    watch, progress = Stopwatch(), progress or Progress()
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)

    # find the data, the subject and the classifiers
    require_subject(run, images, dataset, folders, name=name, judge=judge, guide=guide)
    real_images, subject = find_subject(run, images, dataset, folders)
    splits, spec = real_images.splits, subject.spec
    if real_images.absent:
        absent = [spec.name_of(label) for label in real_images.absent]
        progress.line(f"WARNING: without {absent_classes(absent, spec.noun)}")
    of_training = training_files(subject.gan)  # now: the run may change, and damage is told early
    classifiers = find_classifiers(subject, judge, guide, folders)
    n_scored = config.n_samples if subject.imported is None else len(subject.imported.images)
    n_compared = _n_compared(n_scored, splits, classifiers.judge.network.head.in_features)
    source = source_of(subject.gan, images, folders.reports)
    name = report_name(name, subject.name, source, folders.reports, progress)
    folder = folders.reports / name
    require_writable(folder, "--reports-dir")
    compared = _compared(splits, subject, config, n_scored, n_compared)
    if config.copying and len(compared["train"]) < len(splits["train"]):
        searched, whole = (f"{len(each['train']):,}" for each in (compared, splits))
        progress.line(f"searching {searched} of the {whole} training images for copies")
    extractors = Extractors(
        place(classifiers.judge.network, device),
        None if classifiers.guide is None else place(classifiers.guide.network, device),
        config.batch_size,
        dtype,
        progress,
    )

    # whether the judge knows these real images; if not, no score means anything
    with watch.stage("features and neighbours"):
        tests = extractors.of_split(extractors.judge, compared["test"])
    require_knowledge(classifiers.judge, tests, folders)

    # the images; generated ones have the class distribution of the real ones in the comparison
    with watch.stage("sampling"):
        labels = compared["validation"].labels[torch.arange(n_scored) % n_compared]
        scored = subject.imported or draw(subject.generator(), labels, config.seed, extractors)
    students: tuple[Features | None, Features | None] = (None, None)
    if config.gan_train_images and scored.labels is not None:
        with watch.stage("gan-train"):
            students = _students(subject, scored, splits, config, extractors)

    # features and scores, also for held-out real images
    with watch.stage("features and neighbours"):
        reference = Reference.of(
            extractors, compared, n_compared, tests=tests, copying=config.copying
        )
        by_guide = extractors.by_guide(scored.images, scored.labels)
        by_judge = extractors.features(extractors.judge, scored.images, scored.labels)
        fake, neighbours = reference.compare(by_judge, by_guide, students[0])
        real, n_from_train = reference.compare_real(fake, students[1])
    with watch.stage("metrics"):
        words = {"noun": spec.noun, "nouns": plural(spec.noun)}
        scores = score(fake, real, **words, names=spec.names)
    gallery = choose(scored.images, fake, neighbours, reference)

    # write the report
    sha256, path = splits["test"].sha256(), images if isinstance(images, Path) else None
    setting = Setting(name, config, n_scored, device, dtype, path, source, sha256, watch.seconds)
    counts = schema.ReferenceCounts(
        test=len(reference.test),
        validation=len(real.fake) - n_from_train,
        train=n_from_train,
        searched_for_copies=len(reference.train) if config.copying else 0,
        absent=real_images.absent,
    )
    by_classifier = reference.tests, reference.tests_by_guide
    results = make_results(setting, subject, classifiers, by_classifier, counts, scores, gallery)
    files = report_files(results, gallery, subject.gan, of_training)
    with output_folder(folder, "--reports-dir"), locked(folder, wait=PATIENCE):
        commit(folder, files, fresh=True, gone=EARLIER)
    return results


def _n_compared(n_scored: int, splits: Mapping[str, Split], n_features: int) -> int:
    """Return how many generated and real images are compared.

    If few real images limit it, what needs more is left out.

    Raises:
        InputError: too few images are scored, though there are enough real ones; or there are
            hardly any.
    """
    n_real = min(len(splits["test"]), len(splits["validation"]))
    if has_covariance(n_real, n_features):
        require_covariance(n_scored, n_features)
    if min(n_scored, n_real) < LEAST_COMPARED:
        raise InputError(
            f"{min(n_scored, n_real)} images are too few to compare; take {LEAST_COMPARED} or more"
        )
    return min(n_scored, n_real)


def _compared(
    splits: dict[str, Split], subject: Subject, config: EvalConfig, n_scored: int, n_compared: int
) -> dict[str, Split]:
    """Return as many images of each split as are used in comparisons.

    Of large training sets, as many are searched for copies as memory allows.
    """
    found = dict(splits)
    if subject.gan is not None:  # else keep all, to match any imported labels
        found["test"] = subset(splits["test"], n_scored)
        found["validation"] = subset(splits["validation"], n_compared)
    n_train = copied_at_most(splits["train"]) if config.copying else BINNED
    return {**found, "train": subset(splits["train"], n_train)}


def _students(
    subject: Subject,
    scored: ImportedImages,
    splits: dict[str, Split],
    config: EvalConfig,
    extractors: Extractors,
) -> tuple[Features, Features]:
    """Return the outputs for test images of classifiers trained on generated and on real images.

    Both sets have the same size. The generated images are new ones if there is a generator,
    otherwise the scored ones.
    """
    train = splits["train"]
    order = subset_indices(train, len(train))
    count = min(config.gan_train_images, len(train))
    source = scored
    if subject.gan is not None:
        labels = train.labels[subset_indices(train, count)]
        source = draw(subject.gan, labels, config.seed + STUDENT_SEED, extractors)
    assert source.labels is not None
    alike = order[matching(source.labels[:count].numpy(), train.labels[order].numpy())]
    generated = Split(subject.spec, source.images[:count], source.labels[:count])
    real = Split(subject.spec, train.take(alike), train.labels[alike])
    first, second = (gan_train(split, splits["test"], extractors) for split in (generated, real))
    return first, second
