"""Checks the installation, the cores and memory, the device and its faster number format."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cgan.cli.doctor.finding import Finding, Unusable, ok, problem, warning
from cgan.io.files import why_not_writable
from cgan.runtime.errors import InputError, lookup
from cgan.runtime.version import __version__

PACKAGES = (
    *("torch", "torchvision", "numpy", "pandas", "scikit-learn", "matplotlib", "safetensors"),
    *("click", "filelock", "jinja2", "threadpoolctl", "tqdm"),
)
LITTLE = 2**30  # bytes of memory or disk
REPAIR = "reinstall both in matching versions with scripts/setup"


def versions() -> Iterator[Finding]:
    """Report the versions of Python, cgan and the packages that cgan needs."""
    yield ok("python", f"{platform.python_version()} in {sys.prefix}")
    yield ok("cgan", f"{__version__} in {Path(__file__).parents[3]}")
    found, lacking = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lacking.append(name)
    yield ok("packages", ", ".join(found))
    if lacking:
        yield problem("packages", f"{', '.join(lacking)} not installed; run scripts/setup")


def torchvision_works() -> Iterator[Finding]:
    """Check torchvision's operators, which work only with the torch that they were built for."""
    try:
        import torch
    except Exception as error:
        yield problem("torch", f"cannot be imported ({error}); {REPAIR}")
        return
    try:
        import torchvision

        torchvision.ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)
    except Exception as error:
        yield problem("torchvision", f"does not work with this torch ({error}); {REPAIR}")
    else:
        yield ok("torchvision", "its operators work with this torch")


def cores_and_memory() -> Iterator[Finding]:
    """Report the platform, the numbers of cores and threads, and the memory."""
    import torch

    yield ok("platform", platform.platform())
    cores, threads = usable_cores(), torch.get_num_threads()
    text = f"{cores} usable, {threads} threads of torch"
    if threads > cores:
        yield warning(
            "cores", f"{text}: more threads than cores are slow; set OMP_NUM_THREADS={cores}"
        )
    else:
        yield ok("cores", text)
    memory = memory_bytes()
    if memory is not None:
        total, free = memory
        text = f"{free / 2**30:.1f} GB free of {total / 2**30:.1f}"
        if free < LITTLE:
            yield warning("memory", f"{text}; close other programs, or use a smaller --batch-size")
        else:
            yield ok("memory", text)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> tuple[int, int] | None:
    """Return total and available memory in bytes; None except on Linux."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = {name: int(rest.split()[0]) * 1024 for name, rest in (li.split(":") for li in lines)}
        return told["MemTotal"], told["MemAvailable"]
    except (OSError, ValueError, KeyError, IndexError):
        return None


def device_and_precision(name: str) -> Iterator[Finding]:
    """Report the device, and the time of a convolution on it in each number format.

    Raises:
        Unusable: an unknown device name.
    """
    from cgan.runtime.device import (
        DEVICES,
        choose_device,
        choose_precision,
        precision_name,
        precision_seconds,
        present_devices,
    )

    try:
        lookup(dict.fromkeys(DEVICES), name, "device")
    except InputError as error:
        raise Unusable(error) from error
    try:
        device = choose_device(name)
    except InputError as error:
        yield problem("device", str(error))
        return
    yield ok("device", f"{device.type} (present: {', '.join(present_devices())})")
    seconds = precision_seconds(device)
    times = ", ".join(f"{key} {1000 * value:.1f} ms" for key, value in seconds.items())
    chosen = precision_name(choose_precision("auto", device))
    yield ok("precision", f"auto is {chosen} here; a small convolution takes {times}")


def figures() -> Iterator[Finding]:
    """Check that matplotlib can save its font list, which it otherwise rebuilds every time."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    folder = Path(os.environ.get("MPLCONFIGDIR") or Path(home) / "matplotlib")
    reason = why_not_writable(folder)
    if reason:
        yield warning(
            "figures",
            f"matplotlib cannot write its font list to {folder} ({reason}), so every command that "
            "draws figures rebuilds it; set MPLCONFIGDIR to a writable folder",
        )
