"""Goes on with a training: what it must share with its beginning, and how it is taken up again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cgan.checkpoint import Checkpoint, read_checkpoint
from cgan.config import GanConfig
from cgan.errors import InputError
from cgan.record import Record
from cgan.store import load_config
from cgan.training import Training

# what may change without changing what is learned
FREE = {"log_interval", "checkpoint_every", "on_nan", "dry_run"}
SAME = ("guide_sha256", "data_sha256", "device", "precision")


@dataclass(frozen=True)
class Beginning:
    """A training that was begun: where, how, on what, and where it stands."""

    folder: Path
    config: GanConfig
    facts: Mapping[str, Any]  # the content of its config.json
    checkpoint: Checkpoint


def read_beginning(folder: Path) -> Beginning:
    """Read what a training left in its folder.

    Raises:
        InputError: there is no checkpoint, or something is damaged.
    """
    config, facts = load_config(folder)
    unknown = [key for key in (*SAME, "guide") if not isinstance(facts.get(key), str)]
    if unknown:
        raise InputError(f"{folder}/config.json does not tell its {unknown[0]}; train it again")
    return Beginning(folder, config, facts, read_checkpoint(folder))


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
        if key not in FREE and before[key] != now[key]
    ]
    for key in SAME:
        old, new = begun.facts.get(key), facts[key]
        if old != new and f"{key} " not in " ".join(changes):
            changes.append(f"{key} {str(old)[:12]} -> {str(new)[:12]}")
    if changes and not with_changes:
        raise InputError(
            f"{begun.folder} was begun otherwise ({', '.join(changes)}); leave that as it was, or "
            "add --resume-with-changes"
        )


def checkpoint_of(training: Training, record: Record) -> Checkpoint:
    """Return copies of all that a training depends on.

    Raises:
        TrainingError: a weight is not finite.
    """
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


def roll_back(training: Training, record: Record, checkpoint: Checkpoint) -> None:
    """Return to a checkpoint, and be half as fast from there as one was."""
    slower, rollbacks = training.slower / 2, training.rollbacks + 1
    restore(training, record, checkpoint)
    training.slower, training.rollbacks = slower, rollbacks
