"""Finds out whether all that is needed is here and works; changes and downloads nothing."""

from collections.abc import Callable, Iterator
from functools import partial

from cgan.cli.doctor import computer, stock
from cgan.cli.doctor.finding import Finding, Unusable, problem
from cgan.config.schema import Folders


def examine(folders: Folders, device: str = "auto") -> list[Finding]:
    """Return what was found of the installation, the machine, the data and the folders.

    Whatever goes wrong in a look is a finding of its own.

    Args:
        folders: where data, weights and reports are looked for.
        device: the one that is to compute.

    Raises:
        InputError: there is no device of that name anywhere.
    """
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "versions": computer.versions,
        "torchvision": computer.torchvision_works,
        "machine": computer.cores_and_memory,
        "device": partial(computer.device_and_precision, device),
        "figures": computer.figures,
        "data": partial(stock.data_sets, folders.data),
        "folders": partial(stock.room, folders),
        "runs": partial(stock.runs, folders),
    }
    found: list[Finding] = []
    for subject, look in looks.items():
        try:
            found += look()
        except Unusable as error:
            raise error.reason from None
        except Exception as error:  # that a look fails is what a person must hear of
            found.append(problem(subject, f"cannot be told: {type(error).__name__}: {error}"))
    return found
