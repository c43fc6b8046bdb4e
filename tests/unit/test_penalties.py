import pytest
import torch
from conftest import TOY, toy_extractor
from torch import Tensor, nn

from cgan.models.registry import DISCRIMINATORS
from cgan.training.losses import PENALTIES


class Quadratic(nn.Module):
    """Logit = weight * sum(x^2): its gradient at x is 2 * weight * x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, images: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        return self.weight * images.square().flatten(1).sum(1)


REAL = torch.tensor([1.0, 2.0, 0.0, 0.0, 1.0, 1.0]).view(2, 3, 1, 1)  # three channels
FAKE = 2 * REAL
NONE = torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.int64)
EXPECTED = {  # half the mean over images of |2 * 3 * x|^2
    "none": 0.0,
    "r1": 0.5 * 36 * (5 + 2) / 2,
}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_is_a_scalar_of_the_hand_computed_value(name: str) -> None:
    cost = PENALTIES[name](Quadratic(), REAL, FAKE, *NONE)
    assert cost.shape == ()
    assert float(cost.detach()) == pytest.approx(EXPECTED[name], rel=1e-6)


def test_a_gradient_penalty_reaches_the_discriminators_weights() -> None:
    network = Quadratic()
    PENALTIES["r1"](network, REAL, FAKE, *NONE).backward()
    assert network.weight.grad is not None
    # the cost grows with the square of the weight
    assert float(network.weight.grad) == pytest.approx(2 * EXPECTED["r1"] / 3, rel=1e-6)


@pytest.mark.parametrize("name", ["projection-conv", "guided-conv"])
def test_r1_trains_spectrally_normalised_weights_by_the_plain_formula(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain(weights: list[Tensor], vectors: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, ...]:
        pairs = zip(weights, vectors, strict=True)
        return tuple(w / (u @ (w.flatten(1) @ v)) for w, (u, v) in pairs)

    torch.manual_seed(0)
    discriminator = DISCRIMINATORS[name](TOY, toy_extractor(), 1).eval()
    images = torch.rand(4, *TOY.image_shape) * 2 - 1
    gradients = []
    for patched in (False, True):
        if patched:
            monkeypatch.setattr("cgan.models.spectral_norm.divide", plain)
        discriminator.zero_grad()
        zeros = torch.zeros(4, dtype=torch.int64)
        PENALTIES["r1"](discriminator, images, images, zeros, zeros).backward()
        gradients.append([p.grad for p in discriminator.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 4
    assert max(float(g.abs().max()) for g in gradients[0]) > 1e-6
    for ours, wanted in zip(*gradients, strict=True):
        assert torch.allclose(ours, wanted, rtol=1e-3, atol=1e-6)
