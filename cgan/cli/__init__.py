"""The command line: flags become a config and one call; the only package that knows click."""

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from cgan.cli import data, deploy, evaluate, info, report, run, sample, train_classifier, train_gan
from cgan.cli.help import write_commands
from cgan.io.strict import first_line
from cgan.runtime.errors import (
    ExportError,
    InputError,
    TrainingError,
    UncheckedWarning,
    failed_import,
    is_out_of_memory,
)
from cgan.runtime.signals import Stopped, stopping_at_once
from cgan.runtime.version import __version__

DONE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
SIGNALLED = 128  # and the signal's number, as shells have it


class CommandGroup(click.Group):
    """A group whose errors are one line for people: what is wrong, what to do."""

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run a command; word what it raises and leave with the right exit status."""
        if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may lack letters
            sys.stdout.reconfigure(errors="replace")
        # that matplotlib cannot keep a cache in an unwritable home changes no result
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        try:
            with stopping_at_once(), _warnings_in_lines():
                status = super().main(
                    args, **{"color": _color(), **extra, "standalone_mode": False}
                )
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            status = WRONG_USE
        except click.UsageError as error:
            where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
            status = _say(error.format_message() + where, WRONG_USE)
        except click.ClickException as error:
            status = _say(error.format_message(), error.exit_code)
        except (click.Abort, KeyboardInterrupt) as error:
            cause = error.__cause__ or error
            status = _say(_with_notes("interrupted", cause), INTERRUPTED)
            if isinstance(cause, Stopped):
                status = SIGNALLED + cause.number
        except (InputError, PermissionError) as error:
            status = _say(_message(error), WRONG_USE)
        except (TrainingError, ExportError, OSError) as error:
            status = _say(_with_notes(_message(error), error), FAILED)
        except Exception as error:
            said = _reason(error)
            if said is None:
                raise
            status = _say(_with_notes(said, error), FAILED)
        sys.exit(status or DONE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups."""
        write_commands(formatter)


@contextmanager
def _warnings_in_lines() -> Iterator[None]:
    """Show each warning about unchecked files once, as a line on stderr; others as usual."""
    shown: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", UncheckedWarning)
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **to: Any) -> None:
            if not issubclass(category, UncheckedWarning):
                usual(message, category, *where, **to)
            elif str(message) not in shown:
                shown.add(str(message))
                click.echo(f"warning: {message}", err=True)

        warnings.showwarning = show
        yield


def _reason(error: Exception) -> str | None:
    """Return what failed and what to do if the machine is the cause, not a fault in cgan."""
    if failed_import(error) is not None:
        return _message(error)
    if is_out_of_memory(error):
        return "out of memory; try a smaller --batch-size, or fewer images"
    return None


def _message(error: Exception) -> str:
    """Return what an error says; for one of the system, the file and the reason, no number."""
    package = failed_import(error)
    if package is not None:
        return (
            f"{package} cannot be imported ({first_line(error)}); free some memory, or reinstall "
            "the package"
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _with_notes(message: str, error: BaseException) -> str:
    return "; ".join([message, *getattr(error, "__notes__", [])])


def _say(message: str, status: int) -> int:
    name = click.style("cgan:", fg="red", bold=True)
    click.echo(f"{name} {' '.join(message.split())}", err=True, color=_color())
    return status


def _color() -> bool | None:
    """Return whether to use colours: not with NO_COLOR (no-color.org); None: on terminals."""
    return False if os.environ.get("NO_COLOR") else None


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="cgan")
def main() -> None:
    """Train a small conditional GAN guided by a classifier, and find out how good it is.

    Start with: cgan demo, or cgan run FOLDER
    """


for command in (
    run.run,
    run.demo,
    data.data,
    train_classifier.train_classifier,
    train_gan.train_gan,
    evaluate.evaluate,
    sample.sample,
    report.report,
    report.compare,
    sample.latent,
    deploy.export,
    deploy.play,
    info.recipes,
    info.runs,
    info.doctor,
):
    main.add_command(command)
