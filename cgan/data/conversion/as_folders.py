"""Writes a data set as pictures: a folder for each split, and in it one for each class."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.data.spec import DataSpec
from cgan.io.files import TEMPORARY, output_folder, require_writable
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

UNSAFE = re.compile(r"[^\w .&()+,-]+")  # letters of any alphabet stay


def write_class_folders(
    splits: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.int64]]],
    spec: DataSpec,
    out: Path,
    progress: Progress,
) -> None:
    """Write images as `out`/SPLIT/CLASS/NUMBER.png, lossless; all of them or none.

    Args:
        splits: the name of each, its images uint8 [N, C, H, W] and its labels int64 [N].
        spec: tells the names of the classes.
        out: a folder that does not exist yet, or is empty.
        progress: shows how many are written.

    Raises:
        InputError: `out` holds something or cannot be written to.
        OSError: not all images can be written.
    """
    require_new_folder(out)
    folders = folder_names(spec)
    total = sum(len(labels) for _, _, labels in splits)
    with output_folder(out.parent, "--write"):
        place = Path(tempfile.mkdtemp(dir=out.parent, prefix=TEMPORARY))
        try:
            with progress.bar(total, "writing") as bar:
                for name, images, labels in splits:
                    for label in np.unique(labels):
                        (place / name / folders[label]).mkdir(parents=True)
                    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
                        picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
                        path = place / name / folders[label] / f"{i:06d}.png"
                        Image.fromarray(np.ascontiguousarray(picture)).save(path)
                        bar.advance()
            place.chmod(0o755)
            place.rename(out)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise


def require_new_folder(out: Path) -> None:
    """Check that a folder does not exist yet, or is empty, and could be written.

    Raises:
        InputError: it holds something, or cannot be written to.
    """
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists and is not an empty folder; name a new one")
    require_writable(out, "--write")


def folder_names(spec: DataSpec) -> list[str]:
    """Return a folder name for each class: its own, without what a path must not hold."""
    names: list[str] = []
    for label in range(spec.n_classes):
        name = UNSAFE.sub("_", spec.name_of(label)).strip(" .")[:80] or "_"
        taken = {other.casefold() for other in names}
        names.append(f"{name}_{label}" if name.casefold() in taken else name)
    return names
