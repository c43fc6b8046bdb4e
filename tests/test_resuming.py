"""A training that was stopped and goes on ends as one that was not."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import safetensors.torch
import torch
from conftest import in_folder, toy_config

from cgan.checkpoint import read_checkpoint
from cgan.config import Folders, GanConfig
from cgan.errors import InputError, TrainingError
from cgan.recipes import RECIPES, gan_config
from cgan.sampling import draw
from cgan.stopping import Stopped, StopRequest
from cgan.store import load_generator
from cgan.train_gan import train_gan
from cgan.training import Training

TIMES = ["seconds", "validation_seconds"]


class StopAt:
    """Asks for a stop when so many steps are done."""

    def __init__(self, step: int, monkeypatch: pytest.MonkeyPatch):
        honest = StopRequest.__enter__
        self.request: StopRequest | None = None

        def enter(request: StopRequest) -> StopRequest:
            self.request = request
            return honest(request)

        def update(average: Any) -> None:
            honest_update(average)
            if average.n_updates == step and self.request is not None:
                self.request.number = 2

        from cgan.averaging import Average

        honest_update = Average.update
        monkeypatch.setattr(StopRequest, "__enter__", enter)
        monkeypatch.setattr(Average, "update", update)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": tensor
        for name in ("generator", "discriminator")
        for key, tensor in safetensors.torch.load_file(folder / f"{name}.safetensors").items()
    }


def history(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "history.csv").drop(columns=TIMES)


def require_same(one: Path, other: Path) -> None:
    """Check that two runs have the same weights, history, checkpoint and pictures, bit for bit."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    pd.testing.assert_frame_equal(history(one), history(other), check_exact=True)
    first, second = (dict(read_checkpoint(folder).tensors) for folder in (one, other))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first if "gauss" not in key)
    names = [sorted(p.name for p in (folder / "samples").iterdir()) for folder in (one, other)]
    assert names[0] == names[1]
    for name in names[0]:
        assert (one / "samples" / name).read_bytes() == (other / "samples" / name).read_bytes()


def small(recipe: str) -> GanConfig:
    row = gan_config(recipe, "digits", batch_size=160, precision="fp32", device="cpu")
    return replace(row, epochs=2)


@pytest.fixture(scope="module", params=RECIPES)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GanConfig, Folders]]:
    """A run of two epochs of every recipe, never stopped."""
    folders = in_folder(tmp_path_factory.mktemp(request.param))
    config = small(request.param)
    train_gan(config, folders, name="whole")
    yield config, folders
    shutil.rmtree(folders.weights)


@pytest.mark.parametrize("step", [5, 8, 11])  # of 16: within an epoch, between two, within again
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    step: int, whole: tuple[GanConfig, Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folders = whole
    name = f"stopped-{step}"
    with monkeypatch.context() as patched:
        StopAt(step, patched)
        with pytest.raises(Stopped) as caught:
            train_gan(config, folders, name=name)
    assert f"--resume {folders.weights / name}" in caught.value.__notes__[0]
    assert len(read_checkpoint(folders.weights / name).facts["record"]["history"]) == step // 8
    torch.manual_seed(99)  # what the process did meanwhile
    train_gan(config, folders, name=name, resume=True)
    require_same(folders.weights / "whole", folders.weights / name)
    drawn = [draw(load_generator(run, folders.weights).network, 10, 20) for run in ("whole", name)]
    assert (drawn[0][0] == drawn[1][0]).all()


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[GanConfig, Folders]:
    """A run `x` that was stopped in its second epoch."""
    folders, config = in_folder(tmp_path), toy_config(epochs=2)
    with monkeypatch.context() as patched:
        StopAt(4, patched)
        with pytest.raises(Stopped):
            train_gan(config, folders, name="x")
    return config, folders


def test_a_run_does_not_go_on_with_another_config_unless_told_to(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    other = replace(config, d_lr=0.01, seed=3)
    with pytest.raises(InputError, match=r"d_lr 0.001 -> 0.01, seed 1 -> 3"):
        train_gan(other, folders, name="x", resume=True)
    result = train_gan(other, folders, name="x", resume=True, with_changes=True)
    assert len(result.history) == 2


def test_what_does_not_change_what_is_learned_may_change(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    other = replace(config, log_interval=1, checkpoint_every="1m", on_nan="rollback")
    assert len(train_gan(other, folders, name="x", resume=True).history) == 2


def test_a_run_does_not_go_on_with_another_guide(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    shutil.copytree(Path("cgan/weights/digits-guide"), folders.weights / "other")
    path = folders.weights / "other" / "classifier.safetensors"
    content = {key: value + 0 for key, value in safetensors.torch.load_file(path).items()}
    next(value for value in content.values() if value.is_floating_point()).view(-1)[0] += 1
    path.write_bytes(safetensors.torch.save(content))
    (folders.weights / "other/manifest.json").unlink(missing_ok=True)
    with pytest.raises(InputError, match="guide_sha256"):
        train_gan(config, folders, name="x", guide="other", resume=True)


def test_a_finished_run_says_how_it_can_go_further(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    train_gan(config, folders, name="x", resume=True)
    with pytest.raises(InputError, match=r"finished; .* --resume-with-changes --epochs"):
        train_gan(config, folders, name="x", resume=True)
    longer = replace(config, epochs=3)
    result = train_gan(longer, folders, name="x", resume=True, with_changes=True)
    assert [row["epoch"] for row in result.history] == [1, 2, 3]


def test_the_checkpoints_networks_must_fit(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    with pytest.raises(InputError, match="does not fit"):
        train_gan(replace(config, z_dim=9), folders, name="x", resume=True, with_changes=True)


class Explosion:
    """Makes the generator's loss infinite at a step, for as many times as it is asked to."""

    def __init__(self, step: int, times: int, monkeypatch: pytest.MonkeyPatch):
        from cgan.phases import Phase

        honest = Phase.learn
        self.rates: list[float] = []

        def learn(phase: Phase, batch: Any, slower: float) -> dict[str, torch.Tensor]:
            readings = honest(phase, batch, slower)
            if phase.name == "g" and batch.step == step and len(self.rates) < times:
                self.rates.append(phase.optimizer.param_groups[0]["lr"])
                return {**readings, "g_loss": torch.tensor(torch.inf)}
            return readings

        monkeypatch.setattr(Phase, "learn", learn)


def test_what_is_no_number_stops_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = in_folder(tmp_path)
    Explosion(4, 1, monkeypatch)
    with pytest.raises(TrainingError, match=r"generator's loss is inf at step 4; lower --lr") as e:
        train_gan(toy_config(epochs=2), folders, name="x")
    assert "--lr SMALLER --resume-with-changes" in e.value.__notes__[0]
    assert read_checkpoint(folders.weights / "x").facts["training"]["step"] == 3
    result = train_gan(toy_config(epochs=2), folders, name="x", resume=True)
    assert len(result.history) == 2


def test_a_rollback_goes_on_from_the_last_checkpoint_at_half_the_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = in_folder(tmp_path)
    explosion = Explosion(4, 3, monkeypatch)
    config = toy_config(epochs=2, on_nan="rollback", schedule="constant", log_interval=1)
    result = train_gan(config, folders, name="x")
    first = config.g_lr
    assert explosion.rates == pytest.approx([first, first / 2, first / 4])
    assert [row["epoch"] for row in result.history] == [1, 2]
    assert read_checkpoint(folders.weights / "x").facts["training"]["slower"] == 1 / 8


def test_after_three_rollbacks_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    explosion = Explosion(1, 9, monkeypatch)
    config = toy_config(on_nan="rollback", log_interval=1)
    with pytest.raises(TrainingError, match="step 1"):
        train_gan(config, in_folder(tmp_path), name="x")
    assert len(explosion.rates) == 4


def test_a_checkpoint_is_written_as_often_as_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    honest = Training.facts

    def facts(training: Training) -> dict[str, Any]:
        steps.append(training.step)
        return honest(training)

    monkeypatch.setattr(Training, "facts", facts)
    config = toy_config(epochs=2, batch_size=200, checkpoint_every="0.5")
    train_gan(config, in_folder(tmp_path), name="x")
    assert steps == [0, 3, 6, 9, 12]  # the first is for a rollback, and not written


def test_weights_that_are_no_numbers_are_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Training.tensors

    def spoiled(training: Training) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            next(training.average.network.parameters()).view(-1)[0] = torch.nan
        return honest(training)

    monkeypatch.setattr(Training, "tensors", spoiled)
    with pytest.raises(TrainingError, match=r"average\..* is not finite"):
        train_gan(toy_config(), in_folder(tmp_path), name="x")
    assert not (tmp_path / "weights/x").exists()
