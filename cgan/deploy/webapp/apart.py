"""Assembles a page in a process of its own: what writes ONNX fills a gigabyte, and is slow to end.

So the server holds the page alone, and Ctrl-C ends it at once.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from cgan.deploy.webapp.site import Site


def make_site_apart(run: str | None, weights_dir: Path) -> Site:
    """Return what `make_site` of cgan.deploy.webapp.assembling does, without importing torch here.

    Raises:
        InputError: as `make_site`.
        OSError: the process was killed.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_site, args=(sender, run, weights_dir), daemon=True)
    with _interrupts_later():
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
        process.kill()  # it has nothing to tidy away
        process.join()
    if isinstance(made, Exception):
        raise made
    assert isinstance(made, Site)
    return made


def _send_site(sender: Connection, run: str | None, weights_dir: Path) -> None:
    from cgan.deploy.webapp.assembling import make_site

    try:
        sender.send(make_site(run, weights_dir))
    except Exception as error:
        sender.send(error)  # to be raised where somebody words it


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let no Ctrl-C in; a process that is started meanwhile never has one, as it is asked here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
