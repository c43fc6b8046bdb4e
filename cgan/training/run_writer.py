"""Writes a run's folder: weights, config, history and checkpoint, together or not at all."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.spec import DataSpec
from cgan.io.files import json_bytes, make_folder
from cgan.io.journal import commit, locked
from cgan.io.run_layout import CHECKPOINT, CONFIG, CONFIG_FORMAT, plain_name
from cgan.io.strict import read_plain
from cgan.models.hub import LARGEST_WEIGHTS
from cgan.runtime.errors import InputError
from cgan.runtime.version import __version__

# files that an earlier run of that name may have left, even one of an older version
EARLIER = (
    *("classifier.safetensors", "generator.safetensors", "discriminator.safetensors"),
    *("history.csv", "samples.gif", "samples.png", "training.png"),
)


class RunWriter:
    """A run's folder, locked while it is open: files gather until they are published together.

    Use it as a context. A run that is never published leaves no trace, and an older run of its name
    stays until the first `publish`.
    """

    def __init__(
        self, weights_dir: Path, name: str, *, overwrite: bool = False, resume: bool = False
    ):
        """Check the name and the folder that it will be in.

        Args:
            weights_dir: the folder of all runs.
            name: of the run.
            overwrite: replace a run of that name.
            resume: add to a run of that name.

        Raises:
            InputError: a name that is no plain folder name, a run of that name that must not be
                overwritten, or a folder that cannot be written to.
        """
        self.name = plain_name(name)
        self.folder = weights_dir / name
        self._stack = ExitStack()
        self._files: dict[str, bytes] = {}  # for the next `publish`
        self._kept: set[str] = set()  # those of them that `forget` keeps
        self._removed: set[str] = set()
        self._fresh, self._free = not resume, overwrite or resume
        self.published = resume  # whether the run can be found under its name
        self._require_free()
        above = (weights_dir, *weights_dir.parents)
        self._made = [folder for folder in above if not folder.exists()]
        make_folder(self.folder if self.folder.exists() else weights_dir, "--weights-dir")

    def _require_free(self) -> None:
        taken = self.folder.exists() and any(
            not path.name.startswith(".") for path in self.folder.iterdir()
        )
        if taken and not self._free:
            further = f", or go on with it: --resume {self.name}"
            raise InputError(
                f"{self.folder} exists already; choose another --name or add --overwrite"
                + further * (self.folder / CHECKPOINT).is_file()
            )

    def __enter__(self) -> "RunWriter":
        """Lock the folder.

        Raises:
            InputError: another process has locked it, or has just published a run of that name.
        """
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder))
            self._require_free()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Unlock the folder; add a note to an error if nothing was saved."""
        self._stack.close()
        if not self.published:
            with suppress(OSError):  # others may have put something there
                for folder in self._made:
                    folder.rmdir()
        if error is not None and not self.published:
            error.add_note("nothing was saved yet")

    def add(self, files: Mapping[str, bytes], *, keep: bool = False) -> None:
        """Keep contents, by name, for the next `publish`; with `keep` even over a `forget`."""
        self._files |= files
        if keep:
            self._kept |= files.keys()

    def remove(self, names: Iterable[str]) -> None:
        """Let the next `publish` remove files, unless they are added again."""
        self._removed |= set(names)

    def has(self, name: str) -> bool:
        """Return whether a file is there, or will be after the next `publish`."""
        return name in self._files or (self.folder / name).is_file()

    def read(self, name: str, largest: int) -> bytes:
        """Return the content that a file has, or will have after the next `publish`.

        Raises:
            OSError: there is none, or it is no regular file of at most `largest` bytes.
        """
        if name in self._files:
            return self._files[name]
        return read_plain(self.folder / name, largest)

    def add_network(self, file_name: str, network: nn.Module) -> None:
        """Keep a network's parameters and buffers as safetensors, from any device.

        Raises:
            OSError: they are more than can be read again.
        """
        state = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
        content = safetensors.torch.save(state)
        if len(content) > LARGEST_WEIGHTS:
            raise OSError(
                f"{file_name} would have {len(content):,} bytes, and {LARGEST_WEIGHTS:,} is the "
                "most that can be read again; choose smaller networks"
            )
        self.add({file_name: content})

    def add_config(
        self,
        kind: str,
        spec: DataSpec,
        config: ClassifierConfig | GanConfig,
        facts: Mapping[str, Any],
    ) -> None:
        """Keep config.json: the data set, the config, the version, and further facts."""
        content = {
            "format": CONFIG_FORMAT,
            "kind": kind,
            "version": __version__,
            "spec": asdict(spec),
            "config": asdict(config),
            **facts,
        }
        self.add({CONFIG: json_bytes(content)}, keep=True)

    def forget(self) -> None:
        """Drop what was added since the last `publish`, except files added with `keep`."""
        self._files = {name: self._files[name] for name in self._files if name in self._kept}

    def publish(self) -> None:
        """Write all that was added, at once; the first time replace an older run.

        Raises:
            OSError: it cannot be written; what was published before stays.
        """
        gone = EARLIER if self._fresh else ()
        commit(self.folder, self._files, fresh=self._fresh, gone=gone, removed=self._removed)
        self._files, self._kept, self._removed = {}, set(), set()
        self._fresh, self.published = False, True
