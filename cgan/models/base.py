"""Base classes of all generators and discriminators, and what depends on the size of images."""

import math
from collections.abc import Sequence
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.augment import BACKGROUND
from cgan.data.spec import DataSpec

LARGEST_START = 8  # rows or columns at most where a generator starts
FEWEST_DOUBLINGS = 2  # of the sides, from there to the image


class NoEmbedding(nn.Module):
    """The embedding of a generator that uses no label: vectors of length 0."""

    def forward(self, z: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        """Return an empty tensor float [B, 0]."""
        return z[:, :0]


class Generator(nn.Module):
    """Noise float [B, z_dim], labels and modes int64 [B] -> images float [B, C, H, W] in [-1, 1].

    A class may have several modes, such as sevens with and without a bar. By default the first
    number of the noise chooses the mode, each as often as `set_mode_frequencies` says.
    """

    conditional = True  # whether images depend on the label
    noise = "normal"  # or "uniform" in (-1, 1): the distribution of z in training
    embed: nn.Module  # (z, labels, modes) -> float [B, N]; two labels can be mixed between these
    mode_edges: Tensor  # float [K, n_modes - 1]: cumulative frequencies of all modes but the last

    def __init__(self, z_dim: int, n_classes: int, n_modes: int = 1):
        """Store the sizes; all modes are equally frequent until `set_mode_frequencies`."""
        super().__init__()
        self.z_dim, self.n_modes = z_dim, n_modes
        self.embed = NoEmbedding()
        edges = torch.arange(1, n_modes, device="cpu") / n_modes
        self.register_buffer("mode_edges", edges.repeat(n_classes, 1))

    def set_mode_frequencies(self, frequencies: Tensor) -> None:
        """Set how often each mode is drawn: float [K, n_modes], where each row sums to one."""
        self.mode_edges.copy_(frequencies.cumsum(1)[:, :-1])

    def prior(self, normal: Tensor) -> Tensor:
        """Return the noise z [B, z_dim] of this generator from numbers drawn from N(0, 1)."""
        return normal if self.noise == "normal" else torch.special.erf(normal / 2**0.5)

    def choose_modes(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return the mode int64 [B] of each image, chosen by the first number of its noise."""
        share = torch.special.ndtr(z[:, :1].float())  # uniform, because z is normal
        return (share > self.mode_edges[labels]).sum(1)

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1] from noise and the output of `embed`."""
        raise NotImplementedError

    def forward(self, z: Tensor, labels: Tensor, modes: Tensor | None = None) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]; without `modes` the noise chooses them."""
        if modes is None:
            modes = self.choose_modes(z, labels)
        return self.synthesize(z, self.embed(z, labels, modes))


class Discriminator(nn.Module):
    """Images float [B, C, H, W] in [-1, 1], labels and modes int64 [B] -> logits [B] or [B, heads].

    It works in two steps. `extract` has no weights that are trained, so the features of a generated
    image are computed once, for the discriminator's update and for the generator's.
    """

    def set_feature_scales(self, scales: Tensor) -> None:
        """Set the factors float32 [2] on the guide's feature map and feature vector, if any."""

    def extract(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the features of images [B, C, H, W]: tensors [B, ...]; here only the images."""
        return (images,)

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return the logits of features; a positive one means that the image looks real."""
        raise NotImplementedError

    @cached_property
    def depends_on_batch(self) -> bool:
        """Whether a batch norm makes the logit of an image depend on the others in its batch.

        If so, real and generated images must not share a batch.
        """
        return any(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in self.modules())

    def forward(self, images: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        """Return the logits of images; a positive one means that the image looks real."""
        return self.logits(self.extract(images), labels, modes)


def n_doublings(spec: DataSpec) -> int:
    """Return how often a generator doubles the sides of its start, which has at most 8x8 places.

    Images of 28x28 pixels start at 7x7, those of 32x32, 64x64 and 128x128 at 8x8. A side that is
    not divisible is rounded up, and the images are cropped. Discriminators halve images as often.
    """
    doublings = math.ceil(math.log2(max(spec.height, spec.width) / LARGEST_START))
    return max(FEWEST_DOUBLINGS, doublings)


def start_of(spec: DataSpec) -> tuple[int, int]:
    """Return height and width of the map that a generator doubles `n_doublings` times."""
    factor = 2 ** n_doublings(spec)
    return -(-spec.height // factor), -(-spec.width // factor)


def cropped(images: Tensor, spec: DataSpec) -> Tensor:
    """Return images [B, C, H, W] without the rows and columns beyond those of `spec`."""
    if images.shape[2:] == (spec.height, spec.width):
        return images
    return images[:, :, : spec.height, : spec.width]


def padded(images: Tensor, factor: int) -> Tensor:
    """Return images [B, C, H, W], filled with background until `factor` divides H and W."""
    below, right = -images.shape[2] % factor, -images.shape[3] % factor
    return F.pad(images, (0, right, 0, below), value=BACKGROUND) if below or right else images


def pixel_blocks(images: Tensor, size: int) -> Tensor:
    """Return images [B, C, H, W] as blocks of size x size pixels, [B, C * size^2, H/size, W/size].

    H / size and W / size are rounded up; missing pixels are background. A convolution to or from a
    single channel is many times slower on a CPU than its number of operations suggests, most of all
    in the backward pass.
    """
    blocks = F.pixel_unshuffle(padded(images, size), size)
    return blocks.contiguous(memory_format=torch.channels_last)
