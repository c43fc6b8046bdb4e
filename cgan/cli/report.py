"""cgan report and cgan compare: pages of what was scored."""

import shlex
import webbrowser
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from cgan.cli.completion import reports
from cgan.cli.options import (
    echo_json,
    echo_summary,
    json_option,
    reports_option,
    styled_verdict,
)
from cgan.config.commands import folder_flags
from cgan.config.schema import Folders
from cgan.io.run_layout import RESULTS, is_shipped_report, require_own_reports
from cgan.runtime.errors import InputError
from cgan.runtime.progress import wrapped

if TYPE_CHECKING:
    from cgan.reporting.comparing.entries import Entry
    from cgan.reporting.notebook import Evaluation

warn = partial(click.echo, err=True)


@click.command("report")
@click.argument("run", required=False, shell_complete=reports)
@click.option("--all", "everything", is_flag=True, help="Redraw all reports and the home page.")
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
@reports_option
def report(run: str | None, everything: bool, shown: bool, reports_dir: Path) -> None:
    """Draw the report of RUN again from its files (the newest when left out).

    Also writes the home page of the reports folder, index.html, which lists all reports.
    """
    if everything and run is not None:
        raise click.UsageError("--all takes no RUN")
    page = _redraw_all(reports_dir) if everything else _redraw(run, reports_dir)
    if shown and not webbrowser.open(page.resolve().as_uri()):
        warn("there is no browser to open it in; open that file yourself")


def _redraw(run: str | None, reports_dir: Path) -> Path:
    from cgan.reporting.page import write_report
    from cgan.reporting.read import find_report

    folder = find_report(run, reports_dir)
    if is_shipped_report(folder) and not is_shipped_report(reports_dir):
        page = folder / "index.html"  # found by its name, and drawn already
    else:
        page = write_report(folder).page
    click.echo(f"report: {page}")
    renew_home(reports_dir)
    return page


def _redraw_all(reports_dir: Path) -> Path:
    """Draw all reports of a folder again, then its home page; return the path of that.

    Raises:
        InputError: there is no report, or some cannot be drawn; all others are.
    """
    from cgan.reporting.home import write_home
    from cgan.reporting.page import write_report

    require_own_reports(reports_dir)
    folders = sorted(path.parent for path in reports_dir.glob(f"*/{RESULTS}"))
    if not folders:
        raise InputError(f"there is no report in {reports_dir}; run cgan evaluate first")
    failed = []
    for folder in folders:
        try:
            click.echo(f"report: {write_report(folder).page}")
        except InputError as error:
            failed.append(folder.name)
            warn(f"left out: {error}")
    page = write_home(reports_dir)
    assert page is not None  # there are reports, and they are the user's own
    click.echo(f"all reports: {page}")
    if failed:
        raise InputError(f"{', '.join(failed)} could not be drawn again; the reasons are above")
    return page


def renew_home(reports_dir: Path) -> None:
    """Write the home page of a folder of reports; if that fails, say so and go on."""
    from cgan.reporting.home import write_home

    try:
        write_home(reports_dir)
    except (InputError, OSError) as error:
        warn(f"without a home page: {error}")


def tell(report: "Evaluation", folders: Folders, *, as_json: bool = False) -> None:
    """Print what an evaluation found: the verdict, the numbers, where the report is."""
    from cgan.reporting.tables import summary
    from cgan.reporting.verdict import find_verdict

    results = report.results
    verdict = find_verdict(results, report.history)
    if as_json:
        said = {"kind": verdict.kind, "title": verdict.title, "meaning": verdict.meaning}
        content = msgspec.to_builtins(results)
        echo_json({"report": str(report.report), "verdict": said, "results": content})
        return
    sentence = wrapped(f"{results.run}: {verdict}")  # before the colours, which have no width
    word = styled_verdict(verdict.title, verdict.kind)
    click.echo(sentence.replace(f": {verdict.title}", f": {word}", 1))
    echo_summary(summary(results))
    click.echo(f"report: {report.report}")
    flags = folder_flags(folders, "reports")
    click.echo(f"open it with: cgan report {shlex.quote(results.run)}{flags} --open")


@click.command("compare")
@click.argument("runs", nargs=-1, shell_complete=reports)
@click.option("--leaderboard", is_flag=True, help="Write the leaderboard even of two runs.")
@click.option("--dataset", help="Compare the reports of this data set alone, in a leaderboard.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the pages.  [default: the reports folder]",
)
@json_option
@reports_option
def compare(
    runs: tuple[str, ...],
    leaderboard: bool,
    dataset: str | None,
    out: Path | None,
    as_json: bool,
    reports_dir: Path,
) -> None:
    """Compare the reports of RUNS; all reports where none is named.

    Two runs: side by side, in compare-A+B.html. Otherwise, or with --leaderboard: the leaderboard
    of reports of one data set, in leaderboard.html, .csv and .svg.
    """
    from cgan.reporting.comparing.entries import find_entries, named_entries

    folder = out or reports_dir
    if is_shipped_report(folder):
        raise InputError(
            f"{folder} holds the reports that come with cgan; choose another folder with --out"
        )
    if len(runs) == 2 and not leaderboard and dataset is None:
        first, second = named_entries(runs, reports_dir)
        _compare_two((first, second), folder, as_json)
    else:
        _compare_many(find_entries(list(runs), reports_dir, dataset, warn), folder, as_json)
    if folder.resolve() == reports_dir.resolve():
        renew_home(reports_dir)


def _compare_two(pair: "tuple[Entry, Entry]", folder: Path, as_json: bool) -> None:
    from cgan.reporting.comparing.leaderboard import leaderboard_facts
    from cgan.reporting.comparing.side_by_side import side_by_side_text, write_side_by_side

    page = write_side_by_side(pair, folder)
    if as_json:
        echo_json({"page": str(page), **leaderboard_facts([*pair])})
        return
    click.echo(side_by_side_text(pair))
    click.echo(f"side by side: {page}")


def _compare_many(entries: "list[Entry]", folder: Path, as_json: bool) -> None:
    from cgan.reporting.comparing.leaderboard import (
        leaderboard_facts,
        leaderboard_text,
        write_leaderboard,
    )

    page = write_leaderboard(entries, folder)
    if as_json:
        echo_json({"page": str(page), **leaderboard_facts(entries)})
        return
    click.echo(leaderboard_text(entries))
    click.echo(f"leaderboard: {page}")
