"""Classifiers: the guide, the judge (of another architecture) and the CNN of the original system.

Each maps images [B, C, H, W] in [-1, 1] to logits [B, K]; `features` gives the layer before.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import pixel_blocks


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
        right, below = images.shape[3] % 2, images.shape[2] % 2
        if right or below:
            images = F.pad(images, (0, right, 0, below), value=-1.0)
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

    LeakyReLU everywhere, because ReLU passes too little gradient back to a generator.
    """

    n_local = 5

    def __init__(self, spec: DataSpec):
        """Build for the images and classes of `spec`."""
        slope, n_features = 0.1, 128
        body = nn.Sequential(
            Blocks(),
            conv_norm(4 * spec.channels, 16, 3, slope),
            conv_norm(16, 32, 3, slope),
            nn.MaxPool2d(2, ceil_mode=True),
            conv_norm(32, 64, 3, slope),
            conv_norm(64, 64, 3, slope, stride=2),
            nn.Flatten(),
            nn.Linear(64 * _halved(spec.height, 3) * _halved(spec.width, 3), n_features),
            nn.LeakyReLU(slope, inplace=True),
        )
        super().__init__(body, n_features, spec.n_classes)


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
    """The judge: residual blocks, SiLU and global pooling; it shares nothing with the guide."""

    n_local = 5

    def __init__(self, spec: DataSpec):
        """Build for the images and classes of `spec`."""
        n_features = 96

        def stem(n_in: int, n_out: int, stride: int) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.SiLU(),
            )

        body = nn.Sequential(
            stem(spec.channels, 24, 1),
            stem(24, 48, 2),
            Residual(48),
            stem(48, n_features, 2),
            Residual(n_features),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        super().__init__(body, n_features, spec.n_classes)


class OriginalCNN(Classifier):
    """The guided system's own classifier: 16-32-64, dropout 0.25 and 0.5, 128 features."""

    n_local = 6

    def __init__(self, spec: DataSpec):
        """Build for the images and classes of `spec`."""
        slope, n_features = 0.2, 128
        body = nn.Sequential(
            nn.Conv2d(spec.channels, 16, 3, padding=1),
            nn.LeakyReLU(slope, inplace=True),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.LeakyReLU(slope, inplace=True),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.LeakyReLU(slope, inplace=True),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(64 * _halved(spec.height, 1) * _halved(spec.width, 1), n_features),
            nn.LeakyReLU(slope, inplace=True),
        )
        super().__init__(body, n_features, spec.n_classes, dropout=0.5)


def _halved(size: int, times: int) -> int:
    """Return `size` after `times` halvings that round up."""
    return -(-size // 2**times)


CLASSIFIERS: dict[str, type[LeakyCNN] | type[ResidualCNN] | type[OriginalCNN]] = {
    "leaky-cnn": LeakyCNN,
    "residual-cnn": ResidualCNN,
    "original-cnn": OriginalCNN,
}
