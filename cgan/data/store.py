"""The store of an imported data set: its folder, data.json and memory-mapped arrays; no torch."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgan.config.schema import DataSize
from cgan.data.spec import DESCRIPTIONS, STORE_NAME, DataSpec, description
from cgan.io.strict import FormatError, first_line, format_of, read_json
from cgan.runtime.errors import InputError, lookup

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FACTS = "data.json"
FORMAT = 1
LARGEST_FACTS = 2**24  # bytes; class names and reports of a thousand classes fit
ARRAYS = ("images", "labels")  # of each split


@dataclass(frozen=True)
class Store:
    """An imported data set.

    Attributes:
        folder: holds data.json, and for each split SPLIT-images.npy (uint8 [N, C, H, W]) and
            SPLIT-labels.npy (int64 [N]).
        spec: image shape, classes and their names; its data set is the name of the folder.
        class_counts: images of each class in each split.
        sha256: of each split, as `Split.sha256` computes it.
        facts: the whole content of data.json: also how the store was made and what was found.
    """

    folder: Path
    spec: DataSpec
    class_counts: Mapping[str, list[int]]
    sha256: Mapping[str, str]
    facts: Mapping[str, Any]


def is_store(dataset: str, data_dir: Path) -> bool:
    """Return whether a data set of that name was imported into `data_dir`."""
    return bool(STORE_NAME.fullmatch(dataset)) and (data_dir / dataset / FACTS).is_file()


def require_data_set(dataset: str, data_dir: Path) -> None:
    """Check the name of a data set, before anything is loaded.

    Raises:
        InputError: none of that name ships or was imported; the message names the nearest.
    """
    if not is_store(dataset, data_dir):
        lookup(DESCRIPTIONS, dataset, "data set")


def size_of(dataset: str, data_dir: Path) -> DataSize:
    """Return the size of a data set, from which settings are chosen; images are not read.

    Raises:
        InputError: the data.json of an imported data set is damaged.
    """
    if not is_store(dataset, data_dir):
        return description(dataset).size
    store = read_store(dataset, data_dir)
    n_train = sum(store.class_counts["train"])
    return DataSize(n_train, store.spec.n_classes, *store.spec.image_shape)


def read_store(dataset: str, data_dir: Path) -> Store:
    """Return an imported data set; its images are not read.

    Raises:
        InputError: data.json is missing or damaged; import the data again.
    """
    path = data_dir / dataset / FACTS
    try:
        facts = read_json(path, LARGEST_FACTS)
        format_of(facts, FORMAT)
        spec = DataSpec(
            dataset,
            facts["channels"],
            facts["height"],
            facts["width"],
            len(facts["names"]),
            noun=facts["noun"],
            names=tuple(facts["names"]),
        )
        splits = facts["splits"]
        counts = {name: [int(n) for n in part["class_counts"]] for name, part in splits.items()}
        sha256 = {name: str(part["sha256"]) for name, part in splits.items()}
    except FormatError as error:
        raise InputError(f"{path} {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is missing or damaged ({first_line(error)}); import the data again"
        ) from error
    return Store(path.parent, spec, counts, sha256, facts)


def stores(data_dir: Path) -> list[Store]:
    """Return the imported data sets in a folder, the newest first; damaged ones are left out."""
    found = []
    if data_dir.is_dir():
        for path in data_dir.iterdir():
            if is_store(path.name, data_dir):
                with suppress(InputError):
                    found.append(read_store(path.name, data_dir))
    return sorted(found, key=_imported_at, reverse=True)


def _imported_at(store: Store) -> str:
    return max((str(source.get("imported")) for source in sources(store)), default="")


def sources(store: Store) -> list[dict[str, Any]]:
    """Return where a data set comes from, as data.json tells it; the newest first."""
    entries = store.facts.get("sources")
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def mapped(store: Store, split: str) -> "tuple[NDArray[np.uint8], NDArray[np.int64]]":
    """Return the images uint8 [N, C, H, W], memory-mapped, and the labels int64 [N] of a split.

    Raises:
        InputError: a file is missing or does not fit data.json.
    """
    import numpy as np  # here: the command line lists data sets without it

    shape = (sum(store.class_counts[split]), *store.spec.image_shape)
    images_path, labels_path = (store.folder / f"{split}-{part}.npy" for part in ARRAYS)
    try:
        # copy on write: torch wants writable memory, and the file stays as it is
        images = np.load(images_path, mmap_mode="c", allow_pickle=False)
        labels = np.load(labels_path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{images_path} is missing or damaged ({first_line(error)}); import the data again"
        ) from error
    fits = (images.dtype, images.shape, labels.dtype, labels.shape) == (
        np.uint8,
        shape,
        np.int64,
        shape[:1],
    )
    if not fits:
        raise InputError(f"{images_path} does not fit {FACTS}; import the data again")
    return images, labels
