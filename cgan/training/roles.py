"""Finds the two classifiers of a GAN training: the guide, and the judge that scores it."""

from dataclasses import dataclass

from cgan.config.schema import Folders
from cgan.data.spec import DataSpec
from cgan.io.run_layout import plain_name, runs
from cgan.models.hub import ClassifierRun, load_classifier, require_same_images
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

NO_JUDGE = "none"


@dataclass(frozen=True)
class GuideAndJudge:
    """A guide, and a judge if there is one."""

    guide: ClassifierRun
    judge: ClassifierRun | None


def find_guide_and_judge(
    guide: str | None, judge: str | None, spec: DataSpec, folders: Folders, progress: Progress
) -> GuideAndJudge:
    """Load both classifiers by name or folder.

    Args:
        guide: None: `<dataset>-guide`.
        judge: None: `<dataset>-judge` if there is one; "none": no judge.
        spec: of the images that they must have been trained on.
        folders: where runs are.
        progress: shows a line if there is no judge.

    Raises:
        InputError: one is missing, damaged or trained on other images, or both are the same.
    """
    guide_run = load_classifier(guide or f"{spec.dataset}-guide", folders.weights)
    plain_name(guide_run.name)  # config.json will name it
    require_same_images(guide_run, spec)
    if guide_run.config.role == "judge":
        raise InputError(f"{guide_run.name} is a judge; a classifier that guides cannot judge")
    judge_run = _find_judge(judge, spec.dataset, folders, progress)
    if judge_run is not None:
        plain_name(judge_run.name)
        require_same_images(judge_run, spec)
        if judge_run.sha256() == guide_run.sha256():
            raise InputError(f"{judge_run.name} is the guide; the judge must be another classifier")
    return GuideAndJudge(guide_run, judge_run)


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
