"""The public API: generators, classifiers, scores, reports; importing it does not import torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cgan.images import Images as Images
    from cgan.judged import Samples as Samples
    from cgan.notebook import Evaluation as Evaluation
    from cgan.notebook import evaluate as evaluate
    from cgan.notebook import read_report as read_report
    from cgan.store import load_classifier as load_classifier
    from cgan.store import load_generator as load_generator

__version__ = "0.1.0"

_HOMES = {
    "Evaluation": "cgan.notebook",
    "Images": "cgan.images",
    "Samples": "cgan.judged",
    "evaluate": "cgan.notebook",
    "load_classifier": "cgan.store",
    "load_generator": "cgan.store",
    "read_report": "cgan.notebook",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cgan' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return what a person can ask for, imported or not."""
    return sorted({*globals(), *_HOMES})
