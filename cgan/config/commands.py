"""Commands that messages recommend; they work as typed."""

import os
import shlex
from dataclasses import asdict
from pathlib import Path

from cgan.config.schema import Folders
from cgan.runtime.wording import numbered


def folder_flags(folders: Folders, *names: str) -> str:
    """Return the flags with which another command uses the same folders, each after a space.

    Args:
        folders: the folders of this command.
        names: the folders that the other command needs: "data", "weights", "reports".
    """
    usual = {**asdict(Folders()), "data": Path(os.environ.get("CGAN_DATA") or Folders.data)}
    chosen = asdict(folders)
    return "".join(
        f" --{name}-dir {shlex.quote(str(chosen[name]))}"
        for name in names
        if chosen[name] != usual[name]
    )


def classifier_command(dataset: str, role: str, folders: Folders) -> str:
    """Return the command that trains the guide or the judge of a data set, under a free name.

    Args:
        dataset: name of the data set.
        role: "guide" or "judge".
        folders: the folders of the data and of the runs.
    """
    name = free_classifier_name(dataset, role, folders.weights)
    named = "" if name == f"{dataset}-{role}" else f" --name {name}"
    where = folder_flags(folders, "data", "weights")
    return f"cgan train-classifier --save-model --role {role} --dataset {dataset}{named}{where}"


def free_classifier_name(dataset: str, role: str, weights_dir: Path) -> str:
    """Return `<dataset>-<role>`, which is found by default, or -2, -3, ... if that is taken."""
    names = numbered(f"{dataset}-{role}")
    return next(name for name in names if not (weights_dir / name).exists())
