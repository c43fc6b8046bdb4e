import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import safetensors.torch
import torch
from conftest import TOY, toy_extractor
from torch import Tensor, nn

from cgan.config.recipes import RECIPES, gan_config
from cgan.config.schema import MOST_CLASSES, ClassifierConfig, DataSize
from cgan.data.spec import DataSpec
from cgan.models.base import n_doublings, start_of
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.conv import ProjectionDiscriminator, ShuffleGenerator
from cgan.models.frozen_features import FrozenFeatures
from cgan.models.hub import LARGEST_WEIGHTS
from cgan.models.layers import LeakyTanh, ModulatedNorm, leaky_tanh
from cgan.models.mlp import LinearDiscriminator
from cgan.models.registry import (
    DISCRIMINATORS,
    GENERATORS,
    make_classifier_on_meta,
    make_discriminator,
    make_discriminator_on_meta,
    make_generator,
    make_generator_on_meta,
)
from cgan.models.residual import ResidualBlock

B, Z, MODES = 6, 5, 2
Make = Callable[[], nn.Module]
Row = tuple[str, Make, Callable[[], tuple[Tensor, ...]], tuple[int, ...]]


def images() -> Tensor:
    return torch.rand(B, *TOY.image_shape) * 2 - 1


def labels() -> Tensor:
    return torch.arange(B) % TOY.n_classes


def modes() -> Tensor:
    return torch.arange(B) % MODES


def rows() -> list[Row]:
    """Return (name, how to make it, how to make its input, shape of its output) of every row."""
    found: list[Row] = []
    for name, generator in GENERATORS.items():
        make = partial(generator, TOY, Z, MODES)
        found.append((name, make, lambda: (torch.randn(B, Z), labels()), (B, *TOY.image_shape)))
    for name, discriminator in DISCRIMINATORS.items():
        build = partial(discriminator, TOY, toy_extractor(), MODES)
        heads = (B, 3) if "guided-conv" in name else (B,)
        found.append((name, build, lambda: (images(), labels(), modes()), heads))
    for name, classifier in CLASSIFIERS.items():
        found.append((name, partial(classifier, TOY), lambda: (images(),), (B, TOY.n_classes)))
    return found


every_network = pytest.mark.parametrize(
    ("make", "inputs", "shape"), [row[1:] for row in rows()], ids=[row[0] for row in rows()]
)


@every_network
def test_the_output_has_the_shape_that_the_data_set_asks_for(
    make: Make, inputs: Callable[[], tuple[Tensor, ...]], shape: tuple[int, ...]
) -> None:
    assert make()(*inputs()).shape == shape


def awake(network: nn.Module) -> nn.Module:
    """Draw the layers that start at zero: until the first step they pass no gradient on."""
    for part in network.modules():
        if isinstance(part, ResidualBlock):
            nn.init.normal_(part.narrow.weight, std=0.1)
    return network


@every_network
def test_the_gradient_reaches_every_parameter(
    make: Make, inputs: Callable[[], tuple[Tensor, ...]], shape: tuple[int, ...]
) -> None:
    network = awake(make())
    output = network(*inputs())
    (output * torch.randn_like(output)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@every_network
def test_saved_and_loaded_the_output_is_identical(
    make: Make, inputs: Callable[[], tuple[Tensor, ...]], shape: tuple[int, ...]
) -> None:
    first, second, given = make(), make(), inputs()
    first(*given)  # moves running statistics away from their start
    second.load_state_dict(safetensors.torch.load(safetensors.torch.save(first.state_dict())))
    assert torch.equal(first.eval()(*given), second.eval()(*given))


@pytest.mark.parametrize("name", GENERATORS)
def test_generated_images_stay_within_one(name: str) -> None:
    images = GENERATORS[name](TOY, Z, MODES)(
        10 * torch.randn(B, Z), torch.zeros(B, dtype=torch.int64)
    )
    assert images.abs().max() <= 1


def test_a_modulated_norm_that_no_longer_learns_is_the_formula_of_its_running_statistics() -> None:
    norm = ModulatedNorm(3, 5)
    x, style = torch.randn(4, 3, 2, 2) * 2 + 1, torch.randn(4, 5)
    norm(x, style)  # moves the running statistics
    scale, shift = norm.style(style)[:, :, None, None].chunk(2, dim=1)
    norm.norm.eval()
    wanted = torch.nn.functional.leaky_relu(norm.norm(x) * (1 + scale) + shift, 0.2)
    assert torch.allclose(norm.eval()(x, style), wanted, atol=1e-6)


CONDITIONAL = (
    {"shuffle-conv", "wide-shuffle-conv", "labelled-conv", "residual"},
    {"projection-conv", "wide-projection-conv", "guided-conv", "deep-guided-conv", "residual"},
)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_requested_label_changes_the_image_where_it_is_said_to(name: str) -> None:
    generator, z = GENERATORS[name](TOY, Z, MODES).eval(), torch.randn(1, Z)
    one, other = (generator(z, torch.tensor([label])) for label in (0, 1))
    assert generator.conditional == (name in CONDITIONAL[0])
    assert bool((one - other).abs().max() > 1e-3) == generator.conditional


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_label_changes_the_logit_of_those_that_are_told_it(name: str) -> None:
    discriminator = DISCRIMINATORS[name](TOY, toy_extractor(), MODES).eval()
    image = torch.rand(1, *TOY.image_shape)
    zero = torch.tensor([0])
    one, other = (discriminator(image, torch.tensor([label]), zero) for label in (0, 2))
    assert bool((one - other).detach().abs().min() > 1e-6) == (name in CONDITIONAL[1])


@pytest.mark.parametrize("name", GENERATORS)
def test_an_image_is_synthesized_from_the_embedding_of_its_label_and_mode(name: str) -> None:
    generator, z = GENERATORS[name](TOY, Z, MODES).eval(), torch.randn(B, Z)
    wanted = generator.synthesize(z, generator.embed(z, labels(), modes()))
    assert torch.equal(generator(z, labels(), modes()), wanted)
    chosen = generator.choose_modes(z, labels())
    assert torch.equal(generator(z, labels()), generator(z, labels(), chosen))


@pytest.mark.parametrize("name", ["projection-conv", "guided-conv", "deep-guided-conv"])
def test_the_mode_changes_the_logit_and_the_image(name: str) -> None:
    label, zero, one = torch.tensor([2]), torch.tensor([0]), torch.tensor([1])
    discriminator = DISCRIMINATORS[name](TOY, toy_extractor(), MODES).eval()
    image = torch.rand(1, *TOY.image_shape)
    difference = discriminator(image, label, zero) - discriminator(image, label, one)
    assert difference.detach().abs().min() > 1e-6
    generator, z = GENERATORS["shuffle-conv"](TOY, Z, MODES).eval(), torch.randn(1, Z)
    assert (generator(z, label, zero) - generator(z, label, one)).abs().max() > 1e-3


def test_uniform_noise_is_uniform_and_normal_noise_is_left_alone() -> None:
    generator, normal = GENERATORS["mlp"](TOY, Z, 1), torch.randn(2000, Z)
    assert generator.prior(normal) is normal
    generator.noise = "uniform"
    uniform = generator.prior(normal)
    assert uniform.abs().max() < 1
    assert float(uniform.mean()) == pytest.approx(0, abs=0.03)
    assert float(uniform.var()) == pytest.approx(1 / 3, abs=0.02)
    assert float((uniform < 0.5).float().mean()) == pytest.approx(0.75, abs=0.02)


def linear(*sizes: int) -> int:
    """Return how many weights and biases linear layers of these sizes have."""
    return sum(n * m + m for n, m in pairwise(sizes))


def conv(n_in: int, n_out: int, kernel: int) -> int:
    return n_in * n_out * kernel * kernel + n_out


MNIST = DataSpec("mnist", 1, 28, 28, 10)
# weights by hand: linear and convolutional layers, and two for each channel of a norm
G_WEIGHTS = {
    "mlp": linear(100, 200, 784) + 2 * 200,
    "basic": linear(64, 128, 256, 512, 1024, 784) + 2 * (128 + 256 + 512 + 1024),
    "udacity": linear(100, 32, 64, 128, 784),
    "conv": conv(100, 512, 4) + conv(512, 256, 4) + conv(256, 128, 4) + conv(128, 1, 4)
    + 2 * (512 + 256 + 128),
    "guided-original": linear(10 + 20, 7 * 7 * 128) + conv(128, 128, 4) + conv(128, 64, 4)
    + conv(64, 1, 3) + 2 * (128 + 64),
}  # fmt: skip
D_WEIGHTS = {
    "mlp": linear(784, 200, 1) + 2 * 200,
    "basic": linear(784, 512, 256, 128, 1),
    "udacity": linear(784, 128, 64, 32, 1),
    "conv": conv(1, 128, 4) + conv(128, 256, 4) + conv(256, 512, 4) + conv(512, 1, 4)
    + 2 * (128 + 256 + 512),
    "guided-original": conv(1, 32, 3) + conv(32, 64, 3) + conv(64, 128, 3) + conv(128, 256, 3)
    + linear(256 * 4 * 4, 1) + 2 * (64 + 128 + 256),
}  # fmt: skip


@pytest.mark.parametrize("recipe", G_WEIGHTS)
def test_the_networks_of_older_systems_have_as_many_weights_as_those(recipe: str) -> None:
    config = RECIPES[recipe]
    networks = make_generator(config, MNIST), make_discriminator(config, MNIST, toy_extractor())
    counts = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert counts == [G_WEIGHTS[recipe], D_WEIGHTS[recipe]]


def shapes(network: nn.Module, *inputs: Tensor) -> list[tuple[int, ...]]:
    """Return the shapes of the outputs of its linear and convolutional layers, batch left out."""
    seen: list[tuple[int, ...]] = []
    for part in network.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            part.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    network(*inputs)
    return seen


def test_the_maps_of_the_convolutional_systems_have_the_specified_shapes() -> None:
    chosen = torch.zeros(2, dtype=torch.int64)
    conv, guided = RECIPES["conv"], RECIPES["guided-original"]
    assert shapes(make_generator(conv, MNIST), torch.randn(2, 100), chosen) == [
        *((512, 4, 4), (256, 7, 7), (128, 14, 14), (1, 28, 28)),
    ]
    picture = torch.zeros(2, 1, 28, 28)
    assert shapes(make_discriminator(conv, MNIST, toy_extractor()), picture, chosen, chosen) == [
        *((128, 13, 13), (256, 6, 6), (512, 3, 3), (1, 1, 1)),
    ]
    assert shapes(make_generator(guided, MNIST), torch.randn(2, 20), chosen) == [
        *((6272,), (128, 14, 14), (64, 28, 28), (1, 28, 28)),
    ]
    assert shapes(make_discriminator(guided, MNIST, toy_extractor()), picture, chosen, chosen) == [
        *((32, 14, 14), (64, 7, 7), (128, 4, 4), (256, 4, 4), (1,)),
    ]


def parts(network: nn.Module) -> list[str]:
    """Return what stands between the layers, in order, each kind once in a row."""
    known = (nn.LeakyReLU, nn.ReLU, nn.Dropout, nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d)
    ends = (nn.Sigmoid, nn.Tanh)
    found = [str(part).split("(")[0] for part in network.modules() if isinstance(part, ends)]
    for part in network.modules():
        if isinstance(part, known):
            slope = getattr(part, "negative_slope", getattr(part, "p", ""))
            found.append(f"{type(part).__name__} {slope}".strip())
    return sorted(set(found))


@pytest.mark.parametrize(
    ("recipe", "in_g", "in_d"),
    [
        ("mlp", "LayerNorm, LeakyReLU 0.02, Sigmoid", "LayerNorm, LeakyReLU 0.02"),
        ("basic", "BatchNorm1d, ReLU, Sigmoid", "LeakyReLU 0.2"),
        ("udacity", "Dropout 0.3, LeakyReLU 0.2, Tanh", "Dropout 0.3, LeakyReLU 0.2"),
        ("conv", "BatchNorm2d, ReLU, Tanh", "BatchNorm2d, LeakyReLU 0.2"),
        ("guided-original", "BatchNorm2d, LeakyReLU 0.2, Tanh", "BatchNorm2d, LeakyReLU 0.2"),
    ],
)
def test_older_systems_have_their_activations_norms_and_dropout(
    recipe: str, in_g: str, in_d: str
) -> None:
    config = RECIPES[recipe]
    assert ", ".join(parts(make_generator(config, MNIST))) == in_g
    assert ", ".join(parts(make_discriminator(config, MNIST, toy_extractor()))) == in_d


@pytest.mark.parametrize("name", ["mlp", "basic"])
def test_pixels_are_between_zero_and_one_inside_the_systems_that_had_them_so(name: str) -> None:
    discriminator = DISCRIMINATORS[name](MNIST, toy_extractor(), 1).eval()
    seen: list[Tensor] = []
    assert isinstance(discriminator, LinearDiscriminator)
    discriminator.layers.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    black_and_white = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 28, 28)
    discriminator(black_and_white, labels()[:2], modes()[:2])
    assert seen[0][:, 0].tolist() == [0, 1]


def test_a_classifier_takes_an_image_of_odd_size_as_one_with_more_background() -> None:
    classifier = CLASSIFIERS["leaky-cnn"](replace(TOY, height=11, width=7)).eval()
    images = torch.rand(B, TOY.channels, 11, 7)
    wider = torch.nn.functional.pad(images, (0, 1, 0, 1), value=-1.0)
    assert torch.allclose(classifier(images), classifier(wider), atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_logits_are_the_head_of_the_features(name: str) -> None:
    classifier = CLASSIFIERS[name](TOY).eval()
    images = torch.rand(B, *TOY.image_shape)
    assert torch.equal(classifier(images), classifier.classify(classifier.features(images)))


@pytest.mark.parametrize(
    "spec", [DataSpec("x", 1, 17, 16, 2), DataSpec("x", 3, 50, 33, 3)], ids=str
)
def test_every_network_takes_images_of_any_size(spec: DataSpec) -> None:
    labels, modes = torch.arange(2), torch.arange(2)
    guide = CLASSIFIERS["leaky-cnn"](spec).eval().requires_grad_(False)
    for name, generator in GENERATORS.items():
        images = generator(spec, Z, MODES)(torch.randn(2, Z), labels, modes)
        assert images.shape == (2, *spec.image_shape), name
    for name, discriminator in DISCRIMINATORS.items():
        network = discriminator(spec, FrozenFeatures(guide, torch.float32), MODES)
        assert network(images.detach(), labels, modes).isfinite().all(), name
    for name, classifier in CLASSIFIERS.items():
        assert classifier(spec).eval()(images).shape == (2, spec.n_classes), name


def test_the_largest_images_and_most_classes_make_networks_that_can_be_loaded() -> None:
    spec = DataSpec("x", 3, 128, 128, MOST_CLASSES)
    size = DataSize(200_000, MOST_CLASSES, *spec.image_shape)
    for recipe in RECIPES:
        config = gan_config(recipe, "x", size)
        networks = [
            make_generator_on_meta(config, spec),
            make_discriminator_on_meta(config, spec, None),
        ]
        for network in networks:
            assert 4 * sum(part.numel() for part in network.parameters()) < LARGEST_WEIGHTS, recipe
    for name in CLASSIFIERS:
        classifier = make_classifier_on_meta(ClassifierConfig(network=name), spec)
        assert 4 * sum(part.numel() for part in classifier.parameters()) < LARGEST_WEIGHTS, name


def test_the_sides_of_generated_images_are_doubled_more_often_the_larger_they_are() -> None:
    wanted = {16: 2, 28: 2, 32: 2, 33: 3, 64: 3, 65: 4, 128: 4}
    assert {n: n_doublings(DataSpec("x", 1, n, n, 2)) for n in wanted} == wanted
    assert n_doublings(DataSpec("x", 1, 16, 128, 2)) == 4
    for n in wanted:
        assert 4 <= start_of(DataSpec("x", 1, n, n, 2))[0] <= 8
    for side in (28, 64, 128):
        spec = DataSpec("x", 3, side, side, 2)
        discriminator = ProjectionDiscriminator(spec, toy_extractor())
        generator = ShuffleGenerator(spec, Z)
        assert generator.start[1:] == discriminator.map_shape[1:] == start_of(spec)


def test_a_saturated_pixel_can_be_left_inwards_and_is_not_pushed_further_out() -> None:
    ends = torch.tensor([-20.0, -20.0, 20.0, 20.0], requires_grad=True)
    LeakyTanh.apply(ends).backward(torch.tensor([-1.0, 1.0, 1.0, -1.0]))
    assert ends.grad is not None
    assert ends.grad.tolist() == pytest.approx([-LeakyTanh.LEAK, 0, LeakyTanh.LEAK, 0])


def test_elsewhere_the_gradient_is_that_of_tanh_but_for_the_leak() -> None:
    x = torch.linspace(-2, 2, 9, requires_grad=True)
    y = LeakyTanh.apply(x)
    assert torch.equal(y, torch.tanh(x))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert gradient.tolist() == pytest.approx(
        (1 - torch.tanh(x) ** 2).tolist(), abs=1.01 * LeakyTanh.LEAK
    )


def test_without_gradients_an_leaky_tanh_is_made_of_plain_operations() -> None:
    x = torch.linspace(-3, 3, 9, requires_grad=True)
    assert "LeakyTanh" in str(leaky_tanh(x).grad_fn)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated
        assert torch.equal(leaky_tanh(x), LeakyTanh.apply(x))
        traced = torch.jit.trace(leaky_tanh, x, check_trace=False)
    assert "tanh" in str(traced.graph)
    assert "LeakyTanh" not in str(traced.graph)
