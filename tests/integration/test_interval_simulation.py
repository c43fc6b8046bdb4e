"""Intervals hold the truth as often as they say: five hundred simulated repetitions."""

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cgan.metrics import manifold
from cgan.metrics.duplicates import duplicate_rate
from cgan.metrics.features import Features
from cgan.metrics.frechet import fcd
from cgan.metrics.intervals import mean_proportion
from cgan.metrics.neighbours import nearest_in
from cgan.metrics.registry import METRICS, Copies, Inputs

K = 4
REPETITIONS = 500
N, N_TRAIN = 300, 600


class World:
    """Four Gaussian classes, and a generator that draws them a little off and too much alike."""

    def __init__(self, seed: int):
        """Draw the training images once: what is uncertain is what comes after them."""
        self.random = np.random.default_rng(seed)
        self.train = self.draw(N_TRAIN)

    def draw(self, n: int, shift: float = 0.0, spread: float = 1.0) -> Features:
        labels = np.arange(n) % K
        features = 2 * np.eye(K)[labels] + spread * self.random.normal(size=(n, K))
        features[:, 0] += shift
        return seen(labels, features)

    def to_train(self, samples: Features) -> NDArray[np.float64]:
        mine, trained = (s.features.astype(np.float64) for s in (samples, self.train))
        return nearest_in(mine, trained).distances[:, 0]

    def inputs(self) -> Inputs:
        """Return what the metrics read, of new generated and new real images."""
        fake, real = self.draw(N, shift=0.8, spread=0.9), self.draw(N)
        # the guide sees less well than the judge, and likes what was requested
        guided = fake.logits + self.random.normal(size=fake.logits.shape) + np.eye(K)[fake.labels]
        return Inputs(
            fake,
            fake,
            real,
            self.train,
            manifold.look(fake=fake, real=real),
            guide=Features(fake.labels, guided.astype(np.float32), fake.features),
            copies=Copies(fake, real, self.to_train(fake), self.to_train(real)),
        )

    def repeating(self) -> manifold.Balls:
        """Return who is whose neighbour where half of the images are one of 20 pictures."""
        fake, pictures = self.draw(N), self.train.features[:20]
        repeats = self.random.random(N) < 0.5
        features = fake.features.copy()
        features[repeats] = pictures[self.random.integers(0, len(pictures), repeats.sum())]
        few = self.draw(N).take(np.arange(40))  # duplicates are not sought among the real ones
        return manifold.look(fake=seen(fake.labels, features), real=few)


def seen(labels: NDArray[np.int64], features: NDArray[np.floating]) -> Features:
    """Return samples judged by the posteriors of the real images' classes."""
    logits = -((features[:, None] - 2 * np.eye(K)) ** 2).sum(axis=2) / 2
    return Features(labels, logits.astype(np.float32), features.astype(np.float32))


SIMULATED = (
    "judge_accuracy",
    "guide_gap",
    "classifier_score",
    "fcd",
    "precision",
    "recall",
    "density",
    "coverage",
    "class_kl",
    "ndb",
    "intra_class_diversity",
    "copying_z",
)


@pytest.fixture(scope="module")
def simulated() -> dict[str, NDArray[np.float64]]:
    """Value, low and high [REPETITIONS, 3] of each metric in independent repetitions."""
    world = World(0)
    rows: dict[str, list[list[float]]] = {name: [] for name in (*SIMULATED, "duplicate_rate")}
    with threadpool_limits(1):  # on so small matrices threads only wait for each other
        for _ in range(REPETITIONS):
            inputs = world.inputs()
            for name in SIMULATED:
                rows[name].append(triple(METRICS[name].compute(inputs)))
            rows["duplicate_rate"].append(triple(duplicate_rate(balls=world.repeating())))
    return {name: np.array(found) for name, found in rows.items()}


def triple(found: dict[str, float] | None) -> list[float]:
    assert found is not None
    return [found["value"], found["low"], found["high"]]


# Five hundred repetitions of an interval that is right are within two standard errors of 0.95.
@pytest.mark.slow
@pytest.mark.parametrize("name", [*SIMULATED, "duplicate_rate"])
def test_the_interval_holds_the_truth_as_often_as_it_says(
    name: str, simulated: dict[str, NDArray[np.float64]]
) -> None:
    value, low, high = simulated[name].T
    # the mean at this number of images, known to a twentieth of the spread that an interval is for
    truth = value.mean()
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.95, abs=0.02 + 1e-9)


@pytest.mark.parametrize(
    ("trials", "shares"),
    [
        ([234, 390], [0.8, 0.99]),
        ([1000, 30], [0.95, 0.7]),
        ([5, 10, 19, 22, 38, 47, 80, 150, 300, 386], [0.9] * 10),
        ([2] * 242, [0.9] * 242),
    ],
)
def test_the_interval_of_a_mean_of_classes_holds_the_truth_too(
    trials: list[int], shares: list[float]
) -> None:
    random, n = np.random.default_rng(0), np.array(trials)
    found = [mean_proportion(random.binomial(n, shares), n) for _ in range(4 * REPETITIONS)]
    truth = np.mean(shares)
    held = np.mean([score["low"] <= truth <= score["high"] for score in found])
    assert held == pytest.approx(0.955, abs=0.025)


def test_the_extrapolated_distance_is_free_of_what_falls_with_the_number_of_images() -> None:
    world = World(1)
    found = [fcd(fake=world.draw(N), real=world.draw(N)) for _ in range(100)]
    value, extrapolated = (np.mean([x[key] for x in found]) for key in ("value", "extrapolated"))
    assert value == pytest.approx(0.07, abs=0.01)  # although both sides are the same
    assert extrapolated == pytest.approx(0.0, abs=0.01)
