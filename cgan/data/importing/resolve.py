"""Finds the data set that a user means; what was not imported yet is imported now; no torch."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cgan.config.schema import ImportConfig
from cgan.data.conversion.importer import import_images, settings_of
from cgan.data.conversion.staging import discard, staging_folder
from cgan.data.importing.found import FoundImages
from cgan.data.importing.named import NAMES, fingerprint, named_images
from cgan.data.importing.sources import find_images
from cgan.data.spec import DESCRIPTIONS, STORE_NAME, title_of
from cgan.data.store import FACTS, Store, is_store, read_store, sources, stores
from cgan.runtime.errors import InputError, nearest
from cgan.runtime.progress import Progress


def resolve_dataset(
    data: str,
    data_dir: Path,
    config: ImportConfig | None = None,
    progress: Progress | None = None,
) -> str:
    """Return the name of the data set that a user means; import it if that was not done yet.

    Args:
        data: the name of a data set that ships, or that can be downloaded; the name of an imported
            one, with or without its checksum; or the path of labelled images, or of a store. A
            name that is also a path means the name; `./NAME` is the path.
        data_dir: the folder of imported data sets.
        config: the settings of the import. None: any import of the same images will do; if there is
            none, the default settings.
        progress: shows what is done, and one line on what is used.

    Raises:
        InputError: there is nothing of that name, or as `import_images`.
        OSError: as `import_images`.
    """
    progress = progress or Progress()
    if data in DESCRIPTIONS or is_store(data, data_dir):
        return _as_it_is(data, data_dir, config)
    if data in NAMES:
        store = _made_of({"fingerprint": fingerprint(data)}, data_dir, config)
        if store is None:
            return _import(
                partial(named_images, data, data_dir, progress), data_dir, config, progress
            )
        return _used(store, data, progress)
    path = Path(data)
    if not os.path.lexists(path):
        return _as_it_is(_titled(data, data_dir), data_dir, config)
    if STORE_NAME.fullmatch(path.resolve().name) and (path / FACTS).is_file():
        return _as_it_is(_of_store(path.resolve(), data_dir), data_dir, config)
    return use_or_import(partial(find_images, path, progress), data_dir, config, progress)


def use_or_import(
    find: Callable[[], FoundImages],
    data_dir: Path,
    config: ImportConfig | None,
    progress: Progress,
) -> str:
    """Return the name of the data set that was made of a source, or import it.

    Args:
        find: returns the images of the source.
        data_dir: the folder of imported data sets.
        config: as in `resolve_dataset`.
        progress: likewise.

    Raises:
        InputError: as `import_images`, or `find`.
        OSError: as `import_images`.
    """
    found = find()
    known = {"path": str(found.path), "fingerprint": found.fingerprint}
    store = _made_of(known, data_dir, config)
    if store is None:
        return _import(find, data_dir, config, progress, found)
    # of an import that was killed after its data set appeared
    settings = settings_of(config or ImportConfig())
    discard(staging_folder(data_dir, title_of(store.folder.name), str(found.path), settings))
    return _used(store, found.path, progress)


def _import(
    find: Callable[[], FoundImages],
    data_dir: Path,
    config: ImportConfig | None,
    progress: Progress,
    found: FoundImages | None = None,
) -> str:
    found = found or find()
    progress.line(f"importing {found.name}: {found.kind}, {len(found):,} images")
    return import_images(find, config or ImportConfig(), data_dir, progress, found).folder.name


def _used(store: Store, source: object, progress: Progress) -> str:
    progress.line(f"using {store.folder}, imported from {source} before")
    return store.folder.name


def _made_of(known: dict[str, str], data_dir: Path, config: ImportConfig | None) -> Store | None:
    """Return the newest data set made of a source, with the same settings and name if given."""
    wanted = known if config is None else {**known, "settings": settings_of(config)}
    for store in stores(data_dir):
        if config is not None and config.name not in (None, title_of(store.folder.name)):
            continue
        for source in sources(store):
            if all(source.get(key) == value for key, value in wanted.items()):
                return store
    return None


def _as_it_is(dataset: str, data_dir: Path, config: ImportConfig | None) -> str:
    """Return the name of a data set that is there, unless other settings are asked for.

    Raises:
        InputError: they are.
    """
    if config is None:
        return dataset
    made = sources(read_store(dataset, data_dir)) if is_store(dataset, data_dir) else []
    if settings_of(config) in [source.get("settings") for source in made]:
        return dataset
    raise InputError(
        f"{dataset} is there already, with other settings; name the folder or file of its images "
        "to import them again, or leave the settings out"
    )


def _titled(title: str, data_dir: Path) -> str:
    """Return the name of the only imported data set of a title.

    Raises:
        InputError: there is none, or more than one.
    """
    names = [store.folder.name for store in stores(data_dir)]
    alike = [name for name in names if title_of(name) == title]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise InputError(f"{title!r:.100} may be any of {', '.join(alike)}; name one of them")
    if os.sep in title:
        raise InputError(f"{title} does not exist; name a data set, or a folder or file of images")
    known = sorted({*DESCRIPTIONS, *NAMES, *names, *map(title_of, names)})
    raise InputError(f"{title!r:.100} is neither a data set nor a path{nearest(title, known)}")


def _of_store(folder: Path, data_dir: Path) -> str:
    """Return the name of a data set, given the path of its folder.

    Raises:
        InputError: it is not in the folder of imported data sets.
    """
    if folder.parent != data_dir.resolve():
        raise InputError(
            f"{folder} is an imported data set of another folder; add --data-dir {folder.parent}"
        )
    return folder.name
