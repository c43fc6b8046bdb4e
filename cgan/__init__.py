"""The public API: load_generator, load_classifier, evaluate; importing it does not import torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cgan.evaluation import evaluate as evaluate
    from cgan.store import load_classifier as load_classifier
    from cgan.store import load_generator as load_generator

__version__ = "0.1.0"

_HOMES = {
    "evaluate": "cgan.evaluation",
    "load_classifier": "cgan.store",
    "load_generator": "cgan.store",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cgan' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
