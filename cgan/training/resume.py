"""Resumes a training: reads its config and checkpoint, and checks that nothing has changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cgan.config.schema import GanConfig
from cgan.data.run_config import load_config
from cgan.io.journal import checksums
from cgan.io.run_layout import CHECKPOINT
from cgan.runtime.errors import InputError, TrainingError
from cgan.training.checkpoint import Checkpoint, read_checkpoint

# fields of the config that may change, because they do not affect the result
FREE = {"log_interval", "checkpoint_every", "on_nan", "dry_run"}
USED = ("guide_sha256", "data_sha256", "device", "precision")  # as stored in config.json
SAME = (*USED, "judge_sha256")


@dataclass(frozen=True)
class ResumePoint:
    """A training that can be resumed: its folder, config and checkpoint."""

    folder: Path
    config: GanConfig
    facts: Mapping[str, Any]  # the content of its config.json
    checkpoint: Checkpoint
    sha256: str | None  # of the checkpoint's file

    def require_latest(self) -> None:
        """Check that no other process has resumed the run meanwhile. The folder must be locked.

        Raises:
            InputError: another process has resumed it.
        """
        if checksums(self.folder).get(CHECKPOINT) != self.sha256:
            raise InputError(f"another process has resumed {self.folder} meanwhile; try again")


def read_resume_point(folder: Path) -> ResumePoint:
    """Read the config and the checkpoint in the folder of a training.

    Raises:
        InputError: there is no checkpoint, or something is damaged.
    """
    config, facts = load_config(folder)
    unknown = [key for key in (*USED, "guide") if not isinstance(facts.get(key), str)]
    if unknown:
        raise InputError(f"{folder}/config.json has no {unknown[0]}; train the run again")
    checksum = checksums(folder).get(CHECKPOINT)
    return ResumePoint(folder, config, facts, read_checkpoint(folder), checksum)


def require_unchanged(
    point: ResumePoint, config: GanConfig, facts: Mapping[str, Any], *, with_changes: bool
) -> None:
    """Check that config, guide, judge, data, device and precision are the same as before.

    Raises:
        InputError: something has changed and `with_changes` is not set; the message names it.
    """
    before, now = asdict(point.config), asdict(config)
    changes = [
        f"{key} {before[key]} -> {now[key]}"
        for key in before
        if key not in (*FREE, *SAME) and before[key] != now[key]
    ]
    for key in SAME:
        old, new = point.facts.get(key), facts[key]
        if old != new:
            changes.append(f"{key} {str(old)[:12]} -> {str(new)[:12]}")
    if changes and not with_changes:
        raise InputError(
            f"{point.folder} was started with other settings ({', '.join(changes)}); use "
            "those, or add --resume-with-changes"
        )


def resume_command(error: BaseException, folder: Path, guide: str | None, judge: str | None) -> str:
    """Return the command that resumes a training after an error.

    Args:
        error: the error that ended the training.
        folder: of the run.
        guide: name or folder of the guide, if given.
        judge: name or folder of the judge, if given.
    """
    named = {"--guide": guide, "--judge": judge}
    flags = "".join(f" {flag} {who}" for flag, who in named.items() if who and "/" in who)
    if isinstance(error, TrainingError):
        flags += " --lr SMALLER --resume-with-changes"
    return f"resume it with: cgan train-gan --resume {folder}{flags}"
