"""Spectral normalisation of all layers of a network at once, with a short backward pass.

For small layers the overhead of each call of an operation takes most of the time, so this module
uses few calls.
"""

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

FIRST_ITERATIONS = 15  # of the power method, at the start; one more in each training step
TINY = 1e-12  # so that a weight of zeros does not become NaN

Network = TypeVar("Network", bound=nn.Module)
Vectors = tuple[Tensor, Tensor]


class SpectralNetwork(nn.Module):
    """A network whose marked layers use weights divided by their largest singular values.

    (Miyato 2018, equations 8 to 12.) A weight is treated as a matrix: its first dimension by all
    others. In training mode each call of `normalise` takes one step of the power method to update
    the singular vectors. There is no step if gradients of the weights are switched off, because
    then the weights have not changed.
    """

    def normalise(self) -> None:
        """Set the divided weight of every marked layer; call this before the layers."""
        layers: list[Any] = [layer for layer in self.modules() if hasattr(layer, "original")]
        if not layers:  # frozen
            return
        weights = [layer.original for layer in layers]
        # autocast would compute these products in bfloat16, which is not precise enough
        with torch.autocast(weights[0].device.type, enabled=False):
            if self.training and any(weight.requires_grad for weight in weights):
                _power_iteration(layers)
            vectors = [(layer.left, layer.right) for layer in layers]
            for layer, divided in zip(layers, divide(weights, vectors), strict=True):
                layer.weight = divided


def freeze(network: Network) -> Network:
    """Return a copy in evaluation mode whose weights are divided already and not trained.

    It computes the same as `network`. A network without marked layers is only copied.
    """
    for layer in network.modules():
        if hasattr(layer, "original"):  # a weight divided earlier may be part of a graph
            layer.__dict__.pop("weight", None)
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    if isinstance(copied, SpectralNetwork):
        with torch.no_grad():
            copied.normalise()
    for layer in copied.modules():
        if hasattr(layer, "original"):
            divided = layer.__dict__.pop("weight")
            del layer.original, layer.left, layer.right
            layer.weight = nn.Parameter(divided, requires_grad=False)
    return copied


def spectral_norm(layer: nn.Module) -> nn.Module:
    """Mark a layer of a `SpectralNetwork`: its parameter `weight` becomes `original`.

    Its singular vectors are the buffers `left` and `right`. Returns the layer.
    """
    weight = layer.weight
    assert isinstance(weight, nn.Parameter)
    del layer.weight
    layer.register_parameter("original", weight)
    matrix = weight.detach().flatten(1)
    layer.register_buffer("left", F.normalize(torch.randn(matrix.shape[0]), dim=0))
    layer.register_buffer("right", torch.zeros(matrix.shape[1]))
    for _ in range(FIRST_ITERATIONS):
        _power_iteration([layer])
    return layer


def divide(weights: Sequence[Tensor], vectors: Sequence[Vectors]) -> tuple[Tensor, ...]:
    """Return each weight [N, ...] divided by u'Wv; the vectors u [N] and v [...] are constants."""
    return _Divided.apply(vectors, *weights)


@torch.no_grad()
def _power_iteration(layers: Sequence[Any]) -> None:
    """Take one step of the power method; old vectors are kept for a pending backward pass."""
    matrices = [layer.original.flatten(1) for layer in layers]
    lefts = [layer.left for layer in layers]
    rights = _unit_length([torch.mv(m.t(), u) for m, u in zip(matrices, lefts, strict=True)])
    lefts = _unit_length([torch.mv(m, v) for m, v in zip(matrices, rights, strict=True)])
    for layer, left, right in zip(layers, lefts, rights, strict=True):
        layer.left, layer.right = left, right


def _unit_length(vectors: list[Tensor]) -> list[Tensor]:
    lengths = torch._foreach_add(torch._foreach_norm(vectors), TINY)
    return list(torch._foreach_div(vectors, lengths))


class _Divided(torch.autograd.Function):
    """W -> W / s with s = u'Wv: d/dW = (g - <g, W / s> u v') / s."""

    @staticmethod
    def forward(ctx: Any, vectors: Sequence[Vectors], *weights: Tensor) -> tuple[Tensor, ...]:
        sizes = [
            torch.dot(left, torch.mv(weight.flatten(1), right))
            for weight, (left, right) in zip(weights, vectors, strict=True)
        ]
        divided = torch._foreach_div(weights, sizes)
        ctx.vectors = vectors
        ctx.save_for_backward(*divided, *sizes)
        return tuple(divided)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        n = len(gradients)
        divided, sizes = ctx.saved_tensors[:n], ctx.saved_tensors[n:]
        results = []
        for gradient, weight, (left, right) in zip(gradients, divided, ctx.vectors, strict=True):
            along = torch.dot(gradient.flatten(), weight.flatten())
            flat = torch.addr(gradient.flatten(1), left, right * along.neg_())
            results.append(flat.view(weight.shape))
        torch._foreach_div_(results, sizes)
        return None, *results
