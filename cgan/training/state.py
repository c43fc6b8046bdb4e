"""Everything that a training of a GAN must remember to go on as if it had never stopped."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cgan.config.schema import GanConfig
from cgan.data.splits import Deck, Split
from cgan.models.classifiers import Classifier
from cgan.models.registry import make_discriminator, make_generator, require_variance
from cgan.runtime.device import place
from cgan.runtime.errors import InputError, TrainingError
from cgan.runtime.rng import set_states, states
from cgan.training.ema import Average
from cgan.training.modes import Study
from cgan.training.readings import Log
from cgan.training.updates import make_phases

ADAM = ("step", "exp_avg", "exp_avg_sq")  # what it remembers of every weight
STREAMS = "streams."  # before the names of random streams
NUMBERS = ("step", "seconds", "slower", "rollbacks")


class Training:
    """Networks, optimisers, random streams, the place in the data, and what was read on the way.

    The seed of torch's global stream decides the first weights.
    """

    def __init__(
        self,
        config: GanConfig,
        train: Split,
        found: Study,
        guide: Classifier,
        dtype: torch.dtype,
        steps: int,
    ):
        """Build what will learn for `steps` steps on the device of `train`, which `found` studied.

        Raises:
            InputError: networks that cannot learn these images in batches of this size.
        """
        self.device = train.images.device
        generator = make_generator(config, train.spec)
        discriminator = make_discriminator(config, train.spec, found.sight)
        batch_size = min(config.batch_size, len(train))
        require_variance(generator, discriminator, batch_size)
        generator.set_modes(found.frequencies)
        discriminator.set_scales(found.scales)
        self.generator = place(generator, self.device)
        self.discriminator = place(discriminator, self.device)
        self.average = Average(self.generator, config.ema)
        self.phases = make_phases(config, self.generator, self.discriminator, guide, dtype, steps)
        self.random = torch.Generator().manual_seed(config.seed)  # of all that is drawn
        self.conditions = found.conditions
        shown = Split(train.spec, train.images, found.conditions)
        self.deck = Deck(shown, batch_size, self.random)
        self.log = Log()
        self.step = 0
        self.seconds = 0.0  # of learning
        self.slower = 1.0  # than the learning rates of the config
        self.rollbacks = 0

    def check(self) -> None:
        """Look whether all readings and weights are numbers.

        Raises:
            TrainingError: one is not.
        """
        self.log.check()
        for name, tensor in self._weights():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise TrainingError(
                    f"training diverged: {name} is not finite after step {self.step}; lower --lr"
                )

    def tensors(self) -> dict[str, Tensor]:
        """Return copies, on the CPU, of all tensors that change while it learns."""
        found = dict(self._weights())
        for phase in self.phases:
            for i, weight in enumerate(phase.network.parameters()):
                for key, tensor in phase.optimizer.state.get(weight, {}).items():
                    found[f"{phase.name}_adam.{i}.{key}"] = tensor
        found |= {STREAMS + name: state for name, state in states(self.device).items()}
        found |= {f"log.{name}": total for name, total in self.log.sums.items()}
        found["random"] = self.random.get_state()
        found["order"] = self.deck.order
        found["conditions"] = self.conditions
        return {
            name: tensor.detach().to("cpu", copy=True).contiguous()
            for name, tensor in found.items()
        }

    def networks(self) -> dict[str, nn.Module]:
        """Return what is worth keeping: the generator with averaged weights, the discriminator."""
        return {"generator": self.average.network, "discriminator": self.discriminator}

    def facts(self) -> dict[str, Any]:
        """Return the rest of what changes: plain numbers and texts."""
        return {
            **{name: getattr(self, name) for name in NUMBERS},
            "position": self.deck.position,
            "average_updates": self.average.n_updates,
            "log_counts": dict(self.log.counts),
        }

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Become what gave these `tensors` and `facts`.

        Raises:
            InputError: they are of other networks or not whole.
        """
        try:
            for name, tensor in self._weights():
                if name not in tensors:
                    raise InputError(
                        f"the checkpoint does not fit this training: it lacks {name}, as those of "
                        "an earlier version may; train the run again"
                    )
                _fill(tensor, tensors[name], name)
            for phase in self.phases:
                for i, weight in enumerate(phase.network.parameters()):
                    self._restore_adam(phase, i, weight, tensors)
            kept = [name for name in tensors if name.startswith(STREAMS)]
            streams = {name.removeprefix(STREAMS): tensors[name] for name in kept}
            set_states(streams, self.device)
            self.random.set_state(tensors["random"])
            self._restore_place(tensors["order"], facts["position"])
            self.log = Log()
            self.log.counts = {name: int(n) for name, n in facts["log_counts"].items()}
            sums = {n: tensors[f"log.{n}"].reshape(()).to(self.device) for n in self.log.counts}
            self.log.sums = sums
            self.average.n_updates = int(facts["average_updates"])
            self.step, self.rollbacks = int(facts["step"]), int(facts["rollbacks"])
            self.seconds, self.slower = float(facts["seconds"]), float(facts["slower"])
            if self.step < 0 or not 0 < self.slower <= 1:
                raise InputError("the checkpoint is of no step that can be gone on from")
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
        if names["step"] not in tensors:  # a weight that has not learnt yet
            return
        fused = phase.optimizer.param_groups[0]["fused"]
        fresh = {
            # where and in which layout the optimiser itself would have put them
            "step": torch.zeros((), device=self.device if fused else "cpu"),
            "exp_avg": torch.zeros_like(weight, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(weight, memory_format=torch.preserve_format),
        }
        for key, tensor in fresh.items():
            _fill(tensor, tensors[names[key]], names[key])
        phase.optimizer.state[weight] = fresh

    def _restore_place(self, order: Tensor, position: int) -> None:
        n = len(self.deck.split)
        whole = len(order) == 0 or torch.equal(order.sort().values, torch.arange(n))
        if not whole or type(position) is not int or not 0 <= position <= len(order):
            raise InputError("the checkpoint's place in the data is not one of this data set")
        self.deck.order, self.deck.position = order, position


def _fill(tensor: Tensor, value: Tensor, name: str) -> None:
    if tensor.shape != value.shape or tensor.dtype != value.dtype:
        raise InputError(
            f"the checkpoint does not fit this training: {name} is {value.dtype} "
            f"{list(value.shape)}, not {tensor.dtype} {list(tensor.shape)}"
        )
    tensor.copy_(value)
