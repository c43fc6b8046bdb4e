"""Own labelled images as a data set, imported from a folder, a file or arrays; no torch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgan.config.schema import ImportConfig
from cgan.data.images import Images
from cgan.data.spec import DESCRIPTIONS, SPLITS
from cgan.data.store import Store, is_store, mapped, read_store
from cgan.runtime.errors import InputError, lookup, naming_arguments
from cgan.runtime.progress import Progress, default_progress

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Dataset:
    """An imported data set. Wherever a data set is named, it can be given instead.

    Attributes:
        name: of its folder in `data_dir`; the names of its runs begin with it.
        data_dir: the folder of the data sets.
    """

    name: str
    data_dir: Path

    @classmethod
    @naming_arguments()
    def from_folder(
        cls,
        path: str | Path,
        *,
        size: int | None = None,
        colour: str = "auto",
        fit: str = "crop",
        ground: str = "auto",
        drop_rare: bool = False,
        seed: int = 0,
        name: str | None = None,
        data_dir: str | Path | None = None,
        progress: Progress | None = None,
    ) -> "Dataset":
        """Import labelled images from a folder or a file, as `cgan data` does.

        Nothing is imported again if neither the images nor the settings have changed.

        Args:
            path: a folder with a folder for each class, or one of the other forms that
                `cgan data -h` lists.
            size: side of the images, 16 to 128 pixels; None: by the size of most.
            colour: "grey", "colour", or "auto": grey if the channels of all images are equal.
            fit: how an image becomes square: "crop", "pad" or "stretch".
            ground: of transparent images: "white", "black", "corner" or "auto".
            drop_rare: leave out classes of fewer than three images.
            seed: of the split into training, validation and test images.
            name: of the data set; None: that of the folder or file.
            data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
            progress: shows the import; None shows it in a notebook only.

        Raises:
            InputError: no labelled images, too few of a class, or a folder that cannot be written.
        """
        from cgan.data.importing.resolve import resolve_dataset

        config = ImportConfig(size, colour, fit, ground, drop_rare, seed, name)
        folder = data_folder(data_dir)
        where = str(Path(path).absolute())  # never a name
        return cls(resolve_dataset(where, folder, config, progress or default_progress()), folder)

    @classmethod
    @naming_arguments()
    def from_arrays(
        cls,
        images: Any,
        labels: Any,
        names: Sequence[str] | None = None,
        *,
        name: str = "images",
        size: int | None = None,
        colour: str = "auto",
        fit: str = "crop",
        drop_rare: bool = False,
        seed: int = 0,
        data_dir: str | Path | None = None,
        progress: Progress | None = None,
    ) -> "Dataset":
        """Import labelled images from arrays or tensors.

        Args:
            images: [N, H, W], [N, H, W, C] or [N, C, H, W]; whole numbers from 0 to 255, or floats
                from 0 to 1 or from -1 to 1.
            labels: [N], whole numbers or words.
            names: of the classes, in the order of their labels; None: the labels themselves.
            name: of the data set.
            size: as in `from_folder`, and so are the other arguments.
            colour: see there.
            fit: see there.
            drop_rare: see there.
            seed: see there.
            data_dir: see there.
            progress: see there.

        Raises:
            InputError: images or labels that cannot be used, or a folder that cannot be written.
        """
        from cgan.data.formats.labelled_arrays import array_images
        from cgan.data.importing.resolve import use_or_import

        config = ImportConfig(size, colour, fit, "auto", drop_rare, seed, name)
        folder, shown = data_folder(data_dir), progress or default_progress()
        found = array_images(images, labels, names, name)
        return cls(use_or_import(lambda: found, folder, config, shown), folder)

    def __str__(self) -> str:
        """Return its name."""
        return self.name

    def __repr__(self) -> str:
        """Return its name, the number of images and classes, and their size."""
        spec, counts = self._store.spec, self._store.class_counts
        n = sum(map(sum, counts.values()))
        size = "x".join(map(str, spec.image_shape))
        return f"<data set {self.name}: {n:,} images of {size}, {spec.n_classes} classes>"

    @property
    def _store(self) -> Store:
        return read_store(self.name, self.data_dir)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their labels."""
        return self._store.spec.names

    @property
    def counts(self) -> "pd.DataFrame":
        """The number of images. Rows: classes by name. Columns: train, validation, test."""
        import pandas as pd  # here: commands need none

        return pd.DataFrame(self._store.class_counts, index=list(self.names))

    def images(self, split: str = "train", n: int | None = None) -> Images:
        """Return the first `n` images of a split with their labels; None: all of them.

        Raises:
            InputError: an unknown split, or files that are missing or damaged.
        """
        lookup(dict.fromkeys(SPLITS), split, "split")
        pixels, labels = mapped(self._store, split)
        return Images(pixels[:n], labels[:n])


def data_folder(data_dir: str | Path | None) -> Path:
    """Return the folder of the data sets; None: the environment's CGAN_DATA, or "data"."""
    return Path((os.environ.get("CGAN_DATA") or "data") if data_dir is None else data_dir)


def found_dataset(
    data: "str | Path | Dataset",
    data_dir: str | Path | None,
    config: ImportConfig | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Return the data set that is asked for; a folder or a file is imported first.

    Args:
        data: a data set, its name, or the path of labelled images.
        data_dir: the folder of the data sets; None: that of the data set, or as `data_folder`.
        config: how to import; None: as it was imported before, or in the usual way.
        progress: shows the import; None shows it in a notebook only.

    Raises:
        InputError: neither a name nor labelled images.
    """
    if isinstance(data, Dataset):
        if data_dir is not None and Path(data_dir).resolve() != data.data_dir.resolve():
            raise InputError(f"{data} is in {data.data_dir}, not in data_dir={data_dir}")
        return data
    folder = data_folder(data_dir)
    named = isinstance(data, str) and (data in DESCRIPTIONS or is_store(data, folder))
    if config is None and named:
        return Dataset(str(data), folder)
    from cgan.data.importing.resolve import resolve_dataset  # here: Pillow takes a while

    text = str(data) if isinstance(data, str) else str(data.absolute())
    return Dataset(resolve_dataset(text, folder, config, progress or default_progress()), folder)
