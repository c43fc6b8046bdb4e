import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from conftest import TOY, toy_extractor

from cgan.config.schema import GanConfig
from cgan.models.base import Discriminator
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.registry import DISCRIMINATORS, GENERATORS
from cgan.runtime.errors import TrainingError
from cgan.training.losses import ADVERSARIAL, PENALTIES
from cgan.training.step_log import StepLog
from cgan.training.updates import Batch, guidance_at, make_phases, rate_at


def test_guidance_falls_in_a_straight_line_to_its_end() -> None:
    config = GanConfig(guidance=0.4, guidance_end=0.5)
    assert [guidance_at(config, p) for p in (0, 0.25, 0.5, 0.9)] == pytest.approx([0.4, 0.2, 0, 0])


def test_guidance_may_never_begin_or_never_end() -> None:
    assert guidance_at(GanConfig(guidance=0.4, guidance_end=0.0), 0.0) == 0
    assert guidance_at(GanConfig(guidance=0.4, guidance_end=1.0), 0.5) == pytest.approx(0.2)
    assert guidance_at(GanConfig(guidance=0.4, guidance_end=1e9), 1.0) == pytest.approx(0.4)


def test_guidance_may_grow_or_shrink_every_epoch() -> None:
    config = GanConfig(guidance=0.2, guidance_end=1e9, delta_alpha=0.1, epochs=4)
    weights = [guidance_at(config, p) for p in (0, 0.24, 0.25, 0.74, 0.75, 0.99)]
    assert weights == pytest.approx([0.2, 0.2, 0.3, 0.4, 0.5, 0.5])
    assert guidance_at(replace(config, delta_alpha=-0.1), 0.75) == 0
    mixed = replace(config, delta_alpha=1.0, guidance_mixed=True)
    assert guidance_at(mixed, 0.75) == 1


def test_the_rate_rises_in_the_warm_up_and_falls_as_a_cosine() -> None:
    config = GanConfig(warmup=3, schedule="cosine")
    assert rate_at(config, 0.0, 0) == pytest.approx(0.25)
    assert rate_at(config, 0.5, 500) == pytest.approx(0.5)
    assert rate_at(config, 1.0, 1000) == pytest.approx(0.0, abs=1e-12)
    assert rate_at(GanConfig(schedule="constant"), 0.9, 900) == 1


def test_a_held_rate_falls_in_a_straight_line_at_the_end() -> None:
    config = GanConfig(schedule="hold", decay=0.4)
    rates = [rate_at(config, p, 99) for p in (0, 0.6, 0.7, 0.9, 1)]
    assert rates == pytest.approx([1, 1, 0.75, 0.25, 0])
    assert rate_at(GanConfig(schedule="hold", decay=0.0), 1.0, 99) == 1


def test_readings_are_averaged_over_the_steps_that_gave_them() -> None:
    log = StepLog()
    log.add(0, {"a": torch.tensor(1.0), "b": torch.tensor(5.0)})
    log.add(1, {"a": torch.tensor(2.0)})
    assert log.means() == pytest.approx({"a": 1.5, "b": 5.0})
    assert log.latest() == pytest.approx({"a": 2.0, "b": 5.0})


def test_a_loss_that_is_not_finite_stops_with_its_name() -> None:
    log = StepLog()
    log.add(7, {"d_loss": torch.tensor(1.0)})
    log.add(8, {"d_real": torch.tensor(0.5), "g_loss": torch.tensor(math.nan)})
    log.add(9, {"d_loss": torch.tensor(math.nan)})
    with pytest.raises(TrainingError, match=r"generator's loss is nan at step 8; lower --lr"):
        log.means()


def test_a_check_looks_at_what_came_since_the_last() -> None:
    log = StepLog()
    log.add(0, {"g_loss": torch.tensor(1.0)})
    log.check()
    log.add(1, {"g_gradient": torch.tensor(math.inf)})
    with pytest.raises(TrainingError, match=r"generator's gradient is inf at step 1"):
        log.latest()


ROWS = [
    *({"loss": name} for name in ADVERSARIAL),
    *({"penalty": name, "penalty_weight": 0.1} for name in PENALTIES),
    *({"generator": name} for name in GENERATORS),
    *({"discriminator": name} for name in DISCRIMINATORS),
    {"guidance": 0.0},
    {"d_every": 3},
    {"guidance": 0.5, "guidance_mixed": True, "label_smoothing": 0.1},
]


@pytest.mark.parametrize("flags", ROWS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_step_of_every_row_trains_both_and_leaves_the_guide_alone(
    flags: dict[str, object], dtype: torch.dtype
) -> None:
    config = GanConfig(**{"guidance": 0.1, "z_dim": 5, **flags})  # type: ignore[arg-type]
    generator = GENERATORS[config.generator](TOY, config.z_dim, 1)
    discriminator = DISCRIMINATORS[config.discriminator](TOY, toy_extractor(dtype), 1)
    guide = CLASSIFIERS["leaky-cnn"](TOY).eval().requires_grad_(False)
    watched = (generator, discriminator, guide)
    before = [[p.detach().clone() for p in network.parameters()] for network in watched]
    buffers = {name: value.clone() for name, value in guide.named_buffers()}

    labels = torch.arange(8) % TOY.n_classes
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        fake = generator(torch.randn(8, config.z_dim), labels)
        features = discriminator.extract(fake)
    real = torch.rand(8, *TOY.image_shape) * 2 - 1
    modes = torch.zeros_like(labels)
    batch = Batch(0, real, labels, modes, fake, features, labels, modes)
    for phase in make_phases(config, generator, discriminator, guide, dtype, steps=10):
        discriminator.requires_grad_(phase.network is discriminator)
        loss, readings = phase.loss(batch)
        assert loss.shape == ()
        assert torch.isfinite(loss)
        assert all(value.shape == () and not value.requires_grad for value in readings.values())
        phase.optimizer.zero_grad()
        loss.backward()
        phase.optimizer.step()

    moved = [
        max(float((p.detach() - q).abs().max()) for p, q in zip(network.parameters(), old))  # noqa: B905
        for network, old in zip(watched, before, strict=True)
    ]
    assert moved[0] > 0
    assert moved[1] > 0
    assert moved[2] == 0
    assert all(torch.equal(value, buffers[name]) for name, value in guide.named_buffers())


def test_the_phases_are_the_discriminators_then_the_generators() -> None:
    config = GanConfig(d_every=2, g_lr=1e-3, d_lr=3e-3, z_dim=5)
    generator = GENERATORS["shuffle-conv"](TOY, 5, 1)
    discriminator = DISCRIMINATORS["projection-conv"](TOY, toy_extractor(), 1)
    guide = CLASSIFIERS["leaky-cnn"](TOY)
    first, second = make_phases(config, generator, discriminator, guide, torch.float32, 10)
    assert (first.network, first.every) == (discriminator, 2)
    assert (second.network, second.every) == (generator, 1)
    assert first.optimizer.param_groups[0]["lr"] == pytest.approx(3e-3)
    assert second.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 / 2)  # two steps a turn
    unpaced = replace(config, paced=False)
    _, second = make_phases(unpaced, generator, discriminator, guide, torch.float32, 10)
    assert second.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)


def toy_batch(discriminator: Discriminator) -> Batch:
    labels = torch.arange(8) % TOY.n_classes
    real, fake = torch.rand(8, *TOY.image_shape), torch.rand(8, *TOY.image_shape) - 1
    modes = torch.zeros_like(labels)
    return Batch(0, real, labels, modes, fake, discriminator.extract(fake), labels, modes)


def test_a_penalty_counts_as_often_as_updates_pass_between_two_of_them() -> None:
    discriminator = DISCRIMINATORS["residual"](TOY, toy_extractor(), 1)
    generator, guide = GENERATORS["mlp"](TOY, 5, 1), CLASSIFIERS["leaky-cnn"](TOY)
    flags: dict[str, Any] = {"penalty": "r1+r2", "penalty_weight": 0.5, "z_dim": 5}
    config = GanConfig(penalty_every=3, d_every=2, **flags)  # a penalty in every sixth step
    update, _ = make_phases(config, generator, discriminator, guide, torch.float32, 100)
    batch = toy_batch(discriminator)
    plain, readings = update.loss(replace(batch, step=2))
    assert "penalty" not in readings
    for step in (0, 6):
        loss, readings = update.loss(replace(batch, step=step))
        assert float(readings["penalty"]) > 0
        wanted = 0.5 * 3 * float(readings["penalty"])
        assert float((loss - plain).detach()) == pytest.approx(wanted, rel=1e-3)


def test_a_relative_loss_compares_images_of_the_same_class() -> None:
    discriminator = DISCRIMINATORS["mlp"](TOY, toy_extractor(), 1)
    generator, guide = GENERATORS["mlp"](TOY, 5, 1), CLASSIFIERS["leaky-cnn"](TOY)
    batch = toy_batch(discriminator)
    partners = torch.arange(len(batch.labels)).flip(0)
    batch = replace(batch, fake_labels=batch.labels[partners], partners=partners)
    logits = [
        discriminator(images, batch.labels, batch.modes) for images in (batch.real, batch.fake)
    ]
    for loss in ("relativistic", "logistic"):
        config = GanConfig(loss=loss, z_dim=5, discriminator="mlp", generator="mlp")
        update, _ = make_phases(config, generator, discriminator, guide, torch.float32, 100)
        found, _ = update.loss(batch)
        wanted, other = (
            ADVERSARIAL[loss].d_loss(real, logits[1]) for real in (logits[0][partners], logits[0])
        )
        assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
        same = float(wanted.detach()) == pytest.approx(float(other.detach()), rel=1e-5)
        assert same == (loss == "logistic")


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_real_and_generated_images_share_no_batch_norm(name: str) -> None:
    discriminator = DISCRIMINATORS[name](TOY, toy_extractor(), 1)
    sizes: list[int] = []
    for part in discriminator.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    batch = toy_batch(discriminator)
    generator, guide = GENERATORS["mlp"](TOY, 5, 1), CLASSIFIERS["leaky-cnn"](TOY)
    config = GanConfig(z_dim=5)
    first, _ = make_phases(config, generator, discriminator, guide, torch.float32, 10)
    first.loss(batch)
    assert set(sizes) == ({8} if name in ("conv", "unlabelled-conv") else set())


def test_mixed_guidance_takes_its_weight_from_the_adversarial_loss() -> None:
    discriminator = DISCRIMINATORS["mlp"](TOY, toy_extractor(), 1)
    batch = toy_batch(discriminator)
    generator, guide = GENERATORS["mlp"](TOY, 5, 1), CLASSIFIERS["leaky-cnn"](TOY).eval()

    def cost(**flags: Any) -> dict[str, float]:
        config = GanConfig(guidance_end=1e9, **flags)
        phases = make_phases(config, generator, discriminator, guide, torch.float32, 10)
        loss, readings = phases[1].loss(batch)
        return {
            "loss": float(loss.detach()),
            **{key: float(value) for key, value in readings.items()},
        }

    added, mixed = cost(guidance=0.3), cost(guidance=0.3, guidance_mixed=True)
    adversarial, guiding = added["g_loss"], added["guidance_loss"]
    assert added["loss"] == pytest.approx(adversarial + 0.3 * guiding, rel=1e-5)
    assert mixed["loss"] == pytest.approx(0.7 * adversarial + 0.3 * guiding, rel=1e-5)


def test_the_discriminators_error_is_the_share_of_images_that_it_takes_wrongly() -> None:
    class Bright(Discriminator):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def logits(
            self, features: Sequence[torch.Tensor], labels: torch.Tensor, modes: torch.Tensor
        ) -> torch.Tensor:
            return self.weight * features[0].flatten(1).mean(1)

    discriminator = Bright()
    batch = toy_batch(discriminator)
    real = torch.cat([batch.real[:6], batch.real[6:] - 1])  # two of eight look generated
    generator, guide = GENERATORS["mlp"](TOY, 5, 1), CLASSIFIERS["leaky-cnn"](TOY)
    first, _ = make_phases(GanConfig(z_dim=5), generator, discriminator, guide, torch.float32, 10)
    assert float(first.loss(replace(batch, real=real))[1]["d_error"]) == pytest.approx(2 / 16)
