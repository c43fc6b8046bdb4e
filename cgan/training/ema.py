"""The moving average of a generator's weights. It generates better images than the last weights."""

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class MovingAverage(Generic[Network]):
    """A copy of a network that holds the exponential moving average of its weights and buffers.

    The decay grows with the number of updates n: it is (1 + n) / (10 + n), at most `decay`. So the
    initial weights soon have no effect.
    """

    def __init__(self, network: Network, decay: float):
        """Start with a copy of `network`; `update` adds its later states."""
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay, self.n_updates = decay, 0
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._old, self._new = map(list, zip(*averaged, strict=True))
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]  # counters

    @torch.no_grad()
    def update(self) -> None:
        """Add the current state of the network to the average."""
        n = self.n_updates
        kept = min(self.decay, (1 + n) / (10 + n)) if n else 0.0
        torch._foreach_lerp_(self._old, self._new, 1 - kept)
        for counter, value in self._copied:
            counter.copy_(value)
        self.n_updates += 1


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
