"""A checkpoint: all that a training needs to go on, in a safetensors file, which holds no code."""

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

from cgan.io.journal import require_whole
from cgan.io.run_layout import CHECKPOINT
from cgan.io.strict import first_line
from cgan.models.tensors import read_tensors
from cgan.runtime.errors import InputError

LARGEST = 2**30  # bytes; that of the default recipe has fifteen million
FACTS = "facts"  # the tensor that holds them: JSON, byte by byte


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and plain facts: numbers, texts, lists and tables of them."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the content of a file."""
        text = np.frombuffer(json.dumps(self.facts).encode(), np.uint8).copy()
        return safetensors.torch.save({**self.tensors, FACTS: torch.from_numpy(text)})


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint of a run's folder; its parts are checked by whoever takes them up.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / CHECKPOINT
    require_whole(folder, CHECKPOINT)
    if not path.is_file():
        raise InputError(f"{folder} has no {CHECKPOINT} to go on from; train it again")
    tensors, _ = read_tensors(path, None, LARGEST)
    try:
        return parse(tensors, tensors.pop(FACTS).numpy())
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); train the run again") from error


def parse(tensors: Mapping[str, Tensor], text: NDArray[np.uint8]) -> Checkpoint:
    """Return a checkpoint of tensors and the JSON, uint8 [N], of its facts.

    Raises:
        InputError: the facts are no table.
    """
    try:
        facts = json.loads(text.tobytes())
        if not isinstance(facts, dict):
            raise ValueError("they are no table")
    except (ValueError, RecursionError) as error:
        raise InputError(f"the facts of the checkpoint are damaged: {first_line(error)}") from error
    return Checkpoint(tensors, facts)
