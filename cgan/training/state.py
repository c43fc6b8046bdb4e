"""The state of a GAN training: everything needed to resume it exactly."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cgan.config.schema import GanConfig
from cgan.data.batches import BatchSampler
from cgan.data.splits import Split
from cgan.models.classifiers import Classifier
from cgan.models.frozen_features import FrozenFeatures
from cgan.models.registry import make_discriminator, make_generator, require_variance
from cgan.models.tensors import not_finite
from cgan.runtime.device import place
from cgan.runtime.errors import InputError, TrainingError
from cgan.runtime.rng import set_states, states
from cgan.training.ema import MovingAverage
from cgan.training.modes import ModeClusters
from cgan.training.step_log import StepLog
from cgan.training.updates import make_phases

ADAM = ("step", "exp_avg", "exp_avg_sq")  # Adam's state of each parameter
N_SCALED = 1000  # images for the scales of the guide's features
STREAMS = "streams."  # prefix of the names of random streams
LATEST = "latest."  # of the names of the last logged values
NUMBERS = ("step", "images", "seconds", "slower", "rollbacks")


class TrainingState:
    """Networks, optimisers, random streams, the position in the data, and logged values.

    Initial weights come from torch's global random stream.
    """

    def __init__(
        self,
        config: GanConfig,
        train: Split,
        clusters: ModeClusters,
        guide: Classifier,
        dtype: torch.dtype,
        steps: int,
    ):
        """Build the state of a new training on the device of `train`.

        Args:
            config: settings of the training.
            train: the training images.
            clusters: the modes of these images.
            guide: the guide, on the same device.
            dtype: number format of the products and convolutions.
            steps: length of the training, for the schedules.

        Raises:
            InputError: the networks do not work with these images or this batch size.
        """
        self.device = train.device
        generator = make_generator(config, train.spec)
        extractor = FrozenFeatures(guide, dtype)
        discriminator = make_discriminator(config, train.spec, extractor)
        batch_size = min(config.batch_size, len(train))
        require_variance(generator, discriminator, batch_size)
        generator.set_mode_frequencies(clusters.frequencies)
        first = torch.arange(min(N_SCALED, len(train)))
        discriminator.set_feature_scales(extractor.scales(train.take(first)))
        self.generator = place(generator, self.device)
        self.discriminator = place(discriminator, self.device)
        self.average = MovingAverage(self.generator, config.ema)
        self.phases = make_phases(config, self.generator, self.discriminator, guide, dtype, steps)
        self.random = torch.Generator().manual_seed(config.seed)  # for batches, noise and labels
        self.train, self.modes = train, clusters.modes
        balanced = train.labels if config.sample_labels == "balanced" else None
        self.sampler = BatchSampler(len(train), batch_size, self.random, balanced)
        self.log = StepLog()
        self.step = 0  # of `steps`
        self.images = 0  # that were used so far; those of an earlier batch size count, too
        self.seconds = 0.0  # of training
        self.slower = 1.0  # factor on the learning rates of the config
        self.rollbacks = 0

    def check(self) -> None:
        """Check that all logged values and weights are finite.

        Raises:
            TrainingError: one is not finite.
        """
        self.log.check()
        for name, tensor in self._weights():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise TrainingError(
                    f"training diverged: {name} is not finite after step {self.step}", "lower --lr"
                )

    def tensors(self) -> dict[str, Tensor]:
        """Return copies, on the CPU, of all tensors of the state."""
        found = dict(self._weights())
        for phase in self.phases:
            for i, weight in enumerate(phase.network.parameters()):
                for key, tensor in phase.optimizer.state.get(weight, {}).items():
                    found[f"{phase.name}_adam.{i}.{key}"] = tensor
        found |= {STREAMS + name: state for name, state in states(self.device).items()}
        found |= {f"log.{name}": total for name, total in self.log.sums.items()}
        found |= {LATEST + name: value for name, value in self.log.last.items()}
        found["random"] = self.random.get_state()
        found["order"] = self.sampler.order
        found["modes"] = self.modes
        return {
            name: tensor.detach().to("cpu", copy=True).contiguous()
            for name, tensor in found.items()
        }

    def networks(self) -> dict[str, nn.Module]:
        """Return the networks to save: the generator with averaged weights, the discriminator."""
        return {"generator": self.average.network, "discriminator": self.discriminator}

    def facts(self) -> dict[str, Any]:
        """Return the rest of the state: plain numbers and texts."""
        return {
            **{name: getattr(self, name) for name in NUMBERS},
            "position": self.sampler.position,
            "average_updates": self.average.n_updates,
            "log_counts": dict(self.log.counts),
        }

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Restore the state that returned these `tensors` and `facts`.

        Raises:
            InputError: they belong to other networks, are incomplete, or hold weights that are not
                finite.
        """
        try:
            for name, tensor in self._weights():
                if name not in tensors:
                    raise InputError(
                        f"the checkpoint does not fit this training: it lacks {name}, maybe "
                        "because an earlier version wrote it; train the run again"
                    )
                _fill(tensor, tensors[name], name)
            strange = not_finite(dict(self._weights()))
            if strange is not None:
                raise InputError(f"the checkpoint is damaged: {strange} is not finite; train again")
            for phase in self.phases:
                for i, weight in enumerate(phase.network.parameters()):
                    self._restore_adam(phase, i, weight, tensors)
            set_states(_below(STREAMS, tensors), self.device)
            self.random.set_state(tensors["random"])
            self.sampler.restore(tensors["order"], facts["position"])
            self.log = StepLog()
            self.log.counts = {name: int(n) for name, n in facts["log_counts"].items()}
            sums = {n: tensors[f"log.{n}"].reshape(()).to(self.device) for n in self.log.counts}
            self.log.sums = sums
            latest = _below(LATEST, tensors).items()  # none in older checkpoints
            self.log.last = {n: value.reshape(()).to(self.device) for n, value in latest}
            self.average.n_updates = int(facts["average_updates"])
            self.step, self.rollbacks = int(facts["step"]), int(facts["rollbacks"])
            self.images = int(facts["images"])
            self.seconds, self.slower = float(facts["seconds"]), float(facts["slower"])
            if self.step < 0 or self.images < 0 or not 0 < self.slower <= 1:
                raise InputError("the checkpoint has an invalid step or learning rate")
        except (
            LookupError,
            ValueError,
            TypeError,
            ArithmeticError,
            RuntimeError,
            AttributeError,
        ) as error:
            if isinstance(error, InputError):
                raise
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"the checkpoint does not fit this training ({reason})") from error

    def _weights(self) -> Iterator[tuple[str, Tensor]]:
        networks = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.average.network,
        }
        for kind, network in networks.items():
            for name, tensor in network.state_dict().items():
                yield f"{kind}.{name}", tensor

    def _restore_adam(
        self, phase: Any, i: int, weight: Tensor, tensors: Mapping[str, Tensor]
    ) -> None:
        names = {key: f"{phase.name}_adam.{i}.{key}" for key in ADAM}
        phase.optimizer.state.pop(weight, None)
        if names["step"] not in tensors:  # a parameter without an update so far
            return
        fused = phase.optimizer.param_groups[0]["fused"]
        fresh = {
            # on the device and in the layout that the optimiser itself uses
            "step": torch.zeros((), device=self.device if fused else "cpu"),
            "exp_avg": torch.zeros_like(weight, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(weight, memory_format=torch.preserve_format),
        }
        for key, tensor in fresh.items():
            _fill(tensor, tensors[names[key]], names[key])
        phase.optimizer.state[weight] = fresh


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, by the rest of the name."""
    found = (name for name in tensors if name.startswith(prefix))
    return {name.removeprefix(prefix): tensors[name] for name in found}


def _fill(tensor: Tensor, value: Tensor, name: str) -> None:
    if tensor.shape != value.shape or tensor.dtype != value.dtype:
        raise InputError(
            f"the checkpoint does not fit this training: {name} is {value.dtype} "
            f"{list(value.shape)}, not {tensor.dtype} {list(tensor.shape)}"
        )
    tensor.copy_(value)
