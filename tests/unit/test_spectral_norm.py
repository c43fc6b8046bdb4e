from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as torchs

from cgan.models.spectral_norm import SpectralNetwork, divide, freeze, spectral_norm

KEYS = ("weight", "bias")
SHAPES = [(5, 7), (7, 5), (6, 3, 3, 3), (10, 1)]


class Chain(SpectralNetwork):
    """Layers one after the other."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        self.normalise()
        return self.layers(x)


def linear_chain() -> Chain:
    """Return two layers of different sizes."""
    return Chain(*(spectral_norm(nn.Linear(*sizes)) for sizes in [(4, 3), (3, 5)]))


def test_the_largest_singular_value_becomes_one() -> None:
    chain = linear_chain()
    for _ in range(50):
        chain(torch.randn(2, 4))
    for layer in chain.layers:
        assert isinstance(layer, nn.Linear)
        largest = torch.linalg.svdvals(layer.weight.detach())[0]
        assert float(largest) == pytest.approx(1, abs=1e-4)


def test_a_kernel_is_read_as_a_matrix_of_its_first_dimension_by_all_others() -> None:
    layer = nn.Conv2d(3, 6, 3)
    chain = Chain(spectral_norm(layer))
    for _ in range(100):
        chain(torch.randn(1, 3, 4, 4))
    weight = layer.weight
    assert weight.shape == (6, 3, 3, 3)
    assert float(torch.linalg.svdvals(weight.detach().flatten(1))[0]) == pytest.approx(1, abs=1e-4)


def test_the_gradient_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    weights = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES]
    vectors = [
        (torch.randn(len(w), dtype=torch.float64), torch.randn(w[0].numel(), dtype=torch.float64))
        for w in weights
    ]

    def divided(*weights: Tensor) -> Sequence[Tensor]:
        return divide(weights, vectors)

    assert torch.autograd.gradcheck(divided, weights)


def test_its_gradient_is_that_of_torchs_own() -> None:
    torch.manual_seed(3)
    plain = nn.Conv2d(3, 6, 3)
    ours, theirs = nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3)
    for layer in (ours, theirs):
        layer.load_state_dict(plain.state_dict())
    chain = Chain(spectral_norm(ours))
    torchs(theirs, n_power_iterations=30)
    images = torch.randn(4, 3, 8, 8)
    target = torch.randn(4, 6, 6, 6)
    for _ in range(100):  # the power method catches up
        chain(images)
    gradients = []
    for network, name in (
        (chain, "layers.0.original"),
        (theirs, "parametrizations.weight.original"),
    ):
        (network(images) - target).square().mean().backward()
        gradient = network.get_parameter(name).grad
        assert gradient is not None
        gradients.append(gradient)
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-5)
    assert gradients[0].abs().max() > 1e-2


def test_the_singular_vectors_are_exact_under_autocast() -> None:
    one, other = linear_chain(), linear_chain()
    other.load_state_dict(one.state_dict())
    x = torch.randn(2, 4)
    one(x)
    with torch.autocast("cpu", torch.bfloat16):
        other(x)
    after = other.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in one.state_dict().items())
    assert all(value.dtype == torch.float32 for value in after.values())


def test_weights_that_do_not_learn_leave_the_singular_vectors_alone() -> None:
    chain = linear_chain()
    chain.requires_grad_(False)
    before = {name: value.clone() for name, value in chain.named_buffers()}
    assert len(before) == 4
    chain(torch.randn(2, 4))
    assert all(torch.equal(value, before[name]) for name, value in chain.named_buffers())
    chain.requires_grad_(True)
    for weight in chain.parameters():
        weight.data.normal_()
    chain(torch.randn(2, 4))
    assert not any(torch.equal(value, before[name]) for name, value in chain.named_buffers())


def test_a_frozen_copy_computes_the_same_with_plain_weights() -> None:
    chain, x = linear_chain(), torch.randn(6, 4)
    chain(x).sum().backward()  # its weights hang on a gradient
    before = {key: value.clone() for key, value in chain.state_dict().items()}
    copied = freeze(chain)
    assert not copied.training
    assert set(copied.state_dict()) == {f"layers.{i}.{key}" for i in (0, 1) for key in KEYS}
    assert not any(weight.requires_grad for weight in copied.parameters())
    assert all(torch.equal(before[key], value) for key, value in chain.state_dict().items())
    assert torch.allclose(copied(x), chain.eval()(x), atol=1e-7)
    with torch.no_grad():
        chain.layers[1].bias.add_(1)  # type: ignore[operator]
    assert not torch.allclose(copied(x), chain(x), atol=1e-3)


def test_freezing_a_network_without_spectral_norms_copies_it() -> None:
    network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    copied = freeze(network)
    assert network.training
    assert not copied.training
    assert copied.state_dict().keys() == network.state_dict().keys()
