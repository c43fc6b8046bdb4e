from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cgan.cli import main
from cgan.config.recipes import classifier_config
from cgan.config.schema import ClassifierConfig, Folders
from cgan.data.datasets import load_split
from cgan.data.spec import description
from cgan.data.splits import Split
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.hub import load_classifier
from cgan.runtime.errors import InputError, TrainingError
from cgan.training.classifier import train_classifier

DIGITS = description("digits").size
TOY = classifier_config("guide", "digits", DIGITS, epochs=3, precision="fp32", device="cpu")


def in_folder(top: Path) -> Folders:
    return Folders(top / "data", top / "weights", top / "reports")


def test_three_epochs_read_most_digits_and_are_saved(tmp_path: Path) -> None:
    result = train_classifier(TOY, in_folder(tmp_path), save_model=True)
    assert result.test_accuracy["value"] > 0.85
    assert result.folder == tmp_path / "weights" / "digits-guide"
    loaded = load_classifier("digits-guide", tmp_path / "weights")
    assert loaded.config == TOY
    history = pd.read_csv(result.folder / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["loss"].is_monotonic_decreasing


def test_without_save_model_nothing_is_written(tmp_path: Path) -> None:
    config = replace(TOY, dry_run=True)
    assert train_classifier(config, in_folder(tmp_path)).folder is None
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("unequal", [False, True])
def test_of_unequal_classes_the_balanced_accuracy_is_told_too(
    unequal: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(dataset: str, data_dir: Path, split: str) -> Split:
        whole = load_split(dataset, data_dir, split)
        few = whole.labels == 0
        few[few.nonzero()[:5]] = False  # all but five of class 0
        return replace(whole, images=whole.images[~few], labels=whole.labels[~few])

    if unequal:
        monkeypatch.setattr("cgan.training.classifier.load_split", changed)
    command = ["train-classifier", "--dataset", "digits", "--dry-run", "-q", "--data-dir"]
    done = CliRunner().invoke(main, [*command, str(tmp_path)])
    assert done.exit_code == 0
    assert "test accuracy " in done.output
    assert ("balanced accuracy " in done.output) == unequal


@pytest.mark.parametrize("network", CLASSIFIERS)
@pytest.mark.parametrize(
    ("optimizer", "schedule"), [("adamw", "one-cycle"), ("adadelta", "step"), ("adamw", "constant")]
)
def test_one_step_of_every_network_and_schedule(
    tmp_path: Path, network: str, optimizer: str, schedule: str
) -> None:
    config = replace(TOY, network=network, optimizer=optimizer, schedule=schedule, dry_run=True)
    result = train_classifier(config, in_folder(tmp_path))
    assert len(result.history) == 1
    assert 0 < result.history[0]["loss"] < 10


@pytest.mark.usefixtures("toy_data")
def test_the_original_systems_options_work_together(tmp_path: Path) -> None:
    config = ClassifierConfig(
        dataset="toy",
        network="original-cnn",
        optimizer="adadelta",
        lr=1.0,
        schedule="step",
        gamma=0.7,
        epochs=6,
        batch_size=16,
        label_smoothing=0.0,
        max_shift=0,
        precision="fp32",
    )
    assert train_classifier(config, in_folder(tmp_path)).test_accuracy["value"] > 0.6


def test_a_divergence_is_not_saved(tmp_path: Path) -> None:
    config = replace(TOY, lr=1e30, schedule="constant")
    with pytest.raises(TrainingError, match="lower --lr"):
        train_classifier(config, in_folder(tmp_path), save_model=True)
    assert not (tmp_path / "weights").exists()


def test_a_damaged_test_file_is_noticed_before_training(toy_mnist: Path) -> None:
    (toy_mnist / "t10k-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(InputError, match="t10k-images"):
        train_classifier(replace(TOY, dataset="mnist"), Folders(data=toy_mnist))


def test_an_unknown_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'leaky-cnn'"):
        train_classifier(replace(TOY, network="leeky-cnn"), in_folder(tmp_path))
