"""Checks, before anything is loaded, that the runs that a stage needs are there; no torch."""

from contextlib import suppress
from pathlib import Path

from cgan.config.commands import classifier_command
from cgan.config.schema import ClassifierConfig, Folders
from cgan.data.run_config import read_config
from cgan.io.files import require_writable
from cgan.io.journal import settle_all
from cgan.io.run_layout import is_run, plain_name, require_free, runs
from cgan.runtime.errors import InputError, nearest

NO_JUDGE = "none"  # instead of the name of a judge


def require_classifier(role: str, run: str | None, dataset: str, folders: Folders) -> str:
    """Return the name or folder of the guide or the judge of a data set; there is such a run.

    Args:
        role: "guide" or "judge".
        run: name or folder; None: `<dataset>-<role>`.
        dataset: the data set of the images.
        folders: the folders of the data and of one's own runs.

    Raises:
        InputError: no such run; the message names the command that trains one.
    """
    name = run or f"{dataset}-{role}"
    settle_all(folders.weights)
    if is_run(name, folders.weights, "classifier"):
        return name
    known = _classifiers_of(dataset, role, folders.weights)
    near = nearest(name, known) if known else ""
    raise InputError(
        f"no {role} {name!r} in {folders.weights}{near}; train one with: "
        f"{classifier_command(dataset, role, folders)}"
    )


def _classifiers_of(dataset: str, role: str, weights_dir: Path) -> list[str]:
    names = []
    for name, folder in runs(weights_dir, "classifier").items():
        with suppress(InputError):  # a damaged one is not advised
            spec, config, _ = read_config(folder, ClassifierConfig)
            if (spec.dataset, config.role) == (dataset, role):
                names.append(name)
    return names


def require_new_run(name: str | None, folders: Folders, *, overwrite: bool) -> None:
    """Check the name and the folder of a run that is to be trained.

    Args:
        name: of the run; None: one that is free.
        folders: the folders of the data and of one's own runs.
        overwrite: replace an existing run of that name.

    Raises:
        InputError: an invalid name, a run of that name that must not be
            overwritten, or a folder that cannot be written to.
    """
    if name is not None:
        require_free(folders.weights / plain_name(name), overwrite=overwrite)
    require_writable(folders.weights, "--weights-dir")


def require_guide_and_judge(
    dataset: str, guide: str | None, judge: str | None, folders: Folders
) -> None:
    """Check that there are the classifiers that a GAN training needs; it may have no judge.

    Raises:
        InputError: as `require_classifier`.
    """
    require_classifier("guide", guide, dataset, folders)
    if judge not in (None, NO_JUDGE):
        require_classifier("judge", judge, dataset, folders)
