"""What the 95% intervals are made of, and how often they hold the truth."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from cgan.metrics.accuracy import guide_gap
from cgan.metrics.diversity import diversity_per_class, intra_class_diversity
from cgan.metrics.features import Features
from cgan.metrics.intervals import (
    GROUPS,
    HALVINGS,
    T95,
    Z95,
    groups_of,
    halves_error,
    halves_of,
    jackknife,
    jackknife_error,
    share,
    wilson,
)

K = 4


# From Brown, Cai and DasGupta's formula worked by hand for z = 1.96 (4 decimals).
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_gives_known_values(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_wilson_agrees_with_scipy(n: int, part: float) -> None:
    successes = round(part * n)
    oracle = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 4), (5, 4)])
def test_wilson_refuses_what_is_no_proportion(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n)


def test_the_points_of_the_distributions_are_those_of_scipy() -> None:
    assert pytest.approx(scipy.stats.norm.ppf(0.975), rel=1e-12) == Z95
    assert pytest.approx(scipy.stats.t.ppf(0.975, GROUPS - 1), rel=1e-12) == T95


def unseen(labels: list[int]) -> Features:
    """Return samples of which only the labels matter."""
    nothing = np.zeros((len(labels), K), np.float32)
    return Features(np.array(labels), nothing, nothing)


@given(st.lists(st.integers(0, K - 1), min_size=1, max_size=300))
def test_every_class_is_spread_evenly_over_the_groups(labels: list[int]) -> None:
    groups = groups_of(unseen(labels))
    counts = np.array([np.bincount(groups, np.array(labels) == y, GROUPS) for y in range(K)])
    assert np.ptp(counts, axis=1) == pytest.approx(0, abs=1)  # of each class
    assert np.ptp(counts.sum(axis=0)) == pytest.approx(0, abs=1)  # of all


def test_the_groups_are_the_same_every_time_and_not_in_the_order_of_the_images() -> None:
    groups = groups_of(unseen([0] * 100))
    assert (groups == groups_of(unseen([0] * 100))).all()
    assert groups.tolist() != sorted(groups.tolist())
    assert np.bincount(groups).tolist() == [5] * GROUPS


def test_the_jackknife_of_a_mean_is_its_classical_interval() -> None:
    points = np.random.default_rng(0).normal(size=GROUPS)
    without = (points.sum() - points) / (GROUPS - 1)
    found = jackknife(float(points.mean()), without)
    known = scipy.stats.t.interval(0.95, GROUPS - 1, points.mean(), scipy.stats.sem(points))
    assert found["value"] == pytest.approx(points.mean())
    assert (found["low"], found["high"]) == pytest.approx(known)


def test_the_jackknife_ends_where_the_value_can_go_no_further() -> None:
    without = np.linspace(0, 1, GROUPS)
    found = jackknife(0.5, without, lowest=0.0, highest=1.0)
    assert (found["low"], found["high"]) == (0.0, 1.0)
    free = jackknife(0.5, without)
    assert free["low"] == pytest.approx(1 - free["high"])
    assert free["low"] != pytest.approx(0.0)


@given(arrays.arrays(bool, st.integers(1, 60)), st.floats(0, 1))
def test_a_share_is_never_surer_than_one_of_independent_hits(
    hits: NDArray[np.bool_], error: float
) -> None:
    simple = wilson(int(hits.sum()), len(hits), T95)
    found = share(hits, error)
    assert found["value"] == hits.mean()
    assert found["low"] <= simple[0] + 1e-12
    assert found["high"] >= simple[1] - 1e-12


def test_a_share_of_twice_the_error_counts_as_a_quarter_of_the_hits() -> None:
    hits = np.arange(400) % 4 == 0
    found = share(hits, 2 * math.sqrt(0.25 * 0.75 / 400))
    assert (found["low"], found["high"]) == pytest.approx(wilson(25, 100, T95))


def test_the_variance_from_halves_of_a_mean_is_its_classical_one() -> None:
    points = np.random.default_rng(0).normal(size=4000)
    halves = halves_of(unseen([0] * len(points)))
    means = np.array([(points[half].mean(), points[~half].mean()) for half in halves])
    # within three standard errors of the root of a variance of HALVINGS degrees of freedom
    expected = scipy.stats.sem(points)
    assert halves_error(means[:, 0], means[:, 1]) == pytest.approx(expected, rel=0.5)


@given(st.lists(st.integers(0, K - 1), min_size=2, max_size=300))
def test_every_class_is_spread_evenly_over_both_halves(labels: list[int]) -> None:
    halves = halves_of(unseen(labels))
    assert halves.shape == (HALVINGS, len(labels))
    for half in halves:
        for y in range(K):
            mine = half[np.array(labels) == y]
            assert 2 * mine.sum() == pytest.approx(len(mine), abs=1)


def test_a_share_of_everything_has_wilsons_interval() -> None:
    found = share(np.ones(50, bool), jackknife_error(np.ones(GROUPS)))
    assert (found["low"], found["high"]) == pytest.approx(wilson(50, 50, T95))


def test_the_guide_gap_counts_the_images_on_which_guide_and_judge_differ() -> None:
    labels, features = np.zeros(10, np.int64), np.zeros((10, 1), np.float32)
    guide, judge = (
        Features(labels, np.eye(2, dtype=np.float32)[answers], features)
        for answers in ([0] * 7 + [1] * 3, [0] * 3 + [1] * 4 + [0] * 2 + [1])
    )
    value = guide_gap(judge=judge, guide=guide)
    # 4 for the guide alone, 2 for the judge alone; with half a pair in each of the four cells
    # 4.5 and 2.5 of 12, so 2 / 12 -+ 1.96 sqrt(7 - 2^2 / 12) / 12
    assert value["value"] == pytest.approx(0.2)
    assert (value["low"], value["high"]) == pytest.approx((-0.25512, 0.58845), abs=1e-4)


def test_diversity_is_the_ratio_of_total_variances() -> None:
    labels = np.repeat(np.arange(K), 500)
    features = np.random.default_rng(2).normal(size=(2000, 3)).astype(np.float32)
    real, half = (
        Features(labels, np.eye(K, dtype=np.float32)[labels], each)
        for each in (features, 5 + features * np.float32(math.sqrt(0.5)))
    )
    value = intra_class_diversity(fake=half, real=real)
    assert value["value"] == pytest.approx(0.5, rel=1e-5)
    one = diversity_per_class(fake=half, real=real)[2]
    assert one["value"] == pytest.approx(0.5, rel=1e-5)
    # the logarithm of either variance has the error sqrt(2 / (3 * 500)) for three normal features
    factor = math.exp(1.96 * math.sqrt(2 * 2 / 1500))
    assert (one["low"], one["high"]) == pytest.approx((0.5 / factor, 0.5 * factor), rel=0.01)
