"""How many generated images are nearly identical to another one."""

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.intervals import GROUPS, Value, jackknife_error, share
from cgan.metrics.manifold import Balls
from cgan.metrics.neighbours import Array, Near, nearest_others

CLOSE = 0.1  # of the median distance between a real image and the nearest other real one


def duplicate_rate(*, balls: Balls) -> Value:
    """Return the share of generated images with another one closer than `close_distance`.

    It grows with N, as in the birthday test of Arora and Zhang 2017. Among real images of MNIST
    no pair is that close. Where repeats are rare the interval is too wide, by up to a half.
    """
    near = balls.fake_near
    same = near.distances <= close_distance(balls.real_near)
    theirs = balls.fake_groups[near.indices]
    without = np.array(
        [(same & (theirs != g)).any(axis=1)[balls.fake_groups != g].mean() for g in range(GROUPS)]
    )
    return share(same[:, 0], jackknife_error(without))


def close_distance(real_near: Near) -> float:
    """Return the distance below which two images count as the same."""
    return CLOSE * float(np.median(real_near.distances[:, 0]))


def distinct(features: Array, distance: float) -> NDArray[np.int64]:
    """Return the indices of `features` [N, F] that remain if one of each close pair is removed."""
    kept = np.arange(len(features))
    while len(kept) > 1:
        near = nearest_others(features[kept], 1)
        close, other = near.distances[:, 0] <= distance, near.indices[:, 0]
        # the later of two is removed; of a ring of nearest neighbours at least the first stays
        gone = close & (other < np.arange(len(kept)))
        if not gone.any():
            break
        kept = kept[~gone]
    return kept
