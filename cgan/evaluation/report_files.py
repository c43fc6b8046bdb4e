"""The files that an evaluation writes: results.json, and pictures of images and training."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import torch

from cgan.config.schema import EvalConfig
from cgan.evaluation.gallery import GallerySheet
from cgan.evaluation.latent import latent_files
from cgan.evaluation.scores import Scores
from cgan.evaluation.subject import Classifiers, Subject
from cgan.io.files import FORMULA_STARTS
from cgan.io.journal import read_whole
from cgan.metrics import results as schema
from cgan.metrics.accuracy import accuracy, balanced_accuracy, unequal
from cgan.metrics.features import Features
from cgan.metrics.results import Results
from cgan.metrics.results_file import to_bytes
from cgan.models.hub import ClassifierRun, GanRun
from cgan.runtime.device import peak_memory, precision_name
from cgan.runtime.version import __version__

TRAINING = {"history.csv": "history.csv", "samples.gif": "film.gif", "samples.png": "epochs.png"}
LARGEST_COPIED = 2**25  # bytes of one of them
# files of an earlier report of that name, also of older versions
EARLIER = (
    *TRAINING.values(),
    *("copies.png", "index.html", "per_digit.csv", "confusion.csv", "histogram.csv"),
)


@dataclass(frozen=True)
class Setting:
    """The circumstances of an evaluation."""

    name: str  # of the report
    config: EvalConfig
    n_scored: int
    device: torch.device
    dtype: torch.dtype
    images: Path | None  # path of imported images; None: a run
    source: str | None  # of the images, as `source_of` returns it
    data_sha256: str  # of the test set
    seconds: Mapping[str, float]  # by stage


def make_results(
    setting: Setting,
    subject: Subject,
    classifiers: Classifiers,
    real: tuple[Features, Features | None],
    reference: schema.ReferenceCounts,
    scores: Scores,
    gallery: Mapping[str, GallerySheet],
) -> Results:
    """Return the content of results.json.

    Args:
        setting: the circumstances of the evaluation.
        subject: what was scored.
        classifiers: the judge and the guide.
        real: outputs of the judge and, if there is one, the guide for the test images.
        reference: how many real images of each split were compared with.
        scores: the scores.
        gallery: the sheets of images, by name.
    """
    gan, by_judge, by_guide = subject.gan, *real
    judge, guide = classifiers.judge, classifiers.guide
    return Results(
        run=setting.name,
        dataset=subject.spec.dataset,
        noun=subject.spec.noun,
        class_names=[*subject.spec.names],
        recipe=gan.config.recipe if gan else None,
        conditional=scores.confusion is not None,
        n_samples=setting.n_scored,
        seed=setting.config.seed if gan else None,
        judge=schema.JudgeFacts(
            name=shown_name(judge.name),
            network=judge.config.network,
            seed=judge.config.seed,
            accuracy_real=_accuracy(by_judge),
            balanced_real=_balanced(by_judge),
        ),
        guide=None if guide is None or by_guide is None else _guide(guide, by_guide),
        reference=reference,
        metrics=scores.metrics,
        left_out=scores.left_out,
        per_class=scores.per_class,
        confusion=scores.confusion,
        histogram=scores.histogram,
        warnings=scores.warnings,
        gallery=schema.Gallery(**{name: sheet.facts() for name, sheet in gallery.items()}),
        timing=dict(setting.seconds),
        cost=schema.Cost(
            weights=sum(p.numel() for p in gan.network.parameters()) if gan else None,
            threads=torch.get_num_threads(),
            peak_memory=peak_memory(),
        ),
        provenance=schema.Provenance(
            created=datetime.now(UTC).replace(microsecond=0),
            version=__version__,
            torch=str(torch.__version__),  # it is a subclass of str
            device=setting.device.type,
            precision=precision_name(setting.dtype),
            data_sha256=setting.data_sha256,
            judge_sha256=judge.sha256(),
            config=asdict(gan.config) if gan else None,
            guide=gan.guide if gan else None,
            training_precision=gan.precision if gan else None,
            images=shown_path(setting.images),
            source=setting.source,
            evaluation=asdict(setting.config),
        ),
    )


def shown_path(path: Path | None) -> str | None:
    """Return a path for results.json; None if it is not printable or too long."""
    text = "" if path is None else str(path)
    return text if text and text.isprintable() and len(text) <= schema.LONGEST_TEXT else None


def shown_name(name: str) -> str:
    """Return the name of a classifier, which is that of any folder, for results.json."""
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return printable.lstrip(FORMULA_STARTS)[: schema.LONGEST_NAME] or "?"


def _accuracy(real: Features) -> schema.Accuracy:
    return msgspec.convert(accuracy(fake=real), schema.Accuracy)


def _balanced(real: Features) -> schema.Accuracy | None:
    if not unequal(real.labels):
        return None
    return msgspec.convert(balanced_accuracy(fake=real), schema.Accuracy)


def _guide(run: ClassifierRun, real: Features) -> schema.ClassifierFacts:
    return schema.ClassifierFacts(
        name=shown_name(run.name),
        network=run.config.network,
        seed=run.config.seed,
        accuracy_real=_accuracy(real),
    )


def training_files(gan: GanRun | None) -> dict[str, bytes]:
    """Return the history and pictures of a run's training, by their names in a report.

    They are copied, because the run may be overwritten later. What is missing, is a link, or is not
    in the run's manifest, is left out. Empty if there is no run.

    Raises:
        InputError: a file does not match the manifest.
    """
    files: dict[str, bytes] = {}
    if gan is None:
        return files
    for name, copy in TRAINING.items():
        with suppress(OSError):
            files[copy] = read_whole(gan.folder, name, LARGEST_COPIED)
    return files


def report_files(
    results: Results,
    gallery: Mapping[str, GallerySheet],
    gan: GanRun | None,
    training: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Return the files of a report by name, without its page.

    They are results.json and a PNG of each sheet of the gallery. For a run there are also the files
    of its training, as `training_files` returns them, and the pictures of its latent space.
    """
    files = {f"{name}.png": sheet.picture() for name, sheet in gallery.items()}
    files["results.json"] = to_bytes(results)
    if gan is None:
        return files
    files |= {f"latent/{name}": content for name, content in latent_files(gan).items()}
    return files | dict(training)
