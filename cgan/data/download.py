"""Downloads a data set through torchvision; each file appears complete or not at all.

One process downloads at a time. Files are downloaded to a temporary folder, checked there by
torchvision (MD5), flushed to the disk and renamed into place.
"""

import contextlib
import http.client
import io
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cgan.data.originals import CLASSES, FILES, find, places
from cgan.io.files import sync
from cgan.runtime.errors import InputError

PATIENCE = 600.0  # seconds that one process waits while another downloads


def download(dataset: str, data_dir: Path) -> None:
    """Download a data set into torchvision's layout, unless another process has just done so.

    Args:
        dataset: a name in CLASSES.
        data_dir: where torchvision's folder is created; created if needed.

    Raises:
        InputError: the download failed; no files are left, and the message says what to do.
    """
    advice = (
        f"Put the files {', '.join(FILES[:3])} and {FILES[3]} (.gz or not) there, or name their "
        "folder with --data-dir. The data sets digits and mnist-sample need no files"
    )
    with downloading(dataset, data_dir, advice):
        if find(list(FILES), places(dataset, data_dir)) is None:
            name = CLASSES[dataset]
            with temporary_folder(dataset, data_dir) as temporary:
                fetch(name, temporary)
                move(temporary / name / "raw", data_dir / name / "raw")


@contextlib.contextmanager
def downloading(dataset: str, data_dir: Path, advice: str) -> Iterator[None]:
    """Create the folder of the data, and let one process at a time download a data set.

    Args:
        dataset: its name.
        data_dir: the folder; created if needed, and removed again if it stays empty.
        advice: a sentence that says which files to put where if the download fails.

    Raises:
        InputError: the download failed, or another process is downloading.
    """
    made = [folder for folder in (data_dir, *data_dir.parents) if not folder.exists()]
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with _alone(dataset, data_dir):
            yield
    except (RuntimeError, ImportError, OSError, EOFError, http.client.HTTPException) as error:
        raise InputError(
            f"{dataset} is not in {data_dir} and cannot be downloaded ({_reason(error)}). {advice}"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # folders that this call made and left empty
            for folder in made:
                folder.rmdir()


def leftovers(dataset: str, data_dir: Path) -> list[Path]:
    """Return the temporary folders of downloads that are running or were killed."""
    return [path for path in data_dir.glob(f".{dataset}-????????") if path.is_dir()]


@contextlib.contextmanager
def _alone(dataset: str, data_dir: Path) -> Iterator[None]:
    """Let one process at a time download; the system releases the lock of a killed one.

    Raises:
        InputError: another process is still downloading after `PATIENCE` seconds.
    """
    path = data_dir / f".{dataset}.lock"
    lock = FileLock(path, timeout=PATIENCE)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"another process is downloading {dataset} to {data_dir}; wait for it to finish"
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # only while this process holds the lock
        lock.release()


@contextlib.contextmanager
def temporary_folder(dataset: str, data_dir: Path) -> Iterator[Path]:
    """Create a folder in `data_dir` for a download, and remove it afterwards.

    Those of killed processes are removed, too. Only a process in `downloading` may call this.
    """
    for folder in leftovers(dataset, data_dir):
        shutil.rmtree(folder, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{dataset}-", dir=data_dir))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def fetch(name: str, folder: Path, **choice: Any) -> None:
    """Let a class of torchvision download what is not in a folder, and compare checksums.

    Args:
        name: of the class in `torchvision.datasets`.
        folder: the root of torchvision's layout.
        choice: the arguments that choose a part of the data set.

    Raises:
        RuntimeError, ImportError, OSError, EOFError or http.client.HTTPException: it failed.
    """
    import torchvision

    with contextlib.redirect_stdout(io.StringIO()):  # messages about failed mirrors
        getattr(torchvision.datasets, name)(str(folder), download=True, **choice)


def move(source: Path, target: Path) -> None:
    """Move a folder, or its files if the target exists; all are flushed to the disk first."""
    files = sorted(path for path in source.iterdir() if path.is_file())
    for file in files:
        sync(file)
    sync(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        for file in files:
            file.replace(target / file.name)
        sync(target)
    else:
        source.rename(target)
    sync(target.parent)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException | EOFError):
        return "the connection was lost"
    if isinstance(error, ImportError) or "torchvision::" in str(error):
        return "torchvision cannot be imported; reinstall torch and torchvision together"
    if "corrupted" in str(error):
        return "the download is incomplete or damaged: its checksum is wrong; try again later"
    # without a network, torchvision raises a RuntimeError that lists many addresses
    return getattr(error, "strerror", None) or "its servers cannot be reached"
