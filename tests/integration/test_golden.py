"""Files that version 0.1.0 wrote give the same networks, images and pages as they gave then.

tests/golden/format-1 holds a training of toy images that was stopped in its third epoch, its guide,
the files of a report, and what that version made of them. None of them is ever written again.
"""

import hashlib
import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import REPOSITORY
from numpy.typing import NDArray

from cgan.config.schema import Folders
from cgan.data.run_config import load_config
from cgan.data.splits import scale
from cgan.io.run_layout import SHIPPED
from cgan.models.hub import load_classifier, load_generator
from cgan.models.sampling import draw
from cgan.reporting.page import write_report
from cgan.training.checkpoint import read_checkpoint
from cgan.training.gan import train_gan

GOLDEN = REPOSITORY / "tests/golden/format-1"
NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*%?")
# among the numbers of a page are those of the colours of a table, which begin and end like this
SHEET = re.compile(r"^0\n2,\n1\n2,$.*^000000\n", re.MULTILINE | re.DOTALL)
NONE = Path("none")  # no folder of one's own runs


@pytest.fixture(scope="module")
def drawn() -> dict[str, NDArray[np.uint8]]:
    """What version 0.1.0 drew from shipped and from toy generators."""
    with np.load(GOLDEN / "drawn.npz") as arrays:
        return dict(arrays)


def assert_same_images(images: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> None:
    """The same but for rounding, which differs between processors."""
    assert images.shape == wanted.shape
    apart = np.abs(images.astype(int) - wanted)
    assert apart.max() <= 2
    assert (apart > 0).mean() < 0.001


def test_shipped_weights_are_those_that_were_published() -> None:
    wanted = json.loads((GOLDEN / "weights.json").read_text())
    for name, sha256 in wanted.items():
        assert hashlib.sha256((SHIPPED / name).read_bytes()).hexdigest() == sha256, name


@pytest.mark.parametrize("dataset", ["digits", "mnist"])
def test_shipped_generators_draw_and_judges_read_what_they_did(
    dataset: str, drawn: dict[str, NDArray[np.uint8]]
) -> None:
    images, labels = draw(load_generator(dataset, NONE).network, 10, 40, seed=1, device="cpu")
    assert_same_images(images, drawn[f"{dataset}_images"])
    assert labels.tolist() == drawn[f"{dataset}_labels"].tolist()
    judge = load_classifier(f"{dataset}-judge", NONE).network
    read = judge(scale(torch.from_numpy(images))).argmax(1)
    assert read.tolist() == drawn[f"{dataset}_read"].tolist()


def test_a_run_of_the_first_format_draws_what_it_drew(
    drawn: dict[str, NDArray[np.uint8]],
) -> None:
    images, _ = draw(load_generator(GOLDEN / "run/toy").network, 10, 20, seed=1, device="cpu")
    assert_same_images(images, drawn["toy_images"])


def test_a_training_of_the_first_format_goes_on_to_the_same_end(
    toy_mnist: Path, tmp_path: Path, drawn: dict[str, NDArray[np.uint8]]
) -> None:
    shutil.copytree(GOLDEN / "run", tmp_path / "weights")
    folders = Folders(toy_mnist, tmp_path / "weights", tmp_path / "reports")
    config, _ = load_config(folders.weights / "toy")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        result = train_gan(config, folders, name="toy", guide="toy-guide", resume=True)
    finally:
        torch.set_num_threads(threads)
    wanted = pd.read_csv(GOLDEN / "resumed-history.csv").drop(columns=["seconds"])
    history = pd.DataFrame(result.history)[list(wanted)]
    kept = [name for name in wanted if "seconds" not in str(name)]
    pd.testing.assert_frame_equal(history[kept], wanted[kept], check_dtype=False, rtol=1e-3)
    images, _ = draw(load_generator(folders.weights / "toy").network, 10, 20, seed=1, device="cpu")
    apart = np.abs(images.astype(int) - drawn["resumed_images"])
    assert apart.mean() < 0.05
    assert (folders.weights / "toy/samples.gif").read_bytes().startswith(b"GIF")
    # the film that was in the checkpoint is in the folder now
    frames = sorted(path.name for path in (folders.weights / "toy/frames").iterdir())
    assert frames == [f"{i:05d}.png" for i in range(1, len(result.history) + 1)]
    checkpoint = read_checkpoint(folders.weights / "toy")
    assert checkpoint.facts["format"] == 2
    assert not {"film", "conditions"} & checkpoint.tensors.keys()


def numbers_of(text: str) -> list[tuple[float, int]]:
    """Return the numbers of a text with their decimals; 43.1% is 0.431 with three decimals."""
    found = []
    for written in NUMBER.findall(text):
        plain = written.rstrip(",.%").replace(",", "")
        percent = 2 * written.rstrip(",.").endswith("%")
        decimals = len(plain.partition(".")[2]) + percent
        found.append((round(float(plain) / 10**percent, decimals), decimals))
    return found


def matched(known: list[tuple[float, int]], told: list[tuple[float, int]]) -> list[float]:
    """Return the numbers of `known` that `told` lacks: each one is told once, as exactly or more.

    The numbers of `known` are taken one after the other, the most exact first.
    """
    left, lacking = sorted(told, key=lambda number: number[1]), []
    for value, decimals in sorted(known, key=lambda number: -number[1]):
        for number in left:
            if number[1] >= decimals and round(number[0], decimals) == value:
                left.remove(number)
                break
        else:
            lacking.append(value)
    return lacking


def test_numbers_are_compared_whether_they_are_percentages_or_not() -> None:
    assert numbers_of("43.1% of 1,000, and -2.10.") == [(0.431, 3), (1000, 0), (-2.1, 2)]
    assert matched(numbers_of("0.43, 43%"), numbers_of("43.1% 43.4% 7")) == []
    assert matched(numbers_of("0.43, 43%"), numbers_of("43.1% 43.6% 7")) == [0.43]
    assert matched(numbers_of("0.431"), numbers_of("43%")) == [0.431]


def test_a_report_of_the_first_format_is_drawn_with_the_same_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    shutil.copytree(GOLDEN / "report", folder)
    page = write_report(folder).page.read_text(encoding="utf-8")
    for name in ("metrics", "per_digit", "confusion", "histogram"):
        wanted = pd.read_csv(GOLDEN / f"report/{name}.csv")
        table = pd.read_csv(folder / f"{name}.csv")
        assert table.shape == wanted.shape
        numbers = wanted.select_dtypes("number").to_numpy()
        assert table.select_dtypes("number").to_numpy() == pytest.approx(numbers, nan_ok=True)
    assert page.count("<img") == 77
    assert page.count("<svg") == 8
    text = re.sub(r'<style>.*?</style>|<svg.*?</svg>|data:[^"]*', "", page, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    before = SHEET.sub("", (GOLDEN / "page-numbers.txt").read_text())
    told, known = numbers_of(text), numbers_of(before)
    assert len(known) == 479
    # the judge's accuracy on real images, 100.00%, is told once more with one decimal
    assert matched(known, told) == [1.0]
