"""Shell completion of the names of runs and reports. It reads file names only, without torch."""

from collections.abc import Iterable
from pathlib import Path

from click import Context, Parameter
from click.shell_completion import CompletionItem

from cgan.config.schema import Folders
from cgan.data.spec import DESCRIPTIONS
from cgan.data.store import stores
from cgan.io import run_layout
from cgan.io.run_layout import CHECKPOINT, runs


def generators(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trained generators, the user's and the shipped ones."""
    return _items(runs(_folder(context, "weights"), "gan"), context, parameter, incomplete)


def classifiers(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trained classifiers, the user's and the shipped ones."""
    return _items(runs(_folder(context, "weights"), "classifier"), context, parameter, incomplete)


def trainings(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trainings that can be resumed."""
    found = _folder(context, "weights").glob(f"*/{CHECKPOINT}")
    return _items((path.parent.name for path in found), context, parameter, incomplete)


def datasets(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the data sets by name, and files and folders, which may hold labelled images."""
    imported = [store.folder.name for store in stores(_folder(context, "data"))]
    names = _items([*DESCRIPTIONS, *imported], context, parameter, incomplete)
    return names or [CompletionItem(incomplete, type="file")]


def reports(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the reports, the user's and the shipped ones."""
    found = run_layout.reports(_folder(context, "reports"))
    return _items(found, context, parameter, incomplete)


def _folder(context: Context, name: str) -> Path:
    """Return the folder of the typed option, or the default one."""
    return Path(context.params.get(f"{name}_dir") or getattr(Folders, name))


def _items(
    names: Iterable[str], context: Context, parameter: Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names that start with the typed text; for text with a slash, folders.

    An argument that takes several names completes each name once.
    """
    if "/" in incomplete:
        return [CompletionItem(incomplete, type="dir")]
    given = context.params.get(parameter.name or "") if parameter.nargs == -1 else None
    left = sorted(set(names) - set(given or ()))
    return [CompletionItem(name) for name in left if name.startswith(incomplete)]
