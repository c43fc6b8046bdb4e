"""A checkpoint: the state of a training and its history, as a safetensors file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgan.io.run_layout import CHECKPOINT, require_intact
from cgan.io.strict import FormatError, first_line, format_of
from cgan.models.tensors import read_tensors
from cgan.runtime.errors import InputError
from cgan.training.history import History
from cgan.training.state import TrainingState

LARGEST = 2**30  # bytes; a checkpoint of the default recipe has fifteen million
FACTS = "facts"  # name of the tensor that holds the JSON of the facts
FORMAT = 2  # format 1, of version 0.1, has no number; `from_format_1` reads it


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and facts: values that JSON can hold."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: it is larger than `read_checkpoint` accepts.
        """
        text = np.frombuffer(json.dumps(self.facts).encode(), np.uint8).copy()
        content = safetensors.torch.save({**self.tensors, FACTS: torch.from_numpy(text)})
        if len(content) > LARGEST:
            raise OSError(
                f"{CHECKPOINT} would have {len(content):,} bytes, more than the limit of "
                f"{LARGEST:,}; choose smaller networks"
            )
        return content


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint of a run's folder; `restore` checks its parts.

    Raises:
        InputError: there is none, it is damaged, or it is of a newer format.
    """
    path = folder / CHECKPOINT
    require_intact(folder, CHECKPOINT)
    if not path.is_file():
        raise InputError(f"{folder} has no {CHECKPOINT} to resume from; train the run again")
    tensors, _ = read_tensors(path, None, LARGEST)
    text = tensors.pop(FACTS, torch.empty(0, dtype=torch.uint8))
    return parse(tensors, text.numpy(), str(path))


def parse(tensors: Mapping[str, Tensor], text: NDArray[np.uint8], path: str) -> Checkpoint:
    """Return the checkpoint of these tensors and facts.

    Args:
        tensors: by name.
        text: JSON of the facts, uint8 [N].
        path: name of the file in error messages.

    Raises:
        InputError: the facts are malformed, or of a newer format.
    """
    try:
        facts = json.loads(text.tobytes())
        format_of(facts, FORMAT)
    except FormatError as error:
        raise InputError(f"{path} {error}") from error
    except (ValueError, RecursionError) as error:
        reason = first_line(error)
        raise InputError(f"{path} is damaged ({reason}); train the run again") from error
    return Checkpoint(tensors, facts)


def from_format_1(old: Checkpoint, labels: Tensor, n_modes: int) -> Checkpoint:
    """Convert a checkpoint of format 1 to format 2; one of format 2 is returned unchanged.

    Format 1 stores one number for each training image: label x n_modes + mode.

    Args:
        old: the checkpoint that was read.
        labels: int64 [N], of the training images.
        n_modes: modes of each class.

    Raises:
        InputError: it belongs to other images, or parts are missing.
    """
    if format_of(old.facts, FORMAT) > 1:
        return old
    tensors, facts = dict(old.tensors), old.facts
    if "conditions" in tensors:
        modes = tensors.pop("conditions")
        if modes.dtype != torch.int64 or modes.shape != labels.shape:
            raise InputError("the modes in the checkpoint belong to other images")
        tensors["modes"] = modes - labels.cpu() * n_modes
    try:
        record = facts["record"]
        history = {
            "rows": record["history"],
            "best": record["best"],
            "warnings": record.get("alarms", []),
        }
        return Checkpoint(
            tensors, {"format": FORMAT, "training": facts["training"], "history": history}
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise InputError(f"the checkpoint lacks {error}; train the run again") from error


def film_of_format_1(checkpoint: Checkpoint) -> Tensor | None:
    """Return the frames uint8 [evaluations, N, C, H, W] in a checkpoint of format 1, if any."""
    return checkpoint.tensors.get("film") if format_of(checkpoint.facts, FORMAT) == 1 else None


def make_checkpoint(state: TrainingState, history: History) -> Checkpoint:
    """Return a copy of the state of a training and of its history."""
    facts = {"format": FORMAT, "training": state.facts(), "history": history.facts()}
    # a deep copy, because its lists grow
    return Checkpoint(state.tensors(), json.loads(json.dumps(facts)))


def restore(state: TrainingState, history: History, checkpoint: Checkpoint) -> None:
    """Restore a training and its history from a checkpoint.

    Raises:
        InputError: the checkpoint belongs to another training, or is damaged.
    """
    try:
        of_state, of_history = checkpoint.facts["training"], checkpoint.facts["history"]
    except KeyError as error:
        raise InputError(f"the checkpoint lacks {error}; train the run again") from error
    state.restore(checkpoint.tensors, of_state)
    history.restore(of_history)


def roll_back(state: TrainingState, history: History, checkpoint: Checkpoint) -> None:
    """Restore a checkpoint, and halve the learning rates."""
    slower, rollbacks = state.slower / 2, state.rollbacks + 1
    restore(state, history, checkpoint)
    state.slower, state.rollbacks = slower, rollbacks
