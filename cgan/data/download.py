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
    made = [folder for folder in (data_dir, *data_dir.parents) if not folder.exists()]
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with _alone(dataset, data_dir):
            if find(list(FILES), places(dataset, data_dir)) is None:
                _fetch(dataset, data_dir)
    except (RuntimeError, ImportError, OSError, EOFError, http.client.HTTPException) as error:
        raise InputError(
            f"{dataset} is not in {data_dir} and cannot be downloaded ({_reason(error)}). Put the "
            f"files {', '.join(FILES[:3])} and {FILES[3]} (.gz or not) there, or name their folder "
            "with --data-dir. The data sets digits and mnist-sample need no files"
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


def _fetch(dataset: str, data_dir: Path) -> None:
    for folder in leftovers(dataset, data_dir):  # of killed processes: this one holds the lock
        shutil.rmtree(folder, ignore_errors=True)
    import torchvision

    name = CLASSES[dataset]
    temporary = Path(tempfile.mkdtemp(prefix=f".{dataset}-", dir=data_dir))
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # messages about failed mirrors
            getattr(torchvision.datasets, name)(str(temporary), download=True)
        _move(temporary / name / "raw", data_dir / name / "raw")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
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
