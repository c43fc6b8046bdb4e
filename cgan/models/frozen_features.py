"""The features of a frozen classifier, which a discriminator looks at beside the pixels."""

import copy
import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cgan.data.splits import scale
from cgan.models.classifiers import Classifier


class Sight:
    """Shows a discriminator images as a frozen guide sees them.

    It is no module, so that the guide's weights are neither trained nor saved with a
    discriminator's.
    """

    def __init__(self, guide: Classifier, dtype: torch.dtype):
        """Look through a guide, on the device that it is on.

        Within autocast it will compute in `dtype`, elsewhere in float32.
        """
        self.device, self.dtype = next(guide.parameters()).device, dtype
        exact = _fused(guide)
        # a copy in each number format, lest autocast convert the weights anew in every step
        self.guides = {torch.float32: exact}
        self.guides.setdefault(dtype, copy.deepcopy(exact).to(dtype))

    @torch.no_grad()
    def scales(self, images: Tensor) -> Tensor:
        """Return what gives the map and the features of uint8 images [N, C, H, W] unit spread.

        Two factors, float32 [2] on the CPU, measured in float32.
        """
        seen = self.guides[torch.float32].look(_laid_out(scale(images)))
        return torch.tensor([1 / float(part.std()) for part in seen])

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return a map [B, C', H', W'] and features [B, F] of float images [B, C, H, W]."""
        exact = not torch.is_autocast_enabled(self.device.type)
        dtype = torch.float32 if exact else self.dtype
        # networks are built on the CPU, wherever the guide is
        return self.guides[dtype].look(_laid_out(images.to(self.device, dtype)))


def _fused(guide: Classifier) -> Classifier:
    """Return a frozen copy whose batch norms are folded into the convolutions before them."""
    frozen = copy.deepcopy(guide).eval().requires_grad_(False)
    for block in frozen.modules():
        if isinstance(block, nn.Sequential):
            for i, (one, other) in enumerate(itertools.pairwise(list(block))):
                if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d):
                    block[i] = fuse_conv_bn_eval(one, other).requires_grad_(False)
                    block[i + 1] = nn.Identity()
    return frozen


def _laid_out(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
