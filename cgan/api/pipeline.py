"""All stages in a row: guide, judge, generator, evaluation. What is done is not repeated."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from cgan.api.dataset import Dataset, found_dataset
from cgan.api.stages import require_fields
from cgan.config.recipes import classifier_config, eval_config, gan_config
from cgan.config.schema import ClassifierConfig, EvalConfig, Folders, GanConfig
from cgan.data.run_config import read_config
from cgan.data.spec import description, plural
from cgan.data.store import size_of
from cgan.io.files import require_writable
from cgan.io.run_layout import (
    RESULTS,
    WEIGHTS,
    epochs_trained,
    is_run,
    plain_name,
    require_own_reports,
    runs,
)
from cgan.reporting.home import write_home
from cgan.reporting.notebook import Evaluation
from cgan.reporting.page import write_report
from cgan.reporting.read import read_results
from cgan.runtime.errors import InputError, naming_arguments
from cgan.runtime.progress import Progress, default_progress

# fields of a config in which an earlier run may differ and still be used: they say how it is
# computed or shown, not what
UNIMPORTANT = {"device", "precision", "log_interval", "checkpoint_every", "on_nan", "init"}
UNSCORED = {"device", "batch_size"}  # the same of an evaluation
STAGES = 4
Config = TypeVar("Config", ClassifierConfig, GanConfig)


@dataclass(frozen=True)
class Plan:
    """What is to be trained and scored.

    Attributes:
        guide: settings of the guide.
        judge: settings of the judge.
        gan: settings of the generator's training.
        evaluation: settings of the evaluation.
        name: of the generator's run; None: `<dataset>-<recipe>`, numbered where that is taken.
        guide_name: of the guide's run; None: `<dataset>-guide`, numbered where that is taken.
        replaces: train again what has the given name and other settings; False: refuse.
    """

    guide: ClassifierConfig
    judge: ClassifierConfig
    gan: GanConfig
    evaluation: EvalConfig
    name: str | None = None
    guide_name: str | None = None
    replaces: bool = False

    @property
    def dataset(self) -> str:
        """The name of the data set."""
        return self.gan.dataset


@naming_arguments()
def run(
    data: str | Path | Dataset,
    *,
    recipe: str = "guided",
    quick: bool = False,
    n_samples: int | None = None,
    gan_train_images: int | None = None,
    guide_epochs: int | None = None,
    judge_epochs: int | None = None,
    name: str | None = None,
    device: str = "auto",
    weights_dir: str | Path = "weights",
    reports_dir: str | Path = "reports",
    data_dir: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Evaluation:
    """Go from labelled images to an evaluation, as `cgan run` does; return its results.

    Stages that are done are not repeated, and a training that was interrupted goes on.

    Args:
        data: a data set, its name, or the path of labelled images, which are imported first.
        recipe: see `cgan recipes`.
        quick: a quick evaluation.
        n_samples: images to score; None: 10,000, or 2,000 if quick.
        gan_train_images: images to train the GAN-train classifier on; 0: leave GAN-train out.
        guide_epochs: epochs of the guide; None: by the size of the data set.
        judge_epochs: epochs of the judge, likewise.
        name: of the generator's run; None: `<dataset>-<recipe>`, numbered if that is taken.
        device: "auto", "cpu", "cuda" or "mps".
        weights_dir: the folder of trained runs.
        reports_dir: the folder of reports.
        data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
        progress: shows the stages; None shows them in a notebook only.
        settings: fields of GanConfig, such as epochs=2; the others have the recipe's values.

    Raises:
        InputError: data that are missing, damaged or too few, an unknown name or setting, a value
            out of range, a name that is taken, a folder that cannot be written to.
        TrainingError: a loss or gradient that is not finite; what was saved before stays.
    """
    require_fields(GanConfig, settings)
    progress = progress or default_progress()
    found = found_dataset(data, data_dir, progress=progress)
    folders = Folders(found.data_dir, Path(weights_dir), Path(reports_dir))
    plan = make_plan(
        found.name,
        folders,
        recipe=recipe,
        device=device,
        guide_epochs=guide_epochs,
        judge_epochs=judge_epochs,
        quick=quick,
        n_samples=n_samples,
        gan_train_images=gan_train_images,
        name=name,
        **settings,
    )
    return carry_out(plan, folders, progress)


def make_plan(
    dataset: str,
    folders: Folders,
    *,
    recipe: str = "guided",
    device: str = "auto",
    guide_epochs: int | None = None,
    judge_epochs: int | None = None,
    quick: bool = False,
    n_samples: int | None = None,
    gan_train_images: int | None = None,
    name: str | None = None,
    guide_name: str | None = None,
    replaces: bool = False,
    **flags: Any,
) -> Plan:
    """Return the plan for a data set, with settings chosen by its size.

    Args:
        dataset: name of a data set that is there.
        folders: the folders of data, runs and reports.
        recipe: of the generator's training.
        device: "auto", "cpu", "cuda" or "mps".
        guide_epochs: of the guide; None: chosen by the size of the data set.
        judge_epochs: of the judge, likewise.
        quick: a quick evaluation.
        n_samples: images to score; None: the usual number.
        gan_train_images: that GAN-train learns from; None: the usual number.
        name: as in Plan.
        guide_name: as in Plan.
        replaces: as in Plan.
        flags: fields of GanConfig; None keeps the recipe's value.

    Raises:
        InputError: an unknown recipe or a value out of range.
    """
    size = size_of(dataset, folders.data)
    counts = {"n_samples": n_samples, "gan_train_images": gan_train_images}
    return Plan(
        classifier_config("guide", dataset, size, device=device, epochs=guide_epochs),
        classifier_config("judge", dataset, size, device=device, epochs=judge_epochs),
        gan_config(recipe, dataset, size, device=device, **flags),
        eval_config(quick, device=device, **counts),
        name,
        guide_name,
        replaces,
    )


def carry_out(plan: Plan, folders: Folders, progress: Progress) -> Evaluation:
    """Train and score what a plan says; stages that are done are not repeated.

    A training that was interrupted goes on from its checkpoint. A classifier is used again if it
    was trained on the same images, a generator and a report if their settings are the same, too.

    Raises:
        InputError: data that are missing or damaged, a name that is taken, a folder that cannot be
            written to.
        TrainingError: a loss or gradient that is not finite.
    """
    require_possible(plan, folders)
    from cgan.data.datasets import load_split

    train = load_split(plan.dataset, folders.data, "train")
    data_sha256, images = train.sha256(), f"{len(train):,} {description(plan.dataset).images}"
    guide = _classifier(plan.guide, plan.guide_name, data_sha256, images, folders, progress)
    judge = _classifier(plan.judge, None, data_sha256, images, folders, progress)
    name = _generator(plan, guide, judge, data_sha256, folders, progress)
    return _evaluation(plan, name, judge, plural(train.spec.noun), folders, progress)


def require_possible(plan: Plan, folders: Folders) -> None:
    """Check the name of a run, and that runs and reports can be written; before any training.

    Raises:
        InputError: they cannot.
    """
    if plan.name is not None:
        plain_name(plan.name)
    require_writable(folders.weights, "--weights-dir")
    require_own_reports(folders.reports)
    require_writable(folders.reports, "--reports-dir")


def _say(progress: Progress, stage: int, text: str) -> None:
    progress.line(f"{stage}/{STAGES} {text}")


def _classifier(
    config: ClassifierConfig,
    fixed: str | None,
    data_sha256: str,
    images: str,
    folders: Folders,
    progress: Progress,
) -> str:
    """Return the name of a guide or a judge of these images; it is trained if there is none."""
    stage, role = (1, "guide") if config.role == "guide" else (2, "judge")
    for name in [fixed] if fixed else _numbered(f"{config.dataset}-{role}"):
        found = _run_of(name, ClassifierConfig, folders.weights)
        if found is None and not _taken(name, "classifier", folders.weights):
            break
        knows = found is not None and found.data_sha256 == data_sha256
        if found and knows and (fixed is None or _same(found.config, config)):
            _say(progress, stage, f"the {role} {name} was trained on these images before")
            return name
        if fixed:
            break
    from cgan.training.classifier import train_classifier

    purpose = "guides the training" if role == "guide" else "scores, and never guides"
    _say(progress, stage, f"training the {role}, a classifier that {purpose}, on {images}")
    result = train_classifier(
        config, folders, name=name, save_model=True, overwrite=bool(fixed), progress=progress
    )
    progress.line(f"    test accuracy {result.test_accuracy['value']:.1%}")
    return name


def _generator(
    plan: Plan, guide: str, judge: str, data_sha256: str, folders: Folders, progress: Progress
) -> str:
    """Return the name of the generator's run; it is trained, or its training goes on."""
    config, resumes, overwrites = plan.gan, False, False
    for name in [plan.name] if plan.name else _numbered(f"{config.dataset}-{config.recipe}"):
        found = _run_of(name, GanConfig, folders.weights)
        if found is None and not _taken(name, "gan", folders.weights):
            break
        alike = found is not None and found.data_sha256 == data_sha256
        if found is not None and alike and _same(found.config, config):
            done = epochs_trained(found.folder) or 0.0
            if done >= config.epochs:
                _say(progress, 3, f"the generator {name} was trained with these settings before")
                return name
            epochs = f"{done:.4g} epoch" + "s" * (done != 1)
            _say(progress, 3, f"training the generator goes on, after {epochs}")
            config, resumes = found.config, True
            break
        if plan.name and not plan.replaces:
            raise InputError(f"{name} has other settings or images; choose another --name")
        if plan.name:
            overwrites = True
            break
    from cgan.training.gan import train_gan

    if not resumes:
        _say(progress, 3, "training the generator against a discriminator, guided by the guide")
    train_gan(
        config,
        folders,
        name=name,
        guide=None if resumes else guide,
        judge=None if resumes else judge,
        overwrite=overwrites,
        resume=resumes,
        progress=progress,
    )
    return name


def _evaluation(
    plan: Plan, name: str, judge: str, nouns: str, folders: Folders, progress: Progress
) -> Evaluation:
    """Return the report of a run; it is made unless there is one of these settings."""
    from cgan.evaluation import evaluate as stage3

    folder = folders.reports / name
    if _is_scored(folder, plan, name, folders.weights):
        _say(progress, 4, f"{name} was scored with these settings before")
    else:
        n = f"{plan.evaluation.n_samples:,} generated images"
        if nouns != "classes":
            n = f"{plan.evaluation.n_samples:,} generated {nouns}"
        _say(progress, 4, f"scoring {n} with the judge, which never guided a generator")
        scored = stage3.evaluate(name, plan.evaluation, folders, judge=judge, progress=progress)
        folder = folders.reports / scored.run
    report = write_report(folder)
    with suppress(InputError, OSError):  # the report is complete without a home page
        write_home(folders.reports)
    return Evaluation(report.results, report.page, report.history)


@dataclass(frozen=True)
class _EarlierRun:
    """A run that exists: its folder, settings, and the checksum of its training images."""

    folder: Path
    config: Any
    data_sha256: str | None


def _run_of(name: str, kind: type[Config], weights_dir: Path) -> _EarlierRun | None:
    """Return an own or shipped run of a name; None if there is none, or a damaged one."""
    kinds = "gan" if kind is GanConfig else "classifier"
    folder = runs(weights_dir, kinds).get(name)
    if folder is None:
        return None
    with suppress(InputError):
        _, config, facts = read_config(folder, kind)
        return _EarlierRun(folder, config, facts.get("data_sha256"))
    return None


def _taken(name: str, kind: str, weights_dir: Path) -> bool:
    return is_run(name, weights_dir, kind) or (weights_dir / name).exists()


def _numbered(usual: str) -> Iterator[str]:
    """Yield a name, and that name with -2, -3, ..."""
    yield usual
    count = 1
    while True:
        count += 1
        yield f"{usual}-{count}"


def _same(one: Config, other: Config) -> bool:
    """Return whether two configs ask for the same training."""
    first, second = asdict(one), asdict(other)
    return all(first[key] == second[key] for key in first.keys() - UNIMPORTANT)


def _is_scored(folder: Path, plan: Plan, name: str, weights_dir: Path) -> bool:
    """Return whether a report shows this run, as it is now, with the same settings."""
    try:
        written = (folder / RESULTS).stat().st_mtime
        trained = (weights_dir / name / WEIGHTS["gan"]).stat().st_mtime
        made = read_results(folder).provenance
    except (OSError, InputError):
        return False
    wanted, known = asdict(plan.evaluation), made.evaluation or {}
    alike = all(known.get(key) == wanted[key] for key in wanted.keys() - UNSCORED)
    return written >= trained and made.images is None and alike
