from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgan.config import ClassifierConfig, EvalConfig, GanConfig
from cgan.errors import InputError


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (ClassifierConfig, "role", "jury"),
        (ClassifierConfig, "optimizer", "sgd"),
        (ClassifierConfig, "schedule", "linear"),
        (ClassifierConfig, "epochs", 0),
        (ClassifierConfig, "batch_size", -1),
        (ClassifierConfig, "lr", 0.0),
        (ClassifierConfig, "gamma", 1.5),
        (ClassifierConfig, "max_shift", -1),
        (GanConfig, "d_every", 0),
        (GanConfig, "g_lr", -1e-3),
        (GanConfig, "d_lr", float("nan")),
        (GanConfig, "d_lr", float("inf")),
        (GanConfig, "batch_size", 0),
        (GanConfig, "beta1", 1.01),
        (GanConfig, "z_dim", 0),
        (GanConfig, "guidance", -0.1),
        (GanConfig, "guidance_end", -0.5),
        (GanConfig, "schedule", "step"),
        (GanConfig, "log_interval", 0),
        (GanConfig, "d_shift", -1),
        (GanConfig, "noise", "pink"),
        (GanConfig, "label_smoothing", 1.5),
        (GanConfig, "delta_alpha", 2.0),
        (EvalConfig, "n_samples", 0),
        (EvalConfig, "seed", -1),
    ],
)
def test_a_value_that_cannot_work_is_named_with_its_flag(
    kind: type, field: str, value: Any
) -> None:
    with pytest.raises(InputError, match="--" + field.replace("_", "-")) as caught:
        kind(**{field: value})
    assert str(value) in str(caught.value)


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(TypeError):
        GanConfig(d_evry=2)  # type: ignore[call-arg]


@given(st.integers(max_value=0))
def test_no_number_of_epochs_below_one_is_taken(epochs: int) -> None:
    with pytest.raises(InputError):
        GanConfig(epochs=epochs)
