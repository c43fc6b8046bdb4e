"""The average of a generator's weights over training, which draws better than the last weights."""

from collections.abc import Callable, Sequence

from torch import Tensor

Average = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]


def averaging(decay: float) -> Average:
    """Return the update of an exponential moving average of weights and buffers.

    Its horizon grows with the number of updates n, (1 + n) / (10 + n) up to `decay`, so that the
    untrained weights of the start are forgotten at once.
    """

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: Tensor | int) -> None:
        weight = 1 - min(decay, (1 + int(n)) / (10 + int(n)))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, weight)
            else:
                old.copy_(new)  # batch norm's counter

    return update
