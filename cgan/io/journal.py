"""Atomic changes of several files in a folder: a journal, checksums, one writer at a time.

New files are written to a temporary folder, with a manifest of their checksums. One rename commits
them. Then they are moved into place; if the writer is killed, the next command completes the move.
Before the rename the folder counts as unchanged, after it as changed.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from cgan.io.files import json_bytes, sync, write_through
from cgan.io.strict import FormatError, format_of, read_json, read_plain
from cgan.runtime.errors import InputError

MANIFEST = "manifest.json"
FORMAT = 1  # of the manifest
COMING, READY = ".coming", ".ready"  # being written; committed, but not yet moved
LOCK = ".lock"
NOBODY = "another process"  # whose id is unknown
PATIENCE = 10.0  # seconds that a short write waits for another process
LARGEST_MANIFEST = 2**22  # bytes
SHA256 = re.compile(r"[0-9a-f]{64}")


@contextmanager
def locked(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Lock a folder, creating it, so that no other process writes to it.

    The system releases the lock of a killed process. A folder that is left empty is removed.

    Raises:
        InputError: another process still holds the lock after `wait` seconds.
        OSError: it cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"{folder} is being written to by {_holder(folder)}; wait for it, or choose another "
            "--name"
        ) from error
    try:
        with suppress(OSError):  # on some systems the lock also keeps its holder from writing
            (folder / LOCK).write_text(str(os.getpid()))
        settle(folder, held=True)
        yield
    finally:
        with suppress(OSError):  # the folder may have been deleted, which is reported elsewhere
            (folder / LOCK).unlink(missing_ok=True)  # only while this process holds the lock
        lock.release()
        with suppress(OSError):
            folder.rmdir()  # if it is empty


def _holder(folder: Path) -> str:
    try:
        return f"process {int((folder / LOCK).read_text())}"
    except (OSError, ValueError):
        return NOBODY


def commit(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    fresh: bool = False,
    gone: Iterable[str] = (),
    removed: Iterable[str] = (),
) -> None:
    """Write files to a folder locked by `locked`: all of them or none.

    Args:
        folder: the locked folder.
        files: contents by name; a name may include subfolders.
        fresh: also remove the files of earlier commits.
        gone: names of other files to remove, unless an earlier commit wrote them.
        removed: names of other files to remove, even if an earlier commit wrote them.

    Raises:
        OSError: the files cannot be written or are too many, and the folder is unchanged. Or the
            folder no longer exists.
    """
    if not folder.is_dir():
        raise OSError(f"{folder} was deleted, with the files in it; start again")
    coming = folder / COMING
    shutil.rmtree(coming, ignore_errors=True)  # left by a killed writer
    old = _known(folder, may_be_damaged=fresh)
    new = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    dropped = set(removed) - new.keys()
    listed = {**new} if fresh else {**old, **new}
    for name in dropped & listed.keys():
        del listed[name]
    going = sorted((old.keys() | set(gone) | dropped) - listed.keys())
    manifest = json_bytes({"format": FORMAT, "sha256": listed, "gone": going})
    if len(manifest) > LARGEST_MANIFEST:
        raise OSError(f"{folder} would have {len(listed):,} files, too many for its {MANIFEST}")
    try:
        for name, content in files.items():
            write_through(coming / name, content)
        write_through(coming / MANIFEST, manifest)
        for place in {coming, *(path.parent for path in coming.rglob("*"))}:
            sync(place)
        coming.rename(folder / READY)
    except KeyboardInterrupt:
        shutil.rmtree(coming, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(coming, ignore_errors=True)
        reason = error.strerror or str(error)
        raise OSError(f"cannot write to {folder} ({reason}); it is unchanged") from error
    sync(folder)
    settle(folder, held=True)


def _known(folder: Path, *, may_be_damaged: bool) -> dict[str, str]:
    try:
        return checksums(folder)
    except InputError:
        if may_be_damaged:  # it will be replaced
            return {}
        raise


def settle(folder: Path, *, held: bool = False) -> None:
    """Complete the move that a killed writer left undone; a running writer completes its own.

    Raises:
        InputError: the files to move are damaged.
        OSError: the folder cannot be written to.
    """
    if not held:
        _settle_when_free(folder)
        return
    if not (folder / READY).is_dir():
        return
    ready = folder / READY
    if (ready / MANIFEST).is_file():
        manifest = _read(ready / MANIFEST)
        moving = [name for name in manifest["sha256"] if (ready / name).is_file()]
        for name in [*moving, *manifest["gone"]]:
            _require_no_link(folder, name)
        for name in moving:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (ready / name).replace(folder / name)
        for name in manifest["gone"]:
            (folder / name).unlink(missing_ok=True)
        (ready / MANIFEST).replace(folder / MANIFEST)  # last: it marks the move as unfinished
    shutil.rmtree(ready)
    sync(folder)


def _settle_when_free(folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while (folder / READY).is_dir():
        try:
            with locked(folder):  # settles
                return
        except InputError:
            # locked by a writer that is about to move the files; or damaged, so waiting is useless
            if time.monotonic() > end or _holder(folder) == NOBODY:
                raise
            time.sleep(0.02)


def settle_all(root: Path) -> None:
    """Complete interrupted moves in the folders of `root`, where possible."""
    for ready in root.glob(f"*/{READY}"):
        with suppress(InputError, OSError):
            settle(ready.parent)


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every committed file by name; empty without a manifest.

    Raises:
        InputError: the manifest is damaged, or names a file that is not in the folder.
    """
    path = folder / MANIFEST
    return dict(_read(path)["sha256"]) if path.is_file() else {}


def damaged(folder: Path) -> list[str]:
    """Return the names of committed files that are missing or have changed.

    Raises:
        InputError: the manifest is damaged.
    """
    settle(folder)
    return [name for name, wanted in checksums(folder).items() if _sha256(folder / name) != wanted]


def require_whole(folder: Path, *names: str) -> None:
    """Check files of a folder against its manifest, if it has one that lists them.

    Raises:
        InputError: one of them is missing or has changed.
    """
    settle(folder)
    for patient in (True, True, False):
        wanted = checksums(folder)
        bad = [n for n in names if n in wanted and _sha256(folder / n) != wanted[n]]
        if not bad:
            return
        if patient:  # a commit may be under way
            time.sleep(0.1)
    raise _changed(folder / bad[0])


def read_whole(folder: Path, name: str, largest: int) -> bytes:
    """Return the bytes of a committed file, `largest` at most, checked against the manifest.

    Raises:
        InputError: it has changed, or the manifest is damaged.
        OSError: the manifest does not list it; or as `cgan.io.strict.read_plain`.
    """
    settle(folder)
    for patient in (True, True, False):
        content = read_plain(folder / name, largest)
        wanted = checksums(folder).get(name)
        if wanted is None:
            raise OSError(f"{MANIFEST} does not list it")
        if hashlib.sha256(content).hexdigest() == wanted:
            return content
        if patient:  # a commit may be under way
            time.sleep(0.1)
    raise _changed(folder / name)


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} is damaged: it does not match its {MANIFEST}; train or score the run again"
    )


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """Return a manifest whose file names are all inside its folder."""
    try:
        content = read_json(path, LARGEST_MANIFEST)
        format_of(content, FORMAT)
        names = [*content["sha256"], *content["gone"]]
        if not all(_is_inside(name) for name in names):
            raise ValueError("it names a file outside its folder")
        if not all(SHA256.fullmatch(value) for value in content["sha256"].values()):
            raise ValueError("it lacks a checksum")
    except FormatError as error:
        raise InputError(f"{path} {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({error}); train or score the run again") from error
    return dict(content)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    plain = "\\" not in name and ":" not in name and "\0" not in name
    return plain and not path.is_absolute() and ".." not in path.parts and bool(path.parts)


def _require_no_link(folder: Path, name: str) -> None:
    """Check that the path of a file does not leave its folder through a link.

    Raises:
        InputError: it does.
    """
    for place in (folder / name).parents:
        if place == folder:
            return
        if place.is_symlink():
            raise InputError(f"{place} is a link; remove it, so that nothing is written elsewhere")
