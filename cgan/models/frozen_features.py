"""The features of a frozen classifier, which a discriminator uses beside the pixels."""

import copy
import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cgan.data.splits import scale
from cgan.models.classifiers import Classifier


class FrozenFeatures:
    """Computes the features of a frozen guide for a discriminator.

    It is not an `nn.Module`: the guide's weights must be neither trained nor saved with those of
    the discriminator.
    """

    def __init__(self, guide: Classifier, dtype: torch.dtype):
        """Copy a guide, on the device that it is on.

        Features are computed in `dtype` under autocast, otherwise in float32.
        """
        self.device, self.dtype = next(guide.parameters()).device, dtype
        exact = _fused(guide)
        # one copy in each dtype, because autocast would convert the weights again in every step
        self.guides = {torch.float32: exact}
        self.guides.setdefault(dtype, copy.deepcopy(exact).to(dtype))

    @torch.no_grad()
    def scales(self, images: Tensor) -> Tensor:
        """Return the factors that give the features of images unit standard deviation.

        Args:
            images: uint8 [N, C, H, W].

        Returns:
            float32 [2] on the CPU: for the feature map and for the feature vector.
        """
        found = self.guides[torch.float32].local_and_global(_laid_out(scale(images)))
        return torch.tensor([1 / float(part.std()) for part in found])

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the feature map [B, C', H', W'] and features [B, F] of images [B, C, H, W]."""
        exact = not torch.is_autocast_enabled(self.device.type)
        dtype = torch.float32 if exact else self.dtype
        # networks are built on the CPU, while the guide may be on another device
        return self.guides[dtype].local_and_global(_laid_out(images.to(self.device, dtype)))


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
