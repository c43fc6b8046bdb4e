"""What every generator and discriminator promises, and the blocks of pixels that both work on."""

from collections.abc import Sequence
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.runtime.errors import InputError


class Generator(nn.Module):
    """Noise float [B, z_dim] and labels int64 [B] -> images float [B, C, H, W] in [-1, 1].

    A generator may know several modes of every class, such as sevens with and without a bar. Which
    one an image shows is decided by the first number of its noise, as often as `set_modes` says.
    """

    conditional = True  # whether it heeds the labels
    noise = "normal"  # or "uniform" in (-1, 1): the distribution of z that it learns from
    mode_edges: Tensor  # float [K, n_modes - 1]: the shares of a class up to each mode but the last

    def __init__(self, z_dim: int, n_classes: int, n_modes: int = 1):
        """Remember the length of the noise; every mode is equally frequent until `set_modes`."""
        super().__init__()
        self.z_dim, self.n_modes = z_dim, n_modes
        edges = torch.arange(1, n_modes, device="cpu") / n_modes
        self.register_buffer("mode_edges", edges.repeat(n_classes, 1))

    def set_modes(self, frequencies: Tensor) -> None:
        """Make the modes as frequent as in the data: float [K, n_modes], each row a sum of one."""
        self.mode_edges.copy_(frequencies.cumsum(1)[:, :-1])

    def prior(self, normal: Tensor) -> Tensor:
        """Return this generator's noise [B, z_dim] made of numbers from N(0, 1)."""
        return normal if self.noise == "normal" else torch.special.erf(normal / 2**0.5)

    def conditions(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return int64 [B]: label x n_modes + mode, what the images of `z` and `labels` show."""
        share = torch.special.ndtr(z[:, :1].float())  # uniform, as z is normal
        return labels * self.n_modes + (share > self.mode_edges[labels]).sum(1)

    def vectors(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return what this network makes of the labels, float [B, N]: mixed, a label between two.

        None is empty where labels are heeded.
        """
        return z[:, :0]

    def paint(self, z: Tensor, vectors: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1] of noise and `vectors`."""
        raise NotImplementedError

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        return self.paint(z, self.vectors(z, labels))


class Discriminator(nn.Module):
    """Images float [B, C, H, W] in [-1, 1] and conditions int64 [B] -> logits [B] or [B, heads].

    It decides by what it sees in an image, and how it sees does not learn: the same view of a
    generated image serves the discriminator's turn and the generator's.
    """

    def set_scales(self, scales: Tensor) -> None:
        """Make what it sees through the guide, a map and features, as wide as float32 [2] says."""

    def look(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return what is seen in images [B, C, H, W]: tensors of [B, ...], or just the images."""
        return (images,)

    def decide(self, seen: Sequence[Tensor], conditions: Tensor) -> Tensor:
        """Return logits of what was seen; positive means that an image looks real."""
        raise NotImplementedError

    @cached_property
    def depends_on_batch(self) -> bool:
        """Whether batch norms make the logit of an image depend on those beside it.

        Then real and generated images must not pass together.
        """
        return any(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in self.modules())

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        """Return logits of images; positive means that one looks real."""
        return self.decide(self.look(images), conditions)


def pixel_blocks(images: Tensor, size: int) -> Tensor:
    """Return images [B, C, H, W], whose sides `size` divides, as blocks of size x size pixels.

    They are [B, C * size^2, H / size, W / size]. A convolution from or to a single channel runs
    many times slower on a CPU than its operation count says, backwards above all.
    """
    return F.pixel_unshuffle(images, size).contiguous(memory_format=torch.channels_last)


def check_divides_by_four(spec: DataSpec) -> None:
    """Check that images can be halved twice.

    Raises:
        InputError: a height or width that does not divide by 4.
    """
    if spec.height % 4 or spec.width % 4:
        raise InputError(
            f"this network needs an image size that divides by 4, and {spec.dataset} is "
            f"{spec.height}x{spec.width}"
        )
