"""All stages in a row: guide, judge, generator, evaluation. What is done is not repeated."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from cgan.api.dataset import Dataset, found_dataset
from cgan.api.earlier_runs import is_same, is_scored, is_taken, run_of, weights_sha256
from cgan.api.plan import Plan, make_plan, require_possible
from cgan.api.stages import require_fields
from cgan.config.schema import ClassifierConfig, Folders, GanConfig
from cgan.data.spec import description
from cgan.io.run_layout import WEIGHTS, epochs_trained
from cgan.reporting.home import write_home
from cgan.reporting.notebook import Evaluation
from cgan.reporting.page import write_report
from cgan.runtime.errors import InputError, naming_arguments
from cgan.runtime.progress import Progress, default_progress
from cgan.runtime.wording import numbered

STAGES = 4


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


def carry_out(plan: Plan, folders: Folders, progress: Progress) -> Evaluation:
    """Train and score what a plan says; stages that are done are not repeated.

    A training that was interrupted goes on from its checkpoint. A classifier is used again if it
    was trained on the same images; a generator, if its settings and its guide are the same, too; a
    report, if it shows that generator as it is, scored with the same settings by the same judge.

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
    return _evaluation(plan, name, judge, train.spec.pictured, folders, progress)


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
    for name in [fixed] if fixed else numbered(f"{config.dataset}-{role}"):
        found = run_of(name, ClassifierConfig, folders.weights)
        if found is None and not is_taken(name, "classifier", folders.weights):
            break
        knows = found is not None and found.was_made_with(data_sha256=data_sha256)
        if found and knows and (fixed is None or is_same(found.config, config)):
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
    made_with = {"data_sha256": data_sha256, "guide_sha256": weights_sha256(guide, folders.weights)}
    for name in [plan.name] if plan.name else numbered(f"{config.dataset}-{config.recipe}"):
        found = run_of(name, GanConfig, folders.weights)
        if found is None and not is_taken(name, "gan", folders.weights):
            break
        if found and found.was_made_with(**made_with) and is_same(found.config, config):
            done = epochs_trained(found.folder) or 0.0
            if done >= config.epochs:
                _say(progress, 3, f"the generator {name} was trained with these settings before")
                return name
            epochs = f"{done:.4g} epoch" + "s" * (done != 1)
            _say(progress, 3, f"training the generator goes on, after {epochs}")
            config, resumes = found.config, True
            break
        if plan.name and not plan.replaces:
            raise InputError(
                f"{name} has other settings, images or another guide; choose another --name"
            )
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
    plan: Plan, name: str, judge: str, images: str, folders: Folders, progress: Progress
) -> Evaluation:
    """Return the report of a run; it is made unless there is one of these settings."""
    from cgan.evaluation import evaluate as stage3
    from cgan.evaluation.report_name import source_of

    folder, run_folder = folders.reports / name, folders.weights / name
    made_with = {
        "source": source_of(None, run_folder, folders.reports),
        "judge_sha256": weights_sha256(judge, folders.weights),
    }
    if is_scored(folder, run_folder / WEIGHTS["gan"], plan.evaluation, **made_with):
        _say(progress, 4, f"{name} was scored with these settings before")
    else:
        drawn = f"{plan.evaluation.n_samples:,} generated {images}"
        _say(progress, 4, f"scoring {drawn} with the judge, which never guided a generator")
        scored = stage3.evaluate(name, plan.evaluation, folders, judge=judge, progress=progress)
        folder = folders.reports / scored.run
    report = write_report(folder)
    with suppress(InputError, OSError):  # the report is complete without a home page
        write_home(folders.reports)
    return Evaluation(report.results, report.page, report.history)
