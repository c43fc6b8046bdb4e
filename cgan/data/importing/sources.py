"""Finds the labelled images in whatever a path names: a folder, an archive or a file; no torch."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.data.formats.idx_files import idx_images
from cgan.data.formats.labelled_arrays import npy_images, npz_images
from cgan.data.formats.parquet import parquet_images
from cgan.data.importing.archives import ArchiveFiles
from cgan.data.importing.class_folders import Labelled, by_file_name, by_folder
from cgan.data.importing.class_names import labels_of, plain_name, shown
from cgan.data.importing.found import FoundImages, ImageReader
from cgan.data.importing.pictures import is_picture_name
from cgan.data.importing.table_labels import NOT_A_TABLE, by_table
from cgan.data.importing.tables import READERS, NoTableError, tables_of
from cgan.data.importing.trees import (
    FileList,
    FolderFiles,
    PictureReader,
    described,
    listed_paths,
    pictures_of,
)
from cgan.data.importing.unpacking import open_archive, unpack
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

ARRAY_READERS = {
    r"\.npz$": npz_images,
    r"\.npy$": npy_images,
    r"\.parquet$": parquet_images,
    r"(-ubyte|\.idx)(\.gz)?$": idx_images,
}
ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
UNKNOWN_ENDING = "with an unknown ending"
LAYOUTS = (
    "put them into a folder for each class (cat/1.png, dog/2.png), or add labels.csv with the "
    "columns file_name and label"
)
FORMS = "a folder of pictures, a zip or tar of one, an npz, npy, Parquet or idx file"


def find_images(path: Path, progress: Progress | None = None) -> FoundImages:
    """Return the labelled images that a path holds; none is decoded yet.

    Accepted are a folder with a folder for each class, or with those below folders named train,
    validation and test; a folder with metadata.csv, metadata.jsonl, labels.csv or dataset.json; a
    zip or tar archive of any of those; and arrays: npz, npy, Parquet and idx files. Hidden files,
    and links that lead outside, are skipped.

    Args:
        path: the folder or the file.
        progress: shows how far a compressed archive is unpacked.

    Raises:
        InputError: there is nothing, or nothing with labels; something is damaged or contradicts
            itself; or the names of the classes cannot be used.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; name {FORMS}")
    if path.is_dir():
        return _in_list(FolderFiles(path))
    if array_reader := _array_reader(path.name):
        return array_reader(path)
    if path.suffix.lower() in READERS:
        return _listed(path)
    if is_picture_name(path.name):
        raise InputError(f"{path} is a single picture; name the folder of all pictures")
    files = open_archive(path, progress or Progress())
    if files is None:
        raise InputError(f"{path} is of an unknown kind; name {FORMS}")
    found = _in_list(files)
    return replace(found, kind=f"{found.kind}, in an archive")


def _listed(path: Path) -> FoundImages:
    """Return the images that a table lists, a file of any name.

    Raises:
        InputError: it lists none; or as `by_table`.
    """
    files = FolderFiles(path.parent)
    if path.name not in files.paths:
        raise InputError(f"{path} is empty or hidden; name a table of files and labels")
    try:
        labelled = by_table(files, np.empty(0, np.int32), [files.paths.index(path.name)])
    except NoTableError as error:
        raise InputError(_not_a_table(path, error)) from error
    found = _found(files, labelled)
    return replace(found, name=plain_name(path), path=path.resolve(), skipped=labelled.skipped)


def _in_list(files: FileList) -> FoundImages:
    """Return the images among the files of a folder or an archive.

    Raises:
        InputError: as `find_images`.
    """
    pictures, tables = pictures_of(files), tables_of(files)
    problem, others = "", {}
    if tables and (len(pictures) or not _arrays(files)):
        try:
            return _found(files, by_table(files, pictures, tables))
        except NoTableError as error:
            problem = _not_a_table(files.where / shown(files.paths[tables[0]]), error)
            others = {NOT_A_TABLE: [shown(files.paths[table]) for table in tables]}
    labelled = by_folder(files, pictures)
    if len(labelled.classes) < 2:
        one, labelled = labelled, by_file_name(files, pictures)
        if not len(labelled.chosen):
            if arrays := _arrays(files):
                return _in_arrays(files, arrays)
            raise InputError(problem or _unlabelled(files, one, pictures))
    return _found(files, replace(labelled, skipped={**labelled.skipped, **others}))


def _unlabelled(files: FileList, labelled: Labelled, pictures: NDArray[np.int32]) -> str:
    if not len(pictures):
        return _nothing(files)
    if not len(labelled.classes):
        count = "a picture" if len(pictures) == 1 else f"{len(pictures):,} pictures"
        return f"{files.where} holds {count} without labels; {LAYOUTS}"
    name = shown(labelled.classes[0])
    return (
        f"{files.where} holds pictures of one class, {name!r:.120}, and at least two are needed; "
        f"{LAYOUTS}"
    )


def _not_a_table(path: Path, error: NoTableError) -> str:
    columns = f" (it has {shown(str(error)):.200})" if str(error) else ""
    return f"{path} needs the columns file_name and label, named in its first line{columns}"


def _nothing(files: FileList) -> str:
    archives = sorted(path for path in files.paths if ARCHIVE.search(path))
    if archives:
        return f"{files.where} holds no pictures; name the archive {shown(archives[0])} in it"
    counts = {**files.skipped, UNKNOWN_ENDING: files.paths}
    skipped = described({reason: paths for reason, paths in counts.items() if paths})
    return f"{files.where} holds no pictures{f' ({skipped})' if skipped else ''}; name {FORMS}"


def _found(files: FileList, labelled: Labelled) -> FoundImages:
    """Return labelled pictures as the import wants them.

    Raises:
        InputError: as `labels_of`.
    """
    # the same images in the same order, whatever the order of a file system or an archive
    order = np.array(
        sorted(range(len(labelled.chosen)), key=lambda at: files.paths[labelled.chosen[at]]), int
    )
    chosen = labelled.chosen[order]
    names, labels = labels_of(labelled.classes, labelled.index[order], files.where)
    known = np.zeros(len(files.paths), bool)
    known[pictures_of(files)] = known[tables_of(files)] = known[chosen] = True
    others = listed_paths(files.paths, np.flatnonzero(~known))
    skipped = {**files.skipped, UNKNOWN_ENDING: others, **labelled.skipped}
    used = np.concatenate([chosen, np.array(labelled.used, np.int32)])
    return FoundImages(
        name=plain_name(files.where),
        path=files.where.resolve(),
        kind=labelled.kind,
        names=names,
        labels=labels,
        splits=labelled.splits[order],
        reader=PictureReader(files, chosen),
        fingerprint=files.fingerprint(used),
        skipped={reason: sorted(paths) for reason, paths in skipped.items() if paths},
    )


def _array_reader(name: str) -> Callable[[Path], FoundImages] | None:
    """Return what reads an array file of that name, or a folder of them; None for other files."""
    for ending, reader in ARRAY_READERS.items():
        if re.search(ending, name, re.IGNORECASE):
            return reader
    return None


def _arrays(files: FileList) -> list[int]:
    """Return the indices of the array files."""
    return [index for index, path in enumerate(files.paths) if _array_reader(path)]


def _in_arrays(files: FileList, arrays: list[int]) -> FoundImages:
    """Return the images of the array files in a folder or an archive.

    Raises:
        InputError: there are several kinds, or several npz files; or as their readers.
    """
    readers = {_array_reader(files.paths[index]): files.paths[index] for index in arrays}
    singles = len(arrays) > 1 and any(path.lower().endswith(".npz") for path in readers.values())
    if len(readers) > 1 or singles:
        paths = sorted(files.paths[index] for index in arrays)
        first, second = shown(paths[0]), shown(paths[-1])
        raise InputError(
            f"{files.where} holds {first} and {second}; name one of them, or a folder of its own"
        )
    (reader,) = readers
    assert reader is not None  # for mypy: `arrays` are those that have a reader
    if not isinstance(files, ArchiveFiles):
        return reader(_common_place(files.where, files, arrays))
    folder = unpack(files, arrays)
    try:
        found = reader(_common_place(Path(folder.name), files, arrays))
    except InputError as error:
        message = str(error).replace(folder.name, str(files.where))
        raise InputError(message) from error
    return replace(
        found,
        name=plain_name(files.where),
        path=files.where.resolve(),
        reader=_UnpackedReader(found.reader, folder),
        fingerprint=files.fingerprint(np.array(arrays)),
    )


def _common_place(top: Path, files: FileList, arrays: list[int]) -> Path:
    """Return the path of a single array file, or the folder of several."""
    if len(arrays) == 1:
        return top / files.paths[arrays[0]]
    folders = {(top / files.paths[index]).parent for index in arrays}
    return folders.pop() if len(folders) == 1 else top


class _UnpackedReader:
    """Reads images from a temporary folder, and keeps it for as long as it is used."""

    def __init__(self, reader: ImageReader, folder: "TemporaryDirectory[str]"):
        self._reader, self._folder = reader, folder

    def place(self, index: int) -> str:
        return self._reader.place(index)

    def load(self, index: int) -> "Image.Image | NDArray[np.uint8]":
        return self._reader.load(index)
