"""cgan report and cgan compare: pages of what was scored."""

import webbrowser
from functools import partial
from pathlib import Path

import click

from cgan.cli.completion import reports
from cgan.cli.options import reports_option


@click.command("report")
@click.argument("run", required=False, shell_complete=reports)
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
@reports_option
def report(run: str | None, shown: bool, reports_dir: Path) -> None:
    """Draw the report of RUN again from its files (the newest when left out)."""
    from cgan.reporting.page import write_report
    from cgan.reporting.read import find_report

    page = write_report(find_report(run, reports_dir)).page
    click.echo(f"report: {page}")
    if shown and not webbrowser.open(page.resolve().as_uri()):
        click.echo("there is no browser to open it in; open that file yourself", err=True)


@click.command("compare")
@click.argument("runs", nargs=-1, shell_complete=reports)
@click.option("--dataset", help="Compare the reports of this data set alone.")
@reports_option
def compare(runs: tuple[str, ...], dataset: str | None, reports_dir: Path) -> None:
    """Compare the reports of RUNS, of one data set; all reports where none is named.

    Writes leaderboard.csv, leaderboard.html and leaderboard.png to the reports folder.
    """
    from cgan.reporting.entries import find_entries
    from cgan.reporting.leaderboard import leaderboard_text, write_leaderboard

    entries = find_entries(list(runs), reports_dir, dataset, partial(click.echo, err=True))
    click.echo(leaderboard_text(entries))
    click.echo(f"leaderboard: {write_leaderboard(entries, reports_dir)}")
