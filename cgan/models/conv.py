"""Convolutional networks of pixel blocks: a generator and two projection discriminators.

All avoid convolutions to or from one channel, which run many times slower on a CPU than their
operation count says: images enter and leave as blocks of 2x2 or 4x4 pixels.

The scale of a weight before a batch norm or under a spectral norm has no effect on the output. The
standard deviation of its start values only sets how much one optimiser step changes its direction,
as in an equalised learning rate (Karras 2018, section 4.1). With the values below, 2e-3 is a good
learning rate for all of these networks. The discriminators change faster than the generator. A
discriminator that is too slow gives the generator outdated gradients, and the generator collapses.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod

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
from cgan.models.layers import SLOPE, ClassEmbedding, GeneratorEmbedding, ModulatedNorm, leaky_tanh
from cgan.models.spectral_norm import SpectralNetwork, spectral_norm

G_SPREAD = 0.12  # standard deviation of the generator's start weights
D_SPREAD = 0.008  # of the discriminator's start weights
LABEL_SPREAD = 0.4  # of its start embeddings, which should change direction slowly
D_GAIN = 6.0  # spectral norms limit the slope to one, which is too flat to tell labels apart
GUIDED_GAIN = 4.0  # three heads need a smaller gain than one
MODE_SHARE = 0.5  # factor on a mode's vector before it is added to its class's, in the generator

# Channels of the largest maps of images above 32 pixels, at least. With 16 in the discriminator, a
# pattern of single pixels was left in the images.
FEWEST_IN_G, FEWEST_IN_D = 16, 32

FeatureExtractor = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Images [B, C, H, W] -> a guide's feature map [B, C', H', W'] and features [B, F], unscaled."""


class ShuffleGenerator(Generator):
    """Noise [B, z_dim], labels and modes int64 [B] -> images [B, C, H, W] in [-1, 1].

    Noise and class embedding enter the first layer, and again as scale and shift after every batch
    norm (self-modulation; Chen 2019, section 3).
    """

    def __init__(self, spec: DataSpec, z_dim: int, n_modes: int = 1, width: int = 64):
        """Build for the images and classes of `spec`; it starts with `width` channels.

        Further doublings of larger images halve the channels, down to `FEWEST_IN_G`.
        """
        super().__init__(z_dim, spec.n_classes, n_modes)
        self.spec = spec
        self.start = (width, *start_of(spec))
        n_start = width * self.start[1] * self.start[2]
        self.embed = GeneratorEmbedding(spec.n_classes, n_modes, z_dim, MODE_SHARE)
        self.linear = nn.Linear(2 * z_dim, n_start, bias=False)
        self.norm0 = ModulatedNorm(width, 2 * z_dim)
        self.conv1 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.norm1 = ModulatedNorm(width // 2, 2 * z_dim)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.norm2 = ModulatedNorm(width // 2, 2 * z_dim)
        sizes = [width // 2]
        self.doublings = nn.ModuleList()
        for _ in range(n_doublings(spec) - FEWEST_DOUBLINGS):
            sizes.append(max(FEWEST_IN_G, sizes[-1] // 2))
            self.doublings.append(Doubling(sizes[-2], sizes[-1], 2 * z_dim))
        self.conv3 = nn.Conv2d(sizes[-1], 4 * spec.channels, 3, padding=1)
        for layer in (self.linear, self.conv1, self.conv2, self.conv3):
            nn.init.normal_(layer.weight, std=G_SPREAD)
        # No norm follows the last layer, so a gain gives its output unit variance at the start.
        self.gain = (9 * sizes[-1]) ** -0.5 / G_SPREAD
        nn.init.zeros_(self.conv3.bias)  # type: ignore[arg-type]

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1] from noise and vectors, both [B, z_dim]."""
        style = torch.cat([z, embedding], dim=1)
        x = self.linear(style).view(-1, *self.start)
        x = self.norm0(x.contiguous(memory_format=torch.channels_last), style)
        x = self.norm1(F.pixel_shuffle(self.conv1(x), 2), style)
        x = self.norm2(self.conv2(x), style)
        for doubling in self.doublings:
            x = doubling(x, style)
        images = F.pixel_shuffle(self.conv3(x * self.gain), 2)
        return leaky_tanh(cropped(images, self.spec))


class Doubling(nn.Module):
    """Maps [B, C, H, W] to [B, C', 2H, 2W], normalised and modulated by a style [B, S]."""

    def __init__(self, n_in: int, n_out: int, n_style: int):
        """Build for `n_in` channels to `n_out`."""
        super().__init__()
        self.conv = nn.Conv2d(n_in, 4 * n_out, 3, padding=1, bias=False)
        self.norm = ModulatedNorm(n_out, n_style)
        nn.init.normal_(self.conv.weight, std=G_SPREAD)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return a map of twice the sides of `x`."""
        return self.norm(F.pixel_shuffle(self.conv(x), 2), style)


class PixelTrunk(nn.Module):
    """Blocks of 2x2 pixels [B, 4C, H / 2, W / 2] -> maps [B, N, H', W'] of at most 8x8 places.

    Its layers are spectrally normalised by the `SpectralNetwork` that it is a part of.
    """

    def __init__(self, spec: DataSpec, width: int):
        """Build for the images of `spec`, with `width` channels at 16x16 places.

        Smaller maps have twice as many. Each doubling of the sides halves them, down to
        `FEWEST_IN_D`.
        """
        super().__init__()
        more = n_doublings(spec) - FEWEST_DOUBLINGS
        first = max(FEWEST_IN_D, width >> more) if more else width
        sizes = [min(2 * width, first << i) for i in range(more + 2)]
        self.factor = 2 ** n_doublings(spec)  # divides the sides of padded images
        self.conv1 = _normed(nn.Conv2d(4 * spec.channels, sizes[0], 3, padding=1))
        self.conv2 = _normed(nn.Conv2d(sizes[0], sizes[1], 4, stride=2, padding=1))
        self.halvings = nn.ModuleList(
            _normed(nn.Conv2d(n_in, n_out, 4, stride=2, padding=1))
            for n_in, n_out in pairwise(sizes[1:])
        )
        self.conv3 = _normed(nn.Conv2d(2 * width, 2 * width, 3, padding=1))
        self.map_shape = (2 * width, *start_of(spec))

    def blocks(self, images: Tensor) -> Tensor:
        """Return the blocks of images [B, C, H, W]; missing pixels are background."""
        return pixel_blocks(padded(images, self.factor), 2)

    def maps(self, blocks: Tensor) -> Tensor:
        """Return the maps, before their activation."""
        x = F.leaky_relu(self.conv1(blocks), SLOPE, inplace=True)
        for layer in (self.conv2, *self.halvings):
            x = F.leaky_relu(layer(x), SLOPE, inplace=True)
        return self.conv3(x)


class ProjectionDiscriminator(SpectralNetwork, PixelTrunk, Discriminator):
    """Images [B, C, H, W] in [-1, 1], labels and modes int64 [B] -> logits [B].

    Every layer is spectrally normalised (Miyato 2018), which limits how fast the logits can change
    with the image.
    """

    def __init__(
        self, spec: DataSpec, extractor: FeatureExtractor, n_modes: int = 1, width: int = 32
    ):
        """Build for the images and classes of `spec`; `extractor` is not used."""
        super().__init__(spec, width)
        self.head = ProjectionHead(prod(self.map_shape), 4 * width, spec.n_classes, n_modes)

    def extract(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return blocks of 2x2 pixels [B, 4C, H / 2, W / 2]."""
        return (self.blocks(images),)

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B]; a positive one means that the image looks real."""
        self.normalise()
        x = F.leaky_relu(self.maps(features[0]), SLOPE, inplace=True)
        return D_GAIN * self.head(x.flatten(1), labels, modes)


class GuidedDiscriminator(SpectralNetwork, Discriminator):
    """Logits [B, 3] from the pixels of an image and from the features of a frozen guide.

    A trained classifier already separates the differences between images that matter, so the
    generator needs fewer images than with pixels only (Sauer 2021, "Projected GANs", section 3).
    There are three heads: for the pixels, for the guide's map of local features, and for its
    feature vector. Each has a logit of its own, so none can hide another. Every layer is
    spectrally normalised, as in `ProjectionDiscriminator`.

    The feature map and the feature vector are scaled to unit standard deviation. The two factors
    are measured on training images and saved with the weights, which only fit these factors.
    """

    scales: Tensor  # float32 [2]: factors on the guide's feature map and on its feature vector

    def __init__(
        self, spec: DataSpec, extractor: FeatureExtractor, n_modes: int = 1, width: int = 32
    ):
        """Build for the images and classes of `spec`; `extractor` is the frozen guide's."""
        super().__init__()
        self.extractor = extractor
        self.register_buffer("scales", torch.ones(2))
        local, features = extractor(torch.zeros(1, *spec.image_shape))
        n_local = width * local.shape[2] * local.shape[3]

        def head(n_in: int) -> ProjectionHead:
            return ProjectionHead(n_in, 4 * width, spec.n_classes, n_modes)

        self.pixels, n_pixels = self._pixel_layers(spec, width)
        self.local = _normed(nn.Conv2d(local.shape[1], width, 3, padding=1))
        self.heads = nn.ModuleList([head(n_pixels), head(n_local), head(features.shape[1])])

    def _pixel_layers(self, spec: DataSpec, width: int) -> tuple[nn.Module, int]:
        """Return the layers between the blocks of pixels and their head, and their outputs."""
        n_pixels = width * -(-spec.height // 4) * -(-spec.width // 4)
        return _normed(nn.Conv2d(16 * spec.channels, width, 3, padding=1)), n_pixels

    def _blocks(self, images: Tensor) -> Tensor:
        """Return the blocks of pixels of images [B, C, H, W]."""
        return pixel_blocks(images, 4)

    def _maps(self, blocks: Tensor) -> Tensor:
        """Return maps of the blocks of pixels, before their activation."""
        return self.pixels(blocks)

    def set_feature_scales(self, scales: Tensor) -> None:
        """Set the factors float32 [2] on the guide's feature map and feature vector."""
        self.scales.copy_(scales)

    def extract(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return blocks of pixels, the guide's feature map and its feature vector."""
        local, features = self.extractor(images)
        return self._blocks(images), local * self.scales[0], features * self.scales[1]

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B, 3], one of each head; a positive one means that it looks real."""
        self.normalise()
        blocks, local, vector = features
        pixels = F.leaky_relu(self._maps(blocks), SLOPE, inplace=True)
        local = F.leaky_relu(self.local(local), SLOPE, inplace=True)
        inputs = [pixels.flatten(1), local.flatten(1), vector]
        logits = [head(one, labels, modes) for head, one in zip(self.heads, inputs, strict=True)]
        return GUIDED_GAIN * torch.stack(logits, dim=1)


class DeepGuidedDiscriminator(GuidedDiscriminator):
    """The same with the layers of `ProjectionDiscriminator` between the pixels and their head.

    One layer on blocks of 4x4 pixels, together with the guide's features, sees the strokes of a
    grey image. It overlooks noise in the texture of photographs.
    """

    pixels: PixelTrunk

    def _pixel_layers(self, spec: DataSpec, width: int) -> tuple[nn.Module, int]:
        trunk = PixelTrunk(spec, width)
        return trunk, prod(trunk.map_shape)

    def _blocks(self, images: Tensor) -> Tensor:
        return self.pixels.blocks(images)

    def _maps(self, blocks: Tensor) -> Tensor:
        return self.pixels.maps(blocks)


class ProjectionHead(nn.Module):
    """Vectors [B, N], labels and modes int64 [B] -> logits [B] (Miyato and Koyama 2018, eq. 4)."""

    def __init__(self, n_in: int, n_features: int, n_classes: int, n_modes: int):
        """Build for `n_classes` classes of `n_modes` modes each."""
        super().__init__()
        self.linear = _normed(nn.Linear(n_in, n_features))
        self.score = _normed(nn.Linear(n_features, 1))
        self.embed = ClassEmbedding(n_classes, n_modes, n_features)
        _normed(self.embed.classes, LABEL_SPREAD)
        if self.embed.modes is not None:
            _normed(self.embed.modes, LABEL_SPREAD)

    def forward(self, vectors: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B]."""
        x = F.leaky_relu(self.linear(vectors), SLOPE, inplace=True)
        return self.score(x).squeeze(1) + (self.embed(labels, modes) * x).sum(1)


def _normed(layer: nn.Conv2d | nn.Linear | nn.Embedding, spread: float = D_SPREAD) -> nn.Module:
    nn.init.normal_(layer.weight, std=spread)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer)
