"""Starts from an earlier training: resumes it from its checkpoint, or takes over its weights."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cgan.config.length import Length, length_of
from cgan.config.schema import GanConfig
from cgan.data.run_config import load_config, read_config
from cgan.data.spec import DataSpec
from cgan.io.journal import checksums
from cgan.io.run_layout import (
    CHECKPOINT,
    DISCRIMINATOR,
    WEIGHTS,
    find_run,
    plain_name,
    require_intact,
)
from cgan.io.strict import first_line
from cgan.models.hub import LARGEST_WEIGHTS
from cgan.models.tensors import not_finite, read_tensors
from cgan.runtime.errors import InputError, TrainingError
from cgan.training.checkpoint import Checkpoint, read_checkpoint

# fields of the config that may change, because they do not affect the result
FREE = {"log_interval", "checkpoint_every", "on_nan", "dry_run"}
MEASURED = ("mode_edges", "scales")  # on data: frequencies of modes, scales of features
NETWORKS = ("generator", "discriminator", "z_dim", "noise")  # fields that --init must share
USED = ("guide_sha256", "data_sha256", "device", "precision")  # as stored in config.json
SAME = (*USED, "judge_sha256")


@dataclass(frozen=True)
class ResumePoint:
    """A training that can be resumed: its folder, config and checkpoint."""

    folder: Path
    config: GanConfig
    facts: Mapping[str, Any]  # the content of its config.json
    checkpoint: Checkpoint
    sha256: str | None  # of the checkpoint's file

    def require_latest(self) -> None:
        """Check that no other process has resumed the run meanwhile. The folder must be locked.

        Raises:
            InputError: another process has resumed it.
        """
        if checksums(self.folder).get(CHECKPOINT) != self.sha256:
            raise InputError(f"another process has resumed {self.folder} meanwhile; try again")


def read_resume_point(folder: Path) -> ResumePoint:
    """Read the config and the checkpoint in the folder of a training.

    Raises:
        InputError: there is no checkpoint, or something is damaged.
    """
    config, facts = load_config(folder)
    unknown = [key for key in (*USED, "guide") if not isinstance(facts.get(key), str)]
    if unknown:
        raise InputError(f"{folder}/config.json has no {unknown[0]}; train the run again")
    checksum = checksums(folder).get(CHECKPOINT)
    return ResumePoint(folder, config, facts, read_checkpoint(folder), checksum)


def require_unchanged(
    point: ResumePoint, config: GanConfig, facts: Mapping[str, Any], *, with_changes: bool
) -> None:
    """Check that config, guide, judge, data, device and precision are the same as before.

    Raises:
        InputError: something has changed and `with_changes` is not set; the message names it.
    """
    before, now = asdict(point.config), asdict(config)
    changes = [
        f"{key} {before[key]} -> {now[key]}"
        for key in before
        if key not in (*FREE, *SAME) and before[key] != now[key]
    ]
    for key in SAME:
        old, new = point.facts.get(key), facts[key]
        if old != new:
            changes.append(f"{key} {str(old)[:12]} -> {str(new)[:12]}")
    if changes and not with_changes:
        raise InputError(
            f"{point.folder} was started with other settings ({', '.join(changes)}); use "
            "those, or add --resume-with-changes"
        )


def carried_over(
    checkpoint: Checkpoint, before: GanConfig, now: Length, *, same_order: bool
) -> Checkpoint:
    """Return a checkpoint in the steps of this training, which may have other settings.

    What was done is carried over in epochs, because a step of another batch size, or of other data,
    is another part of an epoch. If the images or how they are drawn have changed, a new pass over
    them begins.

    Args:
        checkpoint: of format 2.
        before: the config with which it was written.
        now: the length of this training.
        same_order: whether the images are those of the checkpoint, and drawn in the same way.

    Raises:
        InputError: the checkpoint is damaged.
    """
    tensors = dict(checkpoint.tensors)
    try:
        done, order = dict(checkpoint.facts["training"]), tensors["order"]
        step, n_images = int(done["step"]), max(1, order.numel())  # none before the first step
        done["step"] = now.step_at(length_of(before, n_images).epochs_at(step))
        done.setdefault("images", step * min(before.batch_size, n_images))
        if not same_order:
            tensors["order"], done["position"] = order[:0], 0
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        reason = first_line(error)
        raise InputError(f"the checkpoint does not fit this training ({reason})") from error
    return Checkpoint(tensors, {**checkpoint.facts, "training": done})


@dataclass(frozen=True)
class InitialWeights:
    """The weights of a run from which another training starts."""

    name: str  # of the run
    sha256: str  # of its generator's file
    z_dim: int
    tensors: Mapping[str, Mapping[str, Tensor]]  # by the names "generator" and "discriminator"

    @torch.no_grad()
    def load(self, name: str, network: nn.Module) -> None:
        """Copy the weights into a network, except what belongs to its data.

        Vectors of classes and modes stay new where their number differs. So do the values that are
        measured on data: the frequencies of modes and the scales of features.

        Args:
            name: "generator" or "discriminator".
            network: a new network of the same kind.

        Raises:
            InputError: other parts have another shape, too.
        """
        given, own = self.tensors[name], network.state_dict()
        if own.keys() != given.keys():
            raise InputError(f"the {name} of {self.name} has other layers; choose another run")
        other = {key for key, tensor in own.items() if tensor.shape != given[key].shape}
        layers = {key.rpartition(".")[0] for key in other}
        for key, tensor in own.items():
            layer, value = key.rpartition(".")[0], given[key]
            if key in MEASURED or (layer in layers and ".embed." in f".{layer}"):
                continue  # all of a layer of vectors: its norms belong to them
            if key not in other:
                tensor.copy_(value)
            elif value.ndim == 2 and len(value) == len(tensor):  # one-hot labels, then noise
                tensor[:, -self.z_dim :] = value[:, -self.z_dim :]
            else:
                raise InputError(
                    f"the {name} of {self.name} does not fit: {key} is {list(value.shape)}, not "
                    f"{list(tensor.shape)}; use a guide of the same network"
                )


def read_initial_weights(
    run: str, weights_dir: Path, config: GanConfig, spec: DataSpec
) -> InitialWeights:
    """Read the weights of a run, which must have the same networks and image size.

    Args:
        run: name or folder of the run.
        weights_dir: the folder of runs.
        config: of the training that starts from them.
        spec: of its images.

    Raises:
        InputError: no such run, a damaged one, one without a discriminator, or one that does not
            fit.
    """
    folder = find_run(run, weights_dir, "gan")
    require_intact(folder, WEIGHTS["gan"], DISCRIMINATOR)
    of_run, old, _ = read_config(folder, GanConfig)
    name = plain_name(folder.resolve().name)
    if of_run.image_shape != spec.image_shape:
        sizes = ["x".join(map(str, one.image_shape)) for one in (of_run, spec)]
        raise InputError(
            f"--init {name} has images of {sizes[0]}, but {spec.dataset} has {sizes[1]}; choose "
            "another run or --dataset"
        )
    differ = [
        f"{field} {getattr(old, field)}, not {getattr(config, field)}"
        for field in NETWORKS
        if getattr(old, field) != getattr(config, field)
    ]
    if differ:
        raise InputError(
            f"--init {name} has other networks ({', '.join(differ)}); add --recipe {old.recipe} or "
            "the same settings"
        )
    if not (folder / DISCRIMINATOR).is_file():
        raise InputError(f"{folder} has no {DISCRIMINATOR}, which --init needs, too")
    files = {"generator": folder / WEIGHTS["gan"], "discriminator": folder / DISCRIMINATOR}
    tensors = {kind: read_tensors(path, None, LARGEST_WEIGHTS)[0] for kind, path in files.items()}
    for kind, path in files.items():
        if strange := not_finite(tensors[kind]):
            raise InputError(f"{path} is damaged: {strange} is not finite; choose another run")
    sha256 = hashlib.sha256(files["generator"].read_bytes()).hexdigest()
    return InitialWeights(name, sha256, old.z_dim, tensors)


def resume_command(error: BaseException, folder: Path, guide: str | None, judge: str | None) -> str:
    """Return the command that resumes a training after an error.

    Args:
        error: the error that ended the training.
        folder: of the run.
        guide: name or folder of the guide, if given.
        judge: name or folder of the judge, if given.
    """
    named = {"--guide": guide, "--judge": judge}
    flags = "".join(f" {flag} {who}" for flag, who in named.items() if who and "/" in who)
    if isinstance(error, TrainingError):
        flags += " --lr SMALLER --resume-with-changes"
    return f"resume it with: cgan train-gan --resume {folder}{flags}"
