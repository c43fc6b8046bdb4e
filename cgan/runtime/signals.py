"""Ctrl-C, SIGTERM, a closed terminal: the first asks a training to save, the second stops it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last one where there is one
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
ECHO = 0.3  # seconds in which a signal is the same one again, sent by a wrapper too


class Stopped(KeyboardInterrupt):
    """A person or the system asked to stop; `number` is the signal."""

    def __init__(self, number: int):
        """Remember the signal, which decides the exit status."""
        super().__init__()
        self.number = number


class StopRequest:
    """The first signal that came, if any did."""

    def __init__(self) -> None:
        """Begin without a request."""
        self.number: int | None = None
        self._since = 0.0

    def note(self, number: int, _: FrameType | None) -> None:
        """Handle a signal: remember the first.

        Raises:
            Stopped: it is another one.
        """
        if self.number is None:
            self.number, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > ECHO:
            raise Stopped(number)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Note signals in place of dying of them, in a main thread; in another none is ever noted."""
    request = StopRequest()
    with _handling(request.note):
        yield request


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """Raise at a signal, so that what is half done is tidied away."""

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
    # what is ignored stays so: nohup, or a shell that shields its background jobs
    taken = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(number, handler)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
