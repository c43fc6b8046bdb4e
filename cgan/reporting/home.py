"""The home page of a reports folder: every report in it, the newest first; no matplotlib."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cgan.io.files import make_folder
from cgan.io.journal import PATIENCE, commit, locked
from cgan.io.run_layout import RESULTS, is_shipped_report
from cgan.io.strict import first_line
from cgan.metrics.results import Results
from cgan.reporting import tables
from cgan.reporting.gallery import Tile, read_strip
from cgan.reporting.read import read_history, read_results
from cgan.reporting.rendering import link, render
from cgan.reporting.verdict import find_verdict
from cgan.runtime.errors import InputError

PAGE = "index.html"
MARK = b'<meta name="generator" content="cgan">'  # of a home page, which may be replaced
MARKED = 2**12  # bytes in which the mark is
SEVERAL = ("leaderboard.html", "compare-*.html")  # pages of several reports


@dataclass(frozen=True)
class ReportSummary:
    """A row of the home page; of a report that cannot be read, `reason` alone."""

    name: str
    link: str | None
    written: datetime  # when it was evaluated, in UTC
    reason: str = ""
    dataset: str = ""
    verdict: str = ""
    kind: str = ""  # of the verdict
    judge_accuracy: str = ""
    fcd: str = ""
    n_samples: int = 0
    strip: Tile | None = None


def write_home(reports_dir: Path) -> Path | None:
    """Write index.html, which lists the reports of a folder and links to pages that compare them.

    A report that cannot be read is listed with the reason.

    Returns:
        The path of the page. None where nothing is to be listed, and for the folder of the shipped
        reports, which stays as it is.

    Raises:
        InputError: another process is writing to the folder, it cannot be written to, or its
            index.html is not one of these pages.
    """
    page = reports_dir / PAGE
    if is_shipped_report(reports_dir):
        return None
    listed, others = find_summaries(reports_dir), find_comparisons(reports_dir)
    if not listed and not others:
        return None
    make_folder(reports_dir, "--reports-dir")
    with locked(reports_dir, wait=PATIENCE):
        if page.is_file() and not _is_own(page):
            raise InputError(
                f"{page} is not a page of cgan; move it, or choose another --reports-dir"
            )
        commit(reports_dir, {PAGE: render("home.html", reports=listed, comparisons=others)})
    return page


def find_summaries(reports_dir: Path) -> list[ReportSummary]:
    """Return what the home page says of each report in a folder, the newest first."""
    folders = [path.parent for path in reports_dir.glob(f"*/{RESULTS}")]
    found = [_summary(folder, reports_dir) for folder in folders if folder.name[0] != "."]
    return sorted(found, key=lambda report: (report.written, report.name), reverse=True)


def _summary(folder: Path, reports_dir: Path) -> ReportSummary:
    name, page = folder.name, link(folder / PAGE, reports_dir)
    written = datetime.fromtimestamp((folder / RESULTS).stat().st_mtime, UTC)
    try:
        results = read_results(folder)
        verdict = find_verdict(results, read_history(folder))
        strip = read_strip(folder, results)
    except (InputError, OSError) as error:
        reason = first_line(error).replace(f"{folder}/", "")  # the page may go elsewhere
        return ReportSummary(name, page, written, reason=reason)
    return ReportSummary(
        name,
        page,
        results.provenance.created or written,  # the date of the file changes when it is copied
        dataset=results.dataset,
        verdict=verdict.title,
        kind=verdict.kind,
        judge_accuracy=_worded(results, "judge_accuracy"),
        fcd=_worded(results, "fcd"),
        n_samples=results.n_samples,
        strip=strip,
    )


def _worded(results: Results, name: str) -> str:
    score = results.metrics.get(name)
    return tables.worded(name, score.value if score else None)


def find_comparisons(reports_dir: Path) -> list[tuple[str, str]]:
    """Return title and link of each page of several reports in a folder."""
    paths = [path for pattern in SEVERAL for path in sorted(reports_dir.glob(pattern))]
    titles = [(path.stem.removeprefix("compare-"), link(path, reports_dir)) for path in paths]
    return [(title, address) for title, address in titles if address is not None]


def _is_own(page: Path) -> bool:
    with page.open("rb") as stream:
        return MARK in stream.read(MARKED)
