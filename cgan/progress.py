"""Progress for people: bars on a terminal, plain lines elsewhere, nothing when quiet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm


class Bar:
    """One bar; does nothing when there is no terminal."""

    def __init__(self, bar: tqdm):
        """Wrap a tqdm bar."""
        self._bar = bar

    def advance(self, steps: int = 1) -> None:
        """Move on."""
        self._bar.update(steps)

    def go_to(self, step: int) -> None:
        """Move to a step, back or forth."""
        self._bar.update(step - self._bar.n)

    def say(self, **readings: float) -> None:
        """Show readings behind the bar."""
        self._bar.set_postfix({key: f"{value:.3f}" for key, value in readings.items()})


class Progress:
    """Shows bars and lines on `stream`, or nothing when it is None."""

    def __init__(self, stream: TextIO | None = None):
        """Show on `stream`; None shows nothing."""
        self._stream = stream

    @contextmanager
    def bar(self, total: int, title: str, done: int = 0) -> Iterator[Bar]:
        """Show a bar of `total` steps with the time left, where the stream is a terminal."""
        shown = self._stream is not None and self._stream.isatty()
        with tqdm(
            total=total,
            initial=done,
            desc=title,
            disable=not shown,
            file=self._stream or sys.stderr,
            leave=False,
            dynamic_ncols=True,
        ) as bar:
            yield Bar(bar)

    def line(self, text: str) -> None:
        """Show a line above any bar."""
        if self._stream is not None:
            tqdm.write(text, file=self._stream)
            self._stream.flush()
