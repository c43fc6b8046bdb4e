"""Labels and splits of files from the tables that list them; no torch."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cgan.data.importing.class_folders import Labelled, below_root, folders_of, split_of
from cgan.data.importing.class_names import shown
from cgan.data.importing.found import NOT_GIVEN, SPLIT_WORDS, given_splits
from cgan.data.importing.tables import NoTableError, Row, read_table
from cgan.data.importing.trees import FileList, listed_paths
from cgan.runtime.errors import InputError

NOT_A_TABLE = "without columns of files and labels"


def by_table(files: FileList, pictures: NDArray[np.int32], tables: Sequence[int]) -> Labelled:
    """Return the files that tables list, with the labels that these give.

    A path is relative to the folder of its table. A split is given by a column `split`, or by the
    folder: of the table, else the first one below it.

    Raises:
        NoTableError: no table lists files with labels.
        InputError: a table is damaged; a file has two labels; or its label is the name of another
            class than that of its folder.
    """
    labels = _Labels(files)
    reasons: dict[str, list[str]] = {}
    used, columns = [], ""
    for table in tables:
        try:
            labels.read(table)
            used.append(table)
        except NoTableError as error:
            columns = str(error)
            reasons.setdefault(NOT_A_TABLE, []).append(shown(files.paths[table]))
    if not used:
        raise NoTableError(columns)
    return labels.labelled(pictures, used, reasons)


class _Labels:
    """Collects the labels of files from one table after another."""

    def __init__(self, files: FileList):
        self._files = files
        self._places = {_normal(path): index for index, path in enumerate(files.paths)}
        self._skipped = {path for paths in files.skipped.values() for path in paths}
        self._classes: dict[str, int] = {}
        self._class_of = np.full(len(files.paths), -1, np.int32)
        self._split_of = np.full(len(files.paths), NOT_GIVEN, np.int8)
        self._missing: dict[str, list[str]] = {}

    def read(self, table: int) -> None:
        """Read one table.

        Raises:
            NoTableError, InputError: as `by_table`.
        """
        path = self._files.paths[table]
        folder, slash, name = path.rpartition("/")
        missing, n_rows = [], 0
        for row in read_table(self._files, table):
            n_rows += 1
            file = self._places.get(_normal(folder + slash + row.file))
            if file is None:
                missing.append(folder + slash + row.file)
            else:
                self._note(file, row, folder)
        if len(missing) == n_rows:
            example = f", such as {shown(missing[0]):.200}" if missing else ""
            raise InputError(
                f"{self._files.where}: none of the {n_rows:,} files that {shown(path)} lists "
                f"exists{example}; write their paths relative to it"
            )
        for other in map(shown, missing):
            if other not in self._skipped:
                self._missing.setdefault(f"in {name}, but missing", []).append(other)

    def _note(self, file: int, row: Row, folder: str) -> None:
        place = self._classes.setdefault(row.label, len(self._classes))
        if self._class_of[file] not in (-1, place):
            other = [*self._classes][self._class_of[file]]
            raise InputError(
                f"{self._files.where}: {shown(self._files.paths[file])} has the labels "
                f"{shown(other)!r:.60} and {shown(row.label)!r:.60} ({row.line}); leave one of them"
            )
        self._class_of[file] = place
        words = (row.split, folder.rpartition("/")[2], row.file.partition("/")[0])
        splits = (split_of(word) for word in words)
        self._split_of[file] = next((s for s in splits if s != NOT_GIVEN), NOT_GIVEN)

    def labelled(
        self, pictures: NDArray[np.int32], used: Sequence[int], reasons: dict[str, list[str]]
    ) -> Labelled:
        """Return the files that have labels; the others among the pictures are skipped.

        Raises:
            InputError: a file's label is the name of another class than that of its folder.
        """
        files, names = self._files, [self._files.paths[table].rpartition("/")[2] for table in used]
        source = " and ".join(dict.fromkeys(names))
        chosen = np.flatnonzero(self._class_of >= 0).astype(np.int32)
        index = self._class_of[chosen]
        self._compare_folders(chosen, index, source)
        reasons |= self._missing
        without = pictures[self._class_of[pictures] < 0]
        if len(without):
            reasons[f"not in {source}"] = listed_paths(files.paths, without)
        splits = self._split_of[chosen]
        if NOT_GIVEN in splits:  # then a folder `train` is the class of trains
            splits = np.full_like(splits, NOT_GIVEN)
        return Labelled(
            chosen,
            [*self._classes],
            index,
            given_splits(splits),
            f"labels in {source}",
            used,
            reasons,
        )

    def _compare_folders(
        self, chosen: NDArray[np.int32], index: NDArray[np.int32], source: str
    ) -> None:
        """Compare labels with the names of folders, if several of these are names of classes.

        Raises:
            InputError: a file's label is the name of another class than that of its folder.
        """
        folders, folder_of = folders_of(self._files.paths, chosen)
        classes = [*self._classes]
        names = {*classes} - {*SPLIT_WORDS}
        known = [[part for part in parts if part in names] for parts in below_root(folders)]
        if len({part for parts in known for part in parts}) < 2:
            return
        pairs, first = np.unique(np.stack([folder_of, index]), axis=1, return_index=True)
        for (folder, place), at in zip(pairs.T.tolist(), first.tolist(), strict=True):
            if known[folder] and classes[place] not in known[folder]:
                file, label = self._files.paths[chosen[at]], classes[place]
                raise InputError(
                    f"{self._files.where}: {shown(file)} lies in the folder "
                    f"{shown(known[folder][-1])!r:.60}, but {source} says {shown(label)!r:.60}; "
                    "correct one of them"
                )


def _normal(path: str) -> str:
    """Return a path as it is compared: some systems decompose letters with accents."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)
