import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import REPOSITORY, digits_config
from torch import nn

from cgan.config.recipes import classifier_config, gan_config
from cgan.data.spec import DataSpec, description
from cgan.data.splits import Split, scale
from cgan.runtime.errors import InputError

sys.path.insert(0, str(REPOSITORY))

from scripts.benchmarks import __main__ as benchmark
from scripts.benchmarks import quality, rows, speed, training
from scripts.benchmarks.__main__ import MOST_ROUNDS
from scripts.benchmarks.figure import draw
from scripts.benchmarks.rows import MACHINE, Row
from scripts.benchmarks.textbook import Pictures, Textbook

DIGITS = description("digits").size
NOWHERE = Path("nowhere")  # scikit-learn's digits need no folder
HERE = Row(MACHINE, "a machine", math.nan, math.nan, math.nan, "", 0)


def a_row(part: str, value: float = 2.0) -> Row:
    return Row(part, f"what {part} measures", value, 1.0, 3.0, "s", 3)


def few_images(n: int = 20) -> Split:
    images = torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8)
    return Split(DataSpec("toy", 1, 28, 28, 10), images, torch.arange(n) % 10)


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def test_the_baseline_teaches_g_always_d_on_every_second_batch_and_never_the_guide() -> None:
    baseline = Textbook(few_images())
    networks = [baseline.generator, baseline.discriminator, baseline.guide]
    moved = []
    for _ in range(4):
        before = [weights(network) for network in networks]
        log = baseline.step()
        assert all(math.isfinite(reading) for reading in log.values())
        after = [weights(network) for network in networks]
        moved.append([not torch.equal(*pair) for pair in zip(before, after, strict=True)])
    assert moved == [[True, True, False], [True, False, False]] * 2


def test_the_baseline_sees_the_images_scaled_to_one() -> None:
    split = few_images()
    image, label = Pictures(split)[3]
    torch.testing.assert_close(image, scale(split.images[3]))
    assert label == 3


def test_a_convolution_has_the_operations_counted_by_hand() -> None:
    convolution = nn.Conv2d(3, 5, 3, padding=1)
    images = torch.randn(2, 3, 8, 6, requires_grad=True)
    forward = 2 * 2 * 8 * 6 * 5 * 3 * 3 * 3
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled), training.counter() as counted:
            convolution(images).sum().backward()
        assert counted.get_total_flops() == 3 * forward  # and the gradients of weights and images


def test_a_matrix_times_a_vector_is_counted() -> None:
    with training.counter() as counted:
        torch.mv(torch.ones(7, 5), torch.ones(5))
    assert counted.get_total_flops() == 2 * 7 * 5


def test_the_operations_of_the_baseline_are_those_counted_by_hand() -> None:
    """Forward; backward twice that, less the gradients of inputs and of the guide's weights."""
    linear, last = 2 * 30 * 6272, 2 * 64 * 9 * 784
    g = linear + 2 * 128 * 128 * 16 * 49 + 2 * 128 * 64 * 16 * 196 + last
    first = 2 * 32 * 9 * 196
    d = first + 2 * 9 * (32 * 64 * 49 + 64 * 128 * 16 + 128 * 256 * 16) + 2 * 4096
    guide = 2 * 9 * (16 * 784 + 16 * 32 * 784 + 32 * 64 * 196) + 2 * 128 * (12544 + 10)
    baseline = Textbook(few_images())
    with training.counter() as counted:
        n = sum(baseline.step()["images"] for _ in range(2))
    twice = 2 * (3 * g - linear + 3 * d + 2 * guide) + 2 * (3 * d - first)
    assert counted.get_total_flops() == n * twice / 2


def test_pairs_are_timed_in_the_projects_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("N_IMAGES", "N_SETTLING", "N_BASELINE", "N_WARM_UP"):
        monkeypatch.setattr(training, name, 64)
    monkeypatch.setattr(training, "COUNTED_STEPS", 1)
    monkeypatch.setattr(training, "PRODUCT", 64)
    pairs = training.measure_pairs(digits_config(modes=1, batch_size=64), NOWHERE, rounds=2)
    assert len(pairs.ours) == len(pairs.baseline) == len(pairs.product) == 2
    found = training.throughput(pairs) + training.operations(pairs, "fp32")
    assert all(row.value > 0 and math.isfinite(row.value) for row in found)
    assert training.baseline_epoch([]) is None
    assert training.baseline_epoch(training.throughput(pairs)) == pytest.approx(
        sum(60_000 / rate for rate in pairs.baseline) / 2
    )


def test_the_most_rounds_fit_into_an_epoch() -> None:
    n = training.N_WARM_UP + MOST_ROUNDS * (training.N_SETTLING + training.N_IMAGES)
    n += training.COUNTED_STEPS * gan_config("guided", "mnist").batch_size
    assert n < 55_000


def test_times_to_a_score_are_those_of_the_first_row_that_has_it() -> None:
    history = [{"seconds": 10.0 * i, "coverage": c} for i, c in enumerate([0.1, 0.7, 0.5, 0.9])]
    assert quality.seconds_to(history, "coverage", 0.6) == 10
    assert quality.seconds_to(history, "coverage", 0.8) == 30
    assert quality.seconds_to(history, "coverage", 0.95) == math.inf


def test_a_row_with_what_is_not_a_number_is_without() -> None:
    for values in ([math.nan, 0.1, 0.2], [0.1, math.nan, 0.2], [0.2, 0.1, math.nan]):
        found = rows.summary("part", "what", values, "s")
        assert all(map(math.isnan, (found.value, found.low, found.high)))
        assert found.n == 3


def test_the_score_at_a_moment_is_the_last_before_it() -> None:
    history = [{"seconds": 10.0 * i, "fcd": c} for i, c in enumerate([0.8, 0.3, 0.2], start=1)]
    assert quality.score_at(history, "fcd", 25) == 0.3
    assert quality.score_at(history, "fcd", math.inf) == 0.2
    assert math.isnan(quality.score_at(history, "fcd", 5))


def test_quality_is_measured_in_seconds_and_in_epochs_of_the_baseline() -> None:
    found = quality.quality(digits_config(modes=1), NOWHERE, 1, baseline_epoch=4.0)
    whole = next(row for row in found if row.what == "whole training")
    times = [row.value for row in found if row.unit == "s"]
    multiples = [row.value for row in found if row.unit == "baseline epochs"]
    assert multiples == pytest.approx([seconds / 4 for seconds in times], nan_ok=True)
    assert len(times) == len(quality.LEVELS) + 1
    assert not any(seconds > whole.value for seconds in times)
    ends = [row.value for row in found if row.what.endswith("at the end")]
    assert len(ends) == len(quality.SCORES)
    assert all(math.isfinite(value) for value in ends)


def test_the_classifier_is_told_by_its_epochs_and_its_test() -> None:
    config = replace(classifier_config("guide", "digits", DIGITS), epochs=2, precision="fp32")
    found = {row.what: row for row in quality.classifier(config, NOWHERE, seeds=2)}
    assert found["training, epochs 1 to 1"].value < found["training, epochs 1 to 2"].value
    assert 10 < found["test accuracy at the end"].value <= 100
    assert found["validation accuracy after epoch 2"].n == 2


def test_drawing_and_comparing_take_time() -> None:
    config = gan_config("guided", "mnist", precision="bf16")
    found = speed.sampling(config, 1, n_drawn=20) + speed.evaluation(1, sizes=(100,))
    assert len(found) == 4
    assert all(row.value > 0 for row in found)


def test_what_some_seeds_never_reach_has_no_highest_time() -> None:
    row = rows.summary("quality", "x", [30.0, math.inf, 10.0], "s")
    assert (row.value, row.low) == (30, 10)
    assert math.isnan(row.high)
    assert "| 30.0 | 10.0 to not reached | s | 3 |" in rows.table([row])
    never = rows.summary("quality", "x", [math.inf, math.inf], "s")
    assert "| not reached |  | s | 2 |" in rows.table([never])


def test_parts_that_were_not_measured_again_are_kept(tmp_path: Path) -> None:
    path, order = tmp_path / "benchmark.csv", ("throughput", "quality", "sampling")
    assert rows.read(path) == []
    first = rows.merge([], [HERE, a_row("sampling"), a_row("throughput")], order)
    rows.write(path, first)
    known = rows.merge(rows.read(path), [HERE, a_row("throughput", 9), a_row("quality")], order)
    assert [(row.part, row.value) for row in known[1:]] == [
        ("throughput", 9),
        ("quality", 2),
        ("sampling", 2),
    ]
    assert [row.what for row in known if row.part == MACHINE] == ["a machine"]
    rows.write(path, [rows.summary("quality", "x", [1.0, math.inf, math.inf], "s")])
    assert math.isnan(rows.read(path)[0].value)
    assert rows.read(path)[0].low == 1


def test_the_measured_parts_are_written_to_the_table_the_figure_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, file = tmp_path / "performance.md", tmp_path / "new/benchmark.csv"
    page.write_text("Before\n<!-- benchmark -->\n<!-- end of benchmark -->\nAfter\n")
    monkeypatch.setattr(benchmark, "FILE", file)
    monkeypatch.setattr(benchmark, "PAGE", page)
    monkeypatch.setattr(benchmark, "sampling", lambda *_: [a_row("sampling")])
    monkeypatch.setattr(sys, "argv", ["benchmark", str(tmp_path), "--only", "sampling"])
    benchmark.main()
    assert [row.part for row in rows.read(file)] == [MACHINE, "sampling"]
    assert file.with_suffix(".png").is_file()
    first, *lines, last = page.read_text().splitlines()
    assert (first, last) == ("Before", "After")
    assert any("what sampling measures" in line for line in lines)


def test_measurements_of_two_machines_are_not_mixed() -> None:
    old = [replace(HERE, what="another"), a_row("quality")]
    rows.check_same_machine(old, HERE, ["quality"], NOWHERE)  # all of them are replaced
    with pytest.raises(InputError, match="another machine"):
        rows.check_same_machine(old, HERE, ["sampling"], NOWHERE)


@pytest.mark.parametrize("known", [[], ["throughput"], ["throughput", "quality"]])
def test_the_figure_draws_what_is_known(known: list[str], tmp_path: Path) -> None:
    pairs = training.Pairs(ours=[700.0, 800.0], baseline=[90.0, 100.0])
    found = training.throughput(pairs) if "throughput" in known else []
    if "quality" in known:
        for i, level in enumerate(quality.LEVELS):
            times = [10.0 * (i + 1), math.inf if i == 4 else 20.0, math.inf if i > 2 else 30.0]
            what = f"training to {quality.goal(*level)}"
            found.append(rows.summary("quality", what, times, "s"))
    draw(found, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000
