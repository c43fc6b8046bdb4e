"""cgan recipes, cgan runs and cgan doctor: what there is, and whether it works."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgan.cli.options import (
    data_option,
    device_option,
    echo_json,
    json_option,
    reports_option,
    styled_verdict,
    weights_option,
)
from cgan.config.commands import folder_flags
from cgan.config.recipes import ABOUT, RECIPES, measured, measurements
from cgan.config.schema import Folders
from cgan.runtime.progress import wrapped

if TYPE_CHECKING:
    from cgan.reporting.run_list import ListedRun

INDENT = " " * 6  # of further lines on a run
STATES = {"ok": "green", "warning": "yellow", "problem": "red"}  # of doctor's findings, in colour


@click.command("recipes")
@click.option("--fields", is_flag=True, help="Show the settings of each, as a table.")
@json_option
def recipes(fields: bool, as_json: bool) -> None:
    """List the recipes: the idea, the known fault, training times and scores on MNIST."""
    if as_json:
        echo_json({"recipes": [_recipe_facts(name) for name in RECIPES]})
        return
    if fields:
        import pandas as pd

        table = pd.DataFrame([asdict(row) for row in RECIPES.values()], index=list(RECIPES))
        click.echo(table.drop(columns=["recipe", "dataset"]).T.to_string())
        return
    for name in RECIPES:
        facts = _recipe_facts(name)
        told = "conditional" if facts["conditional"] else "unconditional: no class can be requested"
        click.echo(f"{click.style(name, bold=True)}: {facts['idea']}")
        click.echo(f"  {told}; {facts['g_weights']:,} weights in G, {facts['d_weights']:,} in D")
        click.echo(f"  known fault: {facts['fault']}")
        for line in measured(name):
            click.echo(f"  {line}")


def _recipe_facts(name: str) -> dict[str, Any]:
    from cgan.models.registry import n_weights

    conditional, g_weights, d_weights = n_weights(RECIPES[name])
    return {
        "name": name,
        **asdict(ABOUT[name]),
        "conditional": conditional,
        "g_weights": g_weights,
        "d_weights": d_weights,
        "measured": measurements(name),
        "settings": asdict(RECIPES[name]),
    }


@click.command("runs")
@json_option
@weights_option
@reports_option
def runs(as_json: bool, weights_dir: Path, reports_dir: Path) -> None:
    """List the trained runs, the newest first: what each learned, how good it is, where it is."""
    from cgan.reporting.run_list import list_runs

    found = list_runs(weights_dir, reports_dir)
    if as_json:
        echo_json({"runs": [_run_facts(run) for run in found]})
        return
    flags = folder_flags(Folders(weights=weights_dir, reports=reports_dir), "weights", "reports")
    for shipped, where in ((False, f"your runs, in {weights_dir}"), (True, "shipped runs")):
        listed = [run for run in found if run.shipped == shipped]
        click.echo(f"{where}:" if listed else f"{where}: none")
        for run in listed:
            first, *more = _run_lines(run, flags)
            click.echo(f"  {click.style(run.name, bold=True)}: {first}")
            for line in more:
                click.echo(INDENT + line)


def _run_facts(run: "ListedRun") -> dict[str, Any]:
    facts = {**asdict(run), "folder": str(run.folder)}
    facts["trained"] = None if run.trained is None else run.trained.isoformat()
    facts["report"] = None if run.report is None else str(run.report)
    return facts


def _run_lines(run: "ListedRun", flags: str) -> Iterator[str]:
    """Yield lines on a run; `flags` choose the folders of a command."""
    if run.problem is not None:
        yield "cannot be read"
        yield wrapped(f"{INDENT}{run.problem}").lstrip()
        return
    epochs = "not evaluated yet" if run.epochs is None else f"{run.epochs:.4g} epochs"
    if run.unfinished and run.epochs is not None:
        epochs = f"{run.epochs:.4g} of {run.epochs_planned:.4g} epochs"
    date = [] if run.trained is None else [f"{run.trained.astimezone():%Y-%m-%d %H:%M}"]
    yield ", ".join([f"{run.kind} of {run.dataset}", str(run.recipe), epochs, *date])
    name, train_flags = shlex.quote(run.name), flags.partition(" --reports-dir")[0]
    if run.unfinished:
        yield f"to continue: cgan train-gan --resume {name}{train_flags}"
    if run.test_accuracy is not None:
        yield f"classifies {run.test_accuracy:.2%} of the real test images correctly"
    if run.verdict is not None:
        report = f"cgan report {name} --open" if run.shipped else run.report
        word = styled_verdict(run.verdict, run.verdict_kind)
        yield f"{word}: {_scores(run.metrics or {})} ({report})"
    elif run.validation is not None:
        yield f"on validation images, in training: {_scores(run.validation)}"
        yield f"to evaluate: cgan evaluate {name}{flags}"


def _scores(scores: dict[str, float]) -> str:
    from cgan.metrics.registry import METRICS

    shown = ((METRICS[name], value) for name, value in scores.items())
    return ", ".join(
        f"{metric.short_title or metric.title} {value:{metric.short_form or metric.form}}"
        for metric, value in shown
    )


@click.command("doctor")
@json_option
@data_option
@weights_option
@reports_option
@device_option
@click.pass_context
def doctor(
    context: click.Context,
    as_json: bool,
    data_dir: Path,
    weights_dir: Path,
    reports_dir: Path,
    device: str,
) -> None:
    """Check that everything needed is installed and works; exit status 1 if something does not."""
    from cgan.cli.doctor import examine

    findings = examine(Folders(data_dir, weights_dir, reports_dir), device)
    n_problems = sum(finding.state == "problem" for finding in findings)
    if as_json:
        echo_json({"findings": [asdict(finding) for finding in findings], "problems": n_problems})
        context.exit(1 if n_problems else 0)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        state = click.style(f"{finding.state:<7}", fg=STATES[finding.state])
        click.echo(f"{state}  {finding.subject:<{width}}  {finding.text}")
    if n_problems:
        click.echo(f"{n_problems} problem{'s' * (n_problems > 1)}")
        context.exit(1)
    click.echo("everything that is here can be used")
