"""Residual networks without normalisation: a generator and a projection discriminator.

The blocks and their start weights are those of R3GAN (Huang 2024, "The GAN is dead; long live the
GAN! A Modern Baseline GAN", section 4), a tenth as wide: inverted bottlenecks of grouped
convolutions and leaky ReLUs, resampling between stages, no norm of any kind. Instead of norms,
every residual branch starts at zero (Zhang 2019, "Fixup initialization", section 3).

Images enter and leave as blocks of 2x2 pixels, because at full size a convolution of few channels
is slow on a CPU. There are two stages, at a half and at a quarter of the image's sides. Larger
images have further stages, so that the smallest maps have at most 8x8 places.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import (
    FEWEST_DOUBLINGS,
    Discriminator,
    Generator,
    cropped,
    n_doublings,
    padded,
    pixel_blocks,
    start_of,
)
from cgan.models.layers import SLOPE, ClassEmbedding, GeneratorEmbedding, leaky_tanh

EXPANSION = 2  # of the channels within a block
GROUP = 16  # channels a group of a block's convolution
N_LAYERS = 3  # of a block
GAIN = (2 / (1 + SLOPE**2)) ** 0.5  # makes up for the spread lost in a leaky ReLU (He 2015, eq. 15)
MODE_SHARE = 0.5  # factor on a mode's vector before it is added to its class's, in the generator


class ResidualBlock(nn.Module):
    """Maps [B, C, H, W] to the same shape: the input plus a branch that starts at zero.

    The branch is a widening 1x1 convolution, a grouped 3x3 one and a narrowing 1x1 one.
    """

    def __init__(self, width: int, n_blocks: int):
        """Build for `width` channels, as one of `n_blocks` in a network.

        The more blocks a network has, the smaller their start weights: n^(-1 / (2m - 2)) times
        those of He, where m is the number of layers of a branch (Zhang 2019, section 3).
        """
        super().__init__()
        wide = EXPANSION * width
        gain = GAIN * n_blocks ** (-1 / (2 * N_LAYERS - 2))
        self.widen = _spread(nn.Conv2d(width, wide, 1), gain)
        self.mix = _spread(nn.Conv2d(wide, wide, 3, padding=1, groups=wide // GROUP), gain)
        self.narrow = _spread(nn.Conv2d(wide, width, 1, bias=False), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`."""
        y = F.leaky_relu(self.widen(x), SLOPE, inplace=True)
        y = F.leaky_relu(self.mix(y), SLOPE, inplace=True)
        return x + self.narrow(y)


class ResidualGenerator(Generator):
    """Noise [B, z_dim], labels and modes int64 [B] -> images [B, C, H, W] in [-1, 1].

    The label enters as a learned vector, concatenated with the noise. Both together weight the maps
    of a learned basis, which is the input of the blocks.
    """

    def __init__(
        self,
        spec: DataSpec,
        z_dim: int,
        n_modes: int = 1,
        widths: tuple[int, int] = (64, 32),
        n_blocks: tuple[int, int] = (2, 1),
    ):
        """Build for the images and classes of `spec`.

        Args:
            spec: of the images.
            z_dim: length of the noise.
            n_modes: of each class.
            widths: channels at a quarter and at a half of the sides, multiples of `GROUP / 2`.
            n_blocks: blocks at a quarter and at a half of the sides; further stages have one each.
        """
        super().__init__(z_dim, spec.n_classes, n_modes)
        self.spec = spec
        more = n_doublings(spec) - FEWEST_DOUBLINGS
        n_all = sum(n_blocks) + more
        self.embed = GeneratorEmbedding(spec.n_classes, n_modes, z_dim, MODE_SHARE)
        self.basis = nn.Parameter(torch.randn(widths[0], *start_of(spec)))
        self.weigh = _spread(nn.Linear(2 * z_dim, widths[0], bias=False))
        self.coarse = _stage(widths[0], n_blocks[0], n_all)
        self.change = _spread(nn.Conv2d(*widths, 1, bias=False))
        self.fine = _stage(widths[1], n_blocks[1], n_all)
        self.finer = nn.ModuleList(_stage(widths[1], 1, n_all) for _ in range(more))
        self.show = _spread(nn.Conv2d(widths[1], 4 * spec.channels, 3, padding=1))

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1] from noise and vectors, both [B, z_dim]."""
        weights = self.weigh(torch.cat([z, embedding], dim=1))
        x = self.basis * weights[:, :, None, None]
        x = self.change(self.coarse(x.contiguous(memory_format=torch.channels_last)))
        for stage in (self.fine, *self.finer):
            x = stage(F.interpolate(x, scale_factor=2, mode="bilinear"))
        return leaky_tanh(cropped(F.pixel_shuffle(self.show(x), 2), self.spec))


class ResidualDiscriminator(Discriminator):
    """Images [B, C, H, W] in [-1, 1], labels and modes int64 [B] -> logits [B].

    Nothing in it limits how fast the logits change with the image, so it needs gradient penalties
    (recipe `r3gan`).
    """

    def __init__(
        self,
        spec: DataSpec,
        extractor: object = None,
        n_modes: int = 1,
        widths: tuple[int, int] = (16, 64),
        n_blocks: tuple[int, int] = (1, 1),
    ):
        """Build for the images and classes of `spec`; only pixels are used.

        Args:
            spec: of the images.
            extractor: of the guide; unused.
            n_modes: of each class.
            widths: channels at a half and at a quarter of the sides, multiples of `GROUP / 2`.
            n_blocks: blocks at a half and at a quarter of the sides; further stages have one each.
        """
        super().__init__()
        height, width = start_of(spec)
        more = n_doublings(spec) - FEWEST_DOUBLINGS
        n_all = sum(n_blocks) + more
        self.factor = 2 ** n_doublings(spec)  # divides the sides of padded images
        self.enter = _spread(nn.Conv2d(4 * spec.channels, widths[0], 1, bias=False))
        self.fine = _stage(widths[0], n_blocks[0], n_all)
        self.change = _spread(nn.Conv2d(*widths, 1, bias=False))
        self.coarse = _stage(widths[1], n_blocks[1], n_all)
        self.coarser = nn.ModuleList(_stage(widths[1], 1, n_all) for _ in range(more))
        self.basis = nn.Parameter(torch.randn(widths[1], height, width) / (height * width) ** 0.5)
        self.features = _spread(nn.Linear(widths[1], widths[1], bias=False))
        self.score = _spread(nn.Linear(widths[1], 1))
        self.embed = ClassEmbedding(spec.n_classes, n_modes, widths[1])
        for vectors in self.embed.parameters():
            nn.init.normal_(vectors, std=widths[1] ** -0.5)

    def extract(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return blocks of 2x2 pixels [B, 4C, H / 2, W / 2]."""
        return (pixel_blocks(padded(images, self.factor), 2),)

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B] (Miyato and Koyama 2018, eq. 4); positive: an image looks real."""
        vectors = self.features_of(features[0])
        return self.score(vectors).squeeze(1) + (self.embed(labels, modes) * vectors).sum(1)

    def features_of(self, blocks: Tensor) -> Tensor:
        """Return vectors [B, N] of blocks of pixels, which do not depend on the label."""
        x = self.fine(self.enter(blocks))
        x = self.coarse(self.change(F.avg_pool2d(x, 2)))
        for stage in self.coarser:
            x = stage(F.avg_pool2d(x, 2))
        return self.features((x * self.basis).sum((2, 3)))


def _stage(width: int, n: int, n_blocks: int) -> nn.Sequential:
    """Return `n` blocks in a row, of the `n_blocks` of a network."""
    return nn.Sequential(*(ResidualBlock(width, n_blocks) for _ in range(n)))


Layer = nn.Conv2d | nn.Linear


def _spread(layer: Layer, gain: float = 1.0) -> Layer:
    """Draw weights that keep the spread of the input, times `gain`; biases start at zero."""
    nn.init.normal_(layer.weight, std=gain * layer.weight[0].numel() ** -0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
