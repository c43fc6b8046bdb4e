"""Data sets that torchvision downloads by name, besides those that cgan knows as they are."""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.data.download import downloading, fetch, move, temporary_folder
from cgan.data.formats.array_images import ArrayPart, ArrayReader, array_reader, as_array
from cgan.data.formats.idx_files import UPRIGHT
from cgan.data.formats.labels import class_labels
from cgan.data.formats.torchvision_sets import SETS, NamedSet
from cgan.data.importing.found import FoundImages
from cgan.data.originals import md5
from cgan.io.rows import HeldRows
from cgan.io.strict import first_line
from cgan.runtime.errors import InputError, lookup
from cgan.runtime.progress import Progress

NAMES = tuple(SETS)


def named_images(name: str, data_dir: Path, progress: Progress | None = None) -> FoundImages:
    """Return the training and test images of a data set; download it if it is not there.

    Args:
        name: one of NAMES.
        data_dir: the folder that holds torchvision's files, or where they are put.
        progress: shows that something is downloaded.

    Raises:
        InputError: an unknown name, the download failed, or files are damaged; the message says
            which file to put where.
    """
    known = lookup(SETS, name, "data set")
    root = _root(name, data_dir)
    if root is None:
        (progress or Progress()).line(
            f"downloading {name}, {known.mebibytes} MiB, to {data_dir} (once)"
        )
        _download(name, data_dir)
        root = data_dir
    parts = [_loaded(name, root, choice) for choice in known.choices]
    images = [
        ArrayPart(f"the {split} images", HeldRows(as_array(part.data)))
        for split, part in zip(("training", "test"), parts, strict=True)
    ]
    reader, notes = array_reader(images, name)
    if known.torchvision == "EMNIST":
        reader = ArrayReader(images, reader.layout._replace(transposed=True), reader.scale)
        notes.append(UPRIGHT)
    values = [_labels(part) for part in parts]
    known_names = known.names or parts[0].classes
    names, labels = class_labels(np.concatenate(values), known_names, name, from_zero=True)
    return FoundImages(
        name,
        (root / known.files[0]).resolve().parent,
        f"torchvision's {known.torchvision}",
        names,
        labels,
        np.repeat(np.array([0, 2], np.int8), [len(part) for part in values]),
        reader,
        fingerprint(name),
        notes=notes,
        noun=known.noun,
    )


def fingerprint(name: str) -> str:
    """Return the checksum of a data set in NAMES, the same everywhere: its files are published."""
    known = SETS[name]
    content = [name, *known.files, *known.archives.values()]
    return hashlib.sha256("\0".join(content).encode()).hexdigest()


def _root(name: str, data_dir: Path) -> Path | None:
    """Return the folder that holds all files of a data set; None if there is none."""
    for root in (data_dir, data_dir / name):
        if all((root / file).is_file() for file in SETS[name].files):
            return root
    return None


def _loaded(name: str, root: Path, choice: Mapping[str, Any]) -> Any:
    """Return a data set of torchvision, which compares checksums where it knows them.

    Raises:
        InputError: a file is damaged.
    """
    known = SETS[name]
    damaged = f"remove {', '.join(sorted({str(root / file) for file in known.files})[:4])}"
    try:
        import torchvision

        if known.torchvision == "USPS":  # the only one that torchvision does not check
            for file, checksum in known.archives.items():
                if md5(root / file) != checksum:
                    raise RuntimeError(f"the checksum of {file} is wrong")
        return getattr(torchvision.datasets, known.torchvision)(str(root), download=False, **choice)
    except ImportError as error:
        raise InputError(
            f"{name} needs torchvision ({first_line(error)}); reinstall torch and torchvision "
            "together"
        ) from error
    except Exception as error:  # what reads a damaged file may raise anything
        raise InputError(
            f"the files of {name} in {root} are damaged ({first_line(error)}); {damaged} and run "
            "it again"
        ) from error


def _labels(part: Any) -> NDArray[Any]:
    """Return the labels [N] of a data set of torchvision."""
    values = as_array(part.labels if hasattr(part, "labels") else part.targets)
    return values[:, 0] if values.ndim > 1 else values  # QMNIST's tell the writers, too


def _download(name: str, data_dir: Path) -> None:
    """Download a data set into torchvision's layout, unless another process has just done so.

    Raises:
        InputError: the download failed; no files are left, and the message says what to do.
    """
    known = SETS[name]
    files = [data_dir / archive for archive in known.archives]
    names = " and ".join(file.name for file in files)
    advice = f"Copy {names} to {files[0].parent}, and run it again"
    with downloading(name, data_dir, advice):
        if _root(name, data_dir) is not None:
            return
        with temporary_folder(name, data_dir) as temporary:
            _link_archives(known, data_dir, temporary)
            for choice in known.choices:
                fetch(known.torchvision, temporary, **choice)
            _keep(known.kept or known.files, temporary, data_dir)


def _link_archives(known: NamedSet, data_dir: Path, temporary: Path) -> None:
    """Let torchvision find the archives that the user has put into the folder.

    Raises:
        InputError: one is not the published file.
    """
    for archive, checksum in known.archives.items():
        source, target = data_dir / archive, temporary / archive
        if source.is_file():
            if md5(source) != checksum:
                raise InputError(f"{source} is damaged: its checksum is wrong; remove it")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:  # the file system has no links
                shutil.copyfile(source, target)


def _keep(files: Sequence[str], temporary: Path, data_dir: Path) -> None:
    """Move the files of a data set into the folder; what else was downloaded is left."""
    chosen = temporary / ".chosen"
    for file in files:
        (chosen / file).parent.mkdir(parents=True, exist_ok=True)
        (temporary / file).replace(chosen / file)
    for folder in sorted({Path(file).parent for file in files}):
        move(chosen / folder, data_dir / folder)
