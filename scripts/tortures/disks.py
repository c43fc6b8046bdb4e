"""Fills a small disk at each write, and checks that earlier results are intact."""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cgan.config.recipes import gan_config
from cgan.config.schema import EvalConfig, Folders
from cgan.evaluation.evaluate import evaluate
from cgan.io import journal
from cgan.io.journal import damaged
from cgan.models.hub import load_generator
from cgan.reporting.page import write_report
from cgan.training.gan import train_gan

SIZE = 2**26  # bytes of the disk


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount a disk of `SIZE` bytes.

    Raises:
        PermissionError: this user may not mount a disk.
    """
    with tempfile.TemporaryDirectory() as top:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", top]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            raise PermissionError("only root may mount a small disk")
        try:
            yield Path(top)
        finally:
            subprocess.run(["umount", top], check=True)


class Filler:
    """Fills the disk before write number `at`."""

    def __init__(self, disk: Path, at: int):
        """Start before the first write."""
        self.file, self.at, self.seen = disk / "filler", at, 0

    def around(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """Return `write` with the disk full at call number `at`."""

        def writing(*arguments: Any) -> Any:
            self.seen += 1
            if self.seen - 1 == self.at:
                self._fill()
            return write(*arguments)

        return writing

    def _fill(self) -> None:
        with self.file.open("wb", buffering=0) as stream:
            for size in (2**20, 2**12, 1):
                with suppress(OSError):
                    while True:
                        stream.write(bytes(size))

    def empty(self) -> None:
        """Free the space again."""
        self.file.unlink(missing_ok=True)


def _tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def full_disks() -> dict[str, int]:
    """Fill the disk at each write of a training that replaces another, and of its report.

    Returns:
        The number of writes of each command.

    Raises:
        AssertionError: a file changed or is damaged, or the error message is not one line.
        PermissionError: this user may not mount a small disk.
    """
    points = {}
    with small_disk() as disk:
        folders = Folders(disk / "d", disk / "w", disk / "r")
        config = gan_config("udacity", "digits", epochs=1, batch_size=400, precision="fp32")
        score = EvalConfig(n_samples=300, gan_train_images=0, copying=False)
        train_gan(config, folders, name="x")
        evaluate("x", score, folders)
        write_report(folders.reports / "x")
        works: dict[str, Callable[[], Any]] = {
            "train": lambda: train_gan(config, folders, name="x", overwrite=True),
            "go on": lambda: train_gan(
                gan_config("udacity", "digits", epochs=2, batch_size=400, precision="fp32"),
                *(folders,),
                name="x",
                resume=True,
                with_changes=True,
            ),
            "score": lambda: evaluate("x", score, folders),
            "report": lambda: write_report(folders.reports / "x"),
        }
        for name, work in works.items():
            points[name] = _fill_at_every_point(work, disk, folders)
            sys.stderr.write(f"{name}: disk full at each of {points[name]} writes\n")
    return points


def _fill_at_every_point(work: Callable[[], Any], disk: Path, folders: Folders) -> int:
    before = _tree(disk)
    honest, at = journal.write_through, 0
    while True:
        filler = Filler(disk, at)
        journal.write_through = filler.around(honest)
        try:
            work()
            message = ""
        except OSError as error:
            message = str(error)
        finally:
            journal.write_through = honest
            filler.empty()
        for folder in (folders.weights / "x", folders.reports / "x"):
            assert damaged(folder) == []
        load_generator("x", folders.weights)
        if filler.seen <= at:
            return at
        assert "No space left on device); it is unchanged" in message, message
        assert "\n" not in message
        assert _tree(disk) == before
        at += 1
