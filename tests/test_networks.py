from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import safetensors.torch
import torch
from conftest import TOY, toy_sight
from torch import Tensor, nn

from cgan.errors import InputError
from cgan.networks import CLASSIFIERS, DISCRIMINATORS, GENERATORS
from cgan.networks.layers import ModulatedNorm, OpenTanh

B, Z, MODES = 6, 5, 2
Make = Callable[[], nn.Module]
Row = tuple[str, Make, Callable[[], tuple[Tensor, ...]], tuple[int, ...]]


def images() -> Tensor:
    return torch.rand(B, *TOY.image_shape) * 2 - 1


def labels() -> Tensor:
    return torch.arange(B) % TOY.n_classes


def rows() -> list[Row]:
    """Return (name, how to make it, how to make its input, shape of its output) of every row."""
    found: list[Row] = []
    for name, generator in GENERATORS.items():
        make = partial(generator, TOY, Z, MODES)
        found.append((name, make, lambda: (torch.randn(B, Z), labels()), (B, *TOY.image_shape)))
    for name, discriminator in DISCRIMINATORS.items():
        looking = partial(discriminator, TOY, toy_sight(), MODES)
        heads = {"projection-conv": (B,), "guided-conv": (B, 3)}[name]
        found.append((name, looking, lambda: (images(), labels()), heads))
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


@every_network
def test_the_gradient_reaches_every_parameter(
    make: Make, inputs: Callable[[], tuple[Tensor, ...]], shape: tuple[int, ...]
) -> None:
    network = make()
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


@pytest.mark.parametrize("name", GENERATORS)
def test_the_requested_label_changes_the_image(name: str) -> None:
    generator, z = GENERATORS[name](TOY, Z, MODES).eval(), torch.randn(1, Z)
    one, other = (generator(z, torch.tensor([label])) for label in (0, 1))
    assert (one - other).abs().max() > 1e-3


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_label_changes_the_logit(name: str) -> None:
    discriminator = DISCRIMINATORS[name](TOY, toy_sight(), MODES).eval()
    image = torch.rand(1, *TOY.image_shape)
    one, other = (discriminator(image, torch.tensor([label])) for label in (0, 2))
    assert float((one - other).detach().abs().min()) > 1e-6


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


def test_an_image_size_that_does_not_fit_is_refused() -> None:
    odd = replace(TOY, height=30)
    with pytest.raises(InputError, match="divides by 4"):
        GENERATORS["shuffle-conv"](odd, Z, MODES)
    with pytest.raises(InputError, match="divides by 4"):
        DISCRIMINATORS["projection-conv"](odd, toy_sight(), MODES)


def test_a_saturated_pixel_can_be_left_inwards_and_is_not_pushed_further_out() -> None:
    ends = torch.tensor([-20.0, -20.0, 20.0, 20.0], requires_grad=True)
    OpenTanh.apply(ends).backward(torch.tensor([-1.0, 1.0, 1.0, -1.0]))
    assert ends.grad is not None
    assert ends.grad.tolist() == pytest.approx([-OpenTanh.LEAK, 0, OpenTanh.LEAK, 0])


def test_elsewhere_the_gradient_is_that_of_tanh_but_for_the_leak() -> None:
    x = torch.linspace(-2, 2, 9, requires_grad=True)
    y = OpenTanh.apply(x)
    assert torch.equal(y, torch.tanh(x))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert gradient.tolist() == pytest.approx(
        (1 - torch.tanh(x) ** 2).tolist(), abs=1.01 * OpenTanh.LEAK
    )
