"""npz: a network as plain arrays by name, with all that builds it again; written and read back."""

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
from cgan.io.strict import first_line, parse_json
from cgan.models.hub import (
    LARGEST_CONFIG,
    LARGEST_WEIGHTS,
    ClassifierRun,
    DiscriminatorRun,
    GanRun,
    lend_eyes,
)
from cgan.models.registry import (
    blank_classifier,
    blank_discriminator,
    blank_generator,
    looks_through_guide,
)
from cgan.runtime.errors import InputError

ABOUT = "about"  # the array that is a JSON text
LONGEST_NAME = 255  # of a run: its folder's
GUIDE = "guide."  # before the names of a guide's arrays beside a discriminator's
KINDS = {torch.float32: np.dtype(np.float32), torch.int64: np.dtype(np.int64)}


def to_npz(portable: Portable) -> bytes:
    """Return an npz file of a network's parameters and buffers by name, and of a text, `about`.

    The text is JSON: `facts`, `spec` (of the images), `config` (how it was trained) and `guide`.
    `numpy.load(FILE, allow_pickle=False)` reads all of it, `read_network` builds the network again.
    """
    source = portable.source
    arrays = {name: tensor.numpy() for name, tensor in _state(source).items()}
    about = {
        "facts": dict(portable.facts),
        "spec": asdict(source.spec),
        "config": asdict(source.config),
        "guide": _guide_of(source),
    }
    stream = io.BytesIO()
    text = np.array(json.dumps(about, indent=2))
    np.savez_compressed(stream, **{ABOUT: text}, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _state(source: Source) -> dict[str, Tensor]:
    """Return the parameters and buffers of a run's network, and of the guide it looks through."""
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
    """Return the network of an npz file that `to_npz` wrote; nothing in it is run.

    Its arrays are compared with those that its `about` asks for before memory is taken.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    try:
        with open_archive(path, LARGEST_WEIGHTS, "no network of cgan has so much") as archive:
            about = _about(archive)
            source, state = _blank(about, path)
            for name, tensor in state.items():
                _require(archive, name, tensor)
            strange = set(archive.names) - state.keys() - {ABOUT}
            if strange:
                raise ValueError(f"{min(strange)!a:.80} belongs to no such network")
            arrays = {name: torch.from_numpy(archive.read(name)) for name in state}
    except Exception as error:  # a damaged archive raises what it likes
        if isinstance(error, MemoryError):
            raise
        reason = f"it lacks {error}" if isinstance(error, KeyError) else first_line(error)
        raise InputError(
            f"{path} is no network that cgan export --format npz wrote ({reason})"
        ) from error
    _fill(source, arrays)
    return portable(source)


def _about(archive: Archive) -> Mapping[str, Any]:
    """Return what the file tells of its network.

    Raises:
        ValueError: it tells nothing, or in another form.
        KeyError: likewise.
    """
    if ABOUT not in archive.names:
        raise ValueError(f"it has no array `{ABOUT}`")
    claim = archive.claim(ABOUT)
    size = claim.dtype.itemsize
    if claim.shape != () or size > LARGEST_CONFIG or claim.dtype != np.dtype(f"<U{size // 4}"):
        raise ValueError(f"`{ABOUT}` is no text")
    # decoded here: numpy makes texts of numbers that are no characters
    about = parse_json(archive.read(ABOUT).tobytes().decode("utf-32-le").rstrip("\0"))
    name = about["facts"]["run"]
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError("`run` is no name")
    return dict(about)


def _blank(about: Mapping[str, Any], path: Path) -> tuple[Source, dict[str, Tensor]]:
    """Return the run that `about` tells of, without weights, and which arrays it needs."""
    kind, name = about["facts"]["network"], about["facts"]["run"]
    spec, guide = DataSpec(**about["spec"]), about["guide"]
    source: Source
    if kind == JUDGE:
        classifier = ClassifierConfig(**about["config"])
        blank = blank_classifier(classifier, spec)
        source = ClassifierRun(name, path.parent, spec, classifier, blank)
        return source, _state(source)
    config = GanConfig(**about["config"])
    if kind == GENERATOR:
        drawer = blank_generator(config, spec)
        teacher, sha256 = str(guide["name"]), str(guide["sha256"])
        source = GanRun(name, path.parent, spec, config, teacher, sha256, drawer)
    elif kind == DISCRIMINATOR:
        eyes = None
        if looks_through_guide(config):
            seeing = ClassifierConfig(**guide["config"])
            seer = blank_classifier(seeing, spec)
            eyes = ClassifierRun(plain_name(guide["name"]), path.parent, spec, seeing, seer)
        critic = blank_discriminator(config, spec, eyes.config if eyes else None)
        source = DiscriminatorRun(name, path.parent, spec, config, eyes, critic)
    else:
        raise ValueError(f"it is of no known kind, {kind!a:.80}")
    return source, _state(source)


def _require(archive: Archive, name: str, wanted: Tensor) -> None:
    if name not in archive.names:
        raise ValueError(f"it lacks {name}")
    claim = archive.claim(name)
    if claim.shape != tuple(wanted.shape) or claim.dtype != KINDS[wanted.dtype]:
        given = f"{claim.dtype!s:.100} {list(claim.shape)}"
        raise ValueError(f"{name} is {given}, not {KINDS[wanted.dtype]} {list(wanted.shape)}")


def _fill(source: Source, arrays: Mapping[str, Tensor]) -> None:
    """Give the network of a run, and its guide, the weights that fit them."""
    if isinstance(source, DiscriminatorRun) and source.guide is not None:
        _load(source.guide.network, arrays, GUIDE)
        arrays = {name: value for name, value in arrays.items() if not name.startswith(GUIDE)}
        _load(source.network, arrays)
        lend_eyes(source.network, source.guide.network)
    else:
        _load(source.network, arrays)


def _load(network: nn.Module, arrays: Mapping[str, Tensor], prefix: str = "") -> None:
    mine = {name.removeprefix(prefix): array for name, array in arrays.items() if prefix in name}
    network.load_state_dict(mine, assign=True)
