"""The average of a generator's weights over training, which draws better than the last weights."""

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """A copy of a network that holds the exponential moving average of its weights and buffers.

    The horizon grows with the number of updates n, (1 + n) / (10 + n) up to `decay`, so that the
    untrained weights of the start are forgotten at once.
    """

    def __init__(self, network: Network, decay: float):
        """Start with a copy of `network`, which is followed in place."""
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay, self.n_updates = decay, 0
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._old, self._new = map(list, zip(*averaged, strict=True))
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]  # counters

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network as it is now."""
        n = self.n_updates
        kept = min(self.decay, (1 + n) / (10 + n)) if n else 0.0
        torch._foreach_lerp_(self._old, self._new, 1 - kept)
        for counter, value in self._copied:
            counter.copy_(value)
        self.n_updates += 1


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
