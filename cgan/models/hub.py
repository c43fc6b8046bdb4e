"""Finds and loads runs: the weights of a network, and the config.json that says how to build it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.images import Images
from cgan.data.run_config import COUNTS, read_config
from cgan.data.spec import DataSpec, find_labels
from cgan.io.run_layout import (
    CONFIG,
    WEIGHTS,
    epochs_trained,
    find_run,
    require_intact,
)
from cgan.io.typed import convert
from cgan.metrics.results import Accuracy
from cgan.models.base import Generator
from cgan.models.classifiers import Classifier
from cgan.models.registry import (
    make_classifier_on_meta,
    make_generator_on_meta,
)
from cgan.models.sampling import draw
from cgan.models.tensors import read_tensors
from cgan.runtime.errors import InputError, warn_renamed

LARGEST_WEIGHTS = 2**28  # bytes of a network; ours have two million


@dataclass(frozen=True, repr=False)
class ClassifierRun:
    """A classifier read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: ClassifierConfig
    network: Classifier
    data_sha256: str | None = None  # of its training images; None: not recorded
    test_accuracy: Accuracy | None = None  # at its training; None: not recorded

    def __repr__(self) -> str:
        """Return its name, role, network and data set."""
        return f"<{self.config.role} {self.name}: {self.config.network} of {self.spec}>"

    def sha256(self) -> str:
        """Return the checksum of the weights file."""
        return hashlib.sha256((self.folder / WEIGHTS["classifier"]).read_bytes()).hexdigest()


@dataclass(frozen=True, repr=False)
class GanRun:
    """A generator (averaged weights) read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: GanConfig
    guide: str  # name of the classifier that guided it
    guide_sha256: str  # of its weights at that time
    network: Generator
    precision: str | None = None  # in which it was trained, if that is known
    class_counts: tuple[int, ...] | None = None  # of its training images; None: not recorded

    @property
    def untrained(self) -> frozenset[int]:
        """The classes that it saw no image of, as far as is known; none if it uses no labels."""
        counts = self.class_counts if self.network.conditional else None
        return frozenset(label for label, n in enumerate(counts or ()) if n == 0)

    def __repr__(self) -> str:
        """Return its name, recipe and data set, how long it was trained, and where it is."""
        epochs = epochs_trained(self.folder)
        trained = "" if epochs is None else f", {epochs:.4g} epochs"
        return (
            f"<generator {self.name}: recipe {self.config.recipe} of {self.spec}{trained}, "
            f"in {self.folder}>"
        )

    def sample(
        self,
        label: int | str | Sequence[int | str] | None = None,
        n: int | None = None,
        seed: int = 1,
        *,
        digit: int | Sequence[int] | None = None,
        device: str = "auto",
        precision: str = "fp32",
    ) -> Images:
        """Generate images, the same ones as `cgan sample` with the same class, number and seed.

        Args:
            label: the class to generate, its name or its label, or several, which the images take
                in turn; None: every class equally often. A text is the name of a class, or else
                a number.
            n: how many images, 1 to 1,000,000; None: 64, or as many as there are labels.
            seed: of the noise, 0 or more.
            digit: the old name of `label`.
            device: "auto", "cpu", "cuda" or "mps".
            precision: "fp32": the same images everywhere; "bf16"; "auto": the faster one.

        Raises:
            InputError: an unknown class, or one that it was not trained on, a number out of range,
                an unknown device or precision.
        """
        if digit is not None:
            warn_renamed("sample(digit=...)", "sample(label=...)")
            if label is not None:
                raise InputError("digit is the old name of label; give only label")
            label = digit
        images, labels = draw(
            self.network,
            self.spec.n_classes,
            n,
            label=find_labels(label, self.spec),
            untrained=self.untrained,
            names=self.spec.names,
            seed=seed,
            device=device,
            precision=precision,
        )
        return Images(images, labels, self.network.conditional, self.spec.names)


def load_classifier(run: str | Path, weights_dir: str | Path = "weights") -> ClassifierRun:
    """Load a classifier.

    Args:
        run: its name, or its folder; shipped runs are found by name.
        weights_dir: the folder of one's own runs.

    Raises:
        InputError: no such run, or one whose files do not match.
    """
    folder = find_run(str(run), Path(weights_dir), "classifier")
    require_intact(folder, CONFIG, WEIGHTS["classifier"])
    spec, config, facts = read_config(folder, ClassifierConfig)
    network = make_classifier_on_meta(config, spec)
    load_state(network, folder / WEIGHTS["classifier"])
    return ClassifierRun(
        name=folder.resolve().name,
        folder=folder,
        spec=spec,
        config=config,
        network=network,
        data_sha256=facts.get("data_sha256"),
        test_accuracy=_recorded_accuracy(folder, facts),
    )


def _recorded_accuracy(folder: Path, facts: Mapping[str, Any]) -> Accuracy | None:
    """Return the test accuracy that a config.json records; None if it records none.

    Raises:
        InputError: it is not an accuracy.
    """
    if facts.get("test_accuracy") is None:
        return None
    try:
        return convert(facts["test_accuracy"], Accuracy)
    except ValueError as error:
        raise InputError(f"{folder / CONFIG} is damaged (test_accuracy: {error})") from error


def load_generator(run: str | Path, weights_dir: str | Path = "weights") -> GanRun:
    """Load a generator; no data set is needed.

    Args:
        run: its name, or its folder; shipped runs are found by name.
        weights_dir: the folder of one's own runs.

    Raises:
        InputError: no such run, or one whose files do not match.
    """
    folder = find_run(str(run), Path(weights_dir), "gan")
    require_intact(folder, CONFIG, WEIGHTS["gan"])
    spec, config, facts = read_config(folder, GanConfig)
    network = make_generator_on_meta(config, spec)
    load_state(network, folder / WEIGHTS["gan"])
    guide, checksum = str(facts.get("guide")), str(facts.get("guide_sha256"))
    return GanRun(
        name=folder.resolve().name,
        folder=folder,
        spec=spec,
        config=config,
        guide=guide,
        guide_sha256=checksum,
        network=network,
        precision=facts.get("precision"),
        class_counts=None if facts.get(COUNTS) is None else tuple(facts[COUNTS]),
    )


def load_state(network: nn.Module, path: Path) -> None:
    """Load the weights of a network on the meta device from a file that must match it exactly."""
    state, _ = read_tensors(path, network.state_dict(), LARGEST_WEIGHTS)
    network.load_state_dict(state, assign=True)
