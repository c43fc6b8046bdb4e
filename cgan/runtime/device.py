"""Chooses the device and the number format."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from cgan.runtime.errors import InputError, TrainingError, is_out_of_memory, lookup

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
INDEXED = ("cuda", "mps")  # kinds of devices of which a machine may have several
# what programs that start several copies of a command tell each copy: how many there are
COPIES = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
AUTO = "auto"
MOST_THREADS = 1024
Network = TypeVar("Network", bound=nn.Module)
# torch's names of bf16 instructions: of Intel and AMD (AVX-512, AMX), and of Arm
MULTIPLIES_BF16 = ("avx512_bf16", "amx_bf16", "bf16")


def choose_device(name: str) -> torch.device:
    """Return the device of that name; "auto" prefers cuda, then mps, then cpu.

    A kind of which there may be several takes an index: "cuda:1" is the second one.

    Raises:
        InputError: an unknown name, or a device that this machine does not have.
    """
    kind, colon, _ = name.partition(":")
    lookup(dict.fromkeys(DEVICES), kind, "device")
    present = present_devices()
    if kind == "auto" and not colon:
        kind = present[0]
    if colon and kind not in INDEXED:
        raise InputError(f"{kind} takes no index; use --device {kind}")
    if kind not in present:
        raise InputError(f"this machine has no device {name!r}; use --device auto or cpu")
    if not colon:
        return torch.device(kind)
    known = [f"{kind}:{i}" for i in range(_count(kind))]
    if name not in known:
        raise InputError(f"this machine has no device {name!r}; use --device {' or '.join(known)}")
    return torch.device(name)


def require_one_process() -> None:
    """Check that no program such as torchrun has started several copies of this one.

    Each copy would train or evaluate the same.

    Raises:
        InputError: there are several.
    """
    for variable in COPIES:
        count = os.environ.get(variable, "")
        if count.isdecimal() and int(count) > 1:
            raise InputError(
                f"{variable} is {count}, but cgan uses one process, so all copies would do the "
                "same; start it once, without torchrun or mpirun, and choose a GPU with "
                "--device cuda:N"
            )


@contextmanager
def using_threads(count: str) -> Iterator[None]:
    """Compute with a number of threads on the CPU; "auto" changes nothing.

    Raises:
        InputError: neither "auto" nor a whole number from 1 to 1024.
    """
    if count == AUTO:
        yield
        return
    if not re.fullmatch("[0-9]{1,4}", count) or not 1 <= int(count) <= MOST_THREADS:
        raise InputError(f"--threads must be auto or 1 to {MOST_THREADS}, not {count!r}")
    before = torch.get_num_threads()
    try:
        with threadpool_limits(int(count)):  # of NumPy and scikit-learn
            torch.set_num_threads(int(count))
            yield
    finally:
        torch.set_num_threads(before)


def present_devices() -> list[str]:
    """Return the names of the devices that this machine has, the fastest first."""
    has = {"cuda": torch.cuda.is_available(), "mps": _has_mps(), "cpu": True}
    return [name for name, there in has.items() if there]


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of that name; "auto" is bf16 if the device has instructions for it.

    It measures no times, because a busy machine would then choose differently.

    Raises:
        InputError: an unknown name.
    """
    lookup({"auto": None, **PRECISIONS}, name, "precision")
    if name == "auto":
        name = "bf16" if multiplies_bf16(device) else "fp32"
    return PRECISIONS[name]


def multiplies_bf16(device: torch.device) -> bool:
    """Return whether a device has bf16 instructions; without them bf16 is slow."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        tell = getattr(torch.cpu, "get_capabilities", None)  # missing in old versions of torch
        return tell is not None and any(tell().get(name) for name in MULTIPLIES_BF16)
    return False


def precision_seconds(device: torch.device) -> dict[str, float]:
    """Return the seconds of a small convolution, forward and backward, by precision."""
    return {name: _seconds(device, dtype) for name, dtype in PRECISIONS.items()}


def precision_name(dtype: torch.dtype) -> str:
    """Return "fp32" or "bf16"."""
    return next(name for name, known in PRECISIONS.items() if known == dtype)


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return a context in which products and convolutions compute in `dtype`."""
    return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)


@contextmanager
def memory_advice(device: torch.device, batch_size: int) -> Iterator[None]:
    """Replace out-of-memory errors by one that says what to do.

    Raises:
        TrainingError: the memory was not sufficient.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"out of memory on {device.type}; try --batch-size {max(1, batch_size // 2)}"
        ) from error


def place(network: Network, device: torch.device) -> Network:
    """Move a network to `device`, in the memory layout that is fastest for convolutions."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _count(kind: str) -> int:
    return torch.cuda.device_count() if kind == "cuda" else 1


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    """Return the shortest of three times of a small convolution, forward and backward."""
    # no random numbers, so that no random stream changes
    images = torch.linspace(-1, 1, 64 * 64 * 14 * 14, device=device).view(64, 64, 14, 14)
    weight = torch.linspace(-1, 1, 64 * 64 * 9, device=device).view(64, 64, 3, 3).requires_grad_()
    images = images.contiguous(memory_format=torch.channels_last)
    times = []
    for _ in range(4):  # the first run prepares the kernels
        start = time.perf_counter()
        with autocast(device, dtype):
            torch.nn.functional.conv2d(images, weight, padding=1).float().sum().backward()
        assert weight.grad is not None
        float(weight.grad.flatten()[0])  # waits for the device
        times.append(time.perf_counter() - start)
    return min(times[1:])


def free_memory(device: torch.device) -> int | None:
    """Return the free bytes of a GPU's own memory; None for a device that has none."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None


def peak_memory() -> int | None:
    """Return the peak memory of this process in bytes; None on Windows."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
