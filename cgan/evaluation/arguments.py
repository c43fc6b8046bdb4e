"""Checks what an evaluation is asked for, before anything is loaded; no torch."""

from pathlib import Path

from cgan.config.schema import Folders
from cgan.data.roles import require_classifier
from cgan.data.run_config import load_config
from cgan.data.store import require_data_set
from cgan.io.files import require_writable
from cgan.io.run_layout import find_run, newest_run, plain_name, require_own_reports
from cgan.runtime.errors import InputError


def require_subject(
    run: str | None,
    images: object,
    dataset: str | None,
    folders: Folders,
    *,
    name: str | None = None,
    judge: str | None = None,
    guide: str | None = None,
) -> None:
    """Check the arguments of `cgan.evaluation.evaluate.evaluate`, which has the same names.

    Raises:
        InputError: both a run and images, or images without a data set; no such run, images, judge
            or guide; a name that cannot be a folder's; or reports that cannot be written.
    """
    if name is not None:
        plain_name(name)
    require_own_reports(folders.reports)
    require_writable(folders.reports, "--reports-dir")
    if images is None:
        if dataset is not None:
            raise InputError("--dataset needs --images; a run has its own data set")
        source = find_run(run or newest_run(folders.weights), folders.weights, "gan")
        dataset = load_config(source)[0].dataset
    elif run is not None:
        raise InputError(f"score either the run {run} or the images in {images}, not both")
    elif dataset is None:
        raise InputError("--images needs --dataset, the real images to compare with")
    elif isinstance(images, Path) and not images.exists():
        raise InputError(f"{images} does not exist; name an npz file or a folder of pictures")
    require_data_set(dataset, folders.data)
    require_classifier("judge", judge, dataset, folders)
    if guide is not None:
        require_classifier("guide", guide, dataset, folders)
