"""Images from anywhere: an npz file or a folder of pictures, checked before anything is judged."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.config import DataSpec
from cgan.errors import InputError

LARGEST = 2**32  # bytes of images; refused before memory is taken
LABEL_IN_NAME = re.compile(r"-label-(\d{1,4})$")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class Incoming:
    """Images uint8 [N, C, H, W] and labels int64 [N], or None where none were requested."""

    name: str
    images: Tensor
    labels: Tensor | None

    def shuffled(self) -> "Incoming":
        """Return the same in a random order, always the same: files are often sorted by class."""
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(0))
        labels = None if self.labels is None else self.labels[order]
        return Incoming(self.name, self.images[order], labels)


def read_images(path: Path, spec: DataSpec) -> Incoming:
    """Read FILE.npz (arrays `images` and, if there are, `labels`) or a folder of pictures.

    In a folder the label of a picture stands in its name (`00012-label-7.png`, as `cgan sample`
    writes them) or is the name of the folder that it is in (`7/`); or no picture has one.

    Args:
        path: the file or the folder.
        spec: what the images must be: [C, H, W] and the number of classes.

    Raises:
        InputError: it cannot be read, or the images are not uint8 of that shape, are blank or all
            the same, or the labels are not one class each, or a class has no image.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; name an npz file or a folder of pictures")
    images, labels = _read_folder(path, spec) if path.is_dir() else _read_npz(path)
    images = _shaped(images, spec, path)
    _require_contents(images, path)
    if labels is not None:
        _require_labels(labels, len(images), spec, path)
        labels = labels.astype(np.int64)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.resolve().stem).strip("-._") or "images"
    return Incoming(
        name[:100],
        torch.from_numpy(np.ascontiguousarray(images)),
        None if labels is None else torch.from_numpy(labels),
    )


def _read_npz(path: Path) -> tuple[NDArray[np.generic], NDArray[np.generic] | None]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise InputError(f"{path} unpacks to {size / 2**30:.0f} GiB; split it")
        with np.load(path, allow_pickle=False) as arrays:  # a pickle could run code
            if "images" not in arrays:
                raise InputError(
                    f"{path} has no array `images` (only {', '.join(arrays.files) or 'none'})"
                )
            return arrays["images"], arrays.get("labels")
    except InputError:
        raise
    except Exception as error:  # a damaged archive raises what it likes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path} cannot be read ({reason}); save it with numpy.savez(FILE, images=..., "
            "labels=...)"
        ) from error


def _read_folder(path: Path, spec: DataSpec) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    from PIL import Image

    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not files:
        raise InputError(f"{path} holds no pictures ({', '.join(SUFFIXES)})")
    mode, size = ("L" if spec.channels == 1 else "RGB"), (spec.width, spec.height)
    images = []
    for file in files:
        try:
            with Image.open(file) as picture:
                if picture.size != size:  # known from its header, before it is unpacked
                    raise InputError(
                        f"{file} is {picture.size[0]} pixels wide and {picture.size[1]} high; "
                        f"{spec.dataset} is {size[0]} and {size[1]}"
                    )
                if picture.mode[:1] in ("I", "F"):  # conversion would clip it
                    raise InputError(f"{file} has more than 8 bits a channel; save it with 8")
                pixels = np.asarray(picture.convert(mode))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{file} is no picture that can be read; remove it") from error
        images.append(pixels[None] if mode == "L" else pixels.transpose(2, 0, 1))
    labels = [_label_of(file, path) for file in files]
    if None in labels and any(label is not None for label in labels):
        without = files[labels.index(None)]
        raise InputError(f"{without} has no label but others have; name them NUMBER-label-DIGIT")
    return np.stack(images), None if None in labels else np.array(labels, np.int64)


def _label_of(file: Path, top: Path) -> int | None:
    named = LABEL_IN_NAME.search(file.stem)
    if named:
        return int(named[1])
    folder = file.parent.name
    if file.parent != top and len(folder) < 10 and folder.isascii() and folder.isdigit():
        return int(folder)
    return None


def _shaped(images: NDArray[np.generic], spec: DataSpec, path: Path) -> NDArray[np.uint8]:
    """Return the images as uint8 [N, C, H, W], whichever way the channels stand."""
    c, h, w = spec.image_shape
    pixels = images.astype(np.uint8, copy=False) if images.dtype == np.uint8 else None
    if pixels is None:
        raise InputError(
            f"{path}: the images are {images.dtype}; save them as uint8, from 0 (background) to 255"
        )
    if pixels.shape[1:] == (c, h, w):
        return pixels
    if pixels.shape[1:] == (h, w) and c == 1:
        return pixels[:, None]
    if pixels.shape[1:] == (h, w, c):
        return pixels.transpose(0, 3, 1, 2)
    raise InputError(
        f"{path}: the images have the shape {list(images.shape)}; {spec.dataset} needs "
        f"[N, {c}, {h}, {w}]"
    )


def _require_contents(images: NDArray[np.uint8], path: Path) -> None:
    if len(images) == 0:
        raise InputError(f"{path} holds no images")
    if images.max() <= 1:
        raise InputError(
            f"{path}: no pixel is above {images.max()}; scale the images to 0 to 255 before they "
            "become uint8"
        )
    if len(images) > 1 and (images == images[0]).all():
        raise InputError(
            f"{path}: all {len(images)} images are the same; there is nothing to score"
        )
    flat = images.reshape(len(images), -1)
    if (flat == flat[:, :1]).all():
        raise InputError(f"{path}: every image is of one colour; there is nothing to score")


def _require_labels(labels: NDArray[np.generic], n: int, spec: DataSpec, path: Path) -> None:
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"{path}: `labels` is {labels.dtype} {list(labels.shape)}; it must be one whole number "
            f"for each of the {n} images, or be left out"
        )
    if labels.min() < 0 or labels.max() >= spec.n_classes:
        raise InputError(
            f"{path}: the labels run from {labels.min()} to {labels.max()}; those of "
            f"{spec.dataset} from 0 to {spec.n_classes - 1}"
        )
    absent = sorted(set(range(spec.n_classes)) - set(labels.tolist()))
    if absent:
        raise InputError(
            f"{path}: no image has the label {absent[0]}; give images of every class, or leave the "
            "labels out"
        )
