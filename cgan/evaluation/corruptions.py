"""Known faults put into real images, to test what each metric detects and which warnings appear."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from cgan.data.splits import Split, scale, unscale

Faulty = tuple[Tensor, Tensor]  # images uint8 [N, C, H, W] and labels int64 [N]
KERNEL = 9  # pixels of the blur
ATTACK_STEPS = 10


@dataclass(frozen=True)
class Supplies:
    """What some faults need in addition to the real images that they corrupt."""

    train: Split  # to copy
    spare: Split  # other real images, neither corrupted nor trained on
    guide: Callable[[Tensor], Tensor]  # images in [-1, 1] to logits, differentiable


Fault = Callable[[Split, float, Supplies, torch.Generator], Faulty]


def collapsed(real: Split, strength: float, _: Supplies, random: torch.Generator) -> Faulty:
    """Replace a share `strength` of each class by a single image of that class."""
    images = real.images.clone()
    for label in real.labels.unique():
        mine = torch.nonzero(real.labels == label)[:, 0]
        mine = mine[torch.randperm(len(mine), generator=random)]
        images[mine[: round(strength * len(mine))]] = real.images[mine[0]]
    return images, real.labels


def missing(real: Split, strength: float, supplies: Supplies, random: torch.Generator) -> Faulty:
    """Replace a share `strength` of the images of class 0 by unused ones of other classes."""
    images = real.images.clone()
    mine = _some(real.labels == 0, strength, random)
    others = torch.nonzero(supplies.spare.labels != 0)[:, 0]
    images[mine] = supplies.spare.images[
        others[torch.randperm(len(others), generator=random)[: len(mine)]]
    ]
    return images, real.labels


def copied(real: Split, strength: float, supplies: Supplies, random: torch.Generator) -> Faulty:
    """Replace a share `strength` of each class by training images of it, each at most once."""
    images = real.images.clone()
    for label in real.labels.unique():
        mine = _some(real.labels == label, strength, random)
        theirs = torch.nonzero(supplies.train.labels == label)[:, 0]
        theirs = theirs[torch.randperm(len(theirs), generator=random)[: len(mine)]]
        images[mine[: len(theirs)]] = supplies.train.images[theirs]
    return images, real.labels


def mislabelled(real: Split, strength: float, _: Supplies, random: torch.Generator) -> Faulty:
    """Set a wrong requested class for a share `strength` of the images."""
    labels = real.labels.clone()
    mine = _some(torch.ones_like(labels, dtype=torch.bool), strength, random)
    k = real.spec.n_classes
    labels[mine] = (labels[mine] + torch.randint(1, k, mine.shape, generator=random)) % k
    return real.images, labels


def blurred(real: Split, strength: float, _: Supplies, __: torch.Generator) -> Faulty:
    """Blur every image by a Gaussian of `strength` pixels."""
    if strength == 0:
        return real.images, real.labels
    return gaussian_blur(real.images, [KERNEL, KERNEL], [strength, strength]), real.labels


def noisy(real: Split, strength: float, _: Supplies, random: torch.Generator) -> Faulty:
    """Add Gaussian noise of `strength`, as a share of the range of a pixel, to every pixel."""
    noise = torch.randn(real.images.shape, generator=random) * (255 * strength)
    return (real.images + noise).round().clamp(0, 255).to(torch.uint8), real.labels


def adversarial(
    real: Split, strength: float, supplies: Supplies, random: torch.Generator
) -> Faulty:
    """Set a wrong requested class for a fifth of the images, and attack the guide with these.

    Each of their pixels changes by at most `strength` of its range along the guide's gradient
    (Madry et al. 2018, projected gradient descent). This imitates a generator that only satisfies
    its guide.
    """
    _, labels = mislabelled(real, 0.2, supplies, random)
    wrong = labels != real.labels
    start = scale(real.images[wrong])
    images = start.clone()
    for _ in range(ATTACK_STEPS):
        images.requires_grad_(True)
        loss = F.cross_entropy(supplies.guide(images), labels[wrong], reduction="sum")
        (slope,) = torch.autograd.grad(loss, images)
        step = 2.5 * 2 * strength / ATTACK_STEPS
        images = (images.detach() - step * slope.sign()).clamp(-1, 1)
        images = torch.minimum(torch.maximum(images, start - 2 * strength), start + 2 * strength)
    return real.images.masked_scatter(wrong[:, None, None, None], unscale(images)), labels


FAULTS: dict[str, Fault] = {
    "collapsed": collapsed,
    "missing": missing,
    "copied": copied,
    "mislabelled": mislabelled,
    "blurred": blurred,
    "noisy": noisy,
    "adversarial": adversarial,
}


def _some(among: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Return random indices of a share of the True entries of `among`."""
    index = torch.nonzero(among)[:, 0]
    return index[torch.randperm(len(index), generator=random)[: round(share * len(index))]]
