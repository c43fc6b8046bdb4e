import pytest
import torch
from conftest import TOY, toy_extractor
from torch import Tensor, nn

from cgan.models.registry import DISCRIMINATORS
from cgan.training.losses import PENALTIES, r1, r2


class Quadratic(nn.Module):
    """Logit = weight of the label * sum(x^2): its gradient at x is 2 * weight * x."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([3.0, 5.0]))

    def forward(self, images: Tensor, labels: Tensor, modes: Tensor) -> Tensor:
        return self.weights[labels] * images.square().flatten(1).sum(1)


REAL = torch.tensor([1.0, 2.0, 0.0, 0.0, 1.0, 1.0]).view(2, 3, 1, 1)  # three channels
FAKE = 2 * REAL
LABELS, FAKE_LABELS = torch.tensor([0, 1]), torch.tensor([1, 1])
MODES = torch.zeros(2, dtype=torch.int64)
AT_REALS, AT_FAKES = (REAL, LABELS, MODES), (FAKE, FAKE_LABELS, MODES)
# half the mean over images of |2 * weight * x|^2, each image with the weight of its own label
AT_REAL = 0.5 * 4 * (9 * 5 + 25 * 2) / 2
AT_FAKE = 0.5 * 4 * (25 * 20 + 25 * 8) / 2
EXPECTED = {"none": 0.0, "r1": AT_REAL, "r1+r2": AT_REAL + AT_FAKE}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_is_a_scalar_of_the_hand_computed_value(name: str) -> None:
    cost = PENALTIES[name](Quadratic(), AT_REALS, AT_FAKES)
    assert cost.shape == ()
    assert float(cost.detach()) == pytest.approx(EXPECTED[name], rel=1e-6)


def test_r2_is_r1_at_generated_images_with_their_labels() -> None:
    cost = r2(Quadratic(), AT_REALS, AT_FAKES)
    assert float(cost.detach()) == pytest.approx(AT_FAKE, rel=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_both_penalties_sum_over_every_channel_and_pixel(channels: int) -> None:
    real, fake = torch.ones(3, channels, 2, 4), torch.full((3, channels, 2, 4), -0.5)
    labels = torch.zeros(3, dtype=torch.int64)
    one, other = (
        f(Quadratic(), (real, labels, labels), (fake, labels, labels)).detach() for f in (r1, r2)
    )
    assert float(one) == pytest.approx(0.5 * 36 * channels * 8, rel=1e-6)
    assert float(other) == pytest.approx(0.5 * 36 * channels * 8 / 4, rel=1e-6)


@pytest.mark.parametrize("name", ["r1", "r1+r2"])
def test_a_gradient_penalty_reaches_the_discriminators_weights(name: str) -> None:
    network = Quadratic()
    PENALTIES[name](network, AT_REALS, AT_FAKES).backward()
    assert network.weights.grad is not None
    # the cost of an image grows with the square of its weight
    wanted = {"r1": [2 * 3 * 5, 2 * 5 * 2], "r1+r2": [2 * 3 * 5, 2 * 5 * (2 + 20 + 8)]}
    assert network.weights.grad.tolist() == pytest.approx(wanted[name], rel=1e-6)


def test_a_penalty_does_not_reach_the_generator() -> None:
    fake = FAKE.clone().requires_grad_()
    PENALTIES["r1+r2"](Quadratic(), AT_REALS, (fake, FAKE_LABELS, MODES)).backward()
    assert fake.grad is None


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
        inputs = images, zeros, zeros
        PENALTIES["r1"](discriminator, inputs, inputs).backward()
        gradients.append([p.grad for p in discriminator.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 4
    assert max(float(g.abs().max()) for g in gradients[0]) > 1e-6
    for ours, wanted in zip(*gradients, strict=True):
        assert torch.allclose(ours, wanted, rtol=1e-3, atol=1e-6)
