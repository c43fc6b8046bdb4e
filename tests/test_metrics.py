import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cgan.metrics import METRICS, Samples
from cgan.metrics.accuracy import accuracy, accuracy_per_class, confusion, wilson
from cgan.metrics.collapse import class_kl, divergence, expected_shares, missing_classes
from cgan.metrics.diversity import diversity_per_class, intra_class_diversity

K = 4


def judged_as(labels: list[int], answers: list[int]) -> Samples:
    """Return samples of which a classifier gives `answers`."""
    logits = np.eye(K, dtype=np.float32)[answers]
    features = np.random.default_rng(1).normal(size=(len(labels), 2)).astype(np.float32)
    return Samples(np.array(labels), logits, features)


def perfect(n: int) -> Samples:
    labels = [i % K for i in range(n)]
    return judged_as(labels, labels)


def collapsed(n: int) -> Samples:
    """Return samples that are all the same picture of a 0."""
    seen = judged_as([i % K for i in range(n)], [0] * n)
    return Samples(seen.labels, seen.logits, np.ones_like(seen.features))


def mislabelled(n: int, every: int) -> Samples:
    labels = [i % K for i in range(n)]
    return judged_as(labels, [(y + (i % every == 0)) % K for i, y in enumerate(labels)])


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
def test_wilson_agrees_with_scipy(n: int, share: float) -> None:
    successes = round(share * n)
    oracle = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 4), (5, 4)])
def test_wilson_refuses_what_is_no_proportion(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n)


def test_wilson_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    truth, n = 0.97, 1000
    bounds = [wilson(int(k), n) for k in random.binomial(n, truth, 2000)]
    covered = np.mean([low <= truth <= high for low, high in bounds])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_accuracy_counts_the_answers_that_are_the_label() -> None:
    assert accuracy(fake=mislabelled(100, 10))["value"] == pytest.approx(0.9)
    assert accuracy(fake=perfect(100))["value"] == 1


def test_accuracy_per_class_leaves_out_classes_without_samples() -> None:
    rows = accuracy_per_class(fake=judged_as([0, 0, 2, 2], [0, 1, 2, 2]))
    assert [(row["digit"], row["n"], row["accuracy"]) for row in rows] == [(0, 2, 0.5), (2, 2, 1.0)]
    assert rows[0]["low"] == pytest.approx(wilson(1, 2)[0])


def test_confusion_has_the_requested_class_in_rows() -> None:
    table = confusion(fake=judged_as([0, 0, 1], [0, 3, 1]))
    assert table.shape == (K, K)
    assert table[0, 3] == 1
    assert table[3, 0] == 0
    assert table.sum() == 3


def test_divergence_gives_known_values() -> None:
    p, q = np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.25, 0.25, 0.25, 0.25])
    assert float(divergence(p, q)) == pytest.approx(math.log(2))
    assert float(divergence(q, q)) == 0
    assert math.isinf(divergence(q, p))


def test_the_expected_shares_follow_the_requested_mix_not_the_test_set() -> None:
    real = judged_as([0] * 90 + [1] * 10, [0] * 90 + [1] * 10)
    fake = judged_as([0, 1], [0, 1])
    assert expected_shares(fake=fake, real=real) == pytest.approx(np.array([0.5, 0.5, 0, 0]))


def test_a_collapse_raises_the_divergence_and_the_missing_classes() -> None:
    real = perfect(400)
    kl = [class_kl(fake=f(400), real=real)["value"] for f in (perfect, collapsed)]
    assert kl == pytest.approx([0.0, math.log(K)], abs=1e-9)
    missing = [missing_classes(fake=f(400), real=real)["value"] for f in (perfect, collapsed)]
    assert missing == [0, K - 1]


def test_a_class_is_missing_below_a_tenth_of_its_due() -> None:
    labels = [i % K for i in range(400)]
    for kept, missing in ((9, 1), (11, 0)):
        answers = [y if y or i < 4 * kept else 1 for i, y in enumerate(labels)]
        found = missing_classes(fake=judged_as(labels, answers), real=perfect(400))
        assert found["value"] == missing
        assert found["low"] <= missing <= found["high"]


def test_diversity_is_the_ratio_of_total_variances() -> None:
    random = np.random.default_rng(2)
    labels = np.repeat(np.arange(K), 500)
    logits = np.eye(K, dtype=np.float32)[labels]
    features = random.normal(size=(2000, 3)).astype(np.float32)
    real = Samples(labels, logits, features)
    half = Samples(labels, logits, 5 + features * np.float32(math.sqrt(0.5)))
    found = intra_class_diversity(fake=half, real=real)
    assert found["value"] == pytest.approx(0.5, rel=1e-5)
    one = diversity_per_class(fake=half, real=real)[2]
    mine = features[labels == 2].astype(float)
    expected = 0.5 * np.trace(np.cov(mine.T)) / np.trace(np.cov(mine.T))
    assert one["value"] == pytest.approx(expected, rel=1e-5)
    assert one["low"] < 0.5 < one["high"] < 0.65


def test_the_interval_of_diversity_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    labels = np.repeat(np.arange(2), 200)
    logits = np.eye(2, dtype=np.float32)[labels]

    def draw(spread: float) -> Samples:
        return Samples(labels, logits, random.normal(0, spread, (400, 4)).astype(np.float32))

    bounds = [intra_class_diversity(fake=draw(2**0.5), real=draw(1.0)) for _ in range(500)]
    covered = np.mean([row["low"] <= 2 <= row["high"] for row in bounds])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_classes_with_few_images_have_no_diversity() -> None:
    labels = [0] * 19 + [1] * 20
    found = diversity_per_class(fake=judged_as(labels, labels), real=perfect(80))
    assert found.keys() == {1}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_orders_real_mislabelled_and_collapsed(name: str) -> None:
    metric, real = METRICS[name].function, perfect(800)
    values = [
        metric(fake=fake, real=real)["value"]
        for fake in (perfect(400), mislabelled(400, 5), collapsed(400))
    ]
    assert values == sorted(values, reverse=METRICS[name].better == "high")
    assert values[0] != values[2]


@pytest.mark.parametrize("name", METRICS)
def test_every_interval_holds_its_value(name: str) -> None:
    for fake in (perfect(400), mislabelled(400, 5), collapsed(400)):
        found = METRICS[name].function(fake=fake, real=perfect(800))
        assert found["low"] <= found["value"] <= found["high"]


@pytest.mark.parametrize("name", METRICS)
def test_metrics_take_no_positional_arguments(name: str) -> None:
    with pytest.raises(TypeError):
        METRICS[name].function(perfect(8), perfect(8))
