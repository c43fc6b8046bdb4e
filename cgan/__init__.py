"""The public API: train, generate, score, read reports; importing it does not import torch."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

from cgan.runtime.version import __version__

if TYPE_CHECKING:
    from cgan.api.dataset import Dataset
    from cgan.api.pipeline import run
    from cgan.api.stages import evaluate, read_report, train_classifier, train_gan
    from cgan.data.images import Images
    from cgan.evaluation.samples import Samples
    from cgan.models.hub import load_classifier, load_generator
    from cgan.reporting.notebook import Evaluation
    from cgan.runtime.errors import InputError, TrainingError

_HOMES = {
    "Dataset": "cgan.api.dataset",
    "Evaluation": "cgan.reporting.notebook",
    "Images": "cgan.data.images",
    "InputError": "cgan.runtime.errors",
    "Samples": "cgan.evaluation.samples",
    "TrainingError": "cgan.runtime.errors",
    "evaluate": "cgan.api.stages",
    "load_classifier": "cgan.models.hub",
    "load_generator": "cgan.models.hub",
    "read_report": "cgan.api.stages",
    "run": "cgan.api.pipeline",
    "train_classifier": "cgan.api.stages",
    "train_gan": "cgan.api.stages",
}
__all__ = [
    "Dataset",
    "Evaluation",
    "Images",
    "InputError",
    "Samples",
    "TrainingError",
    "__version__",
    "evaluate",
    "load_classifier",
    "load_generator",
    "read_report",
    "run",
    "train_classifier",
    "train_gan",
]


def __getattr__(name: str) -> _Any:
    """Import what is asked for when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cgan' has no attribute {name!r}")
    return getattr(_import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return what a person can ask for, imported or not."""
    return __all__
