"""Convolutional networks of pixel blocks: a generator and two projection discriminators.

All avoid convolutions to or from one channel, which run many times slower on a CPU than their
operation count says: images enter and leave as blocks of 2x2 or 4x4 pixels.

Weights before a batch norm or under a spectral norm have no scale of their own, so the spread
they start with sets only how far one optimiser step of a given rate turns them: the idea of an
equalised learning rate (Karras 2018, section 4.1). The spreads below make 2e-3 the natural rate of
all of them. The discriminators are the quicker ones by far; where one does not keep up, the
generator runs after stale gradients and collapses.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import Discriminator, Generator, check_divides_by_four, pixel_blocks
from cgan.models.layers import SLOPE, ConditionVectors, ModulatedNorm, open_tanh
from cgan.models.spectral_norm import SpectralNetwork, spectral_norm

G_SPREAD = 0.12  # standard deviation of the generator's weights at the start
D_SPREAD = 0.008  # and of the discriminator's
LABEL_SPREAD = 0.4  # and of its label vectors, which should turn slowly
D_GAIN = 6.0  # spectral norms bound the slope to one, too flat to tell labels apart
GUIDED_GAIN = 4.0  # three heads need less than one
MODE_SHARE = 0.5  # of a mode's vector beside its class's in the generator

Sight = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Images [B, C, H, W] -> a guide's map [B, C', H', W'] and features [B, F], as they are."""


class ShuffleGenerator(Generator):
    """Noise [B, z_dim] and labels int64 [B] -> images [B, C, H, W] in [-1, 1].

    Noise and condition enter at the bottom, and again as scale and shift after every batch norm
    (self-modulation; Chen 2019, section 3).
    """

    def __init__(self, spec: DataSpec, z_dim: int, n_modes: int = 1, width: int = 64):
        """Build for the images and classes of `spec`; height and width must divide by 4."""
        super().__init__(z_dim, spec.n_classes, n_modes)
        check_divides_by_four(spec)
        self.start = (width, spec.height // 4, spec.width // 4)
        n_start = width * self.start[1] * self.start[2]
        self.embed = ConditionVectors(spec.n_classes, n_modes, z_dim, MODE_SHARE)
        self.linear = nn.Linear(2 * z_dim, n_start, bias=False)
        self.norm0 = ModulatedNorm(width, 2 * z_dim)
        self.conv1 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.norm1 = ModulatedNorm(width // 2, 2 * z_dim)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.norm2 = ModulatedNorm(width // 2, 2 * z_dim)
        self.conv3 = nn.Conv2d(width // 2, 4 * spec.channels, 3, padding=1)
        for layer in (self.linear, self.conv1, self.conv2, self.conv3):
            nn.init.normal_(layer.weight, std=G_SPREAD)
        # No norm follows the last layer: its gain undoes the spread and leaves unit variance.
        self.gain = (9 * (width // 2)) ** -0.5 / G_SPREAD
        nn.init.zeros_(self.conv3.bias)  # type: ignore[arg-type]

    def vectors(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return the learned vectors [B, z_dim] of the conditions."""
        return self.embed(self.conditions(z, labels))

    def paint(self, z: Tensor, vectors: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        style = torch.cat([z, vectors], dim=1)
        x = self.linear(style).view(-1, *self.start)
        x = self.norm0(x.contiguous(memory_format=torch.channels_last), style)
        x = self.norm1(F.pixel_shuffle(self.conv1(x), 2), style)
        x = self.norm2(self.conv2(x), style)
        return open_tanh(F.pixel_shuffle(self.conv3(x * self.gain), 2))


class ProjectionDiscriminator(SpectralNetwork, Discriminator):
    """Images [B, C, H, W] in [-1, 1] and conditions int64 [B] -> logits [B].

    Every layer is spectrally normalised (Miyato 2018), which bounds how fast the logits can change
    with the image. A condition is label x n_modes + mode.
    """

    def __init__(self, spec: DataSpec, sight: Sight, n_modes: int = 1, width: int = 32):
        """Build for the images and classes of `spec`, blind to the guide behind `sight`.

        Raises:
            InputError: a height or width that does not divide by 4.
        """
        super().__init__()
        check_divides_by_four(spec)
        n_flat = 2 * width * (spec.height // 4) * (spec.width // 4)
        self.conv1 = _normed(nn.Conv2d(4 * spec.channels, width, 3, padding=1))
        self.conv2 = _normed(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1))
        self.conv3 = _normed(nn.Conv2d(2 * width, 2 * width, 3, padding=1))
        self.head = ProjectionHead(n_flat, 4 * width, spec.n_classes, n_modes)

    def look(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return blocks of 2x2 pixels [B, 4C, H / 2, W / 2]."""
        return (pixel_blocks(images, 2),)

    def decide(self, seen: Sequence[Tensor], conditions: Tensor) -> Tensor:
        """Return logits [B]; positive means that an image looks real."""
        self.normalise()
        x = F.leaky_relu(self.conv1(seen[0]), SLOPE, inplace=True)
        x = F.leaky_relu(self.conv2(x), SLOPE, inplace=True)
        x = F.leaky_relu(self.conv3(x), SLOPE, inplace=True)
        return D_GAIN * self.head(x.flatten(1), conditions)


class GuidedDiscriminator(SpectralNetwork, Discriminator):
    """Judges an image by its pixels and by what a frozen guide sees in it: logits [B, 3].

    A trained classifier already knows which differences between digits matter, so a generator
    learns from it with fewer images than from pixels alone (Sauer 2021, "Projected GANs", section
    3). One head reads the pixels, one the guide's map of local features, one its feature vector;
    each decides by itself, so that none can be silenced by another. Every layer is spectrally
    normalised, as in `ProjectionDiscriminator`.

    The map and the features enter with unit spread. The two factors that see to it are measured on
    training images and saved with the weights: without them these mean nothing.
    """

    scales: Tensor  # float32 [2]: of the guide's map and of its features

    def __init__(self, spec: DataSpec, sight: Sight, n_modes: int = 1, width: int = 32):
        """Build for the images and classes of `spec`; the guide behind `sight` is not trained.

        Raises:
            InputError: a height or width that does not divide by 4.
        """
        super().__init__()
        check_divides_by_four(spec)
        self.sight = sight
        self.register_buffer("scales", torch.ones(2))
        local, features = sight(torch.zeros(1, *spec.image_shape))
        n_pixels = width * (spec.height // 4) * (spec.width // 4)
        n_local = width * local.shape[2] * local.shape[3]

        def head(n_in: int) -> ProjectionHead:
            return ProjectionHead(n_in, 4 * width, spec.n_classes, n_modes)

        self.pixels = _normed(nn.Conv2d(16 * spec.channels, width, 3, padding=1))
        self.local = _normed(nn.Conv2d(local.shape[1], width, 3, padding=1))
        self.heads = nn.ModuleList([head(n_pixels), head(n_local), head(features.shape[1])])

    def set_scales(self, scales: Tensor) -> None:
        """Make the guide's map and its features as wide as float32 [2] says."""
        self.scales.copy_(scales)

    def look(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return blocks of 4x4 pixels, the guide's map and its features."""
        local, features = self.sight(images)
        return pixel_blocks(images, 4), local * self.scales[0], features * self.scales[1]

    def decide(self, seen: Sequence[Tensor], conditions: Tensor) -> Tensor:
        """Return logits [B, 3], one of each head; positive means that an image looks real."""
        self.normalise()
        blocks, local, features = seen
        pixels = F.leaky_relu(self.pixels(blocks), SLOPE, inplace=True)
        local = F.leaky_relu(self.local(local), SLOPE, inplace=True)
        vectors = [pixels.flatten(1), local.flatten(1), features]
        logits = [head(one, conditions) for head, one in zip(self.heads, vectors, strict=True)]
        return GUIDED_GAIN * torch.stack(logits, dim=1)


class ProjectionHead(nn.Module):
    """Vectors [B, N] and conditions int64 [B] -> logits [B] (Miyato and Koyama 2018, eq. 4)."""

    def __init__(self, n_in: int, n_features: int, n_classes: int, n_modes: int):
        """Build for conditions of `n_classes` with `n_modes` each."""
        super().__init__()
        self.linear = _normed(nn.Linear(n_in, n_features))
        self.score = _normed(nn.Linear(n_features, 1))
        self.embed = ConditionVectors(n_classes, n_modes, n_features)
        _normed(self.embed.classes, LABEL_SPREAD)
        if self.embed.modes is not None:
            _normed(self.embed.modes, LABEL_SPREAD)

    def forward(self, vectors: Tensor, conditions: Tensor) -> Tensor:
        """Return logits [B]."""
        x = F.leaky_relu(self.linear(vectors), SLOPE, inplace=True)
        return self.score(x).squeeze(1) + (self.embed(conditions) * x).sum(1)


def _normed(layer: nn.Conv2d | nn.Linear | nn.Embedding, spread: float = D_SPREAD) -> nn.Module:
    nn.init.normal_(layer.weight, std=spread)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer)
