"""The stages as functions: train, evaluate, read a report; importing them imports no torch."""

from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgan.api.dataset import Dataset, data_folder, found_dataset
from cgan.config.recipes import classifier_config, eval_config, gan_config
from cgan.config.schema import ClassifierConfig, Folders, GanConfig
from cgan.data.images import Images
from cgan.data.roles import require_guide_and_judge, require_new_run
from cgan.data.store import size_of
from cgan.evaluation.arguments import require_subject
from cgan.reporting.home import write_home
from cgan.reporting.page import write_report
from cgan.reporting.read import find_report, read_history, read_results
from cgan.runtime.errors import InputError, naming_arguments, nearest
from cgan.runtime.progress import Progress, default_progress

if TYPE_CHECKING:
    from cgan.data.importing.arrays import ArrayImages
    from cgan.models.hub import ClassifierRun, GanRun

from cgan.reporting.notebook import Evaluation


@naming_arguments()
def train_classifier(
    dataset: str | Path | Dataset = "mnist",
    *,
    role: str = "guide",
    name: str | None = None,
    overwrite: bool = False,
    weights_dir: str | Path = "weights",
    data_dir: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> "ClassifierRun":
    """Train a classifier, as `cgan train-classifier --save-model` does; save and return it.

    Args:
        dataset: a data set, its name, or the path of labelled images, which are imported first.
        role: "guide", which trains GANs, or "judge", which scores them.
        name: of the run; None: `<dataset>-<role>`, which the other stages look for.
        overwrite: replace a run of that name.
        weights_dir: the folder of trained runs.
        data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
        progress: shows the steps; None shows them in a notebook only.
        settings: fields of ClassifierConfig, such as epochs=2; the others have the role's values.

    Raises:
        InputError: an unknown name or setting, data that are missing or damaged, a value out of
            range, a run that exists already, a folder that cannot be written to.
        TrainingError: a loss that is not finite; nothing is saved.
    """
    require_fields(ClassifierConfig, settings)
    data = found_dataset(dataset, data_dir, progress=progress)
    folders = Folders(data.data_dir, Path(weights_dir))
    config = classifier_config(role, data.name, size_of(data.name, data.data_dir), **settings)
    require_new_run(name or f"{data}-{role}", folders, overwrite=overwrite)
    from cgan.models.hub import load_classifier
    from cgan.training.classifier import train_classifier as stage1

    result = stage1(
        config,
        folders,
        name=name,
        save_model=True,
        overwrite=overwrite,
        progress=progress or default_progress(),
    )
    assert result.folder is not None
    return load_classifier(result.folder)


@naming_arguments()
def train_gan(
    dataset: str | Path | Dataset = "mnist",
    *,
    recipe: str = "guided",
    lr: float | None = None,
    name: str | None = None,
    guide: str | Path | None = None,
    judge: str | Path | None = None,
    init: str | Path | None = None,
    overwrite: bool = False,
    weights_dir: str | Path = "weights",
    data_dir: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> "GanRun":
    """Train a generator, as `cgan train-gan` does; save it and return its best state.

    Args:
        dataset: a data set, its name, or the path of labelled images, which are imported first.
        recipe: see `cgan recipes`.
        lr: both learning rates; None: the recipe's.
        name: of the run; None: `<dataset>-<recipe>`, numbered if that is taken.
        guide: name or folder of the classifier that guides; None: `<dataset>-guide`.
        judge: name or folder of the classifier that scores each evaluation; "none": no judge;
            None: `<dataset>-judge` if there is one.
        init: name or folder of a run from whose weights the training starts, with the same networks
            and image size; None: random weights.
        overwrite: replace a run of that name.
        weights_dir: the folder of trained runs; shipped classifiers are found without it.
        data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
        progress: shows the steps; None shows them in a notebook only.
        settings: fields of GanConfig, such as epochs=2; the others have the recipe's values.

    Raises:
        InputError: an unknown name or setting, data or a guide that is missing or does not fit, a
            value out of range, a run that exists already, a folder that cannot be written to.
        TrainingError: a loss or gradient that is not finite; what was saved before stays.
    """
    require_fields(GanConfig, settings)
    data = found_dataset(dataset, data_dir, progress=progress)
    folders = Folders(data.data_dir, Path(weights_dir))
    size, rates = size_of(data.name, data.data_dir), {"g_lr": lr, "d_lr": lr}
    config = gan_config(recipe, data.name, size, **{**rates, **settings})
    require_new_run(name, folders, overwrite=overwrite)
    require_guide_and_judge(data.name, _text(guide), _text(judge), folders)
    from cgan.models.hub import load_generator
    from cgan.training.gan import train_gan as stage2

    result = stage2(
        config,
        folders,
        name=name,
        guide=_text(guide),
        judge=_text(judge),
        init=_text(init),
        overwrite=overwrite,
        progress=progress or default_progress(),
    )
    assert result.folder is not None
    return load_generator(result.folder)


def require_fields(config: type, settings: dict[str, Any]) -> None:
    """Check that settings are fields of a config.

    Raises:
        InputError: one is not; the message names the nearest.
    """
    known = [field.name for field in fields(config) if field.name != "dry_run"]  # saves nothing
    for name in settings:
        if name not in known:
            raise InputError(f"there is no setting {name!r}{nearest(name, known)}")


@naming_arguments()
def evaluate(
    run: "str | Path | GanRun | None" = None,
    *,
    images: Any = None,
    labels: Any = None,
    dataset: str | Path | Dataset | None = None,
    n_samples: int | None = None,
    seed: int | None = None,
    quick: bool = False,
    gan_train_images: int | None = None,
    copying: bool | None = None,
    batch_size: int | None = None,
    precision: str | None = None,
    device: str = "auto",
    name: str | None = None,
    judge: str | Path | None = None,
    guide: str | Path | None = None,
    weights_dir: str | Path = "weights",
    reports_dir: str | Path = "reports",
    data_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a generator, or any images, as `cgan evaluate` does; write and return the report.

    Args:
        run: a trained run, or its name or folder; None: the newest, or the shipped one of MNIST.
        images: what to score instead of a run: the path of an npz file or a folder of pictures;
            Images; or an array or a tensor [N, C, H, W], [N, H, W, C] or [N, H, W], whole numbers
            from 0 to 255, or floats from 0 to 1 or from -1 to 1.
        labels: with an array: the requested labels, whole numbers [N]; None: there are none.
        dataset: with images: the real images to compare with: a data set, its name, or the path of
            labelled images.
        n_samples: with a run: number of images to generate; None: 10,000, or 2,000 if quick.
        seed: with a run: seed of the noise; None: 0.
        quick: finish in seconds: fewer images, bf16 where that is fast, no GAN-train, no search for
            copies.
        gan_train_images: images to train the GAN-train classifier on; 0: leave GAN-train out; None:
            20,000, or 0 if quick.
        copying: search all training images for copies; None: yes, unless quick.
        batch_size: images at a time; None: 500.
        precision: "auto", "fp32" or "bf16"; None: fp32, or auto if quick.
        device: "auto", "cpu", "cuda" or "mps".
        name: name of the report's folder; None: that of the run or of the images' file.
        judge: name or folder of the classifier that scores; None: `<dataset>-judge`.
        guide: name or folder of the classifier shown beside it; None: the one that guided the run.
        weights_dir: the folder of trained runs; shipped runs are found without it.
        reports_dir: the folder in which the report's folder is created.
        data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
        progress: shows the stages; None shows them in a notebook only.

    Raises:
        InputError: no such run, judge, guide or data; images or labels that cannot be scored; a
            number out of range; a folder that cannot be written to.
    """
    if images is not None and (n_samples is not None or seed is not None):
        raise InputError("n_samples and seed need a run; with images=, leave both out")
    config = eval_config(
        quick,
        n_samples=n_samples,
        seed=seed,
        gan_train_images=gan_train_images,
        copying=copying,
        batch_size=batch_size,
        precision=precision,
        device=device,
    )
    data, real = data_folder(data_dir), None
    if dataset is not None:
        found = found_dataset(dataset, data_dir, progress=progress)
        data, real = found.data_dir, found.name
    folders = Folders(data, Path(weights_dir), Path(reports_dir))
    source, subject = _run(run), _subject(images, labels)
    named = {"name": name, "judge": _text(judge), "guide": _text(guide)}
    require_subject(source, subject, real, folders, **named)
    from cgan.evaluation import evaluate as stage3  # here: reading a report needs no torch

    results = stage3.evaluate(
        source,
        config,
        folders,
        images=subject,
        dataset=real,
        **named,
        progress=progress or default_progress(),
    )
    report = write_report(folders.reports / results.run)
    with suppress(InputError, OSError):  # the report is complete without a home page
        write_home(folders.reports)
    return Evaluation(report.results, report.page, report.history)


def read_report(run: str | Path | None = None, reports_dir: str | Path = "reports") -> Evaluation:
    """Read a report that `evaluate` or `cgan evaluate` wrote; only its files are needed.

    Args:
        run: its name, or the folder of its report; None: the newest.
        reports_dir: the folder of reports.

    Raises:
        InputError: there is no such report, or its files cannot be read.
    """
    folder = find_report(_text(run), Path(reports_dir))
    return Evaluation(read_results(folder), folder / "index.html", read_history(folder))


def _run(run: "str | Path | GanRun | None") -> str | None:
    """Return the name or folder of a run.

    Raises:
        InputError: it is neither.
    """
    if run is None or isinstance(run, str | Path):
        return _text(run)
    from cgan.models.hub import GanRun

    if isinstance(run, GanRun):
        return str(run.folder)
    kind = type(run).__name__
    raise InputError(f"run must be a name or a folder, not a {kind}; give images as images=")


def _text(name: str | Path | None) -> str | None:
    return None if name is None else str(name)


def _subject(images: Any, labels: Any) -> "Path | ArrayImages | None":
    """Return what is to be scored instead of a run.

    Raises:
        InputError: labels without an array of images.
    """
    if images is None or isinstance(images, str | Path):
        if labels is not None:
            raise InputError(
                "labels need an array of images; a file has its own, so leave them out"
            )
        return None if images is None else Path(images)
    from cgan.data.importing.arrays import ArrayImages

    if isinstance(images, Images):
        if labels is None and images.requested:
            labels = images.labels
        images = images.images
    return ArrayImages(images, labels)
