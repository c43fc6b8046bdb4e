"""Networks of transposed convolutions: the convolutional GAN and the first classifier-guided one.

They reproduce the systems of the recipes `conv` and `guided-original`, layer by layer at 28x28
pixels. At other sizes the first layers have other sizes, and images above 32 pixels have further
layers that double or halve the sides.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import (
    FEWEST_DOUBLINGS,
    LARGEST_START,
    Discriminator,
    Generator,
    cropped,
    n_doublings,
    start_of,
)

SLOPE = 0.2


class TransposedGenerator(Generator):
    """Recipe `conv`: noise [B, z_dim] as 1x1 maps -> images [B, C, H, W]; labels are not used."""

    conditional = False

    def __init__(self, spec: DataSpec, z_dim: int, n_modes: int = 1):
        """Build for the images of `spec`."""
        super().__init__(z_dim, spec.n_classes, n_modes)
        self.spec = spec
        ends = start_of(spec)  # of the map that two or more layers double: 7x7
        first = (ends[0] + 1) // 2, (ends[1] + 1) // 2  # of the map before it: 4x4
        second = ends[0] - first[0] + 1, ends[1] - first[1] + 1
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(z_dim, 512, first),
            *_normed(512),
            nn.ConvTranspose2d(512, 256, second),
            *_normed(256),
            nn.ConvTranspose2d(256, 128, 4, 2, 1),
            *_normed(128),
            *_further_doublings(spec, _normed),
            nn.ConvTranspose2d(128, spec.channels, 4, 2, 1),
            nn.Tanh(),
        )

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        return cropped(self.layers(z[:, :, None, None]), self.spec)


class ConvDiscriminator(Discriminator):
    """Recipe `conv`: images [B, C, H, W] -> logits [B]; labels and modes are not used."""

    def __init__(self, spec: DataSpec, extractor: object = None, n_modes: int = 1):
        """Build for the images of `spec`; `extractor` and `n_modes` are not used."""
        super().__init__()
        layers: list[nn.Module] = []
        n_in, sides = spec.channels, [spec.height, spec.width]
        halvings = [(128, 0), (256, 1), (512, 1)]
        while max(sides) >> len(halvings) > LARGEST_START:
            halvings.append((512, 1))
        for n_out, padding in halvings:
            # kernel, stride and padding of each side; a side below 4 is not halved
            shapes = [(4, 2, padding) if side >= 4 else (3, 1, 1) for side in sides]
            layers += [_conv(n_in, n_out, shapes), nn.BatchNorm2d(n_out), nn.LeakyReLU(SLOPE)]
            sides = [_side(side, *shape) for side, shape in zip(sides, shapes, strict=True)]
            n_in = n_out
        # the remaining map, 3x3 at 28x28 pixels, becomes one number
        last = [(4, 2, 1) if side in (2, 3) else (side, 1, 0) for side in sides]
        self.layers = nn.Sequential(*layers, _conv(n_in, 1, last), nn.Flatten(0))

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B]; a positive one means that the image looks real."""
        return self.layers(features[0])


class OneHot(nn.Module):
    """Labels int64 [B] -> float [B, K]: 1 for the label and 0 for the other classes."""

    def __init__(self, n_classes: int):
        """Store the number of classes."""
        super().__init__()
        self.n_classes = n_classes

    def forward(self, z: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        """Return the labels, one-hot, in the dtype of the noise; modes are not used."""
        return F.one_hot(labels, self.n_classes).to(z.dtype)


class LabelledGenerator(Generator):
    """Recipe `guided-original`: noise [B, z_dim] and a one-hot label -> images [B, C, H, W]."""

    def __init__(self, spec: DataSpec, z_dim: int, n_modes: int = 1):
        """Build for the images and classes of `spec`."""
        super().__init__(z_dim, spec.n_classes, n_modes)
        self.spec = spec
        self.embed = OneHot(spec.n_classes)
        start = (128, *start_of(spec))
        self.layers = nn.Sequential(
            nn.Linear(spec.n_classes + z_dim, start[0] * start[1] * start[2]),
            nn.LeakyReLU(SLOPE),
            nn.Unflatten(1, start),
            *_further_doublings(spec, _leaky_normed),
            nn.ConvTranspose2d(128, 128, 4, 2, 1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(64, spec.channels, 3, 1, 1),
            nn.Tanh(),
        )

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        return cropped(self.layers(torch.cat([embedding, z], dim=1)), self.spec)


class UnlabelledDiscriminator(Discriminator):
    """Recipe `guided-original`: images [B, C, H, W] -> logits [B]; labels are not used."""

    def __init__(self, spec: DataSpec, extractor: object = None, n_modes: int = 1):
        """Build for the images of `spec`; `extractor` and `n_modes` are not used."""
        super().__init__()
        body = nn.Sequential(
            nn.Conv2d(spec.channels, 32, 3, 2, 1),
            nn.LeakyReLU(SLOPE),
            *_halving(32, 64, 2),
            *_halving(64, 128, 2),
            *_halving(128, 256, 1),
        )
        height, width = (-(-side // 8) for side in (spec.height, spec.width))
        while max(height, width) > LARGEST_START:
            body.extend(_halving(256, 256, 2))
            height, width = -(-height // 2), -(-width // 2)
        body.append(nn.Flatten())
        self.layers = nn.Sequential(*body, nn.Linear(256 * height * width, 1))

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B]; a positive one means that the image looks real."""
        return self.layers(features[0]).squeeze(1)


def _further_doublings(spec: DataSpec, normed: Callable[[int], list[nn.Module]]) -> list[nn.Module]:
    """Return the layers that double a map of 128 channels for images above 32 pixels."""
    layers: list[nn.Module] = []
    for _ in range(n_doublings(spec) - FEWEST_DOUBLINGS):
        layers += [nn.ConvTranspose2d(128, 128, 4, 2, 1), *normed(128)]
    return layers


def _conv(n_in: int, n_out: int, shapes: list[tuple[int, int, int]]) -> nn.Conv2d:
    (kernel_y, stride_y, padding_y), (kernel_x, stride_x, padding_x) = shapes
    kernel, stride = (kernel_y, kernel_x), (stride_y, stride_x)
    return nn.Conv2d(n_in, n_out, kernel, stride, (padding_y, padding_x))


def _side(side: int, kernel: int, stride: int, padding: int) -> int:
    return (side + 2 * padding - kernel) // stride + 1


def _normed(n: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(n), nn.ReLU()]


def _leaky_normed(n: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(n), nn.LeakyReLU(SLOPE)]


def _halving(n_in: int, n_out: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, stride, 1), nn.BatchNorm2d(n_out), nn.LeakyReLU(SLOPE)]
