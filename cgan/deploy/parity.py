"""Checks that the outputs of an exported file match the network, on the same random inputs."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cgan.deploy.npz_network import read_network
from cgan.deploy.portable import Portable

N_CHECKED = 64  # images
SEED = 1  # of the inputs; not those that the network was traced with
TOLERANCE = 1e-4  # for outputs up to one; relative to the largest output above one


@dataclass(frozen=True)
class Parity:
    """The largest difference between the outputs of an exported file and of the network."""

    largest: float  # infinite if shapes or dtypes differ
    allowed: float  # for rounding, because sums may be computed in another order

    @property
    def holds(self) -> bool:
        """Whether they are equal except for rounding."""
        return self.largest <= self.allowed


def compare(portable: Portable, path: Path, form: str) -> Parity | None:
    """Run an exported file and the network on the same random inputs.

    The file must be one that this process has written: a TorchScript file is code.

    Returns:
        None if no package that can run the file is installed.
    """
    inputs = portable.random_inputs(N_CHECKED, SEED)
    wanted, got = _called(portable.network, inputs), _outputs(portable, path, form, inputs)
    if got is None:
        return None
    large = max(float(one.abs().max()) for one in wanted if one.is_floating_point())
    differences = [math.inf] if len(got) != len(wanted) else map(_difference, wanted, got)
    return Parity(max(differences), TOLERANCE * max(1.0, large))


def _outputs(
    portable: Portable, path: Path, form: str, inputs: Sequence[Tensor]
) -> list[Tensor] | None:
    if form == "onnx":
        try:
            import onnxruntime
        except ImportError:
            return None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
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


def _difference(one: Tensor, other: Tensor) -> float:
    if one.shape != other.shape or one.dtype != other.dtype:
        return math.inf
    largest = float((one.double() - other.double()).abs().max())
    return largest if math.isfinite(largest) else math.inf
