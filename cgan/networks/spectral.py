"""Spectral normalisation with a short backward pass, written out in place of torch's."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

FIRST_ITERATIONS = 15  # of the power method, at the start; one more each time the weight learns


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value (Miyato 2018, equations 8 to 12).

    The weight is read as a matrix of its first dimension by all others. The singular vectors follow
    by one step of the power method whenever a weight that learns is asked for; a weight whose
    gradient is switched off has not changed, and needs none.
    """

    def __init__(self, weight: Tensor):
        """Find the singular vectors of `weight`, of two dimensions or more."""
        super().__init__()
        matrix = weight.detach().flatten(1)
        self.left: Tensor
        self.right: Tensor
        self.register_buffer("left", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("right", torch.zeros(matrix.shape[1]))
        for _ in range(FIRST_ITERATIONS):
            self._follow(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """Return `weight` divided by its largest singular value."""
        if self.training and weight.requires_grad:
            self._follow(weight.detach().flatten(1))
        # what a step of the power method overwrites may still be needed by a backward pass
        return _Divided.apply(weight, self.left.clone(), self.right.clone())

    @torch.no_grad()
    def _follow(self, matrix: Tensor) -> None:
        self.right.copy_(F.normalize(matrix.t() @ self.left, dim=0))
        self.left.copy_(F.normalize(matrix @ self.right, dim=0))


class _Divided(torch.autograd.Function):
    """W -> W / s with s = u'Wv: d/dW = (g - <g, W / s> u v') / s."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, left: Tensor, right: Tensor) -> Tensor:
        size = left @ (weight.flatten(1) @ right)
        divided = weight / size
        ctx.save_for_backward(divided, left, right, size)
        return divided

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        divided, left, right, size = ctx.saved_tensors
        along = (gradient * divided).sum()
        flat = torch.addr(gradient.flatten(1) / size, left, right * (-along / size))
        return flat.view(divided.shape), None, None


def spectral_norm(layer: nn.Module) -> nn.Module:
    """Let a layer use its weight divided by its largest singular value; return the layer."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    register_parametrization(layer, "weight", SpectralNorm(weight))
    return layer
