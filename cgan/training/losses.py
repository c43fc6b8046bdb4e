"""Adversarial losses as functions of logits, the guidance loss, and gradient penalties."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.runtime.errors import InputError, lookup


class DiscriminatorLoss(Protocol):
    """(real_logits, fake_logits, smoothing) -> scalar; real images' target is 1 - smoothing."""

    def __call__(self, real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the loss."""


class AdversarialLoss(NamedTuple):
    """A pair of losses of (real_logits [B], fake_logits [B]) -> scalar.

    `relative` means that the generator's loss also uses the real logits. Then they are computed in
    its update.
    """

    d_loss: DiscriminatorLoss
    g_loss: Callable[[Tensor, Tensor], Tensor]
    relative: bool = False


def logistic_d(real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross entropy of real against fake (Goodfellow 2014, equation 1), in logits.

    One-sided label smoothing prevents extreme logits (Salimans 2016, section 3.4).
    """
    real = F.softplus(-real_logits).mean() + smoothing * real_logits.mean()
    return real + F.softplus(fake_logits).mean()


def logistic_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The non-saturating generator loss, -log D(G(z)) (Goodfellow 2014, section 3)."""
    return F.softplus(-fake_logits).mean()


def halved_d(real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Half of `logistic_d`: the mean of its two terms, not their sum."""
    return logistic_d(real_logits, fake_logits, smoothing) / 2


def probability_d(real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross entropy of probabilities, after a sigmoid.

    It equals `logistic_d` until the sigmoid rounds to 0 or 1. Then the logarithm is clamped to
    -100, and the gradient is zero.
    """
    return _of_probability(real_logits, 1 - smoothing) + _of_probability(fake_logits, 0.0)


def probability_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The generator's loss for `probability_d`, in the non-saturating form."""
    return _of_probability(fake_logits, 1.0)


def _of_probability(logits: Tensor, target: float) -> Tensor:
    probability = logits.float().sigmoid()
    return F.binary_cross_entropy(probability, torch.full_like(probability, target))


def hinge_d(real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Hinge loss (Lim and Ye 2017, "Geometric GAN", equation 6)."""
    real = (1 - smoothing) * F.relu(1 - real_logits) + smoothing * F.relu(1 + real_logits)
    return real.mean() + F.relu(1 + fake_logits).mean()


def hinge_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The generator's loss for `hinge_d`, -D(G(z)) (Lim and Ye 2017, equation 7)."""
    return -fake_logits.mean()


def relativistic_d(real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Compare each real image with a fake one (Jolicoeur-Martineau 2018, RSGAN, section 4.1)."""
    difference = real_logits - fake_logits
    return F.softplus(-difference).mean() + smoothing * difference.mean()


def relativistic_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The loss `relativistic_d` with real and fake swapped."""
    return F.softplus(real_logits - fake_logits).mean()


ADVERSARIAL: dict[str, AdversarialLoss] = {
    "logistic": AdversarialLoss(logistic_d, logistic_g),
    "logistic-halved": AdversarialLoss(halved_d, logistic_g),
    "probability": AdversarialLoss(probability_d, probability_g),
    "hinge": AdversarialLoss(hinge_d, hinge_g),
    "relativistic": AdversarialLoss(relativistic_d, relativistic_g, relative=True),
}


def guidance_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the guide's logits [B, K] with the requested labels int64 [B]."""
    return F.cross_entropy(logits, labels)


Inputs = tuple[Tensor, ...]
"""Arguments of a discriminator: images [B, C, H, W], then labels and modes int64 [B]."""

Penalty = Callable[[nn.Module, Inputs, Inputs], Tensor]
"""(discriminator, real, fake) -> scalar, unweighted.

Images are float in [-1, 1]; the discriminator returns logits [B] or [B, heads]. The gradient of the
scalar reaches the discriminator's parameters, not the generator's.
"""


def none(discriminator: nn.Module, real: Inputs, fake: Inputs) -> Tensor:
    """Return zero: no penalty."""
    return real[0].new_zeros(())


def r1(discriminator: nn.Module, real: Inputs, fake: Inputs) -> Tensor:
    """Half the mean squared gradient norm at real images (Mescheder 2018, equation 9)."""
    return _half_squared_gradient(discriminator, *real)


def r2(discriminator: nn.Module, real: Inputs, fake: Inputs) -> Tensor:
    """Half the mean squared gradient norm at generated images (Mescheder 2018, equation 10)."""
    return _half_squared_gradient(discriminator, *fake)


def r1_and_r2(discriminator: nn.Module, real: Inputs, fake: Inputs) -> Tensor:
    """The sum of `r1` and `r2` (Huang 2024, "The GAN is dead; long live the GAN!", section 2)."""
    return r1(discriminator, real, fake) + r2(discriminator, real, fake)


def _half_squared_gradient(discriminator: nn.Module, images: Tensor, *labels: Tensor) -> Tensor:
    images = images.detach().requires_grad_(True)
    logits = discriminator(images, *labels)
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean() / 2


PENALTIES: dict[str, Penalty] = {"none": none, "r1": r1, "r1+r2": r1_and_r2}


def require_penalty(name: str, weight: float) -> None:
    """Check that the penalty exists, and that its weight fits.

    Raises:
        InputError: an unknown name, a penalty with weight 0, or a weight without a penalty.
    """
    lookup(PENALTIES, name, "penalty")
    if name != "none" and weight == 0:
        raise InputError(f"--penalty {name} needs a --penalty-weight above 0")
    if name == "none" and weight > 0:
        raise InputError(f"--penalty-weight {weight} needs a penalty: add --penalty r1 or r1+r2")
