"""Layers that generators and discriminators are made of."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of every LeakyReLU


class OpenTanh(torch.autograd.Function):
    """A tanh out of whose flat ends a gradient leads back.

    Where tanh is flat no gradient passes, none at all in bf16. A class that is drawn blank, all
    background, then stays blank, as has been seen with the ones of MNIST. So a gradient that would
    move an end inwards keeps at least a share of `LEAK`.
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
        """Return the gradient of tanh, and a leak of what points inwards."""
        (y,) = ctx.saved_tensors
        inwards = gradient * y > 0  # descent takes x to the other side
        return gradient * (1 - y.square() + OpenTanh.LEAK * inwards)


def open_tanh(x: Tensor) -> Tensor:
    """Return tanh(x) in float32, by `OpenTanh` where a gradient may be asked for.

    Elsewhere by operations alone, so that a network can be written down in other formats.
    """
    return OpenTanh.apply(x) if torch.is_grad_enabled() else torch.tanh(x.float())


class ModulatedNorm(nn.Module):
    """Batch norm, a scale and a shift that depend on a style [B, S], LeakyReLU."""

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


class ConditionVectors(nn.Module):
    """A vector for each class and, where it has several modes, one for each mode added to it."""

    def __init__(self, n_classes: int, n_modes: int, size: int, mode_share: float = 1.0):
        """Draw normal vectors; those of modes count `mode_share` times."""
        super().__init__()
        self.n_modes, self.mode_share = n_modes, mode_share
        self.classes = nn.Embedding(n_classes, size)
        self.modes = nn.Embedding(n_classes * n_modes, size) if n_modes > 1 else None

    def forward(self, conditions: Tensor) -> Tensor:
        """Return vectors [B, size] of conditions int64 [B], label x n_modes + mode."""
        vectors = self.classes(conditions // self.n_modes)
        if self.modes is not None:
            vectors = vectors + self.mode_share * self.modes(conditions)
        return vectors
