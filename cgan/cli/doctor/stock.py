"""Checks the folders: data sets, free disk space, weights, trainings, interrupted writes."""

import csv
import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from cgan.cli.doctor.computer import LITTLE
from cgan.cli.doctor.finding import Finding, ok, problem, warning
from cgan.config.schema import Folders
from cgan.data.download import leftovers
from cgan.data.mnist_sample import read_sample
from cgan.data.originals import (
    CLASSES,
    FILES,
    LOOSE,
    find,
    is_original,
    md5s,
    places,
    require_findable,
    unpacked_sha256,
    usual_name,
    why_not,
)
from cgan.io.files import nearest_existing, why_not_writable
from cgan.io.journal import COMING, LOCK, READY, checksums, damaged
from cgan.runtime.errors import InputError


def data_sets(data_dir: Path) -> Iterator[Finding]:
    """Report for every data set where its files are, and whether they are the published ones."""
    yield ok("digits", "embedded in scikit-learn")
    yield _embedded()
    remembered = cache(unpacked_sha256)
    for dataset in CLASSES:
        try:
            yield _data_set(dataset, data_dir, remembered)
        except (OSError, EOFError, zlib.error) as error:
            yield problem(dataset, f"in {data_dir} cannot be read ({error}); download it again")
        for folder in leftovers(dataset, data_dir):
            if not _is_held(data_dir / f".{dataset}.lock"):
                yield warning(
                    dataset,
                    f"{folder} is left from an interrupted download; the next download removes it",
                )


def _embedded() -> Finding:
    try:
        read_sample("test")
    except InputError as error:
        return problem("mnist-sample", str(error))
    return ok("mnist-sample", "embedded in cgan, intact")


def _data_set(dataset: str, data_dir: Path, sha256: Callable[[Path], str]) -> Finding:
    folders = places(dataset, data_dir)
    parts = [find(list(pair), folders) for pair in (FILES[:2], FILES[2:])]
    paths = [path for part in parts for path in part or []]
    if not paths and any(find([name], folders) for name in FILES):
        return warning(
            dataset, f"{data_dir} has no image file with its label file; add the missing files"
        )
    if not paths and dataset == LOOSE:
        try:
            require_findable(dataset, data_dir)
        except InputError as error:
            return warning(dataset, str(error))
    if not paths:
        text = f"not in {data_dir}; downloaded when needed, or give its folder with --data-dir"
        return warning(dataset, text) if dataset == LOOSE else ok(dataset, text)
    if reason := _why_not(dataset, data_dir, paths, sha256):
        return warning(dataset, reason)
    where = f"in {' and '.join(sorted({str(path.parent) for path in paths}))}"
    checked = True
    for path in paths:
        try:
            original = is_original(dataset, path, md5s(dataset), sha256)
        except (OSError, EOFError, zlib.error) as error:
            return problem(dataset, f"{path} is damaged ({error}); delete it and download it again")
        if original is False:
            text = f"{path} is not the published file: damaged, or other images; delete it and"
            return problem(dataset, f"{text} download it again")
        checked = checked and original is True
    if len(paths) < len(FILES):
        lacks = next(name for name in FILES if name not in [usual_name(path) for path in paths])
        return warning(dataset, f"{where}, but {lacks} is missing; add the missing files")
    if not checked:
        return ok(dataset, f"{where}; not checked: no checksum of these files is known")
    return ok(dataset, f"{where}; the checksums match the published files")


def _why_not(
    dataset: str, data_dir: Path, paths: list[Path], sha256: Callable[[Path], str]
) -> str | None:
    try:
        return why_not(dataset, data_dir, paths, sha256)
    except (OSError, EOFError, zlib.error):  # reported with the file
        return None


def room(folders: Folders) -> Iterator[Finding]:
    """Check that weights and reports can be written, and report the free disk space."""
    for flag, folder in (("--weights-dir", folders.weights), ("--reports-dir", folders.reports)):
        if reason := why_not_writable(folder):
            text = f"cannot write to {folder} ({reason}); choose another with {flag}"
            yield problem(flag, text)
            continue
        free = shutil.disk_usage(nearest_existing(folder)).free
        text = f"{folder} is writable; {free / 2**30:.1f} GB free"
        little = free < LITTLE
        yield warning(flag, f"{text}: free some disk space") if little else ok(flag, text)


def runs(folders: Folders) -> Iterator[Finding]:
    """Report which weights are intact, which trainings can be resumed, and interrupted writes."""
    from cgan.io.run_layout import SHIPPED

    for subject, root in (("shipped", SHIPPED), ("your runs", folders.weights)):
        states: dict[str, list[str]] = {}
        for folder in _folders(root):
            left = list(_left_behind(folder))
            yield from left
            if left:
                continue
            found = _weights(folder)
            if isinstance(found, Finding):
                yield found
            elif found is not None:
                states.setdefault(found, []).append(folder.name)
        text = "; ".join(f"{state}: {', '.join(names)}" for state, names in states.items())
        if not states and root == SHIPPED:
            yield problem(subject, f"there are no weights in {root}; reinstall cgan")
        else:
            yield ok(subject, text or f"none in {root}")
    can_go_on = [state for folder in _folders(folders.weights) if (state := _unfinished(folder))]
    if can_go_on:
        yield ok("unfinished", f"{', '.join(can_go_on)}; cgan train-gan --resume NAME continues")
    for folder in _folders(folders.reports):
        yield from _left_behind(folder)


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")


def _left_behind(folder: Path) -> Iterator[Finding]:
    """Report whether a folder is being written to, or a killed process left files in it."""
    if not any((folder / name).exists() for name in (COMING, READY, LOCK)):
        return
    if _is_held(folder / LOCK):
        yield ok("in use", f"{folder} is being written to by another process")
    elif (folder / READY).exists():
        text = (
            "a process was killed while moving complete files; the next command completes the move"
        )
        yield warning("half-written", f"{folder}: {text}")
    else:
        text = "a process was killed while writing; earlier files are unharmed, and the next write"
        yield warning("half-written", f"{folder}: {text} removes the rest")


def _is_held(lock: Path) -> bool:
    """Return whether a process holds a lock, without creating a lock file."""
    if not lock.is_file():
        return False
    held = FileLock(lock, timeout=0)
    try:
        held.acquire()
    except (Timeout, OSError):  # a lock without permission may be held
        return True
    held.release()
    return False


def _weights(folder: Path) -> str | Finding | None:
    """Return the state of a run's weights, or what is wrong with them; None if it has none."""
    from cgan.io.run_layout import CHECKPOINT, WEIGHTS

    present = [name for name in (*WEIGHTS.values(), CHECKPOINT) if (folder / name).is_file()]
    try:
        listed = checksums(folder)
        bad = damaged(folder)
    except InputError as error:
        return problem("weights", str(error))
    if bad:
        text = f"{folder / bad[0]} is missing or does not match its checksum; train the run again"
        return problem("weights", text)
    for name in present:
        reason = _unreadable(folder / name)
        if reason:
            text = f"{folder / name} is damaged ({reason}); train the run again"
            return problem("weights", text)
    if not present:
        return None
    if all(name in listed for name in present):
        return "match their checksums"
    return "readable, without checksums to check"


def _unreadable(path: Path) -> str | None:
    """Return what is wrong with a safetensors file's header or length; None if nothing is."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):
            return None
    except (SafetensorError, OSError) as error:
        return str(error)


def _unfinished(folder: Path) -> str | None:
    """Return the progress of a training with a checkpoint; None if it has finished."""
    from cgan.io.run_layout import CHECKPOINT

    if not (folder / CHECKPOINT).is_file():
        return None
    try:
        epochs = json.loads((folder / "config.json").read_text())["config"]["epochs"]
        with (folder / "history.csv").open(newline="") as stream:
            done = max(float(row["epoch"]) for row in csv.DictReader(stream))
    except (OSError, ValueError, KeyError, TypeError):
        return f"{folder.name} (not evaluated yet)"
    return None if done > epochs - 1e-6 else f"{folder.name} (epoch {done:g} of {epochs:g})"
