"""Finds and loads runs: a network's weights with the config.json that rebuilds it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from cgan.config.schema import ClassifierConfig, DataSpec, GanConfig
from cgan.data.images import Images
from cgan.io.journal import require_whole, settle_all
from cgan.io.run_layout import CHECKPOINT, CONFIG, PLAIN_NAME, epochs_trained, runs
from cgan.io.run_layout import SHIPPED as SHIPPED
from cgan.io.run_layout import WEIGHTS as WEIGHTS
from cgan.models.base import Generator
from cgan.models.blanks import blank_classifier, blank_generator
from cgan.models.classifiers import Classifier
from cgan.models.run_reader import LARGEST_CONFIG as LARGEST_CONFIG
from cgan.models.run_reader import read_config as read_config
from cgan.models.sampling import draw
from cgan.models.tensors import read_tensors
from cgan.runtime.errors import InputError, nearest

LARGEST_WEIGHTS = 2**28  # bytes of a network; ours have two million
SHIPPED_GAN = "mnist"  # what stands in for one's own generator where there is none


@dataclass(frozen=True, repr=False)
class ClassifierRun:
    """A classifier read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: ClassifierConfig
    network: Classifier

    def __repr__(self) -> str:
        """Return its name, what it is and what it learned."""
        return f"<{self.config.role} {self.name}: {self.config.network} of {_words(self.spec)}>"

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
    guide_sha256: str  # of its weights, as they were then
    network: Generator

    def __repr__(self) -> str:
        """Return its name, recipe and data set, how long it was trained, and where it is."""
        epochs = epochs_trained(self.folder)
        trained = "" if epochs is None else f", {epochs:.4g} epochs"
        return (
            f"<generator {self.name}: recipe {self.config.recipe} of {_words(self.spec)}{trained}, "
            f"in {self.folder}>"
        )

    def sample(
        self,
        digit: int | Sequence[int] | None = None,
        n: int | None = None,
        seed: int = 1,
        *,
        device: str = "auto",
        precision: str = "fp32",
    ) -> Images:
        """Draw images, the same ones as `cgan sample` with the same digit, number and seed.

        Args:
            digit: the label to draw, or one for each image; None: every one equally often.
            n: how many images, 1 to 1,000,000; None: 64, or as many as there are digits.
            seed: of the noise, 0 or more.
            device: "auto", "cpu", "cuda" or "mps".
            precision: "fp32": the same images everywhere; "bf16"; "auto": the faster one.

        Raises:
            InputError: a digit that it was not trained on, a number out of range, an unknown name.
        """
        images, labels = draw(
            self.network,
            self.spec.n_classes,
            n,
            digit=digit,
            seed=seed,
            device=device,
            precision=precision,
        )
        return Images(images, labels, self.network.conditional)


def unused_name(weights_dir: Path, name: str, overwrite: bool) -> str:
    """Return `name`, or `name-2`, `name-3`, ... when it is taken and must not be overwritten."""
    taken = runs(weights_dir, "gan") if not overwrite else {}
    count, free = 1, name
    while free in taken or (not overwrite and (weights_dir / free).exists()):
        count += 1
        free = f"{name}-{count}"
    return free


def is_run(run: str, weights_dir: Path, kind: str) -> bool:
    """Return whether there is a run of a kind, given its name or the path of its folder."""
    return run in runs(weights_dir, kind) or (Path(run) / WEIGHTS[kind]).is_file()


def find_run(run: str, weights_dir: Path, kind: str) -> Path:
    """Return the folder of a run, given its name or the path of its folder.

    Raises:
        InputError: there is none; the message names the nearest and how to train one.
    """
    settle_all(weights_dir)
    known = runs(weights_dir, kind)
    if run in known:
        return known[run]
    if (Path(run) / WEIGHTS[kind]).is_file():
        return Path(run)
    for folder in (weights_dir / run, Path(run)):
        if kind == "gan" and PLAIN_NAME.fullmatch(folder.name) and (folder / CHECKPOINT).is_file():
            raise InputError(
                f"{folder} has not been scored yet, so nothing is chosen to draw with; go on with: "
                f"cgan train-gan --resume {folder}"
            )
    train = "cgan train-gan" if kind == "gan" else "cgan train-classifier --save-model"
    raise InputError(
        f"no {kind} run {run!r} in {weights_dir}{nearest(run, known)}; {train} makes one"
    )


def newest_run(weights_dir: Path) -> str:
    """Return the name of the GAN run that was written last; the shipped one where there is none.

    Raises:
        InputError: there is no run at all.
    """
    known = runs(weights_dir, "gan")
    own = [name for name in known if known[name].resolve().parent != SHIPPED.resolve()]
    if own:
        return max(own, key=lambda name: (known[name] / WEIGHTS["gan"]).stat().st_mtime_ns)
    if SHIPPED_GAN in known:
        return SHIPPED_GAN
    raise InputError(f"there is no trained generator in {weights_dir}; run cgan train-gan")


def resumable(run: str | None, weights_dir: Path) -> Path:
    """Return the folder of a training that can go on, by name or folder; None: the newest.

    Raises:
        InputError: there is none.
    """
    settle_all(weights_dir)
    known = {path.parent.name: path.parent for path in weights_dir.glob(f"*/{CHECKPOINT}")}
    if run is None and known:
        return max(known.values(), key=lambda folder: (folder / CHECKPOINT).stat().st_mtime_ns)
    if run is not None and (Path(run) / CHECKPOINT).is_file():
        return Path(run).resolve()
    if run is not None and run in known:
        return known[run]
    wanted = f"no training {run!r}" if run else "no training"
    raise InputError(
        f"there is {wanted} with a {CHECKPOINT} in {weights_dir}{nearest(run or '', known)}"
    )


def load_config(folder: Path) -> tuple[GanConfig, dict[str, Any]]:
    """Return how a run's training was begun, and the whole content of its config.json.

    Raises:
        InputError: it is missing or damaged.
    """
    require_whole(folder, CONFIG)
    _, config, facts = read_config(folder, GanConfig)
    return config, facts


def load_classifier(run: str | Path, weights_dir: str | Path = "weights") -> ClassifierRun:
    """Load a classifier.

    Args:
        run: its name, or its folder; those that ship are found by name.
        weights_dir: the folder of one's own runs.

    Raises:
        InputError: no such run, or one whose files do not belong together.
    """
    folder = find_run(str(run), Path(weights_dir), "classifier")
    require_whole(folder, CONFIG, WEIGHTS["classifier"])
    spec, config, _ = read_config(folder, ClassifierConfig)
    network = blank_classifier(config, spec)
    load_state(network, folder / WEIGHTS["classifier"])
    return ClassifierRun(folder.resolve().name, folder, spec, config, network)


def load_generator(run: str | Path, weights_dir: str | Path = "weights") -> GanRun:
    """Load a generator; no data set is needed.

    Args:
        run: its name, or its folder; those that ship are found by name.
        weights_dir: the folder of one's own runs.

    Raises:
        InputError: no such run, or one whose files do not belong together.
    """
    folder = find_run(str(run), Path(weights_dir), "gan")
    require_whole(folder, CONFIG, WEIGHTS["gan"])
    spec, config, facts = read_config(folder, GanConfig)
    network = blank_generator(config, spec)
    load_state(network, folder / WEIGHTS["gan"])
    guide, checksum = str(facts.get("guide")), str(facts.get("guide_sha256"))
    return GanRun(folder.resolve().name, folder, spec, config, guide, checksum, network)


def require_same_images(classifier: ClassifierRun, spec: DataSpec) -> None:
    """Check that a classifier was trained on the images and classes that it is now to see.

    Raises:
        InputError: another data set, image shape or number of classes.
    """
    if classifier.spec != spec:
        raise InputError(
            f"the classifier {classifier.name} was trained on {_words(classifier.spec)}, "
            f"not on {_words(spec)}; train one with cgan train-classifier --save-model "
            f"--dataset {spec.dataset} --role {classifier.config.role}"
        )


def _words(spec: DataSpec) -> str:
    shape = "x".join(map(str, spec.image_shape))
    return f"{spec.dataset} ({shape}, {spec.n_classes} classes)"


def load_state(network: nn.Module, path: Path) -> None:
    """Give a network of shapes alone the weights in a file that it must match exactly."""
    state, _ = read_tensors(path, network.state_dict(), LARGEST_WEIGHTS)
    network.load_state_dict(state, assign=True)
