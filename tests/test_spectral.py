import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as torchs

from cgan.networks.spectral import SpectralNorm, spectral_norm

SHAPES = [(5, 7), (7, 5), (6, 3, 3, 3), (10, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_singular_value_becomes_one(shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape).requires_grad_()
    norm = SpectralNorm(weight)
    for _ in range(50):
        divided = norm(weight)
    largest = torch.linalg.svdvals(divided.detach().flatten(1))[0]
    assert float(largest) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_that_of_the_formula(shape: tuple[int, ...]) -> None:
    norm = SpectralNorm(torch.randn(shape)).double().eval()
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norm, (weight,))


def test_its_gradient_is_that_of_torchs_own() -> None:
    torch.manual_seed(3)
    plain = nn.Conv2d(3, 6, 3)
    ours, theirs = nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3)
    for layer in (ours, theirs):
        layer.load_state_dict(plain.state_dict())
    spectral_norm(ours)
    torchs(theirs, n_power_iterations=30)
    images = torch.randn(4, 3, 8, 8)
    target = torch.randn(4, 6, 6, 6)
    for _ in range(100):  # the power method catches up
        ours(images)
    gradients = []
    for layer in (ours, theirs):
        (layer(images) - target).square().mean().backward()
        gradient = layer.get_parameter("parametrizations.weight.original").grad
        assert gradient is not None
        gradients.append(gradient)
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-5)
    assert gradients[0].abs().max() > 1e-2


def test_a_weight_that_does_not_learn_leaves_the_singular_vectors_alone() -> None:
    layer = spectral_norm(nn.Linear(4, 3))
    layer.requires_grad_(False)
    before = {name: value.clone() for name, value in layer.named_buffers()}
    layer(torch.randn(2, 4))
    assert all(torch.equal(value, before[name]) for name, value in layer.named_buffers())
    layer.requires_grad_(True)
    layer.get_parameter("parametrizations.weight.original").data.normal_()
    layer(torch.randn(2, 4))
    assert not all(torch.equal(value, before[name]) for name, value in layer.named_buffers())
