"""Feeds damaged files to each parser. Each must be read, or refused in one line."""

import base64
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from cgan.runtime.errors import InputError
from scripts.tortures.parsers import Parser, parsers

LONGEST = 10.0  # seconds allowed for one file
MOST_MEMORY = 2**30  # bytes allowed for reading
FAST = Path("/dev/shm")  # a folder in memory, if there is one


class NeitherError(AssertionError):
    """A parser neither accepted nor refused a file; `content` reproduces it."""

    def __init__(self, name: str, content: bytes, kept: Path):
        """Describe the failure: the parser, and the path of the file."""
        start = base64.b64encode(content[:300]).decode()
        super().__init__(f"{name}: {kept} is neither read nor refused in one line; it is {start}")
        self.content = content


class Hang(BaseException):
    """A parser takes too long. No parser catches this exception."""


def fuzz(name: str, n: int, seed: int, kept: Path | None = None) -> dict[str, Any]:
    """Let a parser read `n` damaged files.

    Args:
        name: of the parser.
        n: number of files.
        seed: of the damage; file i does not depend on `n`.
        kept: folder for a file that fails; None: the temporary folder.

    Returns:
        parser, inputs, accepted, refused, worst_seconds, seconds, and peak_mib: the growth of the
        peak memory of the process.

    Raises:
        NeitherError: another error than InputError, a message of several lines, or too much time
            or memory; the cause is chained, and the file is kept.
    """
    parser = parsers()[name]
    counts, worst, before = {True: 0, False: 0}, 0.0, _peak()
    begun = time.perf_counter()
    folder = FAST if FAST.is_dir() else None
    with tempfile.TemporaryDirectory(dir=folder) as place, _limits():
        top = Path(place, "run")
        top.mkdir()
        parser.prepare(top)
        for i in range(n):
            random = Random(f"{name} {seed} {i}")
            content = parser.mutate(random.choice(parser.seeds), random)
            start = time.perf_counter()
            try:
                counts[_accepts(parser, top, content)] += 1
                if _peak() - before > MOST_MEMORY:
                    raise MemoryError(f"{_peak() - before} bytes")
            except (Exception, Hang) as error:
                keep = (kept or Path(tempfile.gettempdir())) / f"fuzz-{name}-{seed}-{i}"
                keep.write_bytes(content)
                raise NeitherError(name, content, keep) from error
            worst = max(worst, time.perf_counter() - start)
    return {
        "parser": name,
        "inputs": n,
        "accepted": counts[True],
        "refused": counts[False],
        "worst_seconds": round(worst, 3),
        "seconds": round(time.perf_counter() - begun, 1),
        "peak_mib": round((_peak() - before) / 2**20),
    }


def _accepts(parser: Parser, folder: Path, content: bytes) -> bool:
    """Return whether a file is read (True) or refused."""
    (folder / parser.place).write_bytes(content)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        parser.read(folder)
    except InputError as error:
        message = str(error)
        if not message.isprintable() or len(message) > 3000:
            raise ValueError(f"the message is not one line: {message[:300]!r}") from error
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return True


@contextmanager
def _limits() -> Iterator[None]:
    """Stop a parser that hangs, and limit the memory of the process."""

    def stop(*_: object) -> None:
        raise Hang(f"more than {LONGEST} seconds")

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + 2 * MOST_MEMORY
    old = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, old)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
