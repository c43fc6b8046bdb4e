"""The updates of a step: which network is trained, how often, and with which loss."""

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
from cgan.training.step_log import Readings


@dataclass(frozen=True)
class Batch:
    """Real and generated images of one step, float [B, C, H, W] in [-1, 1], with their labels."""

    step: int
    real: Tensor
    labels: Tensor  # int64 [B], of the real images
    modes: Tensor  # int64 [B], of the real images
    fake: Tensor  # with the generator's autograd graph
    fake_features: Sequence[Tensor]  # `discriminator.extract(fake)`, with the same graph
    fake_labels: Tensor  # int64 [B]
    fake_modes: Tensor  # int64 [B]
    offsets: Tensor | None = None  # int64 [B, 2]: shift of each image before D
    partners: Tensor | None = None  # int64 [B]: index of a real image with the label of each fake

    def paired(self, real_logits: Tensor) -> Tensor:
        """Return the logits of real images in the order of the fake ones, by `partners`."""
        return real_logits if self.partners is None else real_logits[self.partners]


@dataclass(frozen=True)
class Phase:
    """The update of one network: its loss and optimiser, in every n-th step."""

    name: str
    network: nn.Module
    every: int
    optimizer: torch.optim.Optimizer
    rate: Callable[[int], float]  # the learning rate at a step
    loss: Callable[[Batch], tuple[Tensor, Readings]]

    def learn(self, batch: Batch, slower: float) -> Readings:
        """Take an optimiser step; return the values to log.

        `slower` is a factor on the learning rate. The values include the norm of the gradient,
        because it becomes infinite before the loss does.
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
    """Return the weight of the guide's loss after the share `progress` (0 to 1) of the training.

    It is `guidance` plus `delta_alpha` for each finished epoch, times a factor that falls linearly
    to zero at `guidance_end`.
    """
    if config.guidance_end == 0:
        return 0.0
    weight = max(0.0, config.guidance + config.delta_alpha * int(progress * config.epochs + 1e-9))
    weight *= max(0.0, 1 - progress / config.guidance_end)
    return min(1.0, weight) if config.guidance_mixed else weight


def rate_at(config: GanConfig, progress: float, step: int) -> float:
    """Return the factor on both learning rates at a step.

    After a linear warm-up the schedule is "hold" (constant, then a linear fall to zero over the
    last share `decay` of the training), "cosine" or "constant".
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
    """Return the discriminator's and the generator's update, in this order."""
    adversarial = ADVERSARIAL[config.loss]
    penalty = PENALTIES[config.penalty]

    def d_loss(batch: Batch) -> tuple[Tensor, Readings]:
        return _d_loss(batch, config, discriminator, adversarial, penalty, dtype)

    def g_loss(batch: Batch) -> tuple[Tensor, Readings]:
        weight = guidance_at(config, batch.step / steps)
        return _g_loss(batch, config, discriminator, guide, weight, adversarial, dtype)

    rows = [
        ("d", discriminator, config.d_every, config.d_lr, d_loss),
        # paced: the generator takes `d_every` steps per discriminator step, so its learning rate
        # is divided by `d_every`; longer steps follow an outdated discriminator and lose variety
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
    """Return the discriminator's loss on real and generated images."""
    fake = batch.fake.detach()
    with autocast(fake.device, dtype):
        real_logits, fake_logits = _both_logits(batch, discriminator)
    # a relativistic loss compares images of the same class (Huang 2024)
    compared = batch.paired(real_logits) if adversarial.relative else real_logits
    loss = adversarial.d_loss(compared, fake_logits, config.label_smoothing)
    mistakes = torch.cat([real_logits.detach() < 0, fake_logits.detach() > 0])
    readings = {
        "d_loss": loss.detach(),
        "d_real": real_logits.detach().sigmoid().mean(),
        "d_fake": fake_logits.detach().sigmoid().mean(),
        "d_error": mistakes.float().mean(),
    }
    if config.penalty_weight and batch.step % (config.penalty_every * config.d_every) == 0:
        # in fp32, because second derivatives are not precise enough in bf16
        at_real = batch.real, batch.labels, batch.modes
        at_fake = fake.float(), batch.fake_labels, batch.fake_modes
        cost = penalty(discriminator, at_real, at_fake)
        readings["penalty"] = cost.detach()
        loss = loss + config.penalty_weight * config.penalty_every * cost
    return loss, readings


def _both_logits(batch: Batch, discriminator: Discriminator) -> tuple[Tensor, Tensor]:
    """Return the logits of real and generated images, in one pass if there is no batch norm."""
    real_features = _real_features(batch, discriminator)
    fake_features = [part.detach() for part in batch.fake_features]
    if discriminator.depends_on_batch:
        real = discriminator.logits(real_features, batch.labels, batch.modes)
        fake = discriminator.logits(fake_features, batch.fake_labels, batch.fake_modes)
        return real.float(), fake.float()
    features = [torch.cat(pair) for pair in zip(real_features, fake_features, strict=True)]
    labels = torch.cat([batch.labels, batch.fake_labels])
    modes = torch.cat([batch.modes, batch.fake_modes])
    real, fake = discriminator.logits(features, labels, modes).float().chunk(2)
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
    """Return the generator's loss: the adversarial loss plus the guidance loss."""
    device = batch.fake.device
    with autocast(device, dtype):
        fake_logits = discriminator.logits(
            batch.fake_features, batch.fake_labels, batch.fake_modes
        ).float()
    real_logits = fake_logits.detach()
    if adversarial.relative:
        with torch.no_grad(), autocast(device, dtype):
            features = _real_features(batch, discriminator)
            logits = discriminator.logits(features, batch.labels, batch.modes).float()
        real_logits = batch.paired(logits)
    loss = adversarial.g_loss(real_logits, fake_logits)
    readings = {
        "g_loss": loss.detach(),
        "d_fake_after": fake_logits.detach().sigmoid().mean(),
    }
    if guidance > 0:
        with autocast(device, dtype):
            logits = guide(batch.fake.contiguous(memory_format=torch.channels_last)).float()
        cost = guidance_loss(logits, batch.fake_labels)
        readings["guidance_loss"] = cost.detach()
        loss = (1 - guidance if config.guidance_mixed else 1.0) * loss + guidance * cost
    return loss, readings


@torch.no_grad()
def _real_features(batch: Batch, discriminator: Discriminator) -> Sequence[Tensor]:
    return discriminator.extract(shift_each(batch.real, batch.offsets))
