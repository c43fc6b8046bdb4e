"""A training may start from the weights of another run."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from conftest import in_folder, send_at
from toys import TOY, toy_config, toy_split

from cgan.cli import main
from cgan.config.recipes import RECIPES, classifier_config
from cgan.config.schema import Folders
from cgan.data import datasets
from cgan.data.spec import DataSpec
from cgan.data.splits import Split
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress
from cgan.runtime.signals import Stopped
from cgan.training.classifier import train_classifier
from cgan.training.gan import train_gan
from cgan.training.resume import read_initial_weights
from cgan.training.setup import make_state, prepare

FEW, WIDE = "few-rows", "wide-rows"
pytestmark = pytest.mark.usefixtures("toy_data")


def few_rows(data_dir: Path, split: str) -> Split:
    """Return the toy images of the first six classes."""
    whole = toy_split(data_dir, split)
    mine = whole.labels < 6
    return Split(DataSpec(FEW, *whole.spec.image_shape, 6), whole.images[mine], whole.labels[mine])


def wide_rows(data_dir: Path, split: str) -> Split:
    """Return toy images of twice the width."""
    whole = toy_split(data_dir, split)
    channels, height, width = whole.spec.image_shape
    spec = DataSpec(WIDE, channels, height, 2 * width, 10)
    return Split(spec, torch.cat([whole.images, whole.images], dim=3), whole.labels)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    """Folders with a trained run of every recipe, and guides of two other data sets."""
    folders = in_folder(tmp_path_factory.mktemp("init"))
    with pytest.MonkeyPatch.context() as patch:
        for name, load in ((FEW, few_rows), (WIDE, wide_rows)):
            patch.setitem(datasets.DATASETS, name, load)
            flags: dict[str, Any] = {
                "epochs": 1,
                "batch_size": 20,
                "precision": "fp32",
                "device": "cpu",
            }
            config = classifier_config("guide", name, **flags)
            train_classifier(config, folders, save_model=True)
        for recipe in ("guided", "r3gan", "guided-original", "conv"):
            train_gan(toy_config(recipe), folders, name=recipe, judge="none")
        yield folders


def started(folders: Folders, recipe: str, dataset: str) -> tuple:
    """Return the two networks of a training that starts from the run of a recipe, and the run's."""
    config = replace(toy_config(recipe), dataset=dataset)
    setup = prepare(
        config,
        folders,
        name=None,
        guide=None,
        judge="none",
        init=recipe,
        overwrite=False,
        resume=False,
        with_changes=False,
        progress=Progress(),
    )
    state, _ = make_state(setup)
    networks = {"generator": state.generator, "discriminator": state.discriminator}
    given = {
        name: safetensors.torch.load_file(folders.weights / recipe / f"{name}.safetensors")
        for name in networks
    }
    own = {name: network.state_dict() for name, network in networks.items()}
    return own, given, state


@pytest.mark.parametrize("recipe", ["guided", "r3gan", "guided-original", "conv"])
def test_a_training_starts_from_the_weights_of_a_run_with_a_fresh_optimiser(
    recipe: str, folders: Folders
) -> None:
    own, given, state = started(folders, recipe, TOY)
    for name, tensors in own.items():
        for key, tensor in tensors.items():  # also r3gan's basis, which is random and not trained
            assert torch.equal(tensor, given[name][key]), key
    assert (state.step, state.images, state.average.n_updates) == (0, 0, 0)
    assert all(not phase.optimizer.state for phase in state.phases)


@pytest.mark.parametrize("recipe", ["guided", "r3gan", "guided-original", "conv"])
def test_class_vectors_are_new_where_the_number_of_classes_differs(
    recipe: str, folders: Folders
) -> None:
    own, given, _ = started(folders, recipe, FEW)
    new = {
        f"{name}.{key}"
        for name, tensors in own.items()
        for key, tensor in tensors.items()
        if not torch.equal(tensor, given[name][key])
    }
    new -= {"generator.mode_edges", "discriminator.scales"}  # measured on the data
    if recipe == "guided-original":  # one-hot labels stand before the noise
        layer = own["generator"]["layers.0.weight"], given["generator"]["layers.0.weight"]
        z_dim = RECIPES[recipe].z_dim
        assert new == {"generator.layers.0.weight"}
        assert torch.equal(layer[0][:, -z_dim:], layer[1][:, -z_dim:])
    elif recipe == "conv":
        assert new == set()
    else:
        assert new
        assert all(".embed." in f".{key}" for key in new)
        assert all(
            torch.isfinite(tensor).all() for kind in own.values() for tensor in kind.values()
        )


def test_a_fine_tuned_run_is_recorded_and_resumed_as_any_other(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(toy_config(epochs=2, batch_size=24), dataset=FEW)
    with monkeypatch.context() as patched:
        send_at(4, [signal.SIGINT], patched)
        with pytest.raises(Stopped):
            train_gan(config, folders, name="tuned", judge="none", init="guided")
    facts = json.loads((folders.weights / "tuned/config.json").read_text())
    assert facts["config"]["init"] == "guided"
    assert len(facts["init_sha256"]) == 64
    assert facts["threads"] == torch.get_num_threads()
    result = train_gan(replace(config, init="guided"), folders, name="tuned", resume=True)
    assert [row["epoch"] for row in result.history] == [1, 2]
    again = json.loads((folders.weights / "tuned/config.json").read_text())
    assert again["init_sha256"] == facts["init_sha256"]


@pytest.mark.parametrize(
    ("recipe", "flags", "words"),
    [
        (
            "conv",
            {},
            r"other networks \(generator shuffle-conv, not transposed-conv,",
        ),
        ("guided", {"z_dim": 9}, r"other networks \(z_dim 64, not 9\)"),
        ("guided", {"dataset": WIDE}, "has images of 1x12x8, but wide-rows has 1x12x16"),
    ],
)
def test_other_networks_and_sizes_are_refused_in_a_line(
    recipe: str, flags: dict, words: str, folders: Folders
) -> None:
    config = replace(toy_config(recipe), **flags)
    with pytest.raises(InputError, match=words) as caught:
        train_gan(config, folders, judge="none", init="guided", name="never")
    assert "\n" not in str(caught.value)
    assert not (folders.weights / "never").exists()


def test_a_run_without_its_discriminator_or_with_other_layers_is_refused(
    folders: Folders, tmp_path: Path
) -> None:
    place = tmp_path / "bare"
    place.mkdir()
    for name in ("config.json", "generator.safetensors"):
        (place / name).write_bytes((folders.weights / "guided" / name).read_bytes())
    spec = toy_split(Path(), "train").spec
    with pytest.raises(InputError, match=r"has no discriminator\.safetensors"):
        read_initial_weights(str(place), folders.weights, toy_config(), spec)
    (place / "discriminator.safetensors").write_bytes(
        (folders.weights / "conv/discriminator.safetensors").read_bytes()
    )
    with pytest.raises(InputError, match="the discriminator of bare has other layers"):
        train_gan(toy_config(), folders, judge="none", init=str(place), name="never")


@pytest.mark.parametrize("run", ["digits", "mnist"])
def test_a_shipped_run_cannot_be_resumed_but_started_from(run: str, tmp_path: Path) -> None:
    words = ["train-gan", "--resume", run, "--weights-dir", str(tmp_path), "-q"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"to start from its weights: cgan train-gan --init {run}\n")
    assert result.stderr.count("\n") == 1
