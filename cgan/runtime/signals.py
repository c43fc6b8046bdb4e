"""SIGINT, SIGTERM and SIGHUP: the first saves and stops a training, a second stops it at once."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # SIGHUP does not exist on Windows
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
ECHO = 0.3  # seconds in which a second signal is taken as a copy sent by a wrapper


class Stopped(KeyboardInterrupt):
    """A signal asked to stop; `number` is its number."""

    def __init__(self, number: int):
        """Store the signal's number, which determines the exit status."""
        super().__init__()
        self.number = number


class StopRequest:
    """The first signal that arrived; None so far."""

    def __init__(self) -> None:
        """Start without a signal."""
        self.number: int | None = None
        self._since = 0.0

    def note(self, number: int, _: FrameType | None) -> None:
        """Handle a signal: store the first one.

        Raises:
            Stopped: it is a second one.
        """
        if self.number is None:
            self.number, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > ECHO:
            raise Stopped(number)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Record signals instead of dying. In a thread other than the main one, record none."""
    request = StopRequest()
    with _handling(request.note):
        yield request


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """Raise Stopped at a signal, so that unfinished work is cleaned up."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped(number)

    with _handling(stop):
        yield


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    # ignored signals stay ignored: nohup, or background jobs of a shell
    taken = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(number, handler)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
