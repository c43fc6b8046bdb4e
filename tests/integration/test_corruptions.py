"""Known answers: each fault moves the metrics that it should, and raises its own warning alone."""

from pathlib import Path

import pytest
import torch

from cgan.data.datasets import load_split
from cgan.data.spec import SPLITS
from cgan.data.splits import Split
from cgan.evaluation.comparison import Extractors, Reference
from cgan.evaluation.corruptions import FAULTS, Supplies
from cgan.evaluation.scores import Scores, score
from cgan.models.hub import load_classifier
from cgan.runtime.device import place
from cgan.runtime.progress import Progress

N_BASE = 200  # of the 250 validation images; the others are the spare ones

# Strengths that rise from none; then what rises (+), falls (-) or stays (=) with them. What a
# fault moves now this way, now that, or only at its strongest, is in neither list.
EXPECTED: dict[str, tuple[tuple[float, ...], str, str]] = {
    "collapsed": (
        (0, 0.5, 1),
        "+fcd +duplicate_rate -recall -coverage -intra_class_diversity",
        "=judge_accuracy =guide_gap =missing_classes =class_kl",
    ),
    "missing": (
        (0, 0.5, 1),
        "-judge_accuracy +class_kl +missing_classes +fcd",
        "=precision =duplicate_rate =guide_gap",
    ),
    "copied": (
        (0, 0.5, 1),
        "-copying_z",
        "=judge_accuracy =missing_classes =duplicate_rate =precision =recall =coverage =class_kl",
    ),
    "mislabelled": (
        (0, 0.1, 0.3),
        "-judge_accuracy -guide_accuracy",
        "=fcd =precision =recall =density =coverage =duplicate_rate =copying_z =classifier_score",
    ),
    "blurred": (
        (0, 1, 2),
        "+fcd -precision -recall -density -coverage -classifier_score +copying_z",
        "=duplicate_rate =missing_classes",
    ),
    "noisy": (
        (0, 0.2, 0.4),
        "+fcd -precision -recall -density -coverage -classifier_score -judge_accuracy +copying_z",
        "=duplicate_rate",
    ),
    "adversarial": (
        (0.01, 0.1, 0.2),
        "+guide_accuracy +guide_gap +fcd",
        "=duplicate_rate =missing_classes",
    ),
}
WARNING = {"blurred": "unrealistic", "noisy": "unrealistic", "adversarial": "guide_gap"}
SAME = 0.03  # what a metric of 200 images may move where nothing should


@pytest.fixture(scope="module")
def scored() -> dict[str, list[Scores]]:
    """Return the scores of every fault at each of its strengths, on the embedded digits."""
    splits = {name: load_split("digits", Path(), name) for name in SPLITS}
    whole = splits["validation"]
    base, spare = (
        Split(whole.spec, whole.images[part], whole.labels[part])
        for part in (slice(None, N_BASE), slice(N_BASE, None))
    )
    judge, guide = (
        place(load_classifier(f"digits-{role}").network, torch.device("cpu"))
        for role in ("judge", "guide")
    )
    extractors = Extractors(judge, guide, 250, torch.float32, Progress())
    reference = Reference.of(extractors, splits, 250)
    found: dict[str, list[Scores]] = {}
    for name, fault in FAULTS.items():
        found[name] = []
        for strength in EXPECTED[name][0]:
            random = torch.Generator().manual_seed(0)
            images, labels = fault(base, strength, Supplies(splits["train"], spare, guide), random)
            assert images.dtype == torch.uint8
            assert images.shape == base.images.shape
            by_judge = extractors.features(judge, images, labels)
            fake, _ = reference.compare(by_judge, extractors.by_guide(images, labels), None)
            real, _ = reference.compare_real(fake, None)
            found[name].append(score(fake, real, noun="digit", nouns="digits"))
    return found


def test_every_fault_is_expected_to_move_something() -> None:
    assert EXPECTED.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_moves_what_it_should_the_more_the_stronger_it_is(
    fault: str, scored: dict[str, list[Scores]]
) -> None:
    for word in EXPECTED[fault][1].split():
        direction, name = word[0], word[1:]
        values = [scores.metrics[name].value for scores in scored[fault]]
        rising = sorted(values, reverse=direction == "-")
        assert values == rising, (name, values)
        assert abs(values[-1] - values[0]) > SAME, (name, values)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_alone_what_it_does_not_touch(
    fault: str, scored: dict[str, list[Scores]]
) -> None:
    for word in EXPECTED[fault][2].split():
        values = [scores.metrics[word[1:]].value for scores in scored[fault]]
        assert values == pytest.approx([values[0]] * len(values), abs=SAME), word


@pytest.mark.parametrize("fault", FAULTS)
def test_the_strongest_fault_raises_its_own_warning_and_no_other(
    fault: str, scored: dict[str, list[Scores]]
) -> None:
    kinds = [warning.kind for warning in scored[fault][-1].warnings]
    assert kinds == [WARNING.get(fault, fault)]


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "adversarial"])
def test_real_images_raise_no_warning(fault: str, scored: dict[str, list[Scores]]) -> None:
    assert scored[fault][0].warnings == []


def test_each_warning_is_a_sentence_with_its_number(
    scored: dict[str, list[Scores]],
) -> None:
    for faulty in scored.values():
        for warning in faulty[-1].warnings:
            assert warning.message.endswith(".")
            assert len(warning.message.split()) > 5
            assert isinstance(warning.value, int | float)
