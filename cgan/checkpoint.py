"""A checkpoint: all that a training needs to go on, in a safetensors file, which holds no code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cgan.errors import InputError
from cgan.journal import require_whole
from cgan.run_writer import CHECKPOINT

LARGEST = 2**33  # bytes
FORMAT = "1"


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and plain facts: numbers, texts, lists and tables of them."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the content of a file."""
        texts = {"format": FORMAT, "facts": json.dumps(self.facts)}
        return safetensors.torch.save(dict(self.tensors), texts)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint of a run's folder; its parts are checked by whoever takes them up.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / CHECKPOINT
    require_whole(folder, CHECKPOINT)
    if not path.is_file():
        raise InputError(f"{folder} has no {CHECKPOINT} to go on from; train it again")
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            if texts.get("format") != FORMAT:
                raise ValueError("it is none, or of another version")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        facts = json.loads(texts["facts"])
        if not isinstance(facts, dict):
            raise ValueError("its facts are no table")
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({error}); train the run again") from error
    return Checkpoint(tensors, facts)
