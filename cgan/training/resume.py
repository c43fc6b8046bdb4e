"""Goes on with a training: what it must share with its beginning, and how it is taken up again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cgan.config.schema import GanConfig
from cgan.io.journal import checksums
from cgan.io.run_layout import CHECKPOINT
from cgan.models.hub import load_config
from cgan.runtime.errors import InputError, TrainingError
from cgan.training.checkpoint import Checkpoint, read_checkpoint
from cgan.training.history import Record
from cgan.training.state import Training

# what may change without changing what is learned
FREE = {"log_interval", "checkpoint_every", "on_nan", "dry_run"}
TOLD = ("guide_sha256", "data_sha256", "device", "precision")  # as they came out, not as asked for
SAME = (*TOLD, "judge_sha256")


@dataclass(frozen=True)
class Beginning:
    """A training that was begun: where, how, on what, and where it stands."""

    folder: Path
    config: GanConfig
    facts: Mapping[str, Any]  # the content of its config.json
    checkpoint: Checkpoint
    sha256: str | None  # of the checkpoint's file

    def require_latest(self) -> None:
        """Check, while the folder is held, that nobody has gone on with it since it was read.

        Raises:
            InputError: somebody has.
        """
        if checksums(self.folder).get(CHECKPOINT) != self.sha256:
            raise InputError(f"another process has gone on with {self.folder} meanwhile; try again")


def read_beginning(folder: Path) -> Beginning:
    """Read what a training left in its folder.

    Raises:
        InputError: there is no checkpoint, or something is damaged.
    """
    config, facts = load_config(folder)
    unknown = [key for key in (*TOLD, "guide") if not isinstance(facts.get(key), str)]
    if unknown:
        raise InputError(f"{folder}/config.json does not tell its {unknown[0]}; train it again")
    checksum = checksums(folder).get(CHECKPOINT)
    return Beginning(folder, config, facts, read_checkpoint(folder), checksum)


def require_alike(
    begun: Beginning, config: GanConfig, facts: Mapping[str, Any], *, with_changes: bool
) -> None:
    """Check that a training goes on as it was begun: by the same config, guide, data and machine.

    Raises:
        InputError: it would not, and `with_changes` does not allow that; the fields are named.
    """
    before, now = asdict(begun.config), asdict(config)
    changes = [
        f"{key} {before[key]} -> {now[key]}"
        for key in before
        if key not in (*FREE, *SAME) and before[key] != now[key]
    ]
    for key in SAME:
        old, new = begun.facts.get(key), facts[key]
        if old != new:
            changes.append(f"{key} {str(old)[:12]} -> {str(new)[:12]}")
    if changes and not with_changes:
        raise InputError(
            f"{begun.folder} was begun otherwise ({', '.join(changes)}); leave that as it was, or "
            "add --resume-with-changes"
        )


def how_to_go_on(error: BaseException, folder: Path, guide: str | None, judge: str | None) -> str:
    """Return the command that goes on with a training that `error` ended.

    Args:
        error: what ended it.
        folder: of the run.
        guide: as it was named; None: not at all.
        judge: likewise.
    """
    named = {"--guide": guide, "--judge": judge}
    flags = "".join(f" {flag} {who}" for flag, who in named.items() if who and "/" in who)
    if isinstance(error, TrainingError):
        flags += " --lr SMALLER --resume-with-changes"
    return f"go on with: cgan train-gan --resume {folder}{flags}"


def checkpoint_of(training: Training, record: Record) -> Checkpoint:
    """Return copies of all that a training depends on."""
    tensors = {**training.tensors(), **record.tensors()}
    # plain copies of the lists and tables in them, which go on growing
    facts = json.loads(json.dumps({"training": training.facts(), "record": record.facts()}))
    return Checkpoint(tensors, facts)


def restore(training: Training, record: Record, checkpoint: Checkpoint) -> None:
    """Make a training and its record what they were at a checkpoint.

    Raises:
        InputError: the checkpoint is of another training or damaged.
    """
    try:
        of_training, of_record = checkpoint.facts["training"], checkpoint.facts["record"]
    except KeyError as error:
        raise InputError(f"the checkpoint lacks {error}; train the run again") from error
    training.restore(checkpoint.tensors, of_training)
    record.restore(checkpoint.tensors, of_record)
    film = checkpoint.tensors.get("film")
    if film is not None and film.shape[2:] != training.deck.split.images.shape[1:]:
        raise InputError("the checkpoint's pictures are of another size")


def roll_back(training: Training, record: Record, checkpoint: Checkpoint) -> None:
    """Return to a checkpoint, and be half as fast from there as one was."""
    slower, rollbacks = training.slower / 2, training.rollbacks + 1
    restore(training, record, checkpoint)
    training.slower, training.rollbacks = slower, rollbacks
