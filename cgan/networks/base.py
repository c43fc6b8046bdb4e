"""What every generator and discriminator promises, and the blocks of pixels that both work on."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """Noise float [B, z_dim] and labels int64 [B] -> images float [B, C, H, W] in [-1, 1].

    A generator may know several modes of every class, such as sevens with and without a bar. Which
    one an image shows is decided by the first number of its noise, as often as `set_modes` says.
    """

    mode_edges: Tensor  # float [K, n_modes - 1]: the shares of a class up to each mode but the last

    def __init__(self, z_dim: int, n_classes: int, n_modes: int = 1):
        """Remember the length of the noise; every mode is equally frequent until `set_modes`."""
        super().__init__()
        self.z_dim, self.n_modes = z_dim, n_modes
        edges = torch.arange(1, n_modes) / n_modes
        self.register_buffer("mode_edges", edges.repeat(n_classes, 1))

    def set_modes(self, frequencies: Tensor) -> None:
        """Make the modes as frequent as in the data: float [K, n_modes], each row a sum of one."""
        self.mode_edges.copy_(frequencies.cumsum(1)[:, :-1])

    def conditions(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return int64 [B]: label x n_modes + mode, what the images of `z` and `labels` show."""
        share = torch.special.ndtr(z[:, :1].float())  # uniform, as z is normal
        return labels * self.n_modes + (share > self.mode_edges[labels]).sum(1)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        raise NotImplementedError


class Discriminator(nn.Module):
    """Images float [B, C, H, W] in [-1, 1] and conditions int64 [B] -> logits [B] or [B, heads].

    It decides by what it sees in an image, and how it sees does not learn: the same view of a
    generated image serves the discriminator's turn and the generator's.
    """

    def look(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return what is seen in images [B, C, H, W], tensors of [B, ...]."""
        raise NotImplementedError

    def decide(self, seen: Sequence[Tensor], conditions: Tensor) -> Tensor:
        """Return logits of what was seen; positive means that an image looks real."""
        raise NotImplementedError

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        """Return logits of images; positive means that one looks real."""
        return self.decide(self.look(images), conditions)


def pixel_blocks(images: Tensor, size: int) -> Tensor:
    """Return images [B, C, H, W], whose sides `size` divides, as blocks of size x size pixels.

    They are [B, C * size^2, H / size, W / size]. A convolution from or to a single channel runs
    many times slower on a CPU than its operation count says, backwards above all.
    """
    return F.pixel_unshuffle(images, size).contiguous(memory_format=torch.channels_last)
