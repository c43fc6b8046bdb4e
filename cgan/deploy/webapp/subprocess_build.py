"""Builds a page in a subprocess, because the export to ONNX takes a gigabyte of memory.

The server then holds only the page, and Ctrl-C ends it at once.
"""

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from cgan.deploy.webapp.site import Site
from cgan.runtime.errors import UncheckedWarning, failed_import


def make_site_in_subprocess(run: str | None, weights_dir: Path) -> Site:
    """Do the same as `make_site` of cgan.deploy.webapp.build, without importing torch here.

    Raises:
        InputError: as `make_site`.
        OSError: the process was killed.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_site, args=(sender, run, weights_dir), daemon=True)
    with _interrupts_blocked():
        process.start()
    sender.close()
    try:
        made = receiver.recv()
    except EOFError as error:
        process.join()
        raise OSError(
            f"the process that writes the networks ended with status {process.exitcode}; "
            "is there enough memory?"
        ) from error
    finally:
        process.kill()  # it holds nothing that must be closed
        process.join()
    if isinstance(made, Exception):
        raise made
    assert isinstance(made, Site)
    return made


def _send_site(sender: Connection, run: str | None, weights_dir: Path) -> None:
    try:
        from cgan.deploy.webapp.build import make_site

        with warnings.catch_warnings(record=True) as caught:
            site = make_site(run, weights_dir)
        told = [str(w.message) for w in caught if issubclass(w.category, UncheckedWarning)]
        sender.send(replace(site, lacking=(*site.lacking, *dict.fromkeys(told))))
    except Exception as error:
        if isinstance(error, ImportError):
            error.name = failed_import(error)  # which needs the traceback, and that is not sent
        sender.send(error)  # raised again in the parent process


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT; a process that is started meanwhile inherits the block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
