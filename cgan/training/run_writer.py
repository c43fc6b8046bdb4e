"""Writes the files of a run's folder, all of them or none."""

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
from cgan.io.journal import commit, locked, read_whole
from cgan.io.run_layout import CONFIG, CONFIG_FORMAT, plain_name, require_free
from cgan.models.hub import LARGEST_WEIGHTS
from cgan.runtime.version import __version__

# files of an earlier run of that name, also of older versions
EARLIER = (
    *("classifier.safetensors", "generator.safetensors", "discriminator.safetensors"),
    *("history.csv", "samples.gif", "samples.png", "training.png"),
)


class RunWriter:
    """Collects the files of a run, and writes them together in `publish`.

    Use it as a context manager, which locks the folder. A run that is never published leaves no
    files. An older run of that name stays until the first `publish`.
    """

    def __init__(
        self, weights_dir: Path, name: str, *, overwrite: bool = False, resume: bool = False
    ):
        """Check the name and the folder.

        Args:
            weights_dir: the folder of all runs.
            name: of the run.
            overwrite: replace an existing run of that name.
            resume: continue an existing run of that name.

        Raises:
            InputError: an invalid name, a run of that name that must not be overwritten, or a
                folder that cannot be written to.
        """
        self.name = plain_name(name)
        self.folder = weights_dir / name
        self._stack = ExitStack()
        self._files: dict[str, bytes] = {}  # for the next `publish`
        self._kept: set[str] = set()  # names of files that `forget` keeps
        self._removed: set[str] = set()
        self._fresh, self._free = not resume, overwrite or resume
        self.published = resume  # whether the run can be found under its name
        require_free(self.folder, overwrite=self._free)
        above = (weights_dir, *weights_dir.parents)
        self._made = [folder for folder in above if not folder.exists()]
        make_folder(self.folder if self.folder.exists() else weights_dir, "--weights-dir")

    def __enter__(self) -> "RunWriter":
        """Lock the folder.

        Raises:
            InputError: another process has locked the folder or has just published this run.
        """
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder))
            require_free(self.folder, overwrite=self._free)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Unlock the folder; add a note to an error if nothing was saved."""
        self._stack.close()
        if not self.published:
            with suppress(OSError):  # another process may have added files
                for folder in self._made:
                    folder.rmdir()
        if error is not None and not self.published:
            error.add_note("nothing was saved yet")

    def add(self, files: Mapping[str, bytes], *, keep: bool = False) -> None:
        """Add file contents by name for the next `publish`; `forget` leaves those with `keep`."""
        self._files |= files
        if keep:
            self._kept |= files.keys()

    def remove(self, names: Iterable[str]) -> None:
        """Remove files at the next `publish`, unless they are added again."""
        self._removed |= set(names)

    def has(self, name: str) -> bool:
        """Return whether a file exists, or will exist after the next `publish`."""
        return name in self._files or (self.folder / name).is_file()

    def read(self, name: str, largest: int) -> bytes:
        """Return the content of a file, as it will be after the next `publish`.

        Raises:
            InputError: it does not match the manifest.
            OSError: there is no such regular file of at most `largest` bytes, or the manifest does
                not list it.
        """
        if name in self._files:
            return self._files[name]
        return read_whole(self.folder, name, largest)

    def add_network(self, file_name: str, network: nn.Module) -> None:
        """Add a safetensors file of a network's parameters and buffers, from any device.

        Raises:
            OSError: the file would be larger than `cgan.models.hub` accepts.
        """
        state = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
        content = safetensors.torch.save(state)
        if len(content) > LARGEST_WEIGHTS:
            raise OSError(
                f"{file_name} would have {len(content):,} bytes, more than the limit of "
                f"{LARGEST_WEIGHTS:,}; choose smaller networks"
            )
        self.add({file_name: content})

    def add_config(
        self,
        kind: str,
        spec: DataSpec,
        config: ClassifierConfig | GanConfig,
        facts: Mapping[str, Any],
    ) -> None:
        """Add config.json: the data set, the config, the version, and further facts."""
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
        """Drop the files added since the last `publish`, except those with `keep`."""
        self._files = {name: self._files[name] for name in self._files if name in self._kept}

    def publish(self) -> None:
        """Commit the added files together; the first time, replace an older run.

        Raises:
            OSError: the files cannot be written; those published before stay.
        """
        gone = EARLIER if self._fresh else ()
        commit(self.folder, self._files, fresh=self._fresh, gone=gone, removed=self._removed)
        self._files, self._kept, self._removed = {}, set(), set()
        self._fresh, self.published = False, True
