"""Checks that everything needed is installed and works. Changes and downloads nothing."""

from collections.abc import Callable, Iterator
from functools import partial

from cgan.cli.doctor import computer, stock
from cgan.cli.doctor.finding import Finding, Unusable, problem
from cgan.config.schema import Folders


def examine(folders: Folders, device: str = "auto") -> list[Finding]:
    """Check the installation, the machine, the data sets and the folders.

    A check that fails with an error is reported as a finding.

    Args:
        folders: the folders of data sets, runs and reports.
        device: name of the device to check.

    Raises:
        InputError: an unknown device name.
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
        except Exception as error:  # the user must see that a check failed
            found.append(problem(subject, f"the check failed: {type(error).__name__}: {error}"))
    return found
