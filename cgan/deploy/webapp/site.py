"""A page as files by name, and the folder that it is written to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cgan.io.files import output_folder, require_writable
from cgan.io.journal import checksums, commit, locked
from cgan.runtime.errors import InputError

FACTS = "run.json"
FORMAT = 3  # of run.json; the same number is in app.js
MARKS = {"index.html", "app.js", FACTS}  # files that identify a folder with a page


@dataclass(frozen=True)
class Site:
    """The files of a page by name, the run that it shows, and what is missing, in words."""

    run: str
    files: Mapping[str, bytes]
    lacking: tuple[str, ...]


def require_free(folder: Path) -> None:
    """Check that a folder does not exist, is empty or holds a page, and can be written to.

    Raises:
        InputError: it is a file, holds other files, or cannot be written to.
    """
    require_writable(folder, "--out")
    if folder.is_dir() and any(folder.iterdir()) and not checksums(folder).keys() >= MARKS:
        raise InputError(f"--out {folder} has other files in it; name a new folder")


def write_site(site: Site, folder: Path) -> None:
    """Write a page's files to a folder, all or none; an earlier page in it is replaced.

    Raises:
        InputError: the folder has other files in it, or cannot be written to.
        OSError: it cannot be written to; it is unchanged.
    """
    require_free(folder)
    with output_folder(folder, "--out"), locked(folder):
        commit(folder, site.files, fresh=True)
