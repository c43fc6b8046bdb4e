import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from conftest import in_folder
from torch import Tensor, nn
from toys import TOY, toy_config

from cgan.cli import main
from cgan.config.recipes import RECIPES
from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.splits import Split, of_classes
from cgan.models.base import Discriminator, Generator
from cgan.models.hub import load_classifier, load_generator
from cgan.models.roles import of_other_images
from cgan.runtime.errors import InputError, TrainingError
from cgan.runtime.progress import Progress
from cgan.training.ema import MovingAverage
from cgan.training.gan import train_gan
from cgan.training.validation import ValidationResult, Validator

HONEST = Validator.__call__
pytestmark = pytest.mark.usefixtures("toy_data")


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_step_of_every_recipe_trains_and_saves_nothing(recipe: str, tmp_path: Path) -> None:
    config = replace(RECIPES[recipe], dataset=TOY, dry_run=True, precision="fp32")
    result = train_gan(config, in_folder(tmp_path))
    assert result.folder is None
    assert len(result.history) == 1
    assert all(pd.notna(value) for value in result.history[0].values())
    assert not (tmp_path / "weights").exists()


def test_a_run_holds_weights_config_history_and_a_picture_an_epoch(digits_run: Folders) -> None:
    run = digits_run.weights / "toy"
    assert {path.name for path in run.iterdir()} == {
        "checkpoint.safetensors",
        "config.json",
        "discriminator.safetensors",
        "frames",
        "generator.safetensors",
        "history.csv",
        "manifest.json",
        "samples",
        "samples.gif",
        "samples.png",
        "steps.csv",
    }
    history = pd.read_csv(run / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    for share in (
        *("d_real", "d_fake", "d_fake_after", "guide_accuracy", "judge_accuracy", "coverage"),
    ):
        assert history[share].between(0, 1).all()
    assert history["seconds"].is_monotonic_increasing
    assert (history["fcd"] > 0).all()
    assert len(list((run / "samples").glob("epoch-000?-accuracy-0.???.png"))) == 2


def weights_of(folders: Folders, name: str) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folders.weights / name / "generator.safetensors")


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(torch.seed())  # nothing outside may matter
        train_gan(toy_config(seed=seed), folders, name=name)
    a, b, c = (weights_of(folders, name) for name in "abc")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert any(not torch.equal(a[key], c[key]) for key in a)


def test_scoring_every_epoch_changes_nothing_that_is_learned(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    for name, judge in (("with", None), ("without", "none")):
        train_gan(toy_config(), folders, name=name, judge=judge)
    for file in ("generator", "discriminator"):
        one, other = (
            safetensors.torch.load_file(folders.weights / name / f"{file}.safetensors")
            for name in ("with", "without")
        )
        assert all(torch.equal(one[key], other[key]) for key in one)


def scripted(monkeypatch: pytest.MonkeyPatch, distances: list[float], warning: str = "") -> None:
    """Let the validator say what it is told to."""

    def told(
        self: Validator, generator: Generator, discriminator: Discriminator
    ) -> ValidationResult:
        verdict = HONEST(self, generator, discriminator)
        verdict.scores["fcd"] = distances.pop(0)
        return replace(verdict, warnings=[warning] if warning else [])

    monkeypatch.setattr(Validator, "__call__", told)


def test_a_run_may_be_scored_several_times_an_epoch(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    result = train_gan(toy_config(batch_size=24, checks=3), folders, name="often")
    assert [row["epoch"] for row in result.history] == pytest.approx([1 / 3, 2 / 3, 1])
    names = sorted(path.name for path in (folders.weights / "often" / "samples").iterdir())
    assert [name.split("-")[1] for name in names] == ["0000.333333", "0000.666667", "0001"]


def test_the_epoch_of_the_lowest_distance_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = in_folder(tmp_path)
    config = toy_config(epochs=3, schedule="constant", guidance=0.0)
    scripted(monkeypatch, [3.0, 1.0, 2.0])
    result = train_gan(config, folders, name="best")
    assert [row["kept"] for row in result.history] == [1, 1, 0]
    scripted(monkeypatch, [3.0, 1.0])
    train_gan(replace(config, epochs=2), folders, name="two")
    best, two = (weights_of(folders, name) for name in ("best", "two"))
    assert all(torch.equal(best[key], two[key]) for key in best)


def test_without_a_judge_the_last_epoch_is_kept(tmp_path: Path) -> None:
    result = train_gan(toy_config(epochs=2), in_folder(tmp_path), judge="none")
    assert [row["kept"] for row in result.history] == [1, 1]
    assert "fcd" not in result.history[0]


def test_a_collapse_is_said_while_there_is_time_but_not_before_anything_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, [1.0, 1.0], warning="Collapsed: twice.")
    stream = io.StringIO()
    monkeypatch.setattr("cgan.training.gan.EARLY", 0.5)
    train_gan(toy_config(epochs=2), in_folder(tmp_path), progress=Progress(stream))
    lines = stream.getvalue().splitlines()
    assert [i for i, line in enumerate(lines) if "WARNING: Collapsed: twice." in line] == [3]


def test_a_data_set_without_a_judge_is_trained_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.training.setup.runs", lambda *_: {})
    stream = io.StringIO()
    result = train_gan(toy_config(), in_folder(tmp_path), progress=Progress(stream))
    assert "there is no toy-judge" in stream.getvalue()
    assert "judge_accuracy" not in result.history[0]


def other_toys(monkeypatch: pytest.MonkeyPatch, change: Callable[[Split], Split]) -> None:
    """Let a training read other images than those of the toy data set."""

    def changed(dataset: str, data_dir: Path, split: str) -> Split:
        return change(load_split(dataset, data_dir, split))

    monkeypatch.setattr("cgan.training.setup.load_split", changed)


def told(folders: Folders, judge: str | None = None) -> str:
    """Return what a dry run says, on one line."""
    stream = io.StringIO()
    train_gan(toy_config(dry_run=True), folders, judge=judge, progress=Progress(stream))
    return " ".join(stream.getvalue().split())


def test_classifiers_of_other_images_are_told_with_the_command_that_trains_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = in_folder(tmp_path)
    assert "WARNING" not in told(folders)
    other_toys(monkeypatch, lambda toys: replace(toys, images=255 - toys.images))
    said = told(folders)
    for role in ("guide", "judge"):
        told_of_role = (
            f"WARNING: toy-{role} was trained on other images than those of toy in {folders.data}; "
            f"to train a {role} of these: cgan train-classifier --save-model --role {role} "
            f"--dataset toy --data-dir {folders.data} --weights-dir {folders.weights}"
        )
        assert told_of_role in said
    assert "toy-judge was" not in told(folders, judge="none")
    (folders.weights / "toy-guide").mkdir(parents=True)  # a name that is taken
    assert "--name toy-guide-2 " in told(folders)
    assert ", then use --guide toy-guide-2 WARNING: toy-judge" in told(folders)
    # a classifier of a version that recorded nothing is not compared
    guide = replace(load_classifier("toy-guide"), data_sha256=None)
    assert of_other_images("guide", guide, "0" * 64, folders) is None


def test_a_class_without_training_images_is_told_recorded_and_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_toys(monkeypatch, lambda toys: of_classes(toys, {*range(7)}))
    folders, stream = in_folder(tmp_path), io.StringIO()
    train_gan(toy_config(), folders, name="seven", progress=Progress(stream))
    assert "WARNING: no training image of the rows 7, 8, 9" in stream.getvalue()
    run = load_generator("seven", folders.weights)
    assert run.class_counts is not None
    assert run.class_counts[7:] == (0, 0, 0)
    assert min(run.class_counts[:7]) > 10
    assert run.sample(n=9).labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    with pytest.raises(InputError, match=r"class 7: .* trained without an image of it"):
        run.sample([3, 7])
    assert replace(run, class_counts=None).sample(7, n=2).labels.tolist() == [7, 7]
    done = CliRunner().invoke(
        main, ["sample", "seven", "--class", "7", "--weights-dir", str(folders.weights)]
    )
    assert done.exit_code == 2
    assert "class 7: the generator was trained without an image of it" in done.stderr


def test_training_does_not_disturb_torchs_random_state(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    train_gan(toy_config(dry_run=True), in_folder(tmp_path))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_guide_does_not_change_while_the_generator_trains(
    digits_run: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = load_classifier("toy-guide")
    before = {key: value.clone() for key, value in guide.network.state_dict().items()}
    monkeypatch.setattr("cgan.training.setup.load_role", lambda *_: guide)
    train_gan(toy_config(guidance=0.5, guidance_end=1.0), digits_run, name="strong", judge="none")
    after = guide.network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_guidance_changes_what_the_generator_learns(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    for name, guidance in (("with", 0.5), ("without", 0.0)):
        train_gan(toy_config(guidance=guidance), folders, name=name)
    guided, free = (weights_of(folders, name) for name in ("with", "without"))
    assert any(not torch.equal(guided[key], free[key]) for key in guided)


def test_the_discriminator_learns_on_every_nth_batch_only(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    for name, d_every in (("one", 1), ("three", 3), ("four", 4)):
        # three steps an epoch: with 3 and with 4 only the first of them trains it
        train_gan(toy_config(d_every=d_every), folders, name=name)
    path = "discriminator.safetensors"
    biases = {
        name: safetensors.torch.load_file(folders.weights / name / path)["pixels.bias"]
        for name in ("one", "three", "four")
    }
    assert torch.equal(biases["three"], biases["four"])
    assert not torch.equal(biases["one"], biases["three"])


def test_a_discriminator_that_sees_images_moved_trains_otherwise(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    for name, d_shift in (("still", 0), ("moved", 2)):
        train_gan(toy_config(d_shift=d_shift), folders, name=name)
    still, moved = (weights_of(folders, name) for name in ("still", "moved"))
    assert any(not torch.equal(still[key], moved[key]) for key in still)


def test_a_second_run_of_the_default_name_is_numbered(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    names = [train_gan(toy_config(), folders).folder for _ in range(2)]
    assert names == [folders.weights / "toy-guided", folders.weights / "toy-guided-2"]


def test_a_divergence_stops_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return logits.sum() * float("nan")

    monkeypatch.setattr("cgan.training.updates.guidance_loss", broken)
    with pytest.raises(TrainingError, match=r"diverged: .* is nan"):
        train_gan(toy_config(guidance=1.0), in_folder(tmp_path))
    assert not (tmp_path / "weights").exists()


def test_a_guide_of_another_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trained on mnist"):
        train_gan(toy_config(), in_folder(tmp_path), guide="mnist-guide")


@pytest.mark.parametrize("field", ["generator", "discriminator", "loss", "penalty"])
def test_a_misspelt_part_is_refused_before_anything_is_written(tmp_path: Path, field: str) -> None:
    with pytest.raises(InputError, match="unknown"):
        train_gan(toy_config(**{field: "nonesuch"}), in_folder(tmp_path))
    assert not (tmp_path / "weights").exists()


def test_the_average_forgets_the_start_and_then_keeps_its_horizon() -> None:
    network = nn.BatchNorm1d(1)
    network.weight.data.fill_(8.0)
    average = MovingAverage(network, 0.5)
    average.update()  # the first is taken as it is
    assert float(average.network.weight) == 8
    network.weight.data.fill_(0.0)
    average.update()  # n = 1: keeps 2/11
    assert float(average.network.weight) == pytest.approx(8 * 2 / 11)
    average.n_updates = 1000  # keeps `decay`
    network(torch.rand(2, 1))
    average.update()
    assert float(average.network.weight) == pytest.approx(8 * 2 / 11 * 0.5)
    assert average.network.num_batches_tracked == 1
    means = [one.running_mean for one in (average.network, network)]
    assert means[0] is not None
    assert means[1] is not None
    assert 0 < float(means[0]) < float(means[1])


def test_the_average_is_a_network_of_its_own_that_does_not_learn() -> None:
    network = nn.Linear(2, 1)
    average = MovingAverage(network, 0.5)
    assert not any(weight.requires_grad for weight in average.network.parameters())
    assert all(weight.requires_grad for weight in network.parameters())
    network.weight.data.add_(1)
    assert not torch.equal(average.network.weight, network.weight)


def test_real_and_generated_images_are_moved_alike_once_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: dict[str, list[Tensor | None]] = {"gan": [], "updates": []}

    def recording(module: str) -> Callable[[Tensor, Tensor | None], Tensor]:
        def shift(images: Tensor, offsets: Tensor | None) -> Tensor:
            moved[module].append(offsets)
            return images

        return shift

    for module in moved:  # the loop moves generated images, the discriminator's loss real ones
        monkeypatch.setattr(f"cgan.training.{module}.shift_each", recording(module))
    train_gan(toy_config(d_shift=2), in_folder(tmp_path), name="moved")
    assert len(moved["gan"]) == 3  # steps
    for of_fake, of_real in zip(*moved.values(), strict=True):
        assert of_fake is not None
        assert of_fake is of_real
        assert of_fake.shape == (48, 2)
    assert not torch.equal(moved["updates"][0], moved["updates"][1])  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", ["mlp", "guided-original"])
def test_a_run_may_have_no_judge_and_heed_no_label(recipe: str, tmp_path: Path) -> None:
    config = toy_config(recipe)
    said = io.StringIO()
    folders = in_folder(tmp_path)
    train_gan(config, folders, name="x", judge="none", progress=Progress(said))
    _, line = said.getvalue().splitlines()
    assert line.split()[-4:-1] == ["-"] * 3  # judge, FCD, coverage
    history = pd.read_csv(folders.weights / "x" / "history.csv")
    assert ("guide_accuracy" in history) == (recipe != "mlp")
    assert history["kept"].tolist() == [1]


def test_guidance_may_begin_after_the_first_epoch(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    train_gan(toy_config(epochs=3, delta_alpha=0.05), folders, name="x")
    history = pd.read_csv(folders.weights / "x" / "history.csv")
    assert history["guidance"].tolist() == pytest.approx([0, 0.05 * 4 / 9, 0.1 * 1 / 9], abs=1e-6)
    assert history["guidance_loss"].isna().tolist() == [True, False, False]


def test_a_round_in_which_the_discriminator_does_not_learn_is_told_without_it(
    tmp_path: Path,
) -> None:
    config = toy_config("guided-original", checks=3)
    said = io.StringIO()
    train_gan(config, in_folder(tmp_path), progress=Progress(said))
    lines = [line.split() for line in said.getvalue().splitlines()]
    assert lines[0][:3] == ["epoch", "D", "loss"]
    first, second, _ = [words for words in lines if len(words) == 10 and words[0][0].isdigit()]
    assert first[1] != "-"
    assert second[1] == "-"


def test_the_pictures_of_parts_of_epochs_sort_in_their_order(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    config = toy_config("mlp", batch_size=24, checks=2, epochs=2)
    train_gan(config, folders, name="x")
    names = sorted(path.name for path in (folders.weights / "x" / "samples").iterdir())
    assert [name.split("-")[1] for name in names] == ["0000.5", "0001", "0001.5", "0002"]
