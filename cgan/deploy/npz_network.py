"""npz: writes a network as plain arrays and everything needed to rebuild it, and reads it."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.spec import DataSpec
from cgan.deploy.portable import DISCRIMINATOR, GENERATOR, JUDGE, Portable, Source, portable
from cgan.io.npz import Archive, open_archive
from cgan.io.run_layout import plain_name
from cgan.io.strict import FormatError, first_line, format_of, parse_json
from cgan.models.hub import LARGEST_WEIGHTS, ClassifierRun, GanRun
from cgan.models.registry import (
    make_classifier_on_meta,
    make_discriminator_on_meta,
    make_generator_on_meta,
    uses_guide_features,
)
from cgan.models.roles import DiscriminatorRun, attach_guide
from cgan.models.tensors import not_finite
from cgan.runtime.errors import InputError

ABOUT = "about"  # the array that is a JSON text
FORMAT = 1  # of that text
LARGEST_ABOUT = 2**23  # bytes; the names of a thousand classes fit, twice
LONGEST_NAME = 255  # of a run: its folder's
GUIDE = "guide."  # before the names of a guide's arrays beside a discriminator's
KINDS = {torch.float32: np.dtype(np.float32), torch.int64: np.dtype(np.int64)}


def to_npz(portable: Portable) -> bytes:
    """Return an npz file of a network's parameters and buffers by name, and of a text, `about`.

    The text is JSON: `format`, `facts`, `spec` of the images, `config` of the training, `guide`,
    and of a generator `class_counts` of its training images.
    `numpy.load(FILE, allow_pickle=False)` reads all of it, `read_network` rebuilds the network.
    """
    source = portable.source
    arrays = {name: tensor.numpy() for name, tensor in _state(source).items()}
    about = {
        "format": FORMAT,
        "facts": dict(portable.facts),
        "spec": asdict(source.spec),
        "config": asdict(source.config),
        "guide": _guide_of(source),
    }
    if isinstance(source, GanRun):
        about["class_counts"] = source.class_counts
    stream = io.BytesIO()
    text = np.array(json.dumps(about, indent=2))
    np.savez_compressed(stream, **{ABOUT: text}, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _state(source: Source) -> dict[str, Tensor]:
    """Return the parameters and buffers of a run's network, and of its guide if it uses one."""
    state = dict(source.network.state_dict())
    if isinstance(source, DiscriminatorRun) and source.guide is not None:
        own = source.guide.network.state_dict()
        state |= {GUIDE + name: tensor for name, tensor in own.items()}
    return state


def _guide_of(source: Source) -> dict[str, Any] | None:
    if isinstance(source, GanRun):
        return {"name": source.guide, "sha256": source.guide_sha256}
    if isinstance(source, DiscriminatorRun) and source.guide is not None:
        return {"name": source.guide.name, "config": asdict(source.guide.config)}
    return None


def read_network(path: Path) -> Portable:
    """Return the network of an npz file that `to_npz` wrote; no code in it is run.

    Names, shapes and dtypes of its arrays are checked before memory is allocated.

    Raises:
        InputError: it cannot be read, or does not hold such a network, or its weights are not
            finite.
    """
    try:
        with open_archive(path, LARGEST_WEIGHTS, "no network of cgan is so large") as archive:
            about = _about(archive)
            source, state = _on_meta(about, path)
            for name, tensor in state.items():
                _require(archive, name, tensor)
            surplus = set(archive.names) - state.keys() - {ABOUT}
            if surplus:
                raise ValueError(f"{min(surplus)!a:.80} belongs to no such network")
            arrays = {name: torch.from_numpy(archive.read(name)) for name in state}
            strange = not_finite(arrays)
            if strange is not None:
                raise ValueError(f"{strange} has values that are not finite")
    except FormatError as error:
        raise InputError(f"{path} {error}") from error
    except Exception as error:  # a damaged archive may raise any exception
        if isinstance(error, MemoryError):
            raise
        reason = f"it lacks {error}" if isinstance(error, KeyError) else first_line(error)
        raise InputError(
            f"{path} is no network that cgan export --format npz wrote ({reason})"
        ) from error
    _fill(source, arrays)
    return portable(source)


def _about(archive: Archive) -> Mapping[str, Any]:
    """Return the description of the network in the file.

    Raises:
        ValueError: there is none, or it is malformed.
        KeyError: likewise.
    """
    if ABOUT not in archive.names:
        raise ValueError(f"it has no array `{ABOUT}`")
    claim = archive.claim(ABOUT)
    size = claim.dtype.itemsize
    if claim.shape != () or size > LARGEST_ABOUT or claim.dtype != np.dtype(f"<U{size // 4}"):
        raise ValueError(f"`{ABOUT}` is no text")
    # decoded here, because numpy accepts code points that are not characters
    about = parse_json(archive.read(ABOUT).tobytes().decode("utf-32-le").rstrip("\0"))
    format_of(about, FORMAT)
    name = about["facts"]["run"]
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError("`run` is no name")
    return dict(about)


def _on_meta(about: Mapping[str, Any], path: Path) -> tuple[Source, dict[str, Tensor]]:
    """Return the run that `about` describes, on the meta device, and the arrays it needs."""
    kind, name = about["facts"]["network"], about["facts"]["run"]
    spec, guide = DataSpec(**about["spec"]), about["guide"]
    source: Source
    if kind == JUDGE:
        classifier_config = ClassifierConfig(**about["config"])
        classifier = make_classifier_on_meta(classifier_config, spec)
        source = ClassifierRun(name, path.parent, spec, classifier_config, classifier)
        return source, _state(source)
    config = GanConfig(**about["config"])
    if kind == GENERATOR:
        generator = make_generator_on_meta(config, spec)
        guide_name, sha256 = str(guide["name"]), str(guide["sha256"])
        counts = _class_counts(about.get("class_counts"), spec)
        source = GanRun(
            name, path.parent, spec, config, guide_name, sha256, generator, class_counts=counts
        )
    elif kind == DISCRIMINATOR:
        run = None
        if uses_guide_features(config):
            guide_config = ClassifierConfig(**guide["config"])
            classifier = make_classifier_on_meta(guide_config, spec)
            guide_name = plain_name(guide["name"])
            run = ClassifierRun(guide_name, path.parent, spec, guide_config, classifier)
        discriminator = make_discriminator_on_meta(config, spec, run.config if run else None)
        source = DiscriminatorRun(name, path.parent, spec, config, run, discriminator)
    else:
        raise ValueError(f"it is of no known kind, {kind!a:.80}")
    return source, _state(source)


def _class_counts(counts: object, spec: DataSpec) -> tuple[int, ...] | None:
    """Return the number of training images of each class; None if it is not known.

    Raises:
        ValueError: it is no such list.
    """
    if counts is None:
        return None
    if not isinstance(counts, list) or len(counts) != spec.n_classes:
        raise ValueError(f"`class_counts` is no list of {spec.n_classes} numbers")
    if not all(type(n) is int and n >= 0 for n in counts):
        raise ValueError("`class_counts` must be whole numbers from 0")
    return tuple(counts)


def _require(archive: Archive, name: str, wanted: Tensor) -> None:
    if name not in archive.names:
        raise ValueError(f"it lacks {name}")
    claim = archive.claim(name)
    if claim.shape != tuple(wanted.shape) or claim.dtype != KINDS[wanted.dtype]:
        given = f"{claim.dtype!s:.100} {list(claim.shape)}"
        raise ValueError(f"{name} is {given}, not {KINDS[wanted.dtype]} {list(wanted.shape)}")


def _fill(source: Source, arrays: Mapping[str, Tensor]) -> None:
    """Load the weights of a run's network, and of its guide."""
    if isinstance(source, DiscriminatorRun) and source.guide is not None:
        _load(source.guide.network, arrays, GUIDE)
        arrays = {name: value for name, value in arrays.items() if not name.startswith(GUIDE)}
        _load(source.network, arrays)
        attach_guide(source.network, source.guide.network)
    else:
        _load(source.network, arrays)


def _load(network: nn.Module, arrays: Mapping[str, Tensor], prefix: str = "") -> None:
    mine = {name.removeprefix(prefix): array for name, array in arrays.items() if prefix in name}
    network.load_state_dict(mine, assign=True)
