import numpy as np

from cgan.evaluation.writing import N_ALIKE, N_PAIRS, _nearest_few


def test_the_nearest_pairs_are_of_many_classes_and_nearest_first() -> None:
    distances = np.arange(100, 0, -1).astype(float)
    classes = np.repeat([1, 0, 2, 3], 25)  # the nearest are all of class 3
    chosen = _nearest_few(distances, classes)
    assert np.bincount(classes[chosen]).tolist() == [N_ALIKE] * 4
    assert distances[chosen].tolist() == sorted(distances[chosen])
    assert chosen[0] == 99


def test_there_are_no_more_pairs_than_fit_the_picture() -> None:
    chosen = _nearest_few(np.arange(90.0), np.arange(90) % 30)
    assert len(chosen) == N_PAIRS
    assert chosen.tolist() == list(range(N_PAIRS))
