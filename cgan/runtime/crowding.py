"""Notices that other programs leave a training little time on the processor."""

import time
from collections.abc import Callable

WATCHED = 30.0  # seconds of training after which it is known
ENOUGH = 0.7  # share of a core that the main thread gets at least where no one else needs it


class Crowding:
    """Compares the processor time of the main thread with the time that passes.

    On a free machine a training keeps its main thread busy all the time. The load average would not
    do: it counts the training itself, and what ended a minute ago. `start` and `stop` leave out the
    time in which files are written.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        busy: Callable[[], float] = time.thread_time,
    ):
        """Start the watch. Both functions return seconds: since any time, and of the processor."""
        self._clock, self._busy = clock, busy
        self._passed = self._used = 0.0
        self._told = False
        self.start()

    def start(self) -> None:
        """Go on with the watch."""
        self._since, self._busy_since = self._clock(), self._busy()

    def stop(self) -> None:
        """Pause the watch."""
        self._passed += self._clock() - self._since
        self._used += self._busy() - self._busy_since

    def share(self) -> float | None:
        """Return the share of a core that the thread got, once, if it was too little; else None.

        Call it after each step, in the thread that called `start`.
        """
        if self._told or self._passed + self._clock() - self._since < WATCHED:
            return None
        self._told = True
        self.stop()
        self.start()
        share = self._used / self._passed
        return share if share < ENOUGH else None


def crowded(share: float, n_threads: int, command: str) -> str:
    """Return a line on a crowded machine and what to do.

    Args:
        share: of a core that the training gets.
        n_threads: number of threads that it uses.
        command: how to go on with other flags, such as "stop it and start again with".
    """
    fewer = f", or {command} --threads {max(1, n_threads // 2)}" if n_threads > 1 else ""
    return (
        f"this machine is crowded: the training gets {share:.0%} of the processor time that it "
        f"could use; stop other programs{fewer}"
    )
