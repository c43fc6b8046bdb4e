"""Adversarial losses as functions of logits, and the guidance loss."""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


class AdversarialLoss(NamedTuple):
    """A pair of losses of (real_logits [B], fake_logits [B]) -> scalar.

    `relative` says that the generator's loss reads the real logits too, so that the loop must
    compute them in the generator's phase.
    """

    d_loss: Loss
    g_loss: Loss
    relative: bool = False


def logistic_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Cross entropy of real against fake (Goodfellow 2014, equation 1), in logits."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def logistic_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The non-saturating generator loss, -log D(G(z)) (Goodfellow 2014, section 3)."""
    return F.softplus(-fake_logits).mean()


def hinge_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Hinge loss (Lim and Ye 2017, "Geometric GAN", equation 6)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def hinge_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The generator's side of the hinge loss, -D(G(z)) (Lim and Ye 2017, equation 7)."""
    return -fake_logits.mean()


def relativistic_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Pairs a real with a fake image (Jolicoeur-Martineau 2018, RSGAN, section 4.1)."""
    return F.softplus(fake_logits - real_logits).mean()


def relativistic_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The mirror image of `relativistic_d`; it needs the real logits as well."""
    return F.softplus(real_logits - fake_logits).mean()


ADVERSARIAL: dict[str, AdversarialLoss] = {
    "logistic": AdversarialLoss(logistic_d, logistic_g),
    "hinge": AdversarialLoss(hinge_d, hinge_g),
    "relativistic": AdversarialLoss(relativistic_d, relativistic_g, relative=True),
}


def guidance_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the guide's logits [B, K] with the requested labels int64 [B]."""
    return F.cross_entropy(logits, labels)
