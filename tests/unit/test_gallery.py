import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from cgan.data.grids import GROUND, mosaic_bytes
from cgan.evaluation.comparison import Neighbours, Reference
from cgan.evaluation.gallery import (
    N_ALIKE,
    N_CERTAIN,
    N_CLASSES,
    N_PAIRS,
    N_SURE,
    N_UNSURE,
    GallerySheet,
    _nearest_few,
    choose,
)
from cgan.metrics import manifold
from cgan.metrics.features import Features
from cgan.metrics.registry import Copies, Inputs
from cgan.metrics.results import Cell, Sheet
from cgan.reporting.gallery import GAP as BETWEEN
from cgan.reporting.gallery import tiles
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress


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


N, K = 80, 4


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """N images of which the judge is the surer the larger i, and wrong thrice."""
    labels = np.arange(N) % K
    judged = labels.copy()
    judged[[3, 7, 40]] = (labels[[3, 7, 40]] + 1) % K
    logits = np.zeros((N, K), np.float32)
    logits[np.arange(N), judged] = 1 + np.arange(N) / N
    seen = Features(labels, logits, np.arange(2 * N, dtype=np.float32).reshape(N, 2))
    return Inputs(seen, seen, seen, seen, manifold.look(fake=seen, real=seen))


@pytest.fixture(scope="module")
def reference(inputs: Inputs) -> Reference:
    """Training images of which image i is all of grey 255 - i."""
    seen, train = inputs.all, 255 - drawn().numpy()
    return Reference(Progress(), seen, None, seen, seen, seen, train, None)


def drawn() -> torch.Tensor:
    """Return N images, image i all of grey i."""
    return torch.arange(N, dtype=torch.uint8)[:, None, None, None].expand(N, 1, 6, 5)


@pytest.fixture(scope="module")
def sheets(inputs: Inputs, reference: Reference) -> dict[str, GallerySheet]:
    return choose(drawn(), inputs, None, reference)


def greys(sheet: GallerySheet) -> list[int]:
    return sheet.images[:, 0, 0, 0].tolist()


def test_samples_are_the_first_of_each_class_a_row_each(sheets: dict[str, GallerySheet]) -> None:
    samples = sheets["samples"]
    assert samples.columns == 10
    assert greys(samples)[:10] == list(range(0, 40, 4))
    assert [cell.label for cell in samples.cells[::10]] == [0, 1, 2, 3]


def test_mistakes_are_all_wrong_answers_and_nothing_else(
    sheets: dict[str, GallerySheet],
) -> None:
    assert sorted(greys(sheets["mistakes"])) == [3, 7, 40]
    assert all(cell.label != cell.judged for cell in sheets["mistakes"].cells)


def test_the_least_certain_come_first_and_the_most_certain_are_right(
    sheets: dict[str, GallerySheet],
) -> None:
    assert greys(sheets["uncertain"]) == list(range(N_UNSURE))
    certain = sheets["certain"]
    assert len(certain.cells) == N_SURE * K
    assert min(greys(certain)) == N - N_SURE * K
    assert all(cell.label == cell.judged for cell in certain.cells)


def test_certainty_is_the_probability_of_the_answer(sheets: dict[str, GallerySheet]) -> None:
    logit = 1 + 3 / N
    wanted = np.exp(logit) / (np.exp(logit) + K - 1)
    mistakes = sheets["mistakes"]
    assert mistakes.cells[greys(mistakes).index(3)].certainty == pytest.approx(wanted)


def pixels(address: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))))


@pytest.mark.parametrize("name", ["samples", "uncertain", "mistakes", "certain"])
def test_the_tiles_of_a_page_are_the_images_of_the_sheet(
    sheets: dict[str, GallerySheet], name: str
) -> None:
    sheet = sheets[name]
    cut = tiles(name, sheet.facts(), sheet.picture())
    assert [pixels(tile.address).flat[0] for tile in cut] == greys(sheet)
    assert {pixels(tile.address).shape for tile in cut} == {(6, 5)}
    assert [tile.cells for tile in cut] == [[cell] for cell in sheet.cells]


def test_rows_stay_together_where_they_shall(sheets: dict[str, GallerySheet]) -> None:
    samples = sheets["samples"]
    rows = tiles("samples", samples.facts(), samples.picture(), rows=True)
    assert [pixels(row.address).shape for row in rows] == [(6, 50 + 9 * BETWEEN)] * K
    assert [len(row.cells) for row in rows] == [10] * K


def test_images_that_touch_in_an_older_sheet_are_cut_at_the_same_places(
    sheets: dict[str, GallerySheet],
) -> None:
    sheet = sheets["uncertain"]
    older = Sheet(columns=sheet.columns, cells=sheet.cells)
    for facts, content in (
        (sheet.facts(), sheet.picture()),
        (older, mosaic_bytes(sheet.images, sheet.columns)),
    ):
        cut = tiles("uncertain", facts, content)
        assert [pixels(tile.address).tolist() for tile in cut] == sheet.images[:, 0].tolist()
    with pytest.raises(InputError, match="not the picture"):
        tiles("uncertain", older, sheet.picture())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        GallerySheet(np.zeros((1, 1, 7, 5), np.uint8), 1, []).picture(),
        GallerySheet(np.zeros((1, 1, 6, 9001), np.uint8), 1, []).picture(),
    ],
    ids=["empty", "a header alone", "another size", "enormous"],
)
def test_a_picture_that_is_not_the_one_told_of_is_refused(
    sheets: dict[str, GallerySheet], content: bytes
) -> None:
    facts = Sheet(columns=10, cells=sheets["uncertain"].cells)
    with pytest.raises(InputError, match=r"uncertain\.png is not the picture"):
        tiles("uncertain", facts, content)


def test_images_stand_above_the_training_images_nearest_to_them(
    inputs: Inputs, reference: Reference
) -> None:
    distances = np.arange(N, 0, -1) / N
    kept = np.arange(N)
    copies = Copies(inputs.fake, inputs.real, distances, np.full(N, 0.5))
    sheet = choose(drawn(), replace(inputs, copies=copies), Neighbours(kept, kept // 2), reference)[
        "copies"
    ]
    assert sheet.images.shape == (N_ALIKE * K, 1, 12, 5)
    assert greys(sheet) == list(range(N - 1, N - 1 - N_ALIKE * K, -1))  # nearest first
    assert sheet.images[:, 0, -1, 0].tolist() == [255 - i // 2 for i in greys(sheet)]
    for i, cell in zip(greys(sheet), sheet.cells, strict=True):
        assert cell.distance == pytest.approx(distances[i])
        assert cell.share_of_usual == pytest.approx(distances[i] / 0.5)
    pairs = tiles("copies", sheet.facts(), sheet.picture(), pairs=True)
    for i, pair in zip(greys(sheet), pairs, strict=True):
        shown = pixels(pair.address)
        assert shown.shape == (12 + BETWEEN, 5)
        assert np.unique(shown[:6]) == i
        assert np.unique(shown[6:-6]) == GROUND
        assert np.unique(shown[-6:]) == 255 - i // 2


def test_a_pair_of_an_odd_height_is_refused(sheets: dict[str, GallerySheet]) -> None:
    odd = GallerySheet(np.zeros((1, 1, 7, 5), np.uint8), 1, sheets["samples"].cells[:1])
    with pytest.raises(InputError, match="not the picture"):
        tiles("copies", odd.facts(), odd.picture(), pairs=True)


def test_without_requests_samples_are_the_first_and_nothing_is_a_mistake(
    inputs: Inputs, reference: Reference
) -> None:
    found = choose(drawn(), replace(inputs, all=inputs.all.as_judged()), None, reference)
    assert set(found) == {"samples", "certain", "uncertain"}
    assert greys(found["samples"]) == list(range(N))
    first = found["samples"].cells[0]
    assert first == Cell(label=None, judged=0, certainty=first.certainty)


def test_of_many_classes_some_are_shown_and_those_that_are_judged_worst(
    reference: Reference,
) -> None:
    k, each = 242, 3
    labels = np.tile(np.arange(k), each)
    worst = [17, 40, 41, 99, 100, 150, 200, 230]
    judged = np.where(np.isin(labels, worst), (labels + 1) % k, labels)
    logits = np.eye(k, dtype=np.float32)[judged] * 9
    seen = Features(labels, logits, logits[:, :3])
    pixels = torch.zeros(len(labels), 1, 2, 2, dtype=torch.uint8)
    shown = choose(pixels, Inputs(seen, seen, seen, seen, None), None, reference)
    rows = [cell.label for cell in shown["samples"].cells][::each]
    assert len(rows) == N_CLASSES
    assert (rows[0], rows[-len(worst) - 1]) == (0, k - 1)
    assert rows[-len(worst) :] == worst
    assert len(shown["certain"].cells) == N_CERTAIN
