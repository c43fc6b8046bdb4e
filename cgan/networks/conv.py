"""The default recipe's pair: a pixel-shuffle generator and a projection discriminator.

Both avoid convolutions to or from one channel, which run many times slower on a CPU than their
operation count says: images enter and leave as 2x2 blocks of pixels.

Weights before a batch norm or under a spectral norm have no scale of their own, so the spread
they start with sets only how far one optimiser step of a given rate turns them: the idea of an
equalised learning rate (Karras 2018, section 4.1). The spreads below make 2e-3 the natural rate of
both networks. The discriminator is the quicker one by far, so that it keeps up even when it learns
on every second batch only; where it does not, the generator runs after stale gradients and
collapses.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from cgan.config import DataSpec
from cgan.errors import InputError
from cgan.networks.base import Generator

G_SPREAD = 0.3  # standard deviation of the generator's weights at the start
D_SPREAD = 0.04  # and of the discriminator's
LABEL_SPREAD = 2.0  # and of its label vectors, which should turn slowly
D_GAIN = 6.0  # spectral norms bound the slope to one, too flat to tell labels apart
SLOPE = 0.2


class ShuffleGenerator(Generator):
    """Noise [B, z_dim] and labels int64 [B] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(self, spec: DataSpec, z_dim: int, width: int = 64):
        """Build for the images and classes of `spec`; height and width must divide by 4."""
        super().__init__(z_dim)
        _check_divides_by_four(spec)
        self.start = (width, spec.height // 4, spec.width // 4)
        n_start = width * self.start[1] * self.start[2]
        self.embed = nn.Embedding(spec.n_classes, z_dim)
        self.linear = nn.Linear(2 * z_dim, n_start, bias=False)
        self.norm0 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * spec.channels, 3, padding=1)
        for layer in (self.linear, self.conv1, self.conv2, self.conv3):
            nn.init.normal_(layer.weight, std=G_SPREAD)
        # No norm follows the last layer: its gain undoes the spread and leaves unit variance.
        self.gain = (9 * width) ** -0.5 / G_SPREAD
        nn.init.zeros_(self.conv3.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        x = self.linear(torch.cat([z, self.embed(labels)], dim=1))
        x = x.view(-1, *self.start).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(self.norm0(x), SLOPE)
        x = F.pixel_shuffle(self.conv1(x), 2)
        x = F.leaky_relu(self.norm1(x), SLOPE)
        x = F.leaky_relu(self.norm2(self.conv2(x)), SLOPE)
        return torch.tanh(F.pixel_shuffle(self.conv3(x * self.gain), 2))


class ProjectionDiscriminator(nn.Module):
    """Images [B, C, H, W] in [-1, 1] and labels int64 [B] -> logits [B].

    The label enters by projection (Miyato and Koyama 2018, equation 4); every layer is spectrally
    normalised (Miyato 2018), which bounds how fast the logits can change with the image.
    """

    def __init__(self, spec: DataSpec, width: int = 32):
        """Build for the images and classes of `spec`; height and width must divide by 4."""
        super().__init__()
        _check_divides_by_four(spec)
        n_flat = 2 * width * (spec.height // 4) * (spec.width // 4)
        n_features = 4 * width
        self.conv1 = _normed(nn.Conv2d(4 * spec.channels, width, 3, padding=1))
        self.conv2 = _normed(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1))
        self.conv3 = _normed(nn.Conv2d(2 * width, 2 * width, 3, padding=1))
        self.linear = _normed(nn.Linear(n_flat, n_features))
        self.score = _normed(nn.Linear(n_features, 1))
        self.embed = _normed(nn.Embedding(spec.n_classes, n_features), LABEL_SPREAD)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits [B]; positive means that an image looks real."""
        x = F.pixel_unshuffle(images, 2).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(self.conv1(x), SLOPE)
        x = F.leaky_relu(self.conv2(x), SLOPE)
        x = F.leaky_relu(self.conv3(x), SLOPE)
        x = F.leaky_relu(self.linear(x.flatten(1)), SLOPE)
        return D_GAIN * (self.score(x).squeeze(1) + (self.embed(labels) * x).sum(1))


def _normed(layer: nn.Conv2d | nn.Linear | nn.Embedding, spread: float = D_SPREAD) -> nn.Module:
    nn.init.normal_(layer.weight, std=spread)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer)


def _check_divides_by_four(spec: DataSpec) -> None:
    if spec.height % 4 or spec.width % 4:
        raise InputError(
            f"this network needs an image size that divides by 4, and {spec.dataset} is "
            f"{spec.height}x{spec.width}"
        )
