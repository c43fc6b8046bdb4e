"""ONNX and TorchScript: a network as one file that runs without cgan."""

import io
import warnings
from importlib import import_module
from typing import Any

import torch

from cgan.deploy.portable import N_EXAMPLES, Portable
from cgan.runtime.errors import InputError

OPSET = 20  # version of the ONNX operators; supported by runtimes since 2023
NEEDED = ("onnx", "onnxscript")


def require_onnx() -> None:
    """Check that ONNX can be written here.

    Raises:
        InputError: a package is missing.
    """
    for package in NEEDED:
        try:
            import_module(package)
        except ImportError as error:
            raise InputError(
                f"ONNX needs the package {package}, which is not installed: "
                "pip install onnx onnxruntime onnxscript"
            ) from error


def to_onnx(portable: Portable) -> bytes:
    """Return an ONNX model for any number N of images.

    Its metadata are the facts; lists, such as the names of the classes, are JSON. It has no
    information about the machine that wrote it.

    Raises:
        InputError: a package is missing.
    """
    require_onnx()
    n = torch.export.Dim("n")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # deprecations within torch
        program = torch.onnx.export(
            portable.network,
            portable.random_inputs(N_EXAMPLES),
            dynamo=True,
            verbose=False,
            input_names=list(portable.inputs),
            output_names=list(portable.outputs),
            dynamic_shapes=tuple({0: n} for _ in portable.inputs),
            opset_version=OPSET,
        )
    assert program is not None
    model = program.model_proto
    _forget_origin(model)
    for key, value in portable.fact_texts().items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString(deterministic=True))


def _forget_origin(model: Any) -> None:
    """Remove the source file and line of each operation from a model."""
    graph = model.graph
    for part in [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info]:
        del part.metadata_props[:]
        part.ClearField("doc_string")
    for tensor in graph.initializer:
        del tensor.metadata_props[:]


def to_torchscript(portable: Portable) -> bytes:
    """Return a TorchScript module, which takes the inputs in order and returns the outputs.

    The facts are in the extra file `facts.json`, for `torch.jit.load(..., _extra_files=...)`.
    """
    stream = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing is deprecated, and warns of every constant size
        traced = torch.jit.trace(portable.network, portable.random_inputs(N_EXAMPLES))
        torch.jit.save(traced, stream, _extra_files={"facts.json": portable.facts_json()})
    return stream.getvalue()
