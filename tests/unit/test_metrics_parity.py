"""The metrics beside the libraries that others use for them, and who is whose neighbour."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import prdc
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_prc import calculate_precision_recall_full
from torchmetrics.image.fid import _compute_fid

from cgan.metrics import manifold, neighbours
from cgan.metrics.classifier_score import classifier_score
from cgan.metrics.collapse import different_bins, ndb
from cgan.metrics.copying import copying_z, mann_whitney_z
from cgan.metrics.duplicates import CLOSE, close_distance, distinct, duplicate_rate
from cgan.metrics.features import Features
from cgan.metrics.frechet import _Moments, fcd, frechet_distance, require_covariance
from cgan.metrics.intervals import GROUPS, HALVINGS, groups_of
from cgan.runtime.errors import InputError

Array = NDArray[np.float64]
FOUR = ("precision", "recall", "density", "coverage")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):  # on so small matrices threads only wait for each other
        yield


def of(features: NDArray[Any], logits: NDArray[Any] | None = None) -> Features:
    """Return samples of four classes in turn; without `logits` they do not matter."""
    labels = np.arange(len(features)) % 4
    logits = np.eye(4)[labels] if logits is None else logits
    return Features(labels, logits.astype(np.float32), features.astype(np.float32))


def pair(seed: int, n: int, m: int, dims: int) -> tuple[Features, Features]:
    """Return n generated and m real samples, the generated ones a little off and too alike."""
    random = np.random.default_rng(seed)
    return of(0.5 + 0.8 * random.normal(size=(n, dims))), of(random.normal(size=(m, dims)))


def moments(seed: int, dims: int, condition: float) -> tuple[Array, Array]:
    """Return a mean and a covariance whose eigenvalues fall to 1 / `condition`."""
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.normal(size=(dims, dims)))[0]
    return random.normal(size=dims), (basis * np.geomspace(1, 1 / condition, dims)) @ basis.T


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e8])
@pytest.mark.parametrize("dims", [2, 16, 64])
def test_the_frechet_distance_is_that_of_both_libraries(dims: int, condition: float) -> None:
    one, other = moments(0, dims, condition), moments(1, dims, condition)
    found = frechet_distance(*one, *other)
    stats = [{"mu": mean, "sigma": cov} for mean, cov in (one, other)]
    fidelity = fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    torchmetrics = _compute_fid(*(torch.from_numpy(x) for x in (*one, *other)))
    assert found == pytest.approx(fidelity, rel=1e-6)
    assert found == pytest.approx(float(torchmetrics), rel=1e-6)


def test_the_frechet_distance_of_commuting_covariances_is_known() -> None:
    mean, one, other = np.zeros(3), np.diag([1.0, 4.0, 0.0]), np.diag([9.0, 4.0, 1.0])
    # per axis the difference of the standard deviations squared: 2^2, 0, 1
    assert frechet_distance(mean, one, mean + 2, other) == pytest.approx(12 + 4 + 1)
    assert frechet_distance(mean, one, mean, one) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("n", "m", "dims"), [(40, 60, 2), (300, 200, 16), (200, 200, 150)])
def test_fcd_is_the_distance_that_torch_fidelity_finds(n: int, m: int, dims: int) -> None:
    fake, real = pair(2, n, m, dims)
    stats = [
        fid_features_to_statistics(torch.from_numpy(samples.features.astype(np.float64)))
        for samples in (fake, real)
    ]
    known = fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    assert fcd(fake=fake, real=real)["value"] == pytest.approx(known, rel=1e-6)


def test_moments_without_a_group_are_those_of_the_rest() -> None:
    # far from zero, where sums of squares would lose what the centre keeps
    samples = of(1000 + np.random.default_rng(3).normal(size=(90, 5)))
    centre, groups = samples.features[0], groups_of(samples)
    parts = _Moments(samples, centre)
    for group in (None, *range(GROUPS)):
        rest = samples.features[groups != group].astype(np.float64) - centre
        mean, cov = parts.without(group)
        assert mean == pytest.approx(rest.mean(axis=0), rel=1e-10)
        assert cov == pytest.approx(np.cov(rest.T), rel=1e-10, abs=1e-12)


def test_fcd_needs_more_images_than_features() -> None:
    require_covariance(6, 5)
    with pytest.raises(InputError, match=r"^5 images are too few .* take 6 or more$"):
        fcd(fake=of(np.eye(5)), real=of(np.ones((9, 5))))


def by_prdc(fake: Features, real: Features, k: int) -> dict[str, float]:
    """Return what prdc finds, in float64: in float32 distances that differ would be ties."""
    return prdc.compute_prdc(
        real_features=real.features.astype(np.float64),
        fake_features=fake.features.astype(np.float64),
        nearest_k=k,
    )


def four(balls: manifold.Balls) -> dict[str, float]:
    return {name: getattr(manifold, name)(balls=balls)["value"] for name in FOUR}


# prdc's balls are open and ours are closed (Kynkäänniemi et al. 2019, eq. 1), which is the same
# where no two distances are: continuous features have no ties. Both leave the point itself out.
@settings(max_examples=25)
@given(
    st.integers(0, 1000),
    st.integers(30, 150),
    st.integers(30, 150),
    st.integers(1, 40),
    st.integers(1, 8),
)
def test_the_four_are_those_of_prdc(seed: int, n: int, m: int, dims: int, k: int) -> None:
    fake, real = pair(seed, n, m, dims)
    found = four(manifold.look(fake=fake, real=real, k=k))
    assert found == pytest.approx(by_prdc(fake, real, k), rel=1e-12)


# torch_fidelity's balls are closed like ours, and its k counts alike: it takes the (k + 1)-th
# smallest of distances of which the first is to the point itself.
@pytest.mark.parametrize(("n", "m", "dims", "k"), [(50, 80, 3, 3), (200, 150, 16, 5)])
def test_precision_and_recall_are_those_of_torch_fidelity(
    n: int, m: int, dims: int, k: int
) -> None:
    fake, real = pair(4, n, m, dims)
    features = [torch.from_numpy(samples.features.astype(np.float64)) for samples in (fake, real)]
    found = four(manifold.look(fake=fake, real=real, k=k))
    known = calculate_precision_recall_full(*features, neighborhood=k)
    assert (found["precision"], found["recall"]) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(("n", "m", "k"), [(120, 90, 5), (60, 200, 3), (100, 100, 1)])
def test_the_values_of_a_half_are_those_of_the_half_alone(n: int, m: int, k: int) -> None:
    fake, real = pair(5, n, m, 4)
    balls = manifold.look(fake=fake, real=real, k=k)
    for split in range(HALVINGS):
        for side in (True, False):
            kept, kept_real = (
                halves[split] == side for halves in (balls.fake_halves, balls.real_halves)
            )
            alone = manifold.look(fake=fake.take(kept), real=real.take(kept_real), k=k)
            assert (balls.holders[1 + split][kept] == alone.holders[0]).all()
            assert (balls.recalled[1 + split][kept_real] == alone.recalled[0]).all()
            assert (balls.covered[1 + split][kept_real] == alone.covered[0]).all()


def test_a_generated_image_at_a_real_one_is_in_its_ball_however_small() -> None:
    # every real image is there at least six times, so that each ball of k = 5 has no radius
    real = of(np.repeat(np.random.default_rng(6).normal(size=(10, 3)), 6, axis=0))
    found = four(manifold.look(fake=real, real=real))
    assert found == pytest.approx({"precision": 1, "recall": 1, "density": 6 / 5, "coverage": 1})
    # which open balls would deny
    assert by_prdc(real, real, 5) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_a_ball_reaches_its_kth_neighbour_itself() -> None:
    # generated images that are the real ones: k neighbours and the image itself in every ball
    real = of(np.random.default_rng(7).normal(size=(300, 8)))
    found = four(manifold.look(fake=real, real=real, k=5))
    assert found["density"] == pytest.approx(6 / 5)
    assert by_prdc(real, real, 5)["density"] == pytest.approx(5 / 5)


def test_the_kth_neighbour_is_another_one() -> None:
    line = np.array([[0.0], [1.0], [3.0], [7.0]])
    near = neighbours.nearest_others(line, 2)
    assert near.indices.tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert near.distances == pytest.approx(np.array([[1, 3], [1, 2], [2, 3], [4, 6]]))


def test_the_neighbours_of_many_twins_are_the_other_twins() -> None:
    points = np.repeat([[0.0, 0.0], [5.0, 5.0]], 30, axis=0)
    near = neighbours.nearest_others(points, 3)
    assert (near.distances == 0).all()
    assert (near.indices != np.arange(60)[:, None]).all()
    assert (near.indices // 30 == np.arange(60)[:, None] // 30).all()


def test_too_few_images_are_one_line_of_advice() -> None:
    few = of(np.random.default_rng(8).normal(size=(5, 2)))
    with pytest.raises(InputError, match=r"^5 images are too few for 5 neighbours; .* 5$"):
        neighbours.nearest_others(few.features.astype(np.float64), 5)
    for fake, real in ((few, of(np.eye(9))), (of(np.eye(9)), few)):
        with pytest.raises(InputError, match=r"^5 images are too few for k = 5 .* than 5$"):
            manifold.look(fake=fake, real=real)


def test_what_is_found_does_not_depend_on_the_size_of_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake, real = pair(9, 130, 90, 5)
    whole = manifold.look(fake=fake, real=real)
    monkeypatch.setattr(manifold, "BLOCK", 600)
    monkeypatch.setattr(neighbours, "ROWS", 7)
    blocks = manifold.look(fake=fake, real=real)
    for name in ("holders", "recalled", "covered"):
        assert (getattr(whole, name) == getattr(blocks, name)).all()
    assert (whole.real_near.indices == blocks.real_near.indices).all()
    assert whole.fake_near.distances == pytest.approx(blocks.fake_near.distances)


def test_a_tight_cluster_in_a_wide_cloud_is_precise_and_recalls_little() -> None:
    random = np.random.default_rng(10)
    tight, wide = of(0.1 * random.normal(size=(300, 4))), of(random.normal(size=(300, 4)))
    found = four(manifold.look(fake=tight, real=wide))
    assert found["precision"] == pytest.approx(1, abs=0.1)
    assert found["recall"] == pytest.approx(0, abs=0.1)
    swapped = four(manifold.look(fake=wide, real=tight))
    assert swapped["precision"] == found["recall"]
    assert swapped["recall"] == found["precision"]


def test_an_outlier_fools_precision_and_not_density_or_coverage() -> None:
    random = np.random.default_rng(11)
    real = random.normal(size=(200, 2))
    real[0] = 1000.0  # its ball holds all that is generated, far from any other real image
    found = four(manifold.look(fake=of(500 + random.normal(size=(200, 2))), real=of(real)))
    assert found["precision"] == 1
    assert found["density"] == pytest.approx(1 / 5)
    assert found["coverage"] == pytest.approx(1 / 200)


logits_of_any_size = arrays.arrays(
    np.float32, st.tuples(st.integers(2, 60), st.just(4)), elements=st.floats(-1e4, 1e4, width=32)
)


@given(logits_of_any_size)
def test_the_classifier_score_is_the_inception_score_of_one_split(
    logits: NDArray[np.float32],
) -> None:
    found = classifier_score(fake=of(np.zeros((len(logits), 1)), logits))["value"]
    posteriors = scipy.special.softmax(logits.astype(np.float64), axis=1)
    divergences = scipy.special.rel_entr(posteriors, posteriors.mean(axis=0)).sum(axis=1)
    assert found == pytest.approx(math.exp(divergences.mean()), rel=1e-9)


def test_the_classifier_score_is_that_of_torch_fidelity() -> None:
    logits = (3 * np.random.default_rng(12).normal(size=(500, 4))).astype(np.float32)
    known = isc_features_to_metric(torch.from_numpy(logits), splits=1)["inception_score_mean"]
    found = classifier_score(fake=of(np.zeros((500, 1)), logits))["value"]
    assert found == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize(("answers", "known"), [([0, 1, 2, 3], 4.0), ([2, 2, 2, 2], 1.0)])
def test_a_judge_beyond_doubt_does_not_overflow(answers: list[int], known: float) -> None:
    sure = 2e4 * np.eye(4)[np.tile(answers, 10)] - 1e4
    assert classifier_score(fake=of(np.zeros((40, 1)), sure))["value"] == pytest.approx(known)


@given(st.lists(st.integers(0, 9), min_size=1), st.lists(st.integers(0, 9), min_size=1))
def test_the_mann_whitney_score_is_that_of_scipy(one: list[int], other: list[int]) -> None:
    found = mann_whitney_z(np.array(one, float), np.array(other, float))
    if len({*one, *other}) == 1:
        assert found == 0
        return
    p = scipy.stats.mannwhitneyu(
        one, other, use_continuity=False, alternative="greater", method="asymptotic"
    ).pvalue
    assert scipy.stats.norm.sf(found) == pytest.approx(p, rel=1e-9)


def test_bins_differ_where_a_pooled_z_test_says_so() -> None:
    counts = [np.array([60, 20, 20]), np.array([40, 40, 20])]
    # gap .2 against 1.96 sqrt(.5 .5 / 50) = .139 and 1.96 sqrt(.3 .7 / 50) = .127; none in the last
    assert different_bins(*counts).tolist() == [True, True, False]
    # gap .1 against the same .139; 50 and 40 of 100
    assert not different_bins(np.array([50, 50]), np.array([40, 60])).any()
    assert different_bins(10 * np.array([50, 50]), 10 * np.array([40, 60])).all()


def test_bins_of_the_same_distribution_seldom_differ() -> None:
    random = np.random.default_rng(13)
    draws = [[of(random.normal(size=(1000, 4))) for _ in "abc"] for _ in range(60)]
    found = np.mean([ndb(fake=a, real=b, train=c)["value"] for a, b, c in draws])
    assert found == pytest.approx(0.05, abs=0.01)  # the level of the test


def points(seed: int, n: int) -> Array:
    return np.random.default_rng(seed).normal(size=(n, 3))


def copying(features: Array, train: Array) -> dict[str, float]:
    """Return the statistic of generated features beside 300 new real ones."""
    new = points(15, 300)
    near, near_held_out = (neighbours.nearest_in(x, train).distances[:, 0] for x in (features, new))
    return copying_z(
        distinct=of(features),
        held_out=of(new),
        train=of(train),
        distances=near,
        held_out_distances=near_held_out,
    )


def test_copies_of_training_images_are_nearer_to_them_than_new_images() -> None:
    train = points(14, 500)
    copied = copying(train[:300] + 0.01 * points(16, 300), train)
    # each copy is nearer than every new image, in six cells of about 50 and 50: -n m / 2 by the
    # root of n m (n + m + 1) / 12 is -8.6 for 50 of each
    assert copied["value"] == pytest.approx(-8.6, abs=0.5)
    fresh = copying(points(17, 300), train)
    assert fresh["value"] == pytest.approx(0, abs=1)
    assert fresh["low"] < 0 < fresh["high"]


def test_too_few_images_to_compare_are_not_a_number() -> None:
    found = copying(points(16, 19), points(14, 500))
    assert all(math.isnan(found[key]) for key in ("value", "low", "high"))
    assert not math.isnan(copying(points(16, 20), points(14, 500))["value"])


def test_of_images_that_are_the_same_the_first_is_kept() -> None:
    singles = points(18, 3)
    features = singles[[0, 1, 0, 2, 0, 1, *[2] * 200]]
    assert distinct(features, 0.0).tolist() == [0, 1, 3]
    assert distinct(features[:1], 0.0).tolist() == [0]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=40))
def test_what_is_kept_is_further_apart_than_the_distance(places: list[int]) -> None:
    line = np.array(places, float)[:, None]
    kept = distinct(line, 2.0)
    assert 0 in kept
    assert not len(kept) > 1 or np.diff(np.sort(line[kept, 0])).min() > 2
    # and what went was close to another one
    gone = np.setdiff1d(np.arange(len(line)), kept)
    gaps = np.abs(line - line.T) + np.where(np.eye(len(line)), 100, 0)
    assert (gaps[gone].min(axis=1, initial=100) <= 2).all()


def test_images_are_the_same_within_a_tenth_of_the_usual_distance_of_real_ones() -> None:
    assert CLOSE == 0.1
    real = of(np.array([[0.0], [1.0], [3.0], [4.0], [9.0], [20.0], [22.0]]))  # 1 1 1 1 5 2 2
    balls = manifold.look(fake=of(np.array([[0.0], [0.09], [5.0], [5.2], [7.0]])), real=real, k=1)
    assert close_distance(balls.real_near) == pytest.approx(0.1)
    found = duplicate_rate(balls=balls)
    assert found["value"] == pytest.approx(2 / 5)
