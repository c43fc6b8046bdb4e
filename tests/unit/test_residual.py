import pytest
import torch
from conftest import TOY
from torch import nn

from cgan.data.spec import DataSpec
from cgan.models.residual import ResidualBlock, ResidualDiscriminator, ResidualGenerator

SPECS = [DataSpec("x", 1, 28, 28, 10), DataSpec("x", 3, 32, 32, 10), DataSpec("x", 2, 12, 8, 3)]
SPECS.append(DataSpec("x", 3, 42, 70, 3))
every_size = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.image_shape))
B, Z, MODES = 6, 5, 2


def networks() -> tuple[ResidualGenerator, ResidualDiscriminator]:
    return ResidualGenerator(TOY, Z, MODES), ResidualDiscriminator(TOY, None, MODES)


def blocks(network: nn.Module) -> list[ResidualBlock]:
    return [part for part in network.modules() if isinstance(part, ResidualBlock)]


@every_size
@pytest.mark.parametrize("n_modes", [1, MODES])
def test_images_and_logits_have_the_shapes_of_the_data(spec: DataSpec, n_modes: int) -> None:
    labels = torch.arange(B) % spec.n_classes
    images = ResidualGenerator(spec, Z, n_modes)(torch.randn(B, Z), labels)
    assert images.shape == (B, *spec.image_shape)
    logits = ResidualDiscriminator(spec, None, n_modes)(images, labels, labels % n_modes)
    assert logits.shape == (B,)


def test_a_block_starts_as_the_identity_and_learns_from_the_first_step() -> None:
    block, x = ResidualBlock(16, 3), torch.randn(2, 16, 4, 6)
    assert torch.equal(block(x), x)
    optimizer = torch.optim.SGD(block.parameters(), 1.0)
    block(x).square().mean().backward()
    optimizer.step()
    assert float((block(x) - x).detach().abs().max()) > 1e-3


def test_every_branch_of_both_networks_starts_at_zero() -> None:
    for network in networks():
        found = blocks(network)
        assert len(found) >= 2
        assert not any(block.narrow.weight.any() for block in found)
        assert all(block.widen.weight.all() and block.mix.weight.all() for block in found)


def test_the_skip_of_a_block_is_a_sum() -> None:
    block, x = ResidualBlock(16, 3), torch.randn(2, 16, 4, 6)
    nn.init.normal_(block.narrow.weight)
    y = nn.functional.leaky_relu(block.widen(x), 0.2)
    y = nn.functional.leaky_relu(block.mix(y), 0.2)
    assert torch.allclose(block(x), x + block.narrow(y), atol=1e-6)


@pytest.mark.parametrize("n_blocks", [1, 16])
def test_layers_start_as_wide_as_the_number_of_blocks_allows(n_blocks: int) -> None:
    block = ResidualBlock(128, n_blocks)
    gain = (2 / 1.04) ** 0.5 * n_blocks**-0.25  # of a leaky ReLU; n^(-1 / (2m - 2)) for m = 3
    assert block.widen.weight.std().item() == pytest.approx(gain / 128**0.5, rel=0.03)
    assert block.mix.weight.std().item() == pytest.approx(gain / (16 * 9) ** 0.5, rel=0.03)
    assert not any(part.bias.any() for part in (block.widen, block.mix) if part.bias is not None)


def test_a_block_is_an_inverted_bottleneck_of_grouped_convolutions() -> None:
    block = ResidualBlock(64, 1)
    assert block.widen.weight.shape == (128, 64, 1, 1)
    assert block.mix.weight.shape == (128, 16, 3, 3)
    assert block.narrow.weight.shape == (64, 128, 1, 1)


def test_there_is_no_norm_of_any_kind_and_a_logit_depends_on_its_own_image_alone() -> None:
    for network in networks():
        kinds = {type(part).__name__ for part in network.modules()}
        assert not [kind for kind in kinds if "Norm" in kind or "Spectral" in kind]
        assert not list(network.buffers()) or set(dict(network.named_buffers())) == {"mode_edges"}
    _, discriminator = networks()
    assert not discriminator.depends_on_batch
    images, labels = torch.rand(B, *TOY.image_shape), torch.zeros(B, dtype=torch.int64)
    alone = torch.cat([discriminator(image[None], labels[:1], labels[:1]) for image in images])
    assert torch.allclose(alone, discriminator(images, labels, labels), atol=1e-5)


def test_the_discriminator_takes_the_label_as_a_projection() -> None:
    _, discriminator = networks()
    image = torch.rand(1, *TOY.image_shape)
    one, other, mode = torch.tensor([1]), torch.tensor([2]), torch.tensor([0])
    features = discriminator.features_of(discriminator.extract(image)[0])
    vectors = discriminator.embed(one, mode) - discriminator.embed(other, mode)
    wanted = (vectors * features).sum().item()
    assert abs(wanted) > 1e-3
    difference = (discriminator(image, one, mode) - discriminator(image, other, mode)).item()
    assert difference == pytest.approx(wanted, rel=1e-4)


def test_at_the_start_logits_and_images_are_neither_flat_nor_saturated() -> None:
    spec = SPECS[0]
    labels = torch.arange(200) % 10
    images = ResidualGenerator(spec, 64)(torch.randn(200, 64), labels)
    assert 0.2 < images.std().item() < 0.8
    logits = ResidualDiscriminator(spec)(torch.randn(200, *spec.image_shape), labels, 0 * labels)
    assert 0.3 < logits.std().item() < 3
