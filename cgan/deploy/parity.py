"""Whether an exported file computes what the network does: both are given the same inputs."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cgan.deploy.archive import read_network
from cgan.deploy.portable import Portable

N_CHECKED = 64  # images
SEED = 1  # of their inputs, which are not those that the network was followed with
TOLERANCE = 1e-4  # of outputs up to one; larger ones may differ by as large a share


@dataclass(frozen=True)
class Parity:
    """How far an exported file's outputs are from the network's own, and how far they may be."""

    largest: float  # infinite where they are not even alike in kind
    allowed: float  # sums in another order differ in their last digits

    @property
    def holds(self) -> bool:
        """Whether they are the same but for rounding."""
        return self.largest <= self.allowed


def compare(portable: Portable, path: Path, form: str) -> Parity | None:
    """Run an exported file, one of ours, and the network on the same random inputs.

    Returns:
        None where nothing here can run the file.
    """
    inputs = portable.random_inputs(N_CHECKED, SEED)
    wanted, got = _called(portable.network, inputs), _outputs(portable, path, form, inputs)
    if got is None:
        return None
    large = max(float(one.abs().max()) for one in wanted if one.is_floating_point())
    apart = [math.inf] if len(got) != len(wanted) else map(_apart, wanted, got)
    return Parity(max(apart), TOLERANCE * max(1.0, large))


def _outputs(
    portable: Portable, path: Path, form: str, inputs: Sequence[Tensor]
) -> list[Tensor] | None:
    if form == "onnx":
        try:
            import onnxruntime
        except ImportError:
            return None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors alone
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        arrays = [tensor.numpy() for tensor in inputs]
        given = dict(zip(portable.inputs, arrays, strict=True))
        return [torch.from_numpy(array) for array in session.run(list(portable.outputs), given)]
    if form == "npz":
        return _called(read_network(path).network, inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        return _called(torch.jit.load(str(path)), inputs)


@torch.no_grad()
def _called(network: torch.nn.Module, inputs: Sequence[Tensor]) -> list[Tensor]:
    made = network(*inputs)
    return [made] if isinstance(made, Tensor) else list(made)


def _apart(one: Tensor, other: Tensor) -> float:
    if one.shape != other.shape or one.dtype != other.dtype:
        return math.inf
    apart = float((one.double() - other.double()).abs().max())
    return apart if math.isfinite(apart) else math.inf
