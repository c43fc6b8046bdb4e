"""Lists the files of a folder and its subfolders in one walk, and reads pictures; no torch."""

import hashlib
import os
import stat
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cgan.data.importing.class_names import shown
from cgan.data.importing.found import UnreadableError
from cgan.data.importing.pictures import (
    DAMAGED,
    LARGEST_PICTURE,
    TOO_LARGE,
    is_picture_name,
    open_picture,
)
from cgan.io.strict import open_plain
from cgan.runtime.errors import InputError

MOST_FILES = 2**23  # in a source
PIECE = 2**20  # bytes that are read at once
SYSTEM_NAMES = ("thumbs.db", "desktop.ini", "__macosx", "@eadir")
HIDDEN, SYSTEM, EMPTY, LINKED = "hidden", "of the system", "empty", "linked"
OUTSIDE, TO_FOLDER, BROKEN = "linked to outside", "linked to a folder", "linked to nothing"
NOT_REGULAR = "neither file nor folder"


class FileList(ABC):
    """The files of a folder or an archive: those with content, in any order.

    A million files take about 150 bytes each, because nothing but their paths is an object.

    Attributes:
        where: the source, which messages name.
        paths: of the files below it, with `/` between folders.
        sizes: int64 [N], bytes.
        skipped: paths of what is listed nowhere else, by reason.
    """

    def __init__(self, where: Path):
        """List nothing yet."""
        self.where = where
        self.paths: list[str] = []
        self.sizes = array("q")
        self.skipped: dict[str, list[str]] = {}

    @abstractmethod
    def pieces(self, index: int) -> Iterator[bytes]:
        """Yield the content of a file in pieces of `PIECE` bytes at most.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """

    @abstractmethod
    def fingerprint(self, chosen: NDArray[np.integer]) -> str:
        """Return a checksum of what tells whether some files, given by index, have changed."""

    def read(self, index: int) -> bytes:
        """Return the content of a file; compare its size first.

        Raises:
            OSError: it cannot be read, or has changed.
            ValueError: it is damaged.
        """
        content = b"".join(self.pieces(index))
        if len(content) != self.sizes[index]:
            raise OSError("it has changed")
        return content

    def skip(self, reason: str, path: str) -> None:
        """List a file, or a whole folder, as skipped."""
        self.skipped.setdefault(reason, []).append(shown(path))

    def add(self, path: str, size: int) -> bool:
        """List a file that is no link; return whether it has content.

        Raises:
            InputError: there are too many.
        """
        if size == 0:
            self.skip(EMPTY, path)
            return False
        if len(self.paths) >= MOST_FILES:
            raise InputError(f"{self.where} holds more than {MOST_FILES:,} files; split it")
        self.paths.append(path)
        self.sizes.append(size)
        return True


class FolderFiles(FileList):
    """The files of a folder. Links to files inside it are followed, all other links are not."""

    def __init__(self, top: Path):
        """Walk through the folder.

        Raises:
            InputError: it, or a folder in it, cannot be read.
        """
        super().__init__(top)
        self._real = os.path.realpath(top)
        self._times = array("q")
        folders = [""]
        while folders:
            folders += self._list(folders.pop())

    def _list(self, folder: str) -> list[str]:
        """List the files of one folder; return its folders."""
        inner = []
        try:
            with os.scandir(self.where / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    if reason := unwanted(entry.name):
                        self.skip(reason, path)
                    elif entry.is_dir(follow_symlinks=False):
                        inner.append(path + "/")
                    else:
                        self._take(entry, path)
        except OSError as error:
            place = shown(str(self.where / folder))
            raise InputError(
                f"cannot read {place} ({error.strerror}); make it readable, or move it away"
            ) from error
        return inner

    def _take(self, entry: os.DirEntry, path: str) -> None:
        if entry.is_symlink() and (reason := self._why_not(entry.path)):
            self.skip(reason, path)
            return
        about = entry.stat()
        if not stat.S_ISREG(about.st_mode):
            self.skip(NOT_REGULAR, path)
        elif self.add(path, about.st_size):
            self._times.append(about.st_mtime_ns)

    def _why_not(self, link: str) -> str:
        """Return why a link is not followed; nothing if it is."""
        target = os.path.realpath(link)
        if not os.path.exists(target):
            return BROKEN
        if os.path.isdir(target):
            return TO_FOLDER
        return "" if target.startswith(os.path.join(self._real, "")) else OUTSIDE

    def pieces(self, index: int) -> Iterator[bytes]:
        """Yield the content of a file in pieces.

        Raises:
            OSError: it cannot be read, or has become a link to outside.
        """
        path = self.where / self.paths[index]
        if (link := path.is_symlink()) and (reason := self._why_not(str(path))):
            raise OSError(reason)
        with open_plain(path, self.sizes[index], links=link) as stream:
            while piece := stream.read(PIECE):
                yield piece

    def fingerprint(self, chosen: NDArray[np.integer]) -> str:
        """Return a checksum of paths, sizes and times of change."""
        checksum = hashlib.sha256()
        for index in chosen.tolist():
            about = f"{self.paths[index]}\0{self.sizes[index]}\0{self._times[index]}\n"
            checksum.update(os.fsencode(about))
        return checksum.hexdigest()


class PictureReader:
    """Decodes pictures of a source: an `ImageReader`."""

    def __init__(self, files: FileList, chosen: NDArray[np.integer]):
        """Read those files whose indices are `chosen`, in that order."""
        self._files, self._chosen = files, chosen

    def place(self, index: int) -> str:
        """Return the path of an image within the source."""
        return shown(self._files.paths[self._chosen[index]])

    def load(self, index: int) -> Image.Image:
        """Return an image as Pillow opens it; it is not decoded yet.

        Raises:
            UnreadableError: as `pictures.open_picture`; or the file cannot be read.
        """
        file = int(self._chosen[index])
        if self._files.sizes[file] > LARGEST_PICTURE:
            raise UnreadableError(TOO_LARGE)
        try:
            content = self._files.read(file)
        except FileNotFoundError as error:
            raise UnreadableError("missing") from error
        except OSError as error:
            raise UnreadableError("not readable, or changed") from error
        except ValueError as error:
            raise UnreadableError(DAMAGED) from error
        return open_picture(content, self._files.paths[file])


def unwanted(name: str) -> str:
    """Return why a file or folder of that name is no part of a data set; nothing if it may be."""
    if name.startswith("."):
        return HIDDEN
    return SYSTEM if name.lower() in SYSTEM_NAMES else ""


def pictures_of(files: FileList) -> NDArray[np.int32]:
    """Return the indices of the files that are pictures by their ending."""
    return np.fromiter(
        (index for index, path in enumerate(files.paths) if is_picture_name(path)), np.int32
    )


def described(skipped: dict[str, list[str]]) -> str:
    """Return how many files were skipped for which reasons, the most frequent first."""
    counts = sorted(((len(paths), reason) for reason, paths in skipped.items()), reverse=True)
    return ", ".join(f"{n:,} {reason}" for n, reason in counts)


def listed_paths(paths: Sequence[str], indices: NDArray[np.integer]) -> list[str]:
    """Return some of the paths for a message or a list of what was skipped."""
    return [shown(paths[index]) for index in indices.tolist()]
