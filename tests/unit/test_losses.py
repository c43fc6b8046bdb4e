import math

import pytest
import torch

from cgan.runtime.errors import lookup
from cgan.training.losses import ADVERSARIAL, guidance_loss

REAL, FAKE = torch.tensor([0.0, 2.0]), torch.tensor([0.0, -1.0])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


EXPECTED = {
    "logistic": (
        (softplus(0) + softplus(-2)) / 2 + (softplus(0) + softplus(-1)) / 2,
        (softplus(0) + softplus(1)) / 2,
    ),
    "logistic-halved": (
        ((softplus(0) + softplus(-2)) / 2 + (softplus(0) + softplus(-1)) / 2) / 2,
        (softplus(0) + softplus(1)) / 2,
    ),
    "probability": (
        (softplus(0) + softplus(-2)) / 2 + (softplus(0) + softplus(-1)) / 2,
        (softplus(0) + softplus(1)) / 2,
    ),
    "hinge": ((1 + 0) / 2 + (1 + 0) / 2, 0.5),
    "relativistic": ((softplus(0) + softplus(-3)) / 2, (softplus(0) + softplus(3)) / 2),
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_loss_is_a_finite_scalar_of_the_hand_computed_value(name: str) -> None:
    row = lookup(ADVERSARIAL, name, "loss")
    for loss, value in zip((row.d_loss, row.g_loss), EXPECTED[name], strict=True):
        computed = loss(REAL, FAKE)
        assert computed.shape == ()
        assert float(computed) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_only_relative_losses_read_the_real_logits_for_the_generator(name: str) -> None:
    row = ADVERSARIAL[name]
    moved = float(row.g_loss(REAL + 1, FAKE)) != pytest.approx(float(row.g_loss(REAL, FAKE)))
    assert moved == row.relative


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_two_sides_pull_the_fake_logits_opposite_ways(name: str) -> None:
    row = ADVERSARIAL[name]
    fake = FAKE.clone().requires_grad_()
    (d_pull,) = torch.autograd.grad(row.d_loss(REAL, fake), fake)
    (g_pull,) = torch.autograd.grad(row.g_loss(REAL, fake), fake)
    assert (d_pull >= 0).all()
    assert d_pull.sum() > 0
    assert (g_pull < 0).all()


def test_guidance_is_the_mean_negative_log_probability_of_the_label() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert float(guidance_loss(logits, torch.tensor([0, 1]))) == pytest.approx(expected, rel=1e-6)


def smoothed(name: str, real: float, fake: float) -> float:
    return float(ADVERSARIAL[name].d_loss(torch.tensor([real]), torch.tensor([fake]), 0.1))


@pytest.mark.parametrize("name", ["logistic", "probability"])
def test_smoothed_labels_are_a_target_of_less_than_one_for_real_images(name: str) -> None:
    wanted = 0.9 * softplus(-2) + 0.1 * softplus(2) + softplus(-1)
    assert smoothed(name, 2.0, -1.0) == pytest.approx(wanted, rel=1e-5)
    assert smoothed("logistic-halved", 2.0, -1.0) == pytest.approx(wanted / 2, rel=1e-5)


def test_smoothing_means_the_same_to_the_other_losses() -> None:
    assert smoothed("hinge", 2.0, -0.5) == pytest.approx(0.1 * 3 + 0.5)
    wanted = 0.9 * softplus(-3) + 0.1 * softplus(3)
    assert smoothed("relativistic", 2.0, -1.0) == pytest.approx(wanted, rel=1e-5)


def test_probabilities_lose_the_gradient_where_the_sigmoid_rounds_and_logits_do_not() -> None:
    real, sure = torch.zeros(1), torch.tensor([-200.0], requires_grad=True)
    (kept,) = torch.autograd.grad(ADVERSARIAL["logistic"].g_loss(real, sure), sure)
    (lost,) = torch.autograd.grad(ADVERSARIAL["probability"].g_loss(real, sure), sure)
    assert float(kept) == pytest.approx(-1)
    assert float(lost) == 0
    assert float(ADVERSARIAL["probability"].g_loss(real, sure.detach())) == pytest.approx(100)
