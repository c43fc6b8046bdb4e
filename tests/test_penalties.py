import pytest
import torch
from torch import Tensor, nn

from cgan.penalties import PENALTIES


class Quadratic(nn.Module):
    """Logit = weight * sum(x^2): its gradient at x is 2 * weight * x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.weight * images.square().flatten(1).sum(1)


REAL = torch.tensor([1.0, 2.0, 0.0, 0.0, 1.0, 1.0]).view(2, 3, 1, 1)  # three channels
FAKE = 2 * REAL
EXPECTED = {  # half the mean over images of |2 * 3 * x|^2
    "none": 0.0,
    "r1": 0.5 * 36 * (5 + 2) / 2,
}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_is_a_scalar_of_the_hand_computed_value(name: str) -> None:
    cost = PENALTIES[name](Quadratic(), REAL, FAKE, torch.zeros(2, dtype=torch.int64))
    assert cost.shape == ()
    assert float(cost.detach()) == pytest.approx(EXPECTED[name], rel=1e-6)


def test_a_gradient_penalty_reaches_the_discriminators_weights() -> None:
    network = Quadratic()
    PENALTIES["r1"](network, REAL, FAKE, torch.zeros(2, dtype=torch.int64)).backward()
    assert network.weight.grad is not None
    # the cost grows with the square of the weight
    assert float(network.weight.grad) == pytest.approx(2 * EXPECTED["r1"] / 3, rel=1e-6)
