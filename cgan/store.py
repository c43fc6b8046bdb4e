"""Run folders: a network's weights with the config.json that rebuilds it and its history.csv."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
from torch import nn

from cgan import __version__
from cgan.config import ClassifierConfig, DataSpec, GanConfig
from cgan.errors import InputError, lookup, nearest
from cgan.files import make_folder, write_bytes, write_json
from cgan.networks import CLASSIFIERS, Generator, make_generator
from cgan.networks.classifiers import Classifier
from cgan.reading import first_line, read_json
from cgan.tensors import read_tensors, shapes_alone

Config = TypeVar("Config", ClassifierConfig, GanConfig)
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
WEIGHTS = {"classifier": "classifier.safetensors", "gan": "generator.safetensors"}
LARGEST_CONFIG = 2**20  # bytes of config.json; ours have a thousand
LARGEST_WEIGHTS = 2**28  # bytes of a network; ours have two million
# what a config.json may tell besides, and what is used of it
FACTS = ("guide", "guide_sha256", "judge")


SHIPPED = Path(__file__).parent / "weights"  # runs that come with the package
SHIPPED_GAN = "mnist"  # what stands in for one's own generator where there is none


def plain_name(name: str) -> str:
    """Return a name that is safe as a folder's.

    Raises:
        InputError: it is none.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise InputError(f"{name!r} is no run name; use letters, digits, '.', '_' and '-'")
    return name


class RunWriter:
    """A run folder that appears whole: files gather in a hidden one until the first `publish`.

    Use as a context; what was never published leaves no trace.
    """

    def __init__(self, weights_dir: Path, name: str, *, overwrite: bool):
        """Check everything and make the hidden folder.

        Raises:
            InputError: a name that is no plain folder name, a run of that name that must not be
                overwritten, or a folder that cannot be written to.
        """
        self.name = plain_name(name)
        self.folder = weights_dir / name
        if self.folder.exists() and not overwrite:
            raise InputError(
                f"{self.folder} exists already; choose another --name or add --overwrite"
            )
        make_folder(weights_dir, "--weights-dir")
        self._staging: Path | None = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=weights_dir))
        self._staging.chmod(0o755)

    def __enter__(self) -> "RunWriter":
        """Return itself."""
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Remove what was never published; tell an interrupted person what is kept."""
        if error is not None:
            kept = f"finished epochs are kept in {self.folder}"
            error.add_note(kept if self.published else "nothing was saved yet")
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)

    @property
    def where(self) -> Path:
        """The folder that files are written into at present."""
        return self._staging or self.folder

    @property
    def published(self) -> bool:
        """Whether the run can be found under its name."""
        return self._staging is None

    def save_network(self, file_name: str, network: nn.Module) -> None:
        """Write a network's parameters and buffers as safetensors, from any device."""
        state = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
        write_bytes(self.where / file_name, safetensors.torch.save(state))

    def save_config(
        self,
        kind: str,
        spec: DataSpec,
        config: ClassifierConfig | GanConfig,
        facts: Mapping[str, Any],
    ) -> None:
        """Write config.json: what was trained, on what, by which version, and what came of it."""
        write_json(
            self.where / "config.json",
            {
                "kind": kind,
                "version": __version__,
                "spec": asdict(spec),
                "config": asdict(config),
                **facts,
            },
        )

    def publish(self) -> None:
        """Give the folder its name, in place of an older run of that name."""
        if self._staging is None:
            return
        old = self.folder.with_name(f".{self.name}-old-{os.getpid()}")
        if self.folder.exists():
            self.folder.rename(old)
        self._staging.rename(self.folder)
        self._staging = None
        shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class ClassifierRun:
    """A classifier read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: ClassifierConfig
    network: Classifier

    def sha256(self) -> str:
        """Return the checksum of the weights file."""
        return hashlib.sha256((self.folder / WEIGHTS["classifier"]).read_bytes()).hexdigest()


@dataclass(frozen=True)
class GanRun:
    """A generator (averaged weights) read from a run folder, on the CPU, in evaluation mode."""

    name: str
    folder: Path
    spec: DataSpec
    config: GanConfig
    guide: str  # name of the classifier that guided it
    guide_sha256: str  # of its weights, as they were then
    network: Generator


def runs(weights_dir: Path, kind: str) -> dict[str, Path]:
    """Return the runs of `kind` ("classifier" or "gan") by name: one's own before shipped ones."""
    found: dict[str, Path] = {}
    for root in (SHIPPED, weights_dir):
        if root.is_dir():
            found |= {f.name: f for f in sorted(root.iterdir()) if (f / WEIGHTS[kind]).is_file()}
    return {name: path for name, path in found.items() if not name.startswith(".")}


def unused_name(weights_dir: Path, name: str, overwrite: bool) -> str:
    """Return `name`, or `name-2`, `name-3`, ... when it is taken and must not be overwritten."""
    taken = runs(weights_dir, "gan") if not overwrite else {}
    count, free = 1, name
    while free in taken or (not overwrite and (weights_dir / free).exists()):
        count += 1
        free = f"{name}-{count}"
    return free


def find_run(run: str, weights_dir: Path, kind: str) -> Path:
    """Return the folder of a run, given its name or the path of its folder.

    Raises:
        InputError: there is none; the message names the nearest and how to train one.
    """
    known = runs(weights_dir, kind)
    if run in known:
        return known[run]
    if (Path(run) / WEIGHTS[kind]).is_file():
        return Path(run)
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


def load_classifier(run: str, weights_dir: Path = Path("weights")) -> ClassifierRun:
    """Load a classifier by run name or folder.

    Raises:
        InputError: no such run, or one whose files do not belong together.
    """
    folder = find_run(run, weights_dir, "classifier")
    spec, config, _ = _read_config(folder, ClassifierConfig)
    make = lookup(CLASSIFIERS, config.network, "classifier network")
    with shapes_alone():  # memory is for what fits the file
        network = make(spec)
    _load_state(network, folder / WEIGHTS["classifier"])
    return ClassifierRun(folder.resolve().name, folder, spec, config, network.eval())


def load_generator(run: str, weights_dir: Path = Path("weights")) -> GanRun:
    """Load a generator by run name or folder; no data set is needed.

    Raises:
        InputError: no such run, or one whose files do not belong together.
    """
    folder = find_run(run, weights_dir, "gan")
    spec, config, facts = _read_config(folder, GanConfig)
    with shapes_alone():
        network = make_generator(config, spec)
    _load_state(network, folder / WEIGHTS["gan"])
    guide, checksum = str(facts.get("guide")), str(facts.get("guide_sha256"))
    return GanRun(folder.resolve().name, folder, spec, config, guide, checksum, network.eval())


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


def _read_config(folder: Path, kind: type[Config]) -> tuple[DataSpec, Config, dict[str, Any]]:
    """Return the data set, the config and the whole content of config.json, all checked."""
    path = folder / "config.json"
    try:
        content = read_json(path, LARGEST_CONFIG)
        spec, values = dict(content["spec"]), dict(content["config"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = first_line(error)
        raise InputError(f"{path} is missing or damaged ({reason}); train the run again") from error
    try:
        _check_facts(content)
        return DataSpec(**spec), kind(**values), content
    except (TypeError, InputError) as error:
        raise InputError(f"{path} fits no run of this version: {first_line(error)}") from error


def _check_facts(content: Mapping[str, Any]) -> None:
    """Check that what names another run is the name of one, not a way to another folder.

    Raises:
        InputError: it is something else.
    """
    for fact in FACTS:
        value = content.get(fact)
        if value is None:
            continue
        if not isinstance(value, str):
            raise InputError(f"`{fact}` must be a text")
        plain_name(value)


def _load_state(network: nn.Module, path: Path) -> None:
    """Give a network of shapes alone the weights in a file that it must match exactly."""
    state, _ = read_tensors(path, network.state_dict(), LARGEST_WEIGHTS)
    network.load_state_dict(state, assign=True)
