"""Classifiers: the guide, the judge (of another architecture) and the CNN of the original system.

Each maps images [B, C, H, W] in [-1, 1] to logits [B, K]; `features` gives the layer before.
"""

import math
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import FEWEST_DOUBLINGS, n_doublings, pixel_blocks

LARGEST_PLAIN = 32  # pixels a side of grey images that the smaller networks are for


def conv_norm(n_in: int, n_out: int, kernel: int, slope: float, stride: int = 1) -> nn.Sequential:
    """Convolution with padding, batch norm, LeakyReLU."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(n_out),
        nn.LeakyReLU(slope, inplace=True),
    )


class Blocks(nn.Module):
    """Images [B, C, H, W] -> blocks of 2x2 pixels [B, 4C, H / 2, W / 2], sizes rounded up."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the blocks; a missing last row or column is filled with background."""
        return pixel_blocks(images, 2)


class Classifier(nn.Module):
    """A body from images to feature vectors [B, n_features] and a linear head to logits.

    The first `n_local` modules of the body return a map of local features. The others turn it into
    a feature vector.
    """

    n_local: int

    def __init__(self, body: nn.Sequential, n_features: int, n_classes: int, dropout: float = 0.0):
        """Join `body` and a head of `n_classes` outputs."""
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_features, n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the penultimate layer [B, n_features]."""
        return self.body(images)

    def local_and_global(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return a map of local features [B, C', H', W'] and the features [B, n_features]."""
        local = self.body[: self.n_local](images)
        return local, self.body[self.n_local :](local)

    def classify(self, features: Tensor) -> Tensor:
        """Return logits [B, K] of features [B, n_features]."""
        return self.head(self.dropout(features))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [B, K] of images [B, C, H, W]."""
        return self.classify(self.features(images))


class LeakyCNN(Classifier):
    """The guide: 16-32-64-64 channels on 2x2 pixels, with batch norm, LeakyReLU 0.1, 128 features.

    LeakyReLU everywhere, because ReLU passes too little gradient back to a generator. Colour images
    and those above 32 pixels have twice the channels, and larger ones are halved further first.
    """

    def __init__(self, spec: DataSpec):
        """Build for the images and classes of `spec`."""
        slope, n_features = 0.1, 128
        more = _further_halvings(spec)
        width = 32 if _is_rich(spec) else 16
        sizes = [4 * spec.channels, *[width] * (more + 1)]
        body = nn.Sequential(
            Blocks(),
            *(conv_norm(n_in, width, 3, slope, stride=2) for n_in in sizes[:more]),
            conv_norm(sizes[more], width, 3, slope),
            conv_norm(width, 2 * width, 3, slope),
            nn.MaxPool2d(2, ceil_mode=True),
            conv_norm(2 * width, 4 * width, 3, slope),
            conv_norm(4 * width, 4 * width, 3, slope, stride=2),
            nn.Flatten(),
            nn.Linear(4 * width * _n_places(spec, 3 + more), n_features),
            nn.LeakyReLU(slope, inplace=True),
        )
        super().__init__(body, n_features, spec.n_classes)
        self.n_local = 5 + more


class Residual(nn.Module):
    """Two convolutions whose result is added to their input."""

    def __init__(self, channels: int):
        """Build for [B, channels, H, W]."""
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`."""
        inner = F.silu(self.first_norm(self.first(x)))
        return F.silu(x + self.second_norm(self.second(inner)))


class ResidualCNN(Classifier):
    """The judge: residual blocks, SiLU and global pooling; it shares nothing with the guide.

    A layer of few channels at full size is slow on a CPU. So it works on blocks of 2x2 pixels if
    images have colour or more than 32 pixels a side, and halves the larger ones further first. Then
    there is one more stage, too.
    """

    def __init__(self, spec: DataSpec):
        """Build for the images and classes of `spec`."""
        n_features = 96
        if _is_rich(spec):
            more = _further_halvings(spec)
            sizes = [4 * spec.channels, *(48 >> (more - i) for i in range(1, more)), 48]
            strides = [2] * more or [1]
            stems = [_stem(*pair, s) for pair, s in zip(pairwise(sizes), strides, strict=True)]
            start = [Blocks(), *stems]
            end = [_stem(n_features, n_features, 2), Residual(n_features)]
        else:
            start = [_stem(spec.channels, 24, 1), _stem(24, 48, 2)]
            end = []
        body = nn.Sequential(
            *start,
            Residual(48),
            _stem(48, n_features, 2),
            Residual(n_features),
            *end,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        super().__init__(body, n_features, spec.n_classes)
        self.n_local = len(start) + 3


def _stem(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.SiLU(),
    )


class OriginalCNN(Classifier):
    """The guided system's own classifier: 16-32-64, dropout 0.25 and 0.5, 128 features.

    Images above 32 pixels are halved further before the features, as often as needed.
    """

    def __init__(self, spec: DataSpec):
        """Build for the images and classes of `spec`."""
        slope, n_features = 0.2, 128
        more = _further_halvings(spec)
        halvings: list[nn.Module] = []
        for _ in range(more):
            halvings += [nn.Conv2d(64, 64, 3, stride=2, padding=1), _leaky(slope)]
        body = nn.Sequential(
            nn.Conv2d(spec.channels, 16, 3, padding=1),
            _leaky(slope),
            nn.Conv2d(16, 32, 3, padding=1),
            _leaky(slope),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            _leaky(slope),
            *halvings,
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(64 * _n_places(spec, 1 + more), n_features),
            _leaky(slope),
        )
        super().__init__(body, n_features, spec.n_classes, dropout=0.5)
        self.n_local = 6 + 2 * more


def _leaky(slope: float) -> nn.LeakyReLU:
    return nn.LeakyReLU(slope, inplace=True)


def _is_rich(spec: DataSpec) -> bool:
    """Return whether images have colour or are large, so that they need other networks."""
    return spec.channels > 1 or max(spec.height, spec.width) > LARGEST_PLAIN


def _further_halvings(spec: DataSpec) -> int:
    """Return how often images above 32 pixels are halved further, to cost about as much."""
    return n_doublings(spec) - FEWEST_DOUBLINGS


def _n_places(spec: DataSpec, halvings: int) -> int:
    """Return the places of a map after so many halvings that round up."""
    return math.prod(-(-side // 2**halvings) for side in (spec.height, spec.width))


CLASSIFIERS: dict[str, type[LeakyCNN] | type[ResidualCNN] | type[OriginalCNN]] = {
    "leaky-cnn": LeakyCNN,
    "residual-cnn": ResidualCNN,
    "original-cnn": OriginalCNN,
}
