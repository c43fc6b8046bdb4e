"""A training that was stopped and goes on ends as one that was not."""

import io
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
import safetensors.torch
import torch
from conftest import REPOSITORY, in_folder, send_at
from hypothesis import given, reject
from hypothesis import strategies as st
from PIL import Image
from toys import TOY, toy_config, toy_split

from cgan.config.recipes import RECIPES
from cgan.config.schema import Folders, GanConfig
from cgan.data import datasets
from cgan.data.datasets import load_split
from cgan.data.splits import Split, subset
from cgan.io import run_layout
from cgan.models.hub import load_classifier, load_generator
from cgan.models.sampling import draw
from cgan.runtime.errors import InputError, TrainingError, UncheckedWarning
from cgan.runtime.progress import Progress
from cgan.runtime.signals import Stopped
from cgan.training.checkpoint import Checkpoint, from_format_1, read_checkpoint, restore
from cgan.training.gan import train_gan
from cgan.training.history import History
from cgan.training.modes import cluster_modes
from cgan.training.resume import read_resume_point, require_unchanged
from cgan.training.state import TrainingState

sys.path.insert(0, str(REPOSITORY))
from scripts.tortures.mutations import of_json

TIMES = ["seconds", "validation_seconds"]
pytestmark = pytest.mark.usefixtures("toy_data")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": tensor
        for name in ("generator", "discriminator")
        for key, tensor in safetensors.torch.load_file(folder / f"{name}.safetensors").items()
    }


def history(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "history.csv").drop(columns=TIMES)


def steps(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "steps.csv").drop(columns="seconds")


def require_same(one: Path, other: Path) -> None:
    """Check that two runs have the same weights, history, checkpoint and pictures, bit for bit."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    pd.testing.assert_frame_equal(history(one), history(other), check_exact=True)
    pd.testing.assert_frame_equal(steps(one), steps(other), check_exact=True)
    first, second = (dict(read_checkpoint(folder).tensors) for folder in (one, other))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first if "gauss" not in key)
    names = [sorted(p.name for p in (folder / "samples").iterdir()) for folder in (one, other)]
    assert names[0] == names[1]
    for name in ("samples.gif", "samples.png"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    for folder in (one, other):
        frames = sorted(path.name for path in (folder / "frames").iterdir())
        assert frames == [f"{i:05d}.png" for i in range(1, len(names[0]) + 1)]
    for name in names[0]:
        assert (one / "samples" / name).read_bytes() == (other / "samples" / name).read_bytes()


def small(recipe: str) -> GanConfig:
    """Return a training of two epochs of four steps, scored after each."""
    return toy_config(recipe, batch_size=36, epochs=2, log_interval=3)


@pytest.fixture(scope="module", params=RECIPES)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GanConfig, Folders]]:
    """A run of every recipe, never stopped."""
    folders = in_folder(tmp_path_factory.mktemp(request.param))
    config = small(request.param)
    train_gan(config, folders, name="whole")
    assert steps(folders.weights / "whole")["images"].tolist() == [108, 216]
    yield config, folders
    shutil.rmtree(folders.weights)


@pytest.mark.parametrize("step", [3, 4, 6])  # of 8: within an epoch, between two, within again
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    step: int, whole: tuple[GanConfig, Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folders = whole
    name = f"stopped-{step}"
    with monkeypatch.context() as patched:
        send_at(step, [signal.SIGINT], patched)
        with pytest.raises(Stopped) as caught:
            train_gan(config, folders, name=name)
    assert f"--resume {folders.weights / name}" in caught.value.__notes__[0]
    assert len(read_checkpoint(folders.weights / name).facts["history"]["rows"]) == step // 4
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
        send_at(4, [signal.SIGINT], patched)
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


def test_a_run_goes_on_with_other_class_frequencies_if_told_to(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    for epochs, kind in ((2, "balanced"), (3, "data")):  # each begins a new pass over the images
        other = replace(config, sample_labels=kind, epochs=epochs)
        with pytest.raises(InputError, match=f"sample_labels \\w+ -> {kind}"):
            train_gan(other, folders, name="x", resume=True)
        result = train_gan(other, folders, name="x", resume=True, with_changes=True)
        assert len(result.history) == epochs
        order = read_checkpoint(folders.weights / "x").tensors["order"]
        assert (len(order.unique()) == 144) == (kind == "data")


def test_what_does_not_change_what_is_learned_may_change(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    other = replace(config, log_interval=1, checkpoint_every="1m", on_nan="rollback")
    assert len(train_gan(other, folders, name="x", resume=True).history) == 2


def test_a_run_does_not_go_on_with_another_guide(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    shutil.copytree(run_layout.SHIPPED / "toy-guide", folders.weights / "other")
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


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was trained for one epoch of three steps."""
    folders = in_folder(tmp_path_factory.mktemp("one"))
    folder = train_gan(toy_config("udacity"), folders, name="x").folder
    assert folder is not None
    return folder


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"batch_size": 24}, [1, 2, 3]),
        ({"batch_size": 72}, [1, 2, 3]),
        ({"batch_size": 999}, [1, 2, 3]),
        ({"checks": 3}, [1, 4 / 3, 5 / 3, 2, 7 / 3, 8 / 3, 3]),
        ({"d_every": 2}, [1, 2, 3]),
        ({"seed": 2}, [1, 2, 3]),
        ({"sample_labels": "balanced"}, [1, 2, 3]),
    ],
)
def test_what_was_done_with_other_settings_counts_in_epochs(
    changes: dict[str, Any], epochs: list[float], one_epoch: Path, tmp_path: Path
) -> None:
    folders = in_folder(tmp_path)
    shutil.copytree(one_epoch, folders.weights / "x")
    config = toy_config("udacity", **{"epochs": 3, **changes})
    result = train_gan(config, folders, name="x", resume=True, with_changes=True)
    assert [row["epoch"] for row in result.history] == pytest.approx(epochs)
    facts = read_checkpoint(folders.weights / "x").facts["training"]
    batch_size = min(144, config.batch_size)
    assert facts["images"] == 144 + 2 * (144 // batch_size) * batch_size


def test_a_part_of_an_epoch_counts_with_another_batch_size(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped  # after four steps of six
    other = replace(config, batch_size=24)
    result = train_gan(other, folders, name="x", resume=True, with_changes=True)
    assert [row["epoch"] for row in result.history] == [1, 2]
    facts = read_checkpoint(folders.weights / "x").facts["training"]
    assert (facts["step"], facts["images"]) == (12, 4 * 48 + 4 * 24)


@pytest.mark.parametrize("n_images", [70, 100])
def test_a_run_goes_on_with_other_data_of_another_length_if_told_to(
    n_images: int, stopped: tuple[GanConfig, Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folders = stopped

    def other(data_dir: Path, split: str) -> Split:
        whole = toy_split(data_dir, split)
        return subset(whole, n_images) if split == "train" else whole

    monkeypatch.setitem(datasets.DATASETS, TOY, other)
    config = replace(config, epochs=3, batch_size=24)
    with pytest.raises(InputError, match=r"data_sha256 .* or add --resume-with-changes"):
        train_gan(config, folders, name="x", resume=True)
    result = train_gan(config, folders, name="x", resume=True, with_changes=True)
    assert [row["epoch"] for row in result.history] == [1, 2, 3]
    assert result.history[1]["kept"] == 1  # scores on other images are not compared


def test_a_checkpoint_without_a_count_of_images_counts_its_steps(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    folder = folders.weights / "x"
    kept = read_checkpoint(folder)
    training = {key: value for key, value in kept.facts["training"].items() if key != "images"}
    tensors = {name: value for name, value in kept.tensors.items() if "latest." not in name}
    older = Checkpoint(tensors, {**kept.facts, "training": training})
    (folder / "checkpoint.safetensors").write_bytes(older.to_bytes())
    (folder / "manifest.json").unlink()
    (folder / "steps.csv").unlink()
    with pytest.warns(UncheckedWarning):
        train_gan(replace(config, log_interval=1), folders, name="x", resume=True)
    assert read_checkpoint(folder).facts["training"]["images"] == 6 * 48
    assert steps(folder)["step"].tolist() == [5, 6]


def test_the_checkpoints_networks_must_fit(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    with pytest.raises(InputError, match="does not fit"):
        train_gan(replace(config, z_dim=9), folders, name="x", resume=True, with_changes=True)


class Explosion:
    """Makes the generator's loss infinite at a step, for as many times as it is asked to."""

    def __init__(self, step: int, times: int, monkeypatch: pytest.MonkeyPatch):
        from cgan.training.updates import Phase

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
    config = toy_config(epochs=2, log_interval=1)
    Explosion(4, 1, monkeypatch)
    with pytest.raises(TrainingError, match=r"generator's loss is inf at step 4; lower --lr") as e:
        train_gan(config, folders, name="x")
    assert "--lr SMALLER --resume-with-changes" in e.value.__notes__[0]
    assert read_checkpoint(folders.weights / "x").facts["training"]["step"] == 3
    assert steps(folders.weights / "x")["step"].tolist() == [1, 2, 3]
    result = train_gan(config, folders, name="x", resume=True)
    assert len(result.history) == 2
    table = pd.read_csv(folders.weights / "x/steps.csv")
    assert table["step"].tolist() == [1, 2, 3, 4, 5, 6]  # no gap, and none twice
    assert table["images"].tolist() == [48, 96, 144, 192, 240, 288]
    assert table["epoch"].tolist() == pytest.approx([i / 3 for i in range(1, 7)], abs=1e-5)
    assert table["seconds"].is_monotonic_increasing
    assert table[["d_loss", "g_loss", "d_real", "d_fake", "g_gradient"]].notna().all(axis=None)


def test_a_rollback_goes_on_from_the_last_checkpoint_at_half_the_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = in_folder(tmp_path)
    explosion = Explosion(4, 3, monkeypatch)
    config = toy_config(epochs=2, on_nan="rollback", schedule="constant", log_interval=1)
    said = io.StringIO()
    result = train_gan(config, folders, name="x", progress=Progress(said))
    words = " ".join(said.getvalue().split())
    assert words.count("at step 4; rolled back to step 3, learning rates halved") == 3
    assert "--on-nan" not in words
    assert steps(folders.weights / "x")["step"].tolist() == [1, 2, 3, 4, 5, 6]
    first = config.g_lr
    assert explosion.rates == pytest.approx([first, first / 2, first / 4])
    assert [row["epoch"] for row in result.history] == [1, 2]
    assert read_checkpoint(folders.weights / "x").facts["training"]["slower"] == 1 / 8


def test_after_three_rollbacks_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    explosion = Explosion(1, 9, monkeypatch)
    config = toy_config(on_nan="rollback", log_interval=1)
    with pytest.raises(TrainingError, match=r"step 1; 3 rollbacks did not help; lower --lr or"):
        train_gan(config, in_folder(tmp_path), name="x")
    assert len(explosion.rates) == 4


def test_a_checkpoint_is_written_as_often_as_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    honest = TrainingState.facts

    def facts(training: TrainingState) -> dict[str, Any]:
        steps.append(training.step)
        return honest(training)

    monkeypatch.setattr(TrainingState, "facts", facts)
    config = toy_config(epochs=2, batch_size=24, checkpoint_every="0.5")
    train_gan(config, in_folder(tmp_path), name="x")
    assert steps == [0, 3, 6, 9, 12]  # the first is for a rollback, and not written


def test_weights_that_are_no_numbers_are_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = TrainingState.check

    def check(training: TrainingState) -> None:
        with torch.no_grad():
            next(training.average.network.parameters()).view(-1)[0] = torch.nan
        honest(training)

    monkeypatch.setattr(TrainingState, "check", check)
    with pytest.raises(TrainingError, match=r"average\..* is not finite"):
        train_gan(toy_config(), in_folder(tmp_path), name="x")
    assert not (tmp_path / "weights/x").exists()


@pytest.fixture(scope="module")
def resting(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingState, History, Checkpoint]:
    """A training of two steps, its record and its checkpoint."""
    folders = in_folder(tmp_path_factory.mktemp("resting"))
    config = toy_config("udacity", batch_size=72)
    train_gan(config, folders, name="x")
    checkpoint = read_checkpoint(folders.weights / "x")
    train = load_split(TOY, folders.data, "train")
    guide = load_classifier("toy-guide").network
    clusters = cluster_modes(guide, train, 1, torch.float32)
    training = TrainingState(config, train, clusters, guide, torch.float32, 2)
    return training, History(), checkpoint


def require_refusal_or_none(parts: tuple[TrainingState, History, Checkpoint]) -> None:
    """Let a training take up a checkpoint; it may be refused, in a line."""
    training, history, damaged = parts
    message = ""
    try:
        restore(training, history, damaged)
    except InputError as error:
        message = str(error)
    assert "\n" not in message


@given(st.integers(0, 2**32))
def test_damaged_facts_are_taken_up_or_refused_in_a_line(
    resting: tuple[TrainingState, History, Checkpoint], seed: int
) -> None:
    training, history, good = resting
    content = of_json(json.dumps(good.facts).encode(), Random(seed))
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError):  # `read_checkpoint` refuses it
        reject()
    require_refusal_or_none((training, history, Checkpoint(good.tensors, facts)))


OTHERS = (None, torch.zeros(3, 5), torch.zeros(0), torch.full((4,), 2**62), torch.zeros(()))


@given(st.integers(0, 10**6), st.integers(0, len(OTHERS) - 1))
def test_damaged_tensors_are_taken_up_or_refused_in_a_line(
    resting: tuple[TrainingState, History, Checkpoint], place: int, other: int
) -> None:
    training, history, good = resting
    name = sorted(good.tensors)[place % len(good.tensors)]
    tensors = {key: value for key, value in good.tensors.items() if key != name}
    replaced = OTHERS[other]
    if replaced is not None:
        tensors[name] = replaced
    require_refusal_or_none((training, history, Checkpoint(tensors, good.facts)))


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("training", "images", -1),
        ("training", "images", "many"),
        ("history", "rows", [{"epoch": 10**400}]),
        ("history", "rows", [{"g_loss": 1.0}]),
        ("history", "best", None),
        ("history", "warnings", ["\x1b[2J"]),
        ("training", "step", float("inf")),
        ("training", "step", -1),
        ("training", "position", 0.5),
        ("training", "position", 10**6),
        ("training", "slower", 0.0),
        ("training", "log_counts", {"strange": 1}),
    ],
)
def test_facts_that_cannot_be_are_refused(
    resting: tuple[TrainingState, History, Checkpoint], part: str, key: str, value: Any
) -> None:
    training, history, good = resting
    facts = {**good.facts, part: {**good.facts[part], key: value}}
    with pytest.raises(InputError):
        restore(training, history, Checkpoint(good.tensors, facts))


def old_format(new: Checkpoint, labels: torch.Tensor, n_modes: int) -> Checkpoint:
    """Return a checkpoint as version 0.1 wrote it, without its film."""
    tensors = dict(new.tensors)
    tensors["conditions"] = labels * n_modes + tensors.pop("modes")
    history = new.facts["history"]
    record = {"history": history["rows"], "best": history["best"], "alarms": history["warnings"]}
    return Checkpoint(tensors, {"training": new.facts["training"], "record": record})


def test_a_checkpoint_of_format_1_has_the_same_modes_and_history(
    resting: tuple[TrainingState, History, Checkpoint],
) -> None:
    training, _, good = resting
    labels, modes = training.train.labels, torch.arange(len(training.train)) % 3
    new = Checkpoint({**good.tensors, "modes": modes}, good.facts)
    old = old_format(new, labels, 3)
    again = from_format_1(old, labels, 3)
    assert again.facts == new.facts
    assert again.tensors.keys() == new.tensors.keys()
    assert torch.equal(again.tensors["modes"], modes)
    assert from_format_1(new, labels, 3) is new
    for wrong in (modes[:9], modes.float()):
        with pytest.raises(InputError, match="belong to other images"):
            from_format_1(Checkpoint({"conditions": wrong}, old.facts), labels, 3)


def test_modes_of_format_1_that_contradict_the_labels_are_refused(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    folder = folders.weights / "x"
    labels = load_split(TOY, folders.data, "train").labels
    old = old_format(read_checkpoint(folder), (labels + 1) % 10, config.modes)
    (folder / "checkpoint.safetensors").write_bytes(old.to_bytes())
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="modes in the checkpoint belong to other images"):
        train_gan(config, folders, name="x", resume=True)


def test_a_checkpoint_of_a_newer_format_is_refused_by_its_number(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    folder = folders.weights / "x"
    kept = read_checkpoint(folder)
    assert kept.facts["format"] == 2
    newer = Checkpoint(kept.tensors, {**kept.facts, "format": 3})
    (folder / "checkpoint.safetensors").write_bytes(newer.to_bytes())
    (folder / "manifest.json").unlink()
    words = r"checkpoint.safetensors is of format 3, which a newer cgan wrote; this one reads up to"
    with pytest.raises(InputError, match=words):
        train_gan(config, folders, name="x", resume=True)


def test_a_checkpoint_too_large_to_be_read_again_is_not_written(
    stopped: tuple[GanConfig, Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folders = stopped
    before = (folders.weights / "x/checkpoint.safetensors").read_bytes()
    monkeypatch.setattr("cgan.training.checkpoint.LARGEST", len(before) + 9)
    read_checkpoint(folders.weights / "x")
    point = read_resume_point(folders.weights / "x")
    grown = {**point.checkpoint.tensors, "more": torch.zeros(99)}
    with pytest.raises(OSError, match="more than the limit of"):
        Checkpoint(grown, point.checkpoint.facts).to_bytes()
    monkeypatch.setattr("cgan.training.checkpoint.Checkpoint.to_bytes", too_large)
    with pytest.raises(OSError, match="too large"):
        train_gan(config, folders, name="x", resume=True)
    assert (folders.weights / "x/checkpoint.safetensors").read_bytes() == before


def too_large(_: Checkpoint) -> bytes:
    raise OSError("too large")


def test_a_checkpoint_does_not_grow_with_the_number_of_evaluations(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    config = toy_config(batch_size=12, schedule="constant")
    sizes, counts = [], []
    for checks in (1, 4, 12):
        folder = train_gan(replace(config, checks=checks), folders, name=f"n{checks}").folder
        assert folder is not None
        counts.append(len(list((folder / "frames").iterdir())))
        kept = read_checkpoint(folder)
        assert "film" not in kept.tensors
        sizes.append(sum(tensor.nbytes for tensor in kept.tensors.values()))
    assert counts == [1, 4, 12]
    assert sizes[0] == sizes[1] == sizes[2]


def test_a_frame_that_is_missing_or_damaged_is_left_out_of_the_film(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    frames = folders.weights / "x/frames"
    assert [path.name for path in frames.iterdir()] == ["00001.png"]
    (frames / "00001.png").write_bytes(b"no picture")
    (frames / "00007.png").write_bytes(b"of a longer history")
    longer = replace(config, epochs=3)
    train_gan(longer, folders, name="x", resume=True, with_changes=True)
    assert sorted(path.name for path in frames.iterdir()) == [
        *("00001.png", "00002.png", "00003.png"),
    ]
    with Image.open(folders.weights / "x/samples.gif") as film:
        assert getattr(film, "n_frames", 1) == 2


def test_a_checkpoint_without_a_networks_weight_is_refused(
    resting: tuple[TrainingState, History, Checkpoint],
) -> None:
    training, history, good = resting
    weights = [name for name in good.tensors if name.startswith(("generator.", "discriminator."))]
    assert weights
    for name in weights:
        tensors = {key: value for key, value in good.tensors.items() if key != name}
        with pytest.raises(InputError, match=f"it lacks {name}, maybe because an earlier version"):
            restore(training, history, Checkpoint(tensors, good.facts))


def test_a_checkpoint_of_a_version_without_scales_is_refused(
    stopped: tuple[GanConfig, Folders],
) -> None:
    config, folders = stopped
    folder = folders.weights / "x"
    kept = read_checkpoint(folder)
    tensors = {key: value for key, value in kept.tensors.items() if "scales" not in key}
    assert len(tensors) == len(kept.tensors) - 1
    (folder / "checkpoint.safetensors").write_bytes(Checkpoint(tensors, kept.facts).to_bytes())
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"lacks discriminator\.scales, maybe because an earlier"):
        train_gan(config, folders, name="x", resume=True)


def test_a_run_does_not_go_on_with_another_judge_unless_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, config = in_folder(tmp_path), toy_config(epochs=3)
    with monkeypatch.context() as patched:
        send_at(3, [signal.SIGINT], patched)
        with pytest.raises(Stopped):
            train_gan(config, folders, name="x", judge="none")
    with pytest.raises(InputError, match="judge_sha256 None -> "):
        train_gan(config, folders, name="x", judge="toy-judge", resume=True)
    result = train_gan(config, folders, name="x", judge="toy-judge", resume=True, with_changes=True)
    assert [row["kept"] for row in result.history][:2] == [1, 1]  # the first that the judge saw


def test_a_rollback_leaves_nothing_of_what_it_went_back_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, spoilt = TrainingState.check, list[int]()

    def check(training: TrainingState) -> None:
        if training.step == 3 and not spoilt:
            spoilt.append(training.step)
            with torch.no_grad():
                next(training.average.network.parameters()).view(-1)[0] = torch.nan
        honest(training)

    monkeypatch.setattr(TrainingState, "check", check)
    folders = in_folder(tmp_path)
    train_gan(toy_config(epochs=2, on_nan="rollback"), folders, name="x")
    assert spoilt
    assert all(tensor.isfinite().all() for tensor in weights(folders.weights / "x").values())
    assert len(history(folders.weights / "x")) == 2
    assert len(list((folders.weights / "x/samples").iterdir())) == 2


def test_two_that_go_on_do_not_undo_one_another(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    begun = read_resume_point(folders.weights / "x")
    train_gan(config, folders, name="x", resume=True)
    with pytest.raises(InputError, match="another process has resumed"):
        begun.require_latest()


def test_what_does_not_differ_in_the_end_is_no_change(stopped: tuple[GanConfig, Folders]) -> None:
    config, folders = stopped
    begun = read_resume_point(folders.weights / "x")
    same = replace(config, device="auto", precision="auto")
    require_unchanged(begun, same, begun.facts, with_changes=False)
    other = {**begun.facts, "device": "cuda"}
    with pytest.raises(InputError, match="device cpu -> cuda"):
        require_unchanged(begun, same, other, with_changes=False)


@pytest.mark.parametrize("network", ["generator", "discriminator", "average"])
def test_a_checkpoint_of_weights_that_are_not_finite_is_refused(
    network: str, resting: tuple[TrainingState, History, Checkpoint]
) -> None:
    training, history, good = resting
    name = max(name for name in good.tensors if name.startswith(f"{network}.") and "bias" in name)
    tensors = {**good.tensors, name: torch.full_like(good.tensors[name], torch.nan)}
    with pytest.raises(InputError, match=f"the checkpoint is damaged: {name} is not finite"):
        restore(training, history, Checkpoint(tensors, good.facts))
    restore(training, history, good)
