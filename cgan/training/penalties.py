"""Penalties on the discriminator, each a function of (discriminator, real, fake, labels)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Penalty = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]


def none(discriminator: nn.Module, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
    """No penalty: a zero."""
    return real.new_zeros(())


def r1(discriminator: nn.Module, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
    """Half the mean squared gradient norm at real images (Mescheder 2018, equation 9).

    Args:
        discriminator: maps (images [B, C, H, W], labels [B]) to logits [B].
        real: float images in [-1, 1].
        fake: unused.
        labels: int64 [B].

    Returns:
        A scalar through which the discriminator's parameters can be reached; unweighted.
    """
    images = real.detach().requires_grad_(True)
    logits = discriminator(images, labels)
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean() / 2


PENALTIES: dict[str, Penalty] = {"none": none, "r1": r1}
