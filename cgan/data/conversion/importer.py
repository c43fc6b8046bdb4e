"""Imports labelled images: converts, finds duplicates, splits, and stores them; no torch.

A data set appears complete or not at all. If the import is stopped, the next one goes on. It takes
the memory of some hundred images, whatever their number.
"""

import errno
import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.config.schema import ImportConfig
from cgan.data.conversion.findings import findings
from cgan.data.conversion.loading import convert_all
from cgan.data.conversion.pixels import Conversion
from cgan.data.conversion.staging import Staging, alone, clear, staging_folder
from cgan.data.conversion.survey import survey
from cgan.data.conversion.writing import write_store
from cgan.data.importing.found import FoundImages
from cgan.data.spec import NOUN
from cgan.data.splitting.assignment import assign_splits
from cgan.data.splitting.near_duplicates import DuplicateGroups, near_duplicates
from cgan.data.store import Store
from cgan.io.files import output_folder
from cgan.io.run_layout import plain_name
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress
from cgan.runtime.version import __version__

FULL = {errno.ENOSPC, errno.EDQUOT}
GO_ON = "the same command goes on from here"


def import_images(
    find: Callable[[], FoundImages],
    config: ImportConfig,
    data_dir: Path,
    progress: Progress,
    found: FoundImages | None = None,
) -> Store:
    """Import the images of a source, or go on with an import that was stopped.

    Args:
        find: returns the images; called again at the end, to see whether the source has changed.
        config: the settings.
        data_dir: where the data set is stored, in a folder named by its name and its content. The
            same images give the same name on any machine.
        progress: shows what is done.
        found: what `find` returned, if it was called already.

    Raises:
        InputError: there is nothing to learn from in these images, another process imports them, or
            they changed in the meantime; nothing is left behind.
        OSError: there is no room for them; nothing is left behind.
    """
    found = found or find()
    name = plain_name(config.name or found.name)
    _require_classes(found, config)
    settings = settings_of(config)
    folder = staging_folder(data_dir, name, str(found.path), settings)
    with (
        warnings.catch_warnings(),
        output_folder(data_dir, "--data-dir"),
        alone(folder, found.path),
        _cleared(folder),
    ):
        warnings.simplefilter("ignore")  # Pillow's, about faults that it ignores, too
        staging = Staging(folder, _key(found, settings), Conversion(0, 0))
        if staging.resume():
            progress.line(f"going on after {staging.done:,} of {len(found):,} images")
        else:
            staging.conversion = survey(found, config, progress).conversion()
            staging.begin()
        _require_room(staging, len(found), data_dir)
        convert_all(found, staging, progress)
        if find().fingerprint != found.fingerprint:
            raise InputError(
                f"{found.path} changed while it was read; try again when nothing writes to it"
            )
        return _finish(found, staging, config, data_dir / name, progress)


def _require_classes(found: FoundImages, config: ImportConfig) -> None:
    """Check, before the images are decoded, that there are enough if they all differ.

    Raises:
        InputError: there are not.
    """
    n = len(found)
    numbers = np.arange(n)
    differ = DuplicateGroups(
        numbers.astype(np.uint64), numbers, 0, 0, 0, 1, 0, 0.0, np.empty((0, 2), np.int64)
    )
    assign_splits(
        found.labels,
        found.splits,
        differ,
        found.names,
        seed=config.seed,
        drop_rare=config.drop_rare,
    )


def settings_of(config: ImportConfig) -> dict[str, Any]:
    """Return the settings that decide what a data set contains: all but its name."""
    settings = asdict(config)
    del settings["name"]
    return settings


def _key(found: FoundImages, settings: dict[str, Any]) -> str:
    return json.dumps([found.fingerprint, len(found), found.names, settings])


@contextmanager
def _cleared(folder: Path) -> Iterator[None]:
    """Remove what an import has written so far if it is done or cannot go on."""
    try:
        yield
    except OSError as error:
        clear(folder)
        if {getattr(one, "errno", None) for one in (error, error.__cause__)} & FULL:
            raise _no_room(folder.parent) from error
        raise
    except KeyboardInterrupt as error:
        error.add_note(GO_ON)
        raise
    except BaseException:
        clear(folder)
        raise
    clear(folder)


def _no_room(data_dir: Path, needed: int = 0) -> OSError:
    """Return the error that says that a folder has no room, for `needed` bytes if known."""
    free = f"{_size(shutil.disk_usage(data_dir).free)} are free"
    amount = f"about {_size(needed)} are needed and {free}" if needed else free
    return OSError(
        f"no room in {data_dir}: {amount}; free some, or choose another folder with --data-dir"
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"


def _require_room(staging: Staging, n: int, data_dir: Path) -> None:
    """Check that the images have room twice: as they are converted, and as a data set.

    Raises:
        OSError: they have not.
    """
    each = int(np.prod(staging.shape))
    needed = (2 * n - staging.kept) * each
    if needed > shutil.disk_usage(data_dir).free:
        raise _no_room(data_dir, needed)


def _finish(
    found: FoundImages, staging: Staging, config: ImportConfig, target: Path, progress: Progress
) -> Store:
    """Find duplicates, split and store the images that were converted."""
    records = staging.records()
    read: NDArray[np.bool_] = records["reason"] == 0
    if not read.any():
        reason = staging.words("reason")[int(records["reason"][0])]
        raise InputError(
            f"{found.path}: none of the {len(found):,} images can be read; the first, "
            f"{found.reader.place(0)}, is {reason}"
        )
    duplicates = near_duplicates(staging.images(), progress)
    labels, index = found.labels[read], np.flatnonzero(read)
    assigned = assign_splits(
        labels,
        found.splits[read],
        duplicates,
        found.names,
        seed=config.seed,
        drop_rare=config.drop_rare,
        place=lambda one: found.reader.place(int(index[one])),
    )
    names, labels = _present(found.names, labels, assigned.splits >= 0)
    facts = {
        "noun": found.noun or NOUN,
        "source": _source(found, config),
        "findings": findings(found, staging, config, duplicates, assigned),
    }
    return write_store(staging, labels, assigned.splits, names, facts, target, progress)


def _present(
    names: Sequence[str], labels: NDArray[np.int64], kept: NDArray[np.bool_]
) -> tuple[list[str], NDArray[np.int64]]:
    """Return the classes that have images, and the labels in their order."""
    counts = np.bincount(labels[kept], minlength=len(names))
    number = np.cumsum(counts > 0) - 1
    return [name for name, n in zip(names, counts, strict=True) if n], number[labels]


def _source(found: FoundImages, config: ImportConfig) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "kind": found.kind,
        "fingerprint": found.fingerprint,
        "settings": settings_of(config),
        "version": __version__,
        "imported": datetime.now(UTC).isoformat(timespec="seconds"),
    }
