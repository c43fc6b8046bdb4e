"""Commands that messages recommend; they work as typed."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cgan.config.schema import Folders


def folder_flags(folders: Folders, *names: str) -> str:
    """Return the flags with which another command uses the same folders, each after a space.

    Args:
        folders: the folders of this command.
        names: the folders that the other command needs: "data", "weights", "reports".
    """
    usual = {**asdict(Folders()), "data": Path(os.environ.get("CGAN_DATA", Folders.data))}
    chosen = asdict(folders)
    return "".join(
        f" --{name}-dir {shlex.quote(str(chosen[name]))}"
        for name in names
        if chosen[name] != usual[name]
    )


def classifier_command(
    dataset: str, role: str, folders: Folders, taken: Sequence[str] = ()
) -> str:
    """Return the command that trains the classifier that a data set needs.

    Args:
        dataset: name of the data set.
        role: "guide" or "judge".
        folders: the folders of the data and of the runs.
        taken: names of runs that it must not replace.
    """
    usual = name = f"{dataset}-{role}"
    count = 1
    while name in taken or (folders.weights / name).exists():
        count += 1
        name = f"{usual}-{count}"
    named = "" if name == usual else f" --name {name}"
    where = folder_flags(folders, "data", "weights")
    return (
        f"cgan train-classifier --save-model --role {role} --dataset {shlex.quote(dataset)}"
        f"{named}{where}"
    )
