"""Layers that generators and discriminators are made of."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of every LeakyReLU


class LeakyTanh(torch.autograd.Function):
    """A tanh that keeps a small gradient where it saturates.

    Where tanh is saturated, almost no gradient passes, in bf16 none at all. A class whose images
    have become all background can then not recover; this has been seen with the ones of MNIST. Here
    a gradient that points away from saturation keeps at least a share of `LEAK`.
    """

    LEAK = 0.003

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return tanh(x) in float32."""
        y = torch.tanh(x.float())
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient of tanh, plus a leak where descent would move x towards zero."""
        (y,) = ctx.saved_tensors
        inwards = gradient * y > 0
        return gradient * (1 - y.square() + LeakyTanh.LEAK * inwards)


def leaky_tanh(x: Tensor) -> Tensor:
    """Return tanh(x) in float32, by `LeakyTanh` if gradients are enabled.

    Otherwise it is torch's tanh, which can be exported to other formats.
    """
    return LeakyTanh.apply(x) if torch.is_grad_enabled() else torch.tanh(x.float())


class ModulatedNorm(nn.Module):
    """Batch norm, then a scale and a shift computed from a style [B, S], then LeakyReLU."""

    def __init__(self, channels: int, n_style: int):
        """Start close to a plain batch norm."""
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.style = nn.Linear(n_style, 2 * channels)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return a tensor of the shape of `x` [B, C, H, W]."""
        scale, shift = self.style(style)[:, :, None, None].chunk(2, dim=1)
        scale = 1 + scale
        if self.training:
            x = self.norm(x)
        else:  # the norm's own scale and shift in the same pass over the images
            mean, variance = self.norm.running_mean, self.norm.running_var
            assert mean is not None
            assert variance is not None
            scale = scale * (variance + self.norm.eps).rsqrt()[:, None, None]
            shift = shift - mean[:, None, None] * scale
        moved = torch.addcmul(shift.to(x.dtype), x, scale.to(x.dtype))
        return F.leaky_relu(moved, SLOPE, inplace=True)


class ClassEmbedding(nn.Module):
    """A vector for each class, plus one for each of its modes if it has several."""

    def __init__(self, n_classes: int, n_modes: int, size: int, mode_share: float = 1.0):
        """Draw the vectors from N(0, 1); those of the modes are multiplied by `mode_share`."""
        super().__init__()
        self.n_modes, self.mode_share = n_modes, mode_share
        self.classes = nn.Embedding(n_classes, size)
        self.modes = nn.Embedding(n_classes * n_modes, size) if n_modes > 1 else None

    def forward(self, labels: Tensor, modes: Tensor) -> Tensor:
        """Return vectors [B, size] of labels and modes int64 [B]."""
        vectors = self.classes(labels)
        if self.modes is not None:
            vectors = vectors + self.mode_share * self.modes(labels * self.n_modes + modes)
        return vectors


class GeneratorEmbedding(ClassEmbedding):
    """The same with the arguments of a generator's `embed(z, labels, modes)`."""

    def forward(self, z: Tensor, labels: Tensor, modes: Tensor) -> Tensor:  # type: ignore[override]
        """Return vectors [B, size] of labels and modes int64 [B]; the noise is not used."""
        return super().forward(labels, modes)
