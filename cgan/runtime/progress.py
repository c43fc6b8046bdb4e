"""Progress for people: bars on a terminal, plain lines elsewhere, nothing when quiet."""

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

EVERY = 30.0  # seconds between two lines of a stage, where there is no terminal
COLUMNS = 80  # of a terminal that does not tell
ROWS = 24  # more than there are bars at once; tqdm hides those that find no room
ROOM = 30  # columns that the share, the bar and the time need
WIDTH = 79  # letters of a line of text; longer ones go on in a further line
SOME = 10  # lines of a training, about, unless all are wanted


class Bar:
    """How far a stage of the work has come; shows nothing."""

    def advance(self, steps: int = 1) -> None:
        """Move on."""

    def go_to(self, step: int) -> None:
        """Move to a step, back or forth."""

    def say(self, readings: str) -> None:
        """Show readings beside it, from now on."""


class _TerminalBar(Bar):
    """A bar with the time left and, behind it, the readings, in one line of the terminal."""

    def __init__(self, bar: tqdm, title: str, stream: TextIO):
        self._bar, self._title, self._stream = bar, title, stream

    def advance(self, steps: int = 1) -> None:
        self._bar.update(steps)

    def go_to(self, step: int) -> None:
        self._bar.update(step - self._bar.n)

    def say(self, readings: str) -> None:
        self._bar.ncols = _columns(self._stream)  # it may have been resized
        room = self._bar.ncols - ROOM - len(readings)
        self._bar.bar_format = _bar_format(self._title if len(self._title) < room else "", readings)
        self._bar.refresh()


class _Lines(Bar):
    """A line now and then: the step, the share done, the time left, the readings."""

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
        pace = (now - self._since) / max(1, self._done - self._first)
        left = duration(pace * (self._total - self._done))
        told = [
            f"{self._title}: {self._done:,} of {self._total:,} {self._unit}",
            f"{self._done / self._total:.0%} done",
            f"about {left} left",
        ]
        self._progress.line(", ".join([*told, *filter(None, [self._readings])]))

    def go_to(self, step: int) -> None:
        self._begin(step)

    def say(self, readings: str) -> None:
        self._readings = readings


class Progress:
    """Shows bars and lines on `stream`, or nothing when it is None.

    Where `stream` is no terminal there are lines alone, without a control character.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        every_line: bool = False,
    ) -> None:
        """Show on `stream`; None shows nothing. `clock` tells seconds.

        With `every_line` a training shows a line for each of its evaluations, else about ten.
        """
        self._stream, self.clock, self._every_line = stream, clock, every_line
        self._is_terminal = stream is not None and stream.isatty()
        self.said_at = clock()  # when the last line was shown

    @contextmanager
    def bar(self, total: int, title: str, done: int = 0, unit: str = "images") -> Iterator[Bar]:
        """Show how far a stage of `total` steps has come, `done` of them before, and the time left.

        On a terminal that is a bar, which goes when the stage is over; else a line every half
        minute in which nothing else is said. `unit` is what the steps are called there.
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
        """Tell whether the line of the evaluation number `done` of `total` is to be shown."""
        every = 1 if self._every_line else -(-total // SOME)
        return done % every == 0 or done == total

    def line(self, text: str) -> None:
        """Show a line above any bar; one that is too long is wrapped and goes on indented."""
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
    """Return a line of text as lines of at most 79 letters, the further ones indented by two more.

    A longer word, such as a path, stays whole.
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
    """Return a time as a person says it: 45 s, 12 min, 2 h 05 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _bar_format(title: str, readings: str) -> str:
    """Return tqdm's format of a line; the bar takes what room the rest leaves."""
    lead, rest = (text.replace("{", "{{").replace("}", "}}") for text in (title, readings))
    parts = [lead, "{percentage:3.0f}%|{bar}|", "{remaining} left", rest]
    return " ".join(part for part in parts if part)


def _columns(stream: TextIO) -> int:
    """Return how many columns a line may have: all but one, as some terminals wrap after it."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or COLUMNS) - 1
