"""Whose turn it is to learn, and from which loss: the schedule of updates as data."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from cgan.config.schema import GanConfig
from cgan.data.augment import shift_each
from cgan.models.base import Discriminator, Generator
from cgan.models.classifiers import Classifier
from cgan.runtime.device import autocast
from cgan.training.losses import ADVERSARIAL, PENALTIES, AdversarialLoss, Penalty, guidance_loss
from cgan.training.readings import Readings


@dataclass(frozen=True)
class Batch:
    """One step's material; images float [B, C, H, W] in [-1, 1].

    Conditions int64 [B] are label x n_modes + mode: what the discriminator is told of an image.
    """

    step: int
    real: Tensor
    conditions: Tensor
    fake: Tensor  # still attached to the generator
    fake_seen: Sequence[Tensor]  # what the discriminator sees in them, attached too
    fake_conditions: Tensor
    fake_labels: Tensor  # int64 [B]
    offsets: Tensor | None = None  # int64 [B, 2], how far the discriminator sees each image moved


@dataclass(frozen=True)
class Phase:
    """One network's turn to learn: its loss of a batch, on every n-th step."""

    name: str
    network: nn.Module
    every: int
    optimizer: torch.optim.Optimizer
    rate: Callable[[int], float]  # of learning, at a step
    loss: Callable[[Batch], tuple[Tensor, Readings]]

    def learn(self, batch: Batch, slower: float) -> Readings:
        """Take a step down the loss, at the step's rate times `slower`; return its readings.

        A gradient's norm is among them: what is not finite shows there before it shows in a loss.
        """
        loss, readings = self.loss(batch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(batch.step) * slower
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        self.optimizer.step()
        return {**readings, f"{self.name}_gradient": norm}


def guidance_at(config: GanConfig, progress: float) -> float:
    """Return the guide's weight when `progress` (0 to 1) of the training is done.

    It is `guidance`, and `delta_alpha` more after every epoch, and falls in a straight line to zero
    at `guidance_end`.
    """
    if config.guidance_end == 0:
        return 0.0
    weight = max(0.0, config.guidance + config.delta_alpha * int(progress * config.epochs + 1e-9))
    weight *= max(0.0, 1 - progress / config.guidance_end)
    return min(1.0, weight) if config.guidance_mixed else weight


def rate_at(config: GanConfig, progress: float, step: int) -> float:
    """Return the factor on both learning rates at a step.

    After a warm-up the rates are held and fall in a straight line to zero in the last `decay` of
    the training ("hold"), fall as a cosine, or stay constant.
    """
    rise = min(1.0, (step + 1) / (config.warmup + 1))
    fall = {
        "hold": min(1.0, (1 - progress) / config.decay) if config.decay else 1.0,
        "cosine": 0.5 * (1 + math.cos(math.pi * progress)),
        "constant": 1.0,
    }
    return rise * fall[config.schedule]


def make_phases(
    config: GanConfig,
    generator: Generator,
    discriminator: Discriminator,
    guide: Classifier,
    dtype: torch.dtype,
    steps: int,
) -> list[Phase]:
    """Return the discriminator's and the generator's phase, in the order of a step."""
    adversarial = ADVERSARIAL[config.loss]
    penalty = PENALTIES[config.penalty]

    def d_loss(batch: Batch) -> tuple[Tensor, Readings]:
        return _d_loss(batch, config, discriminator, adversarial, penalty, dtype)

    def g_loss(batch: Batch) -> tuple[Tensor, Readings]:
        weight = guidance_at(config, batch.step / steps)
        return _g_loss(batch, config, discriminator, guide, weight, adversarial, dtype)

    rows = [
        ("d", discriminator, config.d_every, config.d_lr, d_loss),
        # paced: between two turns of the discriminator the generator goes as far as in one step
        # otherwise; further, it runs after stale gradients and loses its variety
        ("g", generator, 1, config.g_lr / (config.d_every if config.paced else 1), g_loss),
    ]
    phases = []
    for name, network, every, lr, loss in rows:
        fused = next(network.parameters()).device.type in ("cpu", "cuda")
        optimizer = torch.optim.Adam(
            network.parameters(), lr, betas=(config.beta1, config.beta2), fused=fused
        )
        rate = partial(_rate, config, lr, steps)
        phases.append(Phase(name, network, every, optimizer, rate, loss))
    return phases


def _rate(config: GanConfig, lr: float, steps: int, step: int) -> float:
    return lr * rate_at(config, step / steps, step)


def _d_loss(
    batch: Batch,
    config: GanConfig,
    discriminator: Discriminator,
    adversarial: AdversarialLoss,
    penalty: Penalty,
    dtype: torch.dtype,
) -> tuple[Tensor, Readings]:
    """Return the discriminator's loss; real images beside generated ones."""
    fake = batch.fake.detach()
    with autocast(fake.device, dtype):
        real_logits, fake_logits = _decide_both(batch, discriminator)
    loss = adversarial.d_loss(real_logits, fake_logits, config.label_smoothing)
    mistakes = torch.cat([real_logits.detach() < 0, fake_logits.detach() > 0])
    readings = {
        "d_loss": loss.detach(),
        "d_real": real_logits.detach().sigmoid().mean(),
        "d_fake": fake_logits.detach().sigmoid().mean(),
        "d_error": mistakes.float().mean(),
    }
    if config.penalty_weight and batch.step % (config.penalty_every * config.d_every) == 0:
        # in fp32: second derivatives of bf16 products are too coarse
        at_real = batch.real, batch.conditions
        at_fake = fake.float(), batch.fake_conditions
        cost = penalty(discriminator, at_real, at_fake)
        readings["penalty"] = cost.detach()
        loss = loss + config.penalty_weight * config.penalty_every * cost
    return loss, readings


def _decide_both(batch: Batch, discriminator: Discriminator) -> tuple[Tensor, Tensor]:
    """Return the logits of real and of generated images, in one pass where that is the same."""
    seen = _see_real(batch, discriminator), [part.detach() for part in batch.fake_seen]
    conditions = batch.conditions, batch.fake_conditions
    if discriminator.depends_on_batch:
        real, fake = map(discriminator.decide, seen, conditions)
        return real.float(), fake.float()
    both = [torch.cat(pair) for pair in zip(*seen, strict=True)]
    real, fake = discriminator.decide(both, torch.cat(conditions)).float().chunk(2)
    return real, fake


def _g_loss(
    batch: Batch,
    config: GanConfig,
    discriminator: Discriminator,
    guide: Classifier,
    guidance: float,
    adversarial: AdversarialLoss,
    dtype: torch.dtype,
) -> tuple[Tensor, Readings]:
    """Return the generator's loss: to fool the discriminator, and to be read by the guide."""
    device = batch.fake.device
    with autocast(device, dtype):
        fake_logits = discriminator.decide(batch.fake_seen, batch.fake_conditions).float()
    real_logits = fake_logits.detach()
    if adversarial.relative:
        with torch.no_grad(), autocast(device, dtype):
            seen = _see_real(batch, discriminator)
            real_logits = discriminator.decide(seen, batch.conditions).float()
    loss = adversarial.g_loss(real_logits, fake_logits)
    readings = {
        "g_loss": loss.detach(),
        "d_fake_after": fake_logits.detach().sigmoid().mean(),
    }
    if guidance > 0:
        with autocast(device, dtype):
            said = guide(batch.fake.contiguous(memory_format=torch.channels_last)).float()
        cost = guidance_loss(said, batch.fake_labels)
        readings["guidance_loss"] = cost.detach()
        loss = (1 - guidance if config.guidance_mixed else 1.0) * loss + guidance * cost
    return loss, readings


@torch.no_grad()
def _see_real(batch: Batch, discriminator: Discriminator) -> Sequence[Tensor]:
    return discriminator.look(shift_each(batch.real, batch.offsets))
