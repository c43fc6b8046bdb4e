"""Loads and checks what a GAN training needs: data, networks, a checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from cgan.config.commands import classifier_command
from cgan.config.length import Length, length_of
from cgan.config.schema import Folders, GanConfig
from cgan.data.datasets import load_split
from cgan.data.roles import NO_JUDGE, require_guide_and_judge
from cgan.data.run_config import COUNTS
from cgan.data.spec import DataSpec
from cgan.data.splits import Split, unequal_classes
from cgan.io.run_layout import plain_name, runs, unused_name
from cgan.metrics.frechet import has_covariance
from cgan.models.classifiers import Classifier
from cgan.models.hub import ClassifierRun
from cgan.models.registry import DISCRIMINATORS, GENERATORS
from cgan.models.roles import load_role, of_other_images, require_same_images
from cgan.runtime.device import (
    choose_device,
    choose_precision,
    place,
    precision_name,
    require_one_process,
)
from cgan.runtime.errors import InputError, lookup
from cgan.runtime.progress import Progress
from cgan.training.checkpoint import Checkpoint, from_format_1, restore
from cgan.training.history import History
from cgan.training.losses import ADVERSARIAL, require_penalty
from cgan.training.modes import cluster_modes
from cgan.training.resume import (
    InitialWeights,
    ResumePoint,
    carried_over,
    read_initial_weights,
    read_resume_point,
    require_unchanged,
)
from cgan.training.state import TrainingState


@dataclass(frozen=True)
class Setup:
    """Everything that a GAN training needs, checked. Networks are on its device."""

    config: GanConfig
    name: str  # of the run
    train: Split  # on the device
    validation: Split
    guide: Classifier
    judge: Classifier | None
    dtype: torch.dtype  # of products and convolutions
    length: Length
    facts: Mapping[str, Any]  # for config.json: classifiers, data, device and precision in use
    resume_point: ResumePoint | None  # None: a new training
    initial: InitialWeights | None  # None: random ones, or those of the checkpoint

    @property
    def device(self) -> torch.device:
        """The device of the training."""
        return self.train.device


@dataclass(frozen=True)
class GuideAndJudge:
    """A guide, and a judge if there is one."""

    guide: ClassifierRun
    judge: ClassifierRun | None


def prepare(
    config: GanConfig,
    folders: Folders,
    *,
    name: str | None,
    guide: str | None,
    judge: str | None,
    init: str | None,
    overwrite: bool,
    resume: bool,
    with_changes: bool,
    progress: Progress,
) -> Setup:
    """Load and check what a training needs; the arguments are those of `train_gan`.

    Raises:
        InputError: as `train_gan`.
    """
    require_one_process()
    point = _resume_point(config, folders, name) if resume else None
    if point is not None:
        guide = guide or point.facts["guide"]
        judge = judge or point.facts.get("judge") or NO_JUDGE
    device = choose_device(config.device)
    dtype = choose_precision(_precision(config, point), device)
    lookup(GENERATORS, config.generator, "generator network")
    lookup(DISCRIMINATORS, config.discriminator, "discriminator network")
    lookup(ADVERSARIAL, config.loss, "adversarial loss")
    require_penalty(config.penalty, config.penalty_weight)
    require_guide_and_judge(config.dataset, guide, judge, folders)
    train = load_split(config.dataset, folders.data, "train").to(device)
    validation = load_split(config.dataset, folders.data, "validation")
    found = find_guide_and_judge(guide, judge, train.spec, folders, progress)
    _warn(train, validation, found, folders, progress)
    initial = None
    if init is not None:
        initial = read_initial_weights(init, folders.weights, config, train.spec)
        config = replace(config, init=initial.name)
    facts = {
        "guide": found.guide.name,
        "guide_sha256": found.guide.sha256(),
        "judge": found.judge.name if found.judge else None,
        "judge_sha256": found.judge.sha256() if found.judge else None,
        "device": device.type,
        "precision": precision_name(dtype),
        "threads": torch.get_num_threads(),
        "data_sha256": train.sha256(),
        COUNTS: train.class_counts(),
        "init_sha256": initial.sha256 if initial else (point and point.facts.get("init_sha256")),
    }
    if point is not None:
        require_unchanged(point, config, facts, with_changes=with_changes)
    return Setup(
        config=config,
        name=name or unused_name(folders.weights, f"{config.dataset}-{config.recipe}", overwrite),
        train=train,
        validation=validation,
        guide=place(found.guide.network, device).requires_grad_(False),
        judge=place(found.judge.network, device) if found.judge else None,
        dtype=dtype,
        length=length_of(config, len(train)),
        facts=facts,
        resume_point=point,
        initial=initial,
    )


def _warn(
    train: Split, validation: Split, found: GuideAndJudge, folders: Folders, progress: Progress
) -> None:
    """Say what is odd about the images, and whether the classifiers know others."""
    if unequal := unequal_classes(train):
        progress.line(f"WARNING: {unequal}")
    for role, run in (("guide", found.guide), ("judge", found.judge)):
        if run and (line := of_other_images(role, run, train.sha256(), folders)):
            progress.line(f"WARNING: {line}")
    n_features = found.judge.network.head.in_features if found.judge else 0
    if not has_covariance(len(validation), n_features):
        progress.line(
            f"there are {len(validation)} validation images, and FCD needs {n_features + 1}: the "
            "last networks are kept"
        )


def make_state(setup: Setup) -> tuple[TrainingState, History]:
    """Return the state and the history of a new or resumed training.

    Raises:
        InputError: the checkpoint does not fit, or the training has finished.
    """
    config, train, point = setup.config, setup.train, setup.resume_point
    same_images = point is not None and point.facts["data_sha256"] == setup.facts["data_sha256"]
    checkpoint: Checkpoint | None = None
    if point is not None:
        checkpoint = from_format_1(point.checkpoint, train.labels, point.config.modes)
        same_order = same_images and point.config.sample_labels == config.sample_labels
        checkpoint = carried_over(checkpoint, point.config, setup.length, same_order=same_order)
    # the modes of other images cannot be used
    known = checkpoint.tensors.get("modes") if checkpoint and same_images else None
    clusters = cluster_modes(setup.guide, train, config.modes, setup.dtype, known)
    state = TrainingState(config, train, clusters, setup.guide, setup.dtype, setup.length.steps)
    history = History()
    if setup.initial is not None:
        setup.initial.load("generator", state.generator)
        setup.initial.load("discriminator", state.discriminator)
    if point is None or checkpoint is None:
        return state, history
    restore(state, history, checkpoint)
    if not same_images:
        for generator in (state.generator, state.average.network):
            generator.set_mode_frequencies(clusters.frequencies)
    if not same_images or point.facts.get("judge_sha256") != setup.facts["judge_sha256"]:
        history.best = math.inf  # scores of another judge, or of other images, cannot be compared
    if state.step >= setup.length.steps:
        raise InputError(
            f"{point.folder} is finished; to train longer, add --resume-with-changes --epochs N"
        )
    return state, history


def _resume_point(config: GanConfig, folders: Folders, name: str | None) -> ResumePoint:
    if name is None:
        raise InputError("name the run to resume")
    if config.dry_run:
        raise InputError("--dry-run does not work with --resume")
    return read_resume_point(folders.weights / name)


def _precision(config: GanConfig, point: ResumePoint | None) -> str:
    """Return the precision to use. A resumed run keeps its own unless the flag has changed."""
    if point is not None and point.config.precision == config.precision:
        return str(point.facts["precision"])
    return config.precision


def find_guide_and_judge(
    guide: str | None, judge: str | None, spec: DataSpec, folders: Folders, progress: Progress
) -> GuideAndJudge:
    """Load both classifiers by name or folder.

    Args:
        guide: name or folder; None: `<dataset>-guide`.
        judge: name or folder; None: `<dataset>-judge` if there is one; "none": no judge.
        spec: of the images that both must have been trained on.
        folders: the folders of runs.
        progress: shows a line if there is no judge.

    Raises:
        InputError: one is missing, damaged or trained on other images, or both are the same.
    """
    guide_run = load_role("guide", guide, spec.dataset, folders)
    plain_name(guide_run.name)  # config.json names it
    require_same_images(guide_run, spec, folders)
    if guide_run.config.role == "judge":
        raise InputError(f"{guide_run.name} is a judge, which must not guide; give another --guide")
    judge_run = _find_judge(judge, spec.dataset, folders, progress)
    if judge_run is not None:
        plain_name(judge_run.name)
        require_same_images(judge_run, spec, folders)
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
            f"there is no {name}: the guide alone scores the training, the last networks are kept; "
            f"to train one: {classifier_command(dataset, 'judge', folders)}"
        )
        return None
    return load_role("judge", judge, dataset, folders)
