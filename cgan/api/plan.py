"""What all stages in a row will do: settings chosen by the size of the data; no torch."""

from dataclasses import dataclass
from typing import Any

from cgan.config.recipes import classifier_config, eval_config, gan_config
from cgan.config.schema import ClassifierConfig, EvalConfig, Folders, GanConfig
from cgan.data.store import size_of
from cgan.io.files import require_writable
from cgan.io.run_layout import plain_name, require_own_reports


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
