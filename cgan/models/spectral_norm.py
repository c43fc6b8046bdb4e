"""Spectral normalisation of all layers of a network at once, with a short backward pass.

Small layers spend most of their time on calling operations, not in them, so it calls few.
"""

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

FIRST_ITERATIONS = 15  # of the power method, at the start; one more each time the weights learn
TINY = 1e-12  # keeps a weight of zeros from becoming not a number

Network = TypeVar("Network", bound=nn.Module)
Vectors = tuple[Tensor, Tensor]


class SpectralNetwork(nn.Module):
    """A network whose marked layers use weights divided by their largest singular values.

    (Miyato 2018, equations 8 to 12.) A weight is read as a matrix of its first dimension by all
    others. The singular vectors follow by one step of the power method whenever weights that learn
    are asked for; weights whose gradient is switched off have not changed, and need none.
    """

    def normalise(self) -> None:
        """Give every marked layer its divided weight; to be called before the layers are."""
        layers: list[Any] = [layer for layer in self.modules() if hasattr(layer, "original")]
        if not layers:  # frozen
            return
        weights = [layer.original for layer in layers]
        # autocast would compute products with a vector in bfloat16, which is too coarse
        with torch.autocast(weights[0].device.type, enabled=False):
            if self.training and any(weight.requires_grad for weight in weights):
                _follow(layers)
            vectors = [(layer.left, layer.right) for layer in layers]
            for layer, divided in zip(layers, divide(weights, vectors), strict=True):
                layer.weight = divided


def frozen(network: Network) -> Network:
    """Return a copy in evaluation mode that does not learn, its weights divided once and for all.

    It computes what `network` does, without the division; a network of no marked layers is copied.
    """
    for layer in network.modules():
        if hasattr(layer, "original"):  # what was divided before may hang on a gradient
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
    """Mark a layer of a `SpectralNetwork`, whose learnt weight is `original` from now on.

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
        _follow([layer])
    return layer


def divide(weights: Sequence[Tensor], vectors: Sequence[Vectors]) -> tuple[Tensor, ...]:
    """Return each weight [N, ...] divided by u'Wv, its vectors u [N] and v [...] held constant."""
    return _Divided.apply(vectors, *weights)


@torch.no_grad()
def _follow(layers: Sequence[Any]) -> None:
    """Take one step of the power method; a backward pass may still need the vectors before it."""
    matrices = [layer.original.flatten(1) for layer in layers]
    lefts = [layer.left for layer in layers]
    rights = _of_length_one([torch.mv(m.t(), u) for m, u in zip(matrices, lefts, strict=True)])
    lefts = _of_length_one([torch.mv(m, v) for m, v in zip(matrices, rights, strict=True)])
    for layer, left, right in zip(layers, lefts, rights, strict=True):
        layer.left, layer.right = left, right


def _of_length_one(vectors: list[Tensor]) -> list[Tensor]:
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
