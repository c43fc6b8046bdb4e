"""Progress: bars on a terminal, plain lines elsewhere, nothing when quiet."""

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

EVERY = 30.0  # seconds between two progress lines without a terminal
COLUMNS = 80  # width of a terminal that does not report it
ROWS = 24  # more than the bars at one time; tqdm hides bars beyond this
ROOM = 30  # columns for the percentage, the bar and the time
WIDTH = 79  # characters in a line of text; longer lines are wrapped
TELLING = 0.002  # share of the steps from which the time left can be told
SOME = 10  # approximate number of a training's lines, unless all are shown


class Bar:
    """The progress of a stage of the work. This class shows nothing."""

    def advance(self, steps: int = 1) -> None:
        """Advance by `steps`."""

    def go_to(self, step: int) -> None:
        """Go to a step, forwards or backwards."""

    def say(self, readings: str) -> None:
        """Show `readings` beside the bar from now on."""


class _TerminalBar(Bar):
    """A bar in one line of the terminal, followed by the time left and the readings."""

    def __init__(self, bar: tqdm, title: str, stream: TextIO):
        self._bar, self._title, self._stream = bar, title, stream

    def advance(self, steps: int = 1) -> None:
        self._bar.update(steps)

    def go_to(self, step: int) -> None:
        self._bar.update(step - self._bar.n)

    def say(self, readings: str) -> None:
        self._bar.ncols = _columns(self._stream)  # the terminal may have been resized
        room = self._bar.ncols - ROOM - len(readings)
        self._bar.bar_format = _bar_format(self._title if len(self._title) < room else "", readings)
        self._bar.refresh()


class _Lines(Bar):
    """A line every half minute: the step, the share done, the time left, the readings."""

    def __init__(self, progress: "Progress", total: int, title: str, done: int, unit: str):
        self._progress, self._total = progress, total
        self._title, self._unit = title, unit
        self._readings = ""
        self._begin(done)

    def _begin(self, done: int) -> None:
        self._done = self._first = done
        self._since = self._progress.clock()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        now = self._progress.clock()
        if now - self._progress.said_at < EVERY or self._done >= self._total:
            return
        told = [
            f"{self._title}: {self._done:,} of {self._total:,} {self._unit}",
            f"{self._done / self._total:.0%} done",
        ]
        fresh = self._done - self._first
        if fresh >= TELLING * self._total:
            left = (now - self._since) / fresh * (self._total - self._done)
            told.append(f"about {duration(left)} left")
        self._progress.line(", ".join([*told, *filter(None, [self._readings])]))

    def go_to(self, step: int) -> None:
        self._begin(step)

    def say(self, readings: str) -> None:
        self._readings = readings


class Progress:
    """Shows bars and lines on `stream`, or nothing when it is None.

    If `stream` is not a terminal, there are only lines, without control characters.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        every_line: bool = False,
    ) -> None:
        """Show progress on `stream`; None: nowhere. `clock` returns seconds.

        With `every_line`, a training shows a line for each evaluation, else about ten lines.
        """
        self._stream, self.clock, self._every_line = stream, clock, every_line
        self._is_terminal = stream is not None and stream.isatty()
        self.said_at = clock()  # when the last line was shown

    @contextmanager
    def bar(self, total: int, title: str, done: int = 0, unit: str = "images") -> Iterator[Bar]:
        """Show the progress of a stage of `total` steps, `done` of which were done before.

        On a terminal this is a bar, which disappears at the end. Elsewhere it is a line after each
        half minute without other lines. `unit` is the name of the steps in these lines.
        """
        if self._stream is None:
            yield Bar()
        elif not self._is_terminal:
            yield _Lines(self, total, title, done, unit)
        else:
            with tqdm(
                total=total,
                initial=done,
                bar_format=_bar_format(title, ""),
                file=self._stream,
                leave=False,
                ncols=_columns(self._stream),
                nrows=ROWS,
            ) as bar:
                yield _TerminalBar(bar, title, self._stream)

    def shows(self, done: int, total: int) -> bool:
        """Return whether to show the line of evaluation number `done` of `total`."""
        every = 1 if self._every_line else -(-total // SOME)
        return done % every == 0 or done == total

    def line(self, text: str) -> None:
        """Show a line above any bar. A long line is wrapped, with an indent."""
        if self._stream is None:
            return
        text = wrapped(text)
        if self._is_terminal:
            tqdm.write(text, file=self._stream)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()
        self.said_at = self.clock()


def default_progress() -> Progress:
    """Return progress on stderr in a notebook, and none elsewhere."""
    return Progress(sys.stderr if "ipykernel" in sys.modules else None)


def wrapped(text: str) -> str:
    """Wrap a line of text at 79 characters; further lines are indented by two more.

    A longer word, such as a path, is not broken.
    """
    if len(text) <= WIDTH:
        return text
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(
        text.strip(),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def duration(seconds: float) -> str:
    """Return a time as text: 45 s, 12 min, 2 h 05 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _bar_format(title: str, readings: str) -> str:
    """Return tqdm's format of a line; the bar fills the remaining width."""
    lead, rest = (text.replace("{", "{{").replace("}", "}}") for text in (title, readings))
    parts = [lead, "{percentage:3.0f}%|{bar}|", "{remaining} left", rest]
    return " ".join(part for part in parts if part)


def _columns(stream: TextIO) -> int:
    """Return the usable columns: all but one, because some terminals wrap after the last."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or COLUMNS) - 1
