"""The public API: generators, classifiers, scores, reports; importing it does not import torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cgan.runtime.version import __version__ as __version__

if TYPE_CHECKING:
    from cgan.api import Samples as Samples
    from cgan.api import evaluate as evaluate
    from cgan.api import read_report as read_report
    from cgan.data.images import Images as Images
    from cgan.models.hub import load_classifier as load_classifier
    from cgan.models.hub import load_generator as load_generator
    from cgan.reporting.notebook import Evaluation as Evaluation

_HOMES = {
    "Evaluation": "cgan.reporting.notebook",
    "Images": "cgan.data.images",
    "Samples": "cgan.api",
    "evaluate": "cgan.api",
    "load_classifier": "cgan.models.hub",
    "load_generator": "cgan.models.hub",
    "read_report": "cgan.api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cgan' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return what a person can ask for, imported or not."""
    return sorted({*globals(), *_HOMES})
