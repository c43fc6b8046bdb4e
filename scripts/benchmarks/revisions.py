"""Checks out revisions of the project, and runs their commands."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cgan.runtime.errors import InputError

WHERE = "import cgan; print(cgan.__file__); print(cgan.__version__)"


@dataclass(frozen=True)
class Used:
    """Elapsed seconds and processor seconds; other processes affect the latter less."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Revision:
    """A checked-out revision: its name, and the folder that has the package."""

    name: str
    root: Path

    def run(self, folder: Path, *arguments: str) -> Used:
        """Run `cgan` with `arguments` in `folder`, in a new process; return its time.

        Raises:
            InputError: the command failed; the message ends with the last line of its output.
        """
        start, before = time.perf_counter(), os.times()
        self._python(folder, "-m", "cgan", *arguments)
        seconds, after = time.perf_counter() - start, os.times()
        processor = after.children_user + after.children_system
        return Used(seconds, processor - before.children_user - before.children_system)

    def prepare(self, folder: Path) -> str:
        """Compile the package before the measurements; return its version.

        Raises:
            InputError: another copy of the package would be measured.
        """
        self._python(folder, "-m", "compileall", "-q", str(self.root / "cgan"))
        file, version = self._python(folder, "-c", WHERE).split("\n")[:2]
        if Path(file).resolve().parent != (self.root / "cgan").resolve():
            raise InputError(f"{file} would be measured instead of {self.name}")
        return version

    def _python(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            shown = " ".join(arguments).removeprefix("-m ")
            raise InputError(f"{self.name}: {shown} failed with {done.returncode}: {said}")
        return done.stdout


@contextmanager
def checked_out(repository: Path, name: str) -> Iterator[Revision]:
    """Check out a revision into a temporary folder, which is always removed afterwards.

    The files of the repository do not change, whether they are committed or not.

    Args:
        repository: the root of a Git repository.
        name: a commit, branch or tag.

    Raises:
        InputError: Git is not installed, or there is no repository or no such revision.
    """
    commit = _commit(repository, name)
    with tempfile.TemporaryDirectory(prefix="cgan-against-") as folder:
        root = str(Path(folder) / "revision")
        try:
            _git(repository, "worktree", "add", "--quiet", "--detach", root, commit)
            yield Revision(name, Path(root))
        finally:  # Git also forgets the folder
            _git(repository, "worktree", "remove", "--force", root, check=False)


def _commit(repository: Path, name: str) -> str:
    """Return the full hash of a revision."""
    top = _git(repository, "rev-parse", "--show-toplevel", check=False)
    if not top or Path(top).resolve() != repository.resolve():
        raise InputError(f"{repository} is not a Git repository, so it has no other revision")
    commit = _git(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False)
    if name.startswith("-") or not commit:
        raise InputError(f"there is no revision {name!r}; git log lists the revisions")
    return commit


def _git(repository: Path, *arguments: str, check: bool = True) -> str:
    command = ["git", "-C", str(repository), "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise InputError("--against needs git, which is not installed here") from error
    if check and done.returncode != 0:
        raise InputError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip() if done.returncode == 0 else ""
