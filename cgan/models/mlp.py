"""Networks of linear layers: the plain, the basic and the label-smoothing GAN.

None of them uses labels. Hidden layers, activations and the range of the images (some use 0 to 1)
are those of the systems that the recipes `mlp`, `basic` and `udacity` reproduce.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from cgan.data.spec import DataSpec
from cgan.models.base import Discriminator, Generator

Between = Callable[[int], list[nn.Module]]  # what follows a linear layer of so many outputs


def _layer_normed(n: int) -> list[nn.Module]:
    return [nn.LeakyReLU(0.02), nn.LayerNorm(n)]


def _batch_normed(n: int) -> list[nn.Module]:
    return [nn.BatchNorm1d(n), nn.ReLU()]


def _leaky(n: int) -> list[nn.Module]:
    return [nn.LeakyReLU(0.2)]


def _dropped_out(n: int) -> list[nn.Module]:
    return [nn.LeakyReLU(0.2), nn.Dropout(0.3)]


class LinearGenerator(Generator):
    """Noise [B, z_dim] -> images [B, C, H, W] in [-1, 1]; labels and modes are not used."""

    conditional = False
    sizes: Sequence[int]  # of the hidden layers
    between: Between
    final: type[nn.Module] = nn.Sigmoid

    def __init__(self, spec: DataSpec, z_dim: int, n_modes: int = 1):
        """Build for the images of `spec`."""
        super().__init__(z_dim, spec.n_classes, n_modes)
        self.image_shape = spec.image_shape
        self.layers = _stack(z_dim, self.sizes, _n_pixels(spec), self.between)
        self.end = self.final()

    def synthesize(self, z: Tensor, embedding: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        images = self.end(self.layers(z)).view(-1, *self.image_shape)
        return 2 * images - 1 if isinstance(self.end, nn.Sigmoid) else images


class LinearDiscriminator(Discriminator):
    """Images [B, C, H, W] in [-1, 1] -> logits [B]; labels and modes are not used."""

    sizes: Sequence[int]
    between: Between
    from_zero = True  # whether its layers get pixels in [0, 1], not in [-1, 1]

    def __init__(self, spec: DataSpec, extractor: object = None, n_modes: int = 1):
        """Build for the images of `spec`; `extractor` and `n_modes` are not used."""
        super().__init__()
        self.layers = _stack(_n_pixels(spec), self.sizes, 1, self.between)

    def logits(self, features: Sequence[Tensor], labels: Tensor, modes: Tensor) -> Tensor:
        """Return logits [B]; a positive one means that the image looks real."""
        pixels = features[0].flatten(1)
        return self.layers((pixels + 1) / 2 if self.from_zero else pixels).squeeze(1)


class MlpGenerator(LinearGenerator):
    """Recipe `mlp`: one hidden layer of 200."""

    sizes, between = (200,), staticmethod(_layer_normed)


class MlpDiscriminator(LinearDiscriminator):
    """Recipe `mlp`: one hidden layer of 200."""

    sizes, between = (200,), staticmethod(_layer_normed)


class BasicGenerator(LinearGenerator):
    """Recipe `basic`: hidden layers of 128, 256, 512 and 1024, batch-normed."""

    sizes, between = (128, 256, 512, 1024), staticmethod(_batch_normed)


class BasicDiscriminator(LinearDiscriminator):
    """Recipe `basic`: hidden layers of 512, 256 and 128."""

    sizes, between = (512, 256, 128), staticmethod(_leaky)


class DropoutGenerator(LinearGenerator):
    """Recipe `udacity`: hidden layers of 32, 64 and 128 with dropout."""

    sizes, between = (32, 64, 128), staticmethod(_dropped_out)
    final = nn.Tanh


class DropoutDiscriminator(LinearDiscriminator):
    """Recipe `udacity`: hidden layers of 128, 64 and 32 with dropout."""

    sizes, between = (128, 64, 32), staticmethod(_dropped_out)
    from_zero = False


def _stack(n_in: int, sizes: Sequence[int], n_out: int, between: Between) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before, after in pairwise([n_in, *sizes]):
        parts += [nn.Linear(before, after), *between(after)]
    return nn.Sequential(*parts, nn.Linear(sizes[-1] if sizes else n_in, n_out))


def _n_pixels(spec: DataSpec) -> int:
    return int(torch.Size(spec.image_shape).numel())
