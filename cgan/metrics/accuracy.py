"""How often the judged class is the requested one, the confusion matrix, and the guide gap."""

import math

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.features import Features
from cgan.metrics.intervals import Z95, Value, mean_proportion, proportion

UNEQUAL = 1.5  # times as many images of the largest class as of the smallest


def accuracy(*, fake: Features) -> Value:
    """Return the share of `fake` whose judged class is its label, with its 95% Wilson interval."""
    return proportion(fake.judged == fake.labels)


def balanced_accuracy(*, fake: Features) -> Value:
    """Return the mean, over the classes with samples, of the share classified correctly.

    A class counts as much as any other, however many samples it has (Brodersen et al. 2010, The
    balanced accuracy and its posterior distribution). The interval is that of `mean_proportion`.
    """
    trials = np.bincount(fake.labels, minlength=fake.n_classes)
    successes = np.bincount(fake.labels[fake.judged == fake.labels], minlength=fake.n_classes)
    return mean_proportion(successes[trials > 0], trials[trials > 0])


def unequal(labels: NDArray[np.int64]) -> bool:
    """Return whether the classes among labels [N] are so unequal that accuracy follows a few."""
    counts = np.bincount(labels)
    return bool(counts.max() > UNEQUAL * counts[counts > 0].min())


def accuracy_per_class(*, fake: Features) -> dict[int, Value]:
    """Return {class: {n, value, low, high}} for every class that has samples."""
    rows = {}
    for label in range(fake.n_classes):
        mine = fake.labels == label
        if mine.any():
            rows[label] = {"n": int(mine.sum()), **proportion(fake.judged[mine] == label)}
    return rows


def confusion(*, fake: Features) -> NDArray[np.int64]:
    """Return counts int64 [K, K]: rows the requested class, columns the judged one."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(fake.labels, fake.judged, labels=list(range(fake.n_classes)))


def guide_gap(*, judge: Features, guide: Features) -> Value:
    """Return guide accuracy minus judge accuracy on the same images, with its 95% interval.

    A generator that has overfitted to its guide has a gap far above that of real images. The
    interval is the adjusted Wald interval for a difference of matched pairs: half
    a pair is added to each of the four cells (Agresti and Min 2005, section 3).

    Args:
        judge: the images, by the judge.
        guide: the same images, in the same order, by the guide.
    """
    by_guide = guide.judged == guide.labels
    by_judge = judge.judged == judge.labels
    only_guide = int((by_guide & ~by_judge).sum())
    only_judge = int((by_judge & ~by_guide).sum())
    n = len(judge)
    more, less, total = only_guide + 0.5, only_judge + 0.5, n + 2
    middle = (more - less) / total
    half = Z95 * math.sqrt(more + less - (more - less) ** 2 / total) / total
    value = (only_guide - only_judge) / n
    return {"value": value, "low": min(value, middle - half), "high": max(value, middle + half)}
