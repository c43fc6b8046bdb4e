"""Reads untrusted safetensors files: names, shapes and dtypes are checked first."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cgan.io.strict import first_line, open_plain
from cgan.runtime.errors import InputError

LONGEST_HEADER = 2**20  # bytes; ours have a few thousand
KINDS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
NAMES = {kind: name for name, kind in KINDS.items()}


@contextmanager
def on_meta_device() -> Iterator[None]:
    """Build networks on torch's meta device: with shapes and dtypes, but without memory.

    `load_state_dict(..., assign=True)` gives them their weights.
    """
    with _SkipNormalInit(), torch.device("meta"):
        yield


class _SkipNormalInit(TorchFunctionMode):
    """Skips `init.normal_`, whose first call on the meta device imports code for a second."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.nn.init.normal_:
            return kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def read_tensors(
    path: Path, wanted: Mapping[str, Tensor] | None, largest: int
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file, on the CPU, and its metadata.

    Such a file holds no code. Memory is allocated only after all names and shapes are checked.

    Args:
        path: the file itself, not a link to it.
        wanted: tensors with exactly the names, shapes and dtypes that the file must have; they may
            be on the meta device. None: any.
        largest: the largest allowed size in bytes.

    Raises:
        InputError: the file is not regular, too large, damaged, has other tensors, or has values
            that are not finite; the message names the tensor.
    """
    try:
        _check_header(path, largest)
        with safe_open(path, framework="pt", device="cpu") as file:
            problem = _mismatch(file, wanted)
            if problem:
                raise InputError(f"{path} does not fit the network in its config.json: {problem}")
            # copies, because tensors mapped to the file would change with it
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({first_line(error)}); train the run again") from error
    # a checkpoint, whose tensors are any, writes an empty random stream as NaN
    strange = None if wanted is None else not_finite(tensors)
    if strange is not None:
        raise InputError(
            f"{path} is damaged: {_short(strange)} has values that are not finite; train the run "
            "again"
        )
    return tensors, metadata


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor with a NaN or an infinity; None if there is none."""
    floats = ((name, tensor) for name, tensor in tensors.items() if tensor.is_floating_point())
    return next((name for name, tensor in floats if not bool(tensor.isfinite().all())), None)


def _check_header(path: Path, largest: int) -> None:
    """Check the file's kind, its size, and the declared length of its header."""
    with open_plain(path, largest) as stream:
        length = int.from_bytes(stream.read(8), "little")
    if length > LONGEST_HEADER:
        raise InputError(f"{path} is damaged (its header declares {length} bytes); train it again")


def _mismatch(file: Any, wanted: Mapping[str, Tensor] | None) -> str:
    """Return what is wrong with the tensors of an open file; "" if nothing is."""
    given = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    unknown = [name for name, part in given.items() if part.get_dtype() not in KINDS]
    if unknown:
        return f"{_short(unknown[0])} is {given[unknown[0]].get_dtype()}"
    if wanted is None:
        return ""
    different: Iterable[str] = wanted.keys() ^ given.keys()
    if different:
        return f"{_short(min(different))} is in only one of them"
    for name, tensor in wanted.items():
        shape, kind = given[name].get_shape(), given[name].get_dtype()
        if shape != list(tensor.shape):
            return f"{name} has shape {shape}, not {list(tensor.shape)}"
        if kind != NAMES[tensor.dtype]:
            return f"{name} is {kind}, not {NAMES[tensor.dtype]}"
    return ""


def _short(name: str) -> str:
    return name if name.isprintable() and len(name) < 80 else f"{name!a:.80}"
