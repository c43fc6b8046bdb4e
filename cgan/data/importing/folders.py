"""Imports images from an npz file or a folder of pictures, checked before they are scored."""

import os
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.data.importing.npz import LARGEST, read_npz
from cgan.data.spec import NUMBERED, DataSpec, file_forms, match_name
from cgan.io.strict import open_plain
from cgan.runtime.errors import InputError

LARGEST_PICTURE = 2**24  # bytes of one file
MOST_FILES = 2**20  # of any kind, in a folder and its subfolders
FORMATS = ("PNG", "JPEG", "BMP")  # for some others, PIL starts external programs
SAMPLED = re.compile(r"\d+-(.+)")  # the name of a picture of `cgan sample`
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class ImportedImages:
    """Images uint8 [N, C, H, W] and labels int64 [N], or None where none were requested."""

    name: str
    images: Tensor
    labels: Tensor | None

    def shuffled(self) -> "ImportedImages":
        """Return the images in a fixed random order, because files are often sorted by class."""
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(0))
        labels = None if self.labels is None else self.labels[order]
        return ImportedImages(self.name, self.images[order], labels)

    def without(self, classes: Collection[int]) -> "ImportedImages":
        """Return the images whose label is none of `classes`; all if they have no labels."""
        if self.labels is None or not classes:
            return self
        kept = torch.isin(self.labels, torch.tensor([*classes]), invert=True)
        return ImportedImages(self.name, self.images[kept], self.labels[kept])


def read_images(path: Path, spec: DataSpec) -> ImportedImages:
    """Read FILE.npz (arrays `images` and optionally `labels`) or a folder of pictures.

    In a folder, the class of a picture is part of its file name (`00012-label-7.png` or
    `00012-cat.png`, as `cgan sample` writes it), or its subfolder is called like the class, by its
    label or its name (`7/`, `cat/`). Either all pictures have a class or none has. Links to folders
    are not followed, and a link to a picture outside is refused.

    Args:
        path: the file or the folder.
        spec: the required image shape [C, H, W], the number of classes, and their names, if any.

    Raises:
        InputError: it cannot be read, the images are not uint8 of that shape, are blank or all the
            same, or the labels are not one class each.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; name an npz file or a folder of pictures")
    images, labels = _read_folder(path, spec) if path.is_dir() else read_npz(path, spec)
    require_contents(images, path)
    if labels is not None:
        require_range(labels, spec, path)
        labels = labels.astype(np.int64)
    whole = path.resolve().name if path.is_dir() else path.resolve().stem  # ckpt-1.25 is a folder
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", whole).strip("-._") or "images"
    return ImportedImages(
        name[:100],
        torch.from_numpy(np.ascontiguousarray(images)),
        None if labels is None else torch.from_numpy(labels),
    )


def _read_folder(path: Path, spec: DataSpec) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    files = sorted(_pictures(path))
    if not files:
        raise InputError(f"{path} holds no pictures ({', '.join(SUFFIXES)})")
    labels = _labels_of(files, path, spec)
    if None in labels and any(label is not None for label in labels):
        without = files[labels.index(None)]
        raise InputError(f"{without} has no class but others have; name all NUMBER-label-N")
    shape = (len(files), *spec.image_shape)
    if np.prod(shape, dtype=object) > LARGEST:
        raise InputError(f"{path} holds {len(files)} pictures, too many at once; split it")
    images = np.empty(shape, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PIL's, about pictures that are refused anyway
        for place, file in zip(images, files, strict=True):
            place[:] = _read_picture(file, spec)
    return images, None if None in labels else np.array(labels, np.int64)


def _pictures(top: Path) -> Iterator[Path]:
    """Yield the pictures in a folder and its subfolders; links to folders are not followed.

    Raises:
        InputError: a link that leads outside, or more than `MOST_FILES` files.
    """
    count, real = 0, top.resolve()
    for folder, _, names in os.walk(top):
        count += 1 + len(names)
        if count > MOST_FILES:
            raise InputError(f"{top} holds more than {MOST_FILES:,} files; split it")
        for file in (Path(folder, name) for name in names):
            if file.suffix.lower() not in SUFFIXES or not file.is_file():
                continue
            if file.is_symlink() and not file.resolve().is_relative_to(real):
                raise InputError(f"{file} is a link to outside {top}; copy the picture itself")
            yield file


def _read_picture(file: Path, spec: DataSpec) -> NDArray[np.uint8]:
    """Return a picture as uint8 [C, H, W].

    Raises:
        InputError: it cannot be read, or is not of the size and depth of `spec`.
    """
    from PIL import Image

    mode, size = ("L" if spec.channels == 1 else "RGB"), (spec.width, spec.height)
    try:
        with (
            open_plain(file, LARGEST_PICTURE, links=True) as stream,
            Image.open(stream, formats=FORMATS) as picture,
        ):
            if picture.size != size:  # read from its header, before it is decoded
                raise InputError(
                    f"{file} is {picture.size[0]} pixels wide and {picture.size[1]} high; "
                    f"{spec.dataset} needs {size[0]} and {size[1]}"
                )
            if picture.mode[:1] in ("I", "F"):  # conversion would clip it
                raise InputError(f"{file} has more than 8 bits per channel; save it with 8")
            pixels = np.asarray(picture.convert(mode))
    except InputError:
        raise
    except Exception as error:  # a damaged picture may raise anything
        raise InputError(f"{file} cannot be read as a picture; remove it") from error
    return pixels[None] if mode == "L" else pixels.transpose(2, 0, 1)


def _labels_of(files: Sequence[Path], top: Path, spec: DataSpec) -> list[int | None]:
    """Return the label of each picture in a folder; None: neither name says it.

    Raises:
        InputError: a picture and its folder are called like two classes.
    """
    forms = {form.casefold(): label for label, form in enumerate(file_forms(spec.names))}
    return [_label_of(file, top, spec.names, forms) for file in files]


def _label_of(file: Path, top: Path, names: Sequence[str], forms: dict[str, int]) -> int | None:
    numbered, named = NUMBERED.search(file.stem), SAMPLED.fullmatch(file.stem)
    by_file = forms.get(named[1].casefold()) if named else None
    if numbered:
        by_file = int(numbered[1])
    folder = file.parent.name
    path = file.parent.relative_to(top).as_posix()  # class names may have a slash
    places = (match_name(path, names), match_name(folder, names), forms.get(folder.casefold()))
    by_folder = next((label for label in places if label is not None), None)
    if file.parent == top:
        return by_file
    if None not in (by_file, by_folder) and by_file != by_folder:
        raise InputError(
            f"{file} is called like the class {by_file} and its folder like the class {by_folder}; "
            "rename one of them"
        )
    if by_file is not None or by_folder is not None:
        return by_folder if by_file is None else by_file
    return int(folder) if folder.isascii() and folder.isdigit() and len(folder) < 10 else None


def require_contents(images: NDArray[np.uint8], where: Path | str) -> None:
    """Check that images uint8 [N, C, H, W] can be scored.

    Raises:
        InputError: there are none, or they are blank or all the same; the message names `where`.
    """
    if len(images) == 0:
        raise InputError(f"{where} holds no images")
    if images.max() <= 1:
        raise InputError(
            f"{where}: no pixel is above {images.max()}; scale the images to 0 to 255 before they "
            "become uint8"
        )
    # avoids a copy of all images
    if len(images) > 1 and (images.min(axis=0) == images.max(axis=0)).all():
        raise InputError(
            f"{where}: all {len(images)} images are the same; there is nothing to score"
        )
    if (images.min(axis=(1, 2, 3)) == images.max(axis=(1, 2, 3))).all():
        raise InputError(f"{where}: every image is of one colour; there is nothing to score")


def require_range(labels: NDArray[np.integer], spec: DataSpec, where: Path | str) -> None:
    """Check that labels [N], one or more, are classes of `spec`.

    Raises:
        InputError: one is not; the message names `where`.
    """
    if labels.min() < 0 or labels.max() >= spec.n_classes:
        raise InputError(
            f"{where}: the labels run from {labels.min()} to {labels.max()}; {spec.dataset} needs "
            f"labels from 0 to {spec.n_classes - 1}"
        )


def require_classes(
    labels: NDArray[np.integer], classes: Collection[int], where: Path | str
) -> None:
    """Check that each of some classes has an image.

    Raises:
        InputError: one has none; the message names `where`.
    """
    absent = sorted(set(classes) - set(labels.tolist()))
    if absent:
        raise InputError(
            f"{where}: no image has the label {absent[0]}; give images of every class, or leave "
            "the labels out"
        )
