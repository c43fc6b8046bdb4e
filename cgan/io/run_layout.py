"""Where runs are stored, one's own and the shipped ones, and their file names; no torch."""

import csv
import io
import math
import re
import shlex
import warnings
from pathlib import Path

from cgan.io.journal import MANIFEST, checksums, require_whole, settle_all
from cgan.io.strict import read_plain
from cgan.runtime.errors import InputError, UncheckedWarning, nearest
from cgan.runtime.wording import numbered

WEIGHTS = {"classifier": "classifier.safetensors", "gan": "generator.safetensors"}
DISCRIMINATOR = "discriminator.safetensors"
PACKAGE = Path(__file__).parent.parent
SHIPPED = PACKAGE / "weights"  # runs that come with the package
# their reports: the build copies them into the package; a checkout has them beside it
SHIPPED_REPORTS = next(
    (
        folder
        for folder in (PACKAGE / "reports", PACKAGE.parent / "reports/examples")
        if folder.is_dir()
    ),
    PACKAGE / "reports",
)
CONFIG = "config.json"
CONFIG_FORMAT = 2  # format 1, of version 0.1, has the same entries but no format number
CHECKPOINT = "checkpoint.safetensors"
RESULTS = "results.json"  # of a report
HISTORY = "history.csv"
LARGEST_HISTORY = 2**22  # bytes; ours have thousands
CHECKED = (CONFIG, *WEIGHTS.values(), DISCRIMINATOR, CHECKPOINT, HISTORY)  # by the manifest
PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
# names of devices on Windows, with any extension: no file or folder can have them there
RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
SHIPPED_GAN = "mnist"  # used if there is no generator of one's own


def plain_name(name: str) -> str:
    """Return `name` if it is a safe folder name.

    Raises:
        InputError: it is not.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise InputError(
            f"{name!a:.120} is not a run name; use letters, digits, '.', '_' and '-', and no '.' "
            "at the end"
        )
    if RESERVED_NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a run name: Windows reserves it; choose another name")
    return name


def runs(weights_dir: Path, kind: str) -> dict[str, Path]:
    """Return the runs of `kind` ("classifier" or "gan") by name; one's own hide shipped ones."""
    found: dict[str, Path] = {}
    for root in (SHIPPED, weights_dir):
        if root.is_dir():
            found |= {f.name: f for f in sorted(root.iterdir()) if (f / WEIGHTS[kind]).is_file()}
    return {name: path for name, path in found.items() if not name.startswith(".")}


def reports(reports_dir: Path) -> dict[str, Path]:
    """Return the folders of reports by name; one's own hide shipped ones."""
    found: dict[str, Path] = {}
    for root in (SHIPPED_REPORTS, reports_dir):
        found |= {path.parent.name: path.parent for path in sorted(root.glob(f"*/{RESULTS}"))}
    return {name: path for name, path in found.items() if not name.startswith(".")}


def is_shipped_report(folder: Path) -> bool:
    """Return whether a folder is the one of the shipped reports, or lies in it."""
    return folder.resolve().is_relative_to(SHIPPED_REPORTS.resolve())


def require_own_reports(folder: Path) -> None:
    """Check that a folder of reports is the user's own.

    Raises:
        InputError: it holds the shipped reports.
    """
    if is_shipped_report(folder):
        raise InputError(
            f"{folder} holds the reports that come with cgan; choose another --reports-dir"
        )


def require_intact(folder: Path, *names: str) -> None:
    """Check files of a run against its manifest; warn if it does not list all that matter.

    Raises:
        InputError: one of `names` is missing or has changed, or the manifest is damaged.
    """
    require_whole(folder, *names)
    listed = checksums(folder)
    unlisted = [name for name in CHECKED if name not in listed and (folder / name).is_file()]
    if unlisted:
        without = "; reports leave the history out" if HISTORY in unlisted else ""
        state = "does not list" if listed else "is missing or empty; nothing lists"
        warnings.warn(
            f"{folder / MANIFEST} {state} {', '.join(unlisted)}, so damage to them would not be "
            f"noticed{without}",
            UncheckedWarning,
            stacklevel=3,
        )


def epochs_trained(folder: Path) -> float | None:
    """Return the last epoch in a run's history, or None where that cannot be read."""
    try:
        text = read_plain(folder / HISTORY, LARGEST_HISTORY).decode()
        last = float(list(csv.DictReader(io.StringIO(text)))[-1]["epoch"])
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return None
    return last if math.isfinite(last) else None


def unused_name(weights_dir: Path, name: str, overwrite: bool) -> str:
    """Return `name`, or `name-2`, `name-3`, ... when it is taken and must not be overwritten."""
    taken = runs(weights_dir, "gan")
    return next(
        free
        for free in numbered(name)
        if overwrite or not (free in taken or (weights_dir / free).exists())
    )


def require_free(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder holds no run, unless it may be overwritten.

    Raises:
        InputError: it holds one.
    """
    taken = folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir())
    if taken and not overwrite:
        further = f", or resume it with --resume {folder.name}"
        raise InputError(
            f"{folder} exists already; choose another --name or add --overwrite"
            + further * (folder / CHECKPOINT).is_file()
        )


def is_run(run: str, weights_dir: Path, kind: str) -> bool:
    """Return whether there is a run of a kind, given its name or the path of its folder."""
    return run in runs(weights_dir, kind) or (Path(run) / WEIGHTS[kind]).is_file()


def find_run(run: str, weights_dir: Path, kind: str) -> Path:
    """Return the folder of a run, given its name or the path of its folder.

    Raises:
        InputError: there is none; the message names the closest one and how to train one.
    """
    settle_all(weights_dir)
    known = runs(weights_dir, kind)
    if run in known:
        return known[run]
    if (Path(run) / WEIGHTS[kind]).is_file():
        return Path(run)
    for folder in (weights_dir / run, Path(run)):
        if kind == "gan" and PLAIN_NAME.fullmatch(folder.name) and (folder / CHECKPOINT).is_file():
            raise InputError(
                f"{folder} has not been scored yet, so it has no generator; continue with: "
                f"cgan train-gan --resume {folder}"
            )
    train = "cgan train-gan" if kind == "gan" else "cgan train-classifier --save-model"
    raise InputError(
        f"no {kind} run {run!r} in {weights_dir}{nearest(run, known)}; train one with {train}"
    )


def newest_run(weights_dir: Path) -> str:
    """Return the name of the GAN run that was written last; the shipped one where there is none.

    Raises:
        InputError: there is no run at all.
    """
    known = runs(weights_dir, "gan")
    own = [name for name in known if known[name].resolve().parent != SHIPPED.resolve()]
    if own:
        return max(own, key=lambda name: (known[name] / WEIGHTS["gan"]).stat().st_mtime_ns)
    if SHIPPED_GAN in known:
        return SHIPPED_GAN
    raise InputError(f"there is no trained generator in {weights_dir}; run cgan train-gan")


def resumable(run: str | None, weights_dir: Path) -> Path:
    """Return the folder of a training that can be resumed, by name or folder; None: the newest.

    Raises:
        InputError: there is none.
    """
    settle_all(weights_dir)
    known = {path.parent.name: path.parent for path in weights_dir.glob(f"*/{CHECKPOINT}")}
    if run is None and known:
        return max(known.values(), key=lambda folder: (folder / CHECKPOINT).stat().st_mtime_ns)
    if run is not None and (Path(run) / CHECKPOINT).is_file():
        return Path(run).resolve()
    if run is not None and run in known:
        return known[run]
    if run is not None and is_run(run, weights_dir, "gan"):
        folder = runs(weights_dir, "gan").get(run, Path(run))
        shown = run if folder.parent == SHIPPED else str(folder)
        raise InputError(
            f"{run} cannot be resumed, because it has no {CHECKPOINT}; to start from its weights: "
            f"cgan train-gan --init {shlex.quote(shown)}"
        )
    wanted = f"no training {run!r}" if run else "no training"
    raise InputError(
        f"there is {wanted} with a {CHECKPOINT} in {weights_dir}{nearest(run or '', known)}"
    )
