"""The name of a report: one that was made of other images is not replaced."""

import os
from pathlib import Path

from cgan.evaluation.report_files import shown_path
from cgan.io.run_layout import RESULTS, plain_name
from cgan.io.strict import read_json
from cgan.metrics.results_file import LARGEST_FILE, parse_results
from cgan.models.hub import GanRun
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress
from cgan.runtime.wording import numbered

IN_MEMORY = "arrays in memory"


def source_of(gan: GanRun | None, images: object, reports_dir: Path) -> str | None:
    """Return where images come from: the path of a run or of images, seen from the reports.

    So it stays the same if both folders move together. None: the path is unusable as text.
    """
    path = gan.folder if gan is not None else images
    if not isinstance(path, Path):
        return IN_MEMORY
    try:
        return shown_path(Path(os.path.relpath(path.resolve(), reports_dir.resolve())))
    except ValueError:  # it is on another drive of Windows
        return shown_path(path.resolve())


def report_name(
    given: str | None, usual: str, source: str | None, reports_dir: Path, progress: Progress
) -> str:
    """Return the name of a new report, so that it does not replace one of another source.

    Args:
        given: the wanted name; None: `usual`, or with -2, -3, ... if another source has it.
        usual: the name of the run or of the images.
        source: of the images, as `source_of` returns it.
        reports_dir: the folder of reports.
        progress: is told of a name that is taken.

    Raises:
        InputError: a name that cannot be a folder's, or `given` is taken by another source.
    """
    taken = ""
    for name in map(plain_name, numbered(given or usual)):
        if taken:
            progress.line(f"{taken}; this report goes to {reports_dir / name}")
        other = _other_source(reports_dir / name, source)
        if other is None:
            break
        taken = f"{reports_dir / name} is the report of {other}"
        if given is not None:
            raise InputError(f"{taken}; choose another --name, or delete that report")
    return name


def _other_source(folder: Path, source: str | None) -> str | None:
    """Return the source of the report in a folder if it is another one, else None.

    A damaged report, or one of a version that recorded no source, may be replaced.
    """
    if not (folder / RESULTS).is_file():
        return None
    try:
        made = parse_results(read_json(folder / RESULTS, LARGEST_FILE)).provenance
    except (OSError, ValueError):
        return None
    return None if made.source in (None, source) else made.source
