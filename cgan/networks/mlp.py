"""Networks of linear layers alone: the plain, the basic and the label-smoothing GAN.

None is told a label. Hidden layers, activations and where images lie between 0 and 1 are those of
the systems that the recipes `mlp`, `basic` and `udacity` repeat.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from cgan.config import DataSpec
from cgan.networks.base import Discriminator, Generator

Between = Callable[[int], list[nn.Module]]  # what follows a linear layer of so many outputs


class LinearGenerator(Generator):
    """Noise [B, z_dim] and labels, which it does not heed -> images [B, C, H, W] in [-1, 1]."""

    conditional = False
    sizes: Sequence[int]  # of the hidden layers
    final: type[nn.Module] = nn.Sigmoid

    def __init__(self, spec: DataSpec, z_dim: int, n_modes: int = 1):
        """Build for the images of `spec`."""
        super().__init__(z_dim, spec.n_classes, n_modes)
        self.image_shape = spec.image_shape
        self.layers = _stack(z_dim, self.sizes, _n_pixels(spec), self.between)
        self.end = self.final()

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return what follows a hidden layer of `n` outputs."""
        raise NotImplementedError

    def paint(self, z: Tensor, vectors: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        images = self.end(self.layers(z)).view(-1, *self.image_shape)
        return 2 * images - 1 if isinstance(self.end, nn.Sigmoid) else images


class LinearDiscriminator(Discriminator):
    """Images [B, C, H, W] in [-1, 1] and conditions, which it does not heed -> logits [B]."""

    sizes: Sequence[int]
    from_zero = True  # it sees pixels in [0, 1], not in [-1, 1]

    def __init__(self, spec: DataSpec, sight: object = None, n_modes: int = 1):
        """Build for the images of `spec`, blind to the guide behind `sight`."""
        super().__init__()
        self.layers = _stack(_n_pixels(spec), self.sizes, 1, self.between)

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return what follows a hidden layer of `n` outputs."""
        raise NotImplementedError

    def decide(self, seen: Sequence[Tensor], conditions: Tensor) -> Tensor:
        """Return logits [B]; positive means that an image looks real."""
        pixels = seen[0].flatten(1)
        return self.layers((pixels + 1) / 2 if self.from_zero else pixels).squeeze(1)


class MlpGenerator(LinearGenerator):
    """Recipe `mlp`: one hidden layer of 200."""

    sizes = (200,)

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return a leaky ReLU and a layer norm."""
        return [nn.LeakyReLU(0.02), nn.LayerNorm(n)]


class MlpDiscriminator(LinearDiscriminator):
    """Recipe `mlp`: one hidden layer of 200."""

    sizes = (200,)

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return a leaky ReLU and a layer norm."""
        return [nn.LeakyReLU(0.02), nn.LayerNorm(n)]


class BasicGenerator(LinearGenerator):
    """Recipe `basic`: hidden layers of 128, 256, 512 and 1024, batch-normed."""

    sizes = (128, 256, 512, 1024)

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return a batch norm and a ReLU."""
        return [nn.BatchNorm1d(n), nn.ReLU()]


class BasicDiscriminator(LinearDiscriminator):
    """Recipe `basic`: hidden layers of 512, 256 and 128."""

    sizes = (512, 256, 128)

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return a leaky ReLU."""
        return [nn.LeakyReLU(0.2)]


class DropoutGenerator(LinearGenerator):
    """Recipe `udacity`: hidden layers of 32, 64 and 128 with dropout."""

    sizes = (32, 64, 128)
    final = nn.Tanh

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return a leaky ReLU and a dropout."""
        return [nn.LeakyReLU(0.2), nn.Dropout(0.3)]


class DropoutDiscriminator(LinearDiscriminator):
    """Recipe `udacity`: hidden layers of 128, 64 and 32 with dropout."""

    sizes = (128, 64, 32)
    from_zero = False

    @staticmethod
    def between(n: int) -> list[nn.Module]:
        """Return a leaky ReLU and a dropout."""
        return [nn.LeakyReLU(0.2), nn.Dropout(0.3)]


def _stack(n_in: int, sizes: Sequence[int], n_out: int, between: Between) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before, after in pairwise([n_in, *sizes]):
        parts += [nn.Linear(before, after), *between(after)]
    return nn.Sequential(*parts, nn.Linear(sizes[-1] if sizes else n_in, n_out))


def _n_pixels(spec: DataSpec) -> int:
    return int(torch.Size(spec.image_shape).numel())
