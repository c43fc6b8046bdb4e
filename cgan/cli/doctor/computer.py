"""What computes: the installation, cores and memory, the device and its faster number format."""

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
REPAIR = "install both anew, of versions that belong together: scripts/setup"


def versions() -> Iterator[Finding]:
    """Tell the versions of Python, this package and those that it stands on."""
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
        yield problem("packages", f"{', '.join(lacking)} not installed; scripts/setup does it")


def torchvision_works() -> Iterator[Finding]:
    """Try torchvision's own operators, which only load beside the torch they were built for."""
    try:
        import torch
    except Exception as error:
        yield problem("torch", f"cannot be imported ({error}); {REPAIR}")
        return
    try:
        import torchvision

        torchvision.ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)
    except Exception as error:
        yield problem("torchvision", f"does not work beside torch ({error}); {REPAIR}")
    else:
        yield ok("torchvision", "its operators work beside torch")


def cores_and_memory() -> Iterator[Finding]:
    """Tell the platform, how many cores and threads there are, and how much memory."""
    import torch

    yield ok("platform", platform.platform())
    cores, threads = usable_cores(), torch.get_num_threads()
    text = f"{cores} usable, {threads} threads of torch"
    if threads > cores:
        yield warning("cores", f"{text}: they wait for each other; set OMP_NUM_THREADS={cores}")
    else:
        yield ok("cores", text)
    memory = memory_bytes()
    if memory is not None:
        total, free = memory
        text = f"{free / 2**30:.1f} GB free of {total / 2**30:.1f}"
        if free < LITTLE:
            yield warning("memory", f"{text}; end other programs, or take a smaller --batch-size")
        else:
            yield ok("memory", text)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> tuple[int, int] | None:
    """Return total and available memory; None where the system does not tell (no Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = {name: int(rest.split()[0]) * 1024 for name, rest in (li.split(":") for li in lines)}
        return told["MemTotal"], told["MemAvailable"]
    except (OSError, ValueError, KeyError, IndexError):
        return None


def device_and_precision(name: str) -> Iterator[Finding]:
    """Tell the device, and how fast a convolution is on it in either number format.

    Raises:
        Unusable: there is no device of that name anywhere.
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
    """Tell whether matplotlib can keep its list of fonts, which it makes anew otherwise."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    folder = Path(os.environ.get("MPLCONFIGDIR") or Path(home) / "matplotlib")
    reason = why_not_writable(folder)
    if reason:
        yield warning(
            "figures",
            f"matplotlib cannot write to {folder} ({reason}), so every figure waits for a list of "
            "fonts; set MPLCONFIGDIR to a folder that can be written to",
        )
