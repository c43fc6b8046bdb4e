"""Ctrl-C and SIGTERM: the first asks a training to save and stop, the second stops at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A person or the system asked to stop; `number` is the signal."""

    def __init__(self, number: int):
        """Remember the signal, which decides the exit status."""
        super().__init__()
        self.number = number


def stop_at_once(number: int, frame: FrameType | None) -> None:
    """Handle a signal by raising.

    Raises:
        Stopped: always.
    """
    raise Stopped(number)


class StopRequest:
    """Notes the first signal; raises at the second. Use as a context.

    Only a main thread can be asked; in another, nothing is ever noted.
    """

    def __init__(self) -> None:
        """Begin without a request."""
        self.number: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopRequest":
        """Take over both signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            raise Stopped(number)
        self.number = number
