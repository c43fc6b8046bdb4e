"""The average of a generator's weights over training, which draws better than the last weights."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Average = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]


def averaging(decay: float) -> Average:
    """Return the update of an exponential moving average of weights and buffers.

    Its horizon grows with the number of updates n, (1 + n) / (10 + n) up to `decay`, so that the
    untrained weights of the start are forgotten at once.
    """

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: Tensor | int) -> None:
        weight = 1 - min(decay, (1 + int(n)) / (10 + int(n)))
        pairs = list(zip(averaged, current, strict=True))
        numbers = [pair for pair in pairs if pair[0].is_floating_point()]
        counters = [pair for pair in pairs if not pair[0].is_floating_point()]  # batch norm's
        if numbers:
            old_numbers, new_numbers = zip(*numbers, strict=True)
            torch._foreach_lerp_(old_numbers, new_numbers, weight)
        for old, new in counters:
            old.copy_(new)

    return update
