"""Completes the names of runs and reports in a shell, from the names of files alone; no torch."""

from collections.abc import Iterable
from pathlib import Path

from click import Context, Parameter
from click.shell_completion import CompletionItem

from cgan.config.schema import Folders
from cgan.io.run_layout import CHECKPOINT, runs


def generators(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trained generators, one's own and those that ship."""
    return _items(runs(_folder(context, "weights"), "gan"), context, parameter, incomplete)


def classifiers(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trained classifiers, one's own and those that ship."""
    return _items(runs(_folder(context, "weights"), "classifier"), context, parameter, incomplete)


def trainings(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trainings that can go on."""
    found = _folder(context, "weights").glob(f"*/{CHECKPOINT}")
    return _items((path.parent.name for path in found), context, parameter, incomplete)


def reports(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the runs that have a report."""
    found = _folder(context, "reports").glob("*/results.json")
    return _items((path.parent.name for path in found), context, parameter, incomplete)


def _folder(context: Context, name: str) -> Path:
    """Return the folder that was typed, or the usual one."""
    return Path(context.params.get(f"{name}_dir") or getattr(Folders, name))


def _items(
    names: Iterable[str], context: Context, parameter: Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names that begin as typed, those of `compare` once each; or folders by path."""
    if "/" in incomplete:
        return [CompletionItem(incomplete, type="dir")]
    given = context.params.get(parameter.name or "") if parameter.nargs == -1 else None
    left = sorted(set(names) - set(given or ()))
    return [CompletionItem(name) for name in left if name.startswith(incomplete)]
