"""Random shifts of images, differentiable, for classifiers and for discriminators."""

import torch
import torch.nn.functional as F
from torch import Tensor

BACKGROUND = -1.0  # fills what a shift uncovers


def shift_together(images: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Move a batch [B, C, H, W] by up to `most` pixels each way, the same for all its images."""
    if most == 0:
        return images
    dy, dx = torch.randint(-most, most + 1, (2,), generator=random).tolist()
    height, width = images.shape[2:]
    padded = F.pad(images, (most, most, most, most), value=BACKGROUND)
    return padded[..., most + dy : most + dy + height, most + dx : most + dx + width]


def draw_offsets(n: int, most: int, random: torch.Generator, device: torch.device) -> Tensor | None:
    """Draw int64 offsets [n, 2] from -`most` to `most` for `shift_each`; None for `most` = 0."""
    if most == 0:
        return None
    return torch.randint(-most, most + 1, (n, 2), generator=random).to(device)


def shift_each(images: Tensor, offsets: Tensor | None) -> Tensor:
    """Move every image of a batch [B, C, H, W] by its own offset.

    If the discriminator sees real and generated images shifted this way, it cannot memorise a small
    data set, and the generator still learns unshifted images (DiffAugment, translation; Zhao 2020,
    equations 4 and 5).

    Args:
        images: float, in [-1, 1]; gradients pass.
        offsets: int64 [B, 2], the pixels up and left; None: no shift.
    """
    if offsets is None:
        return images
    most = int(offsets.abs().max())
    n, channels, height, width = images.shape
    padded = F.pad(images, (most, most, most, most), value=BACKGROUND)
    device = images.device
    rows = (most + offsets[:, :1] + torch.arange(height, device=device))[:, None, :, None]
    columns = (most + offsets[:, 1:] + torch.arange(width, device=device))[:, None, None, :]
    each = torch.arange(n, device=device)[:, None, None, None]
    return padded[each, torch.arange(channels, device=device)[None, :, None, None], rows, columns]
