"""What every generator promises to the code that draws from it."""

from torch import Tensor, nn


class Generator(nn.Module):
    """Noise float [B, z_dim] and labels int64 [B] -> images float [B, C, H, W] in [-1, 1]."""

    def __init__(self, z_dim: int):
        """Remember the length of the noise."""
        super().__init__()
        self.z_dim = z_dim

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images [B, C, H, W] in [-1, 1]."""
        raise NotImplementedError
