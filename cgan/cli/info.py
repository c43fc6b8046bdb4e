"""cgan recipes and cgan doctor: what there is, and whether it works."""

from dataclasses import asdict
from pathlib import Path

import click

from cgan.cli.options import data_option, device_option, reports_option, weights_option
from cgan.config.recipes import ABOUT, RECIPES, measured
from cgan.config.schema import Folders


@click.command("recipes")
@click.option("--fields", is_flag=True, help="Show the settings of each, as a table.")
def recipes(fields: bool) -> None:
    """List the recipes: what each is, what is wrong with it, and what it came to on MNIST."""
    import pandas as pd

    if fields:
        table = pd.DataFrame([asdict(row) for row in RECIPES.values()], index=list(RECIPES))
        click.echo(table.drop(columns=["recipe", "dataset"]).T.to_string())
        return
    from cgan.models.registry import n_weights

    for name, row in RECIPES.items():
        conditional, g_weights, d_weights = n_weights(row)
        told = "conditional" if conditional else "unconditional: no class can be requested"
        click.echo(f"{name}: {ABOUT[name].idea}")
        click.echo(f"  {told}; {g_weights:,} weights in G, {d_weights:,} in D")
        click.echo(f"  known fault: {ABOUT[name].fault}")
        for line in measured(name):
            click.echo(f"  {line}")


@click.command("doctor")
@data_option
@weights_option
@reports_option
@device_option
@click.pass_context
def doctor(
    context: click.Context, data_dir: Path, weights_dir: Path, reports_dir: Path, device: str
) -> None:
    """Tell whether all that is needed is here and works; exit status 1 if something does not."""
    from cgan.cli.doctor import examine

    findings = examine(Folders(data_dir, weights_dir, reports_dir), device)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.state:<7}  {finding.subject:<{width}}  {finding.text}")
    n_problems = sum(finding.state == "problem" for finding in findings)
    if n_problems:
        click.echo(f"{n_problems} problem{'s' * (n_problems > 1)}")
        context.exit(1)
    click.echo("everything that is here can be used")
