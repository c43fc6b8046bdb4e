"""The global random streams of the process: seeded for a training, saved and restored."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

NUMPY = "MT19937"  # the only kind of NumPy's global stream
WORDS = 2**32  # upper limit of NumPy's seeds


@contextmanager
def own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global streams; restore them afterwards."""
    before = states(device)
    try:
        random.seed(seed)
        np.random.seed(seed % WORDS)  # noqa: NPY002 - other packages may use it
        torch.manual_seed(seed)
        yield
    finally:
        set_states(before, device)


def states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of all streams, including torch's on the CPU and on `device`."""
    _, words, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    found = {
        "python": torch.tensor(words),
        "python.gauss": torch.tensor([float("nan") if gauss is None else gauss]).double(),
        "numpy": torch.from_numpy(np.asarray(keys, dtype=np.int64)),
        "numpy.place": torch.tensor([int(position), int(has_gauss)]),
        "numpy.gauss": torch.tensor([float(cached)], dtype=torch.float64),
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        found["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        found["device"] = torch.mps.get_rng_state()
    return found


def set_states(found: Mapping[str, Tensor], device: torch.device) -> None:
    """Restore the states that `states` returned; a stream of another device is unchanged."""
    gauss = float(found["python.gauss"])
    words = tuple(found["python"].tolist())
    random.setstate((3, words, None if gauss != gauss else gauss))
    position, has_gauss = found["numpy.place"].tolist()
    keys = found["numpy"].numpy().astype(np.uint32)
    state = (NUMPY, keys, position, has_gauss, float(found["numpy.gauss"]))
    np.random.set_state(state)  # noqa: NPY002
    torch.set_rng_state(found["torch"])
    if "device" in found and device.type == "cuda":
        torch.cuda.set_rng_state(found["device"], device)
    elif "device" in found and device.type == "mps":
        torch.mps.set_rng_state(found["device"])
