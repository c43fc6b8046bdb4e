from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgan.config.schema import ClassifierConfig, EvalConfig, GanConfig
from cgan.data.spec import DataSpec, plural
from cgan.runtime.errors import InputError


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


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (ClassifierConfig, "epochs", 10_001),
        (ClassifierConfig, "batch_size", 100_001),
        (ClassifierConfig, "test_batch_size", 10**9),
        (ClassifierConfig, "max_shift", 257),
        (GanConfig, "z_dim", 4097),
        (GanConfig, "modes", 257),
        (GanConfig, "batch_size", 10**9),
        (GanConfig, "epochs", 1e5),
        (GanConfig, "checks", 10**6),
        (GanConfig, "d_shift", 10**6),
        (EvalConfig, "n_samples", 10**7),
        (EvalConfig, "gan_train_images", 10**7),
        (EvalConfig, "batch_size", 10**7),
    ],
)
def test_what_takes_absurd_memory_or_time_is_refused(kind: type, field: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"--{field.replace('_', '-')} must be .* at most"):
        kind(**{field: value})


@pytest.mark.parametrize(
    ("kind", "field", "value", "words"),
    [
        (ClassifierConfig, "epochs", 2.0, "a whole number, not 2.0"),
        (ClassifierConfig, "dry_run", 1, "true or false, not 1"),
        (ClassifierConfig, "network", None, "a text, not None"),
        (ClassifierConfig, "network", ["leaky-cnn"], "a text, not"),
        (ClassifierConfig, "lr", "0.1", "a number, not '0.1'"),
        (GanConfig, "z_dim", True, "a whole number, not True"),
        (GanConfig, "z_dim", 10**4000, "a whole number below 2"),
        (GanConfig, "warmup", 2**63, "a whole number below 2"),
        (GanConfig, "g_lr", True, "a number, not True"),
        (GanConfig, "guidance_end", float("inf"), "a finite number, not inf"),
        (GanConfig, "g_lr", 10**400, "a number below 2"),
        (GanConfig, "recipe", "a\nb", "printable"),
        (GanConfig, "device", "\ud800", "printable"),
        (GanConfig, "dataset", "x" * 101, "100 printable characters at most"),
        (EvalConfig, "copying", 0, "true or false"),
    ],
)
def test_a_value_of_another_type_is_refused_in_one_short_line(
    kind: type, field: str, value: Any, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        kind(**{field: value})
    message = str(caught.value)
    assert message.startswith("--" + field.replace("_", "-"))
    assert message.isprintable()
    assert len(message) < 200


def test_a_whole_number_stands_for_a_float_and_a_share_may_be_large() -> None:
    assert GanConfig(epochs=3, g_lr=1, guidance_end=1e9).epochs == 3
    assert GanConfig(epochs=0.25).epochs == 0.25


@pytest.mark.parametrize(
    "shape", [(0, 28, 28, 10), (1, 257, 28, 10), (1, 28, -28, 10), (1, 28, 28, 1001), (17, 8, 8, 2)]
)
def test_no_data_set_has_such_images(shape: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError, match="must be 1 or more and at most"):
        DataSpec("toy", *shape)


@pytest.mark.parametrize(
    ("dataset", "noun", "nouns"),
    [
        ("mnist", "digit", "digits"),
        ("digits", "digit", "digits"),
        ("kmnist", "character", "characters"),
        ("fashion-mnist", "class", "classes"),
        ("of-mine", "class", "classes"),
    ],
)
def test_a_data_set_names_its_noun_for_a_class(dataset: str, noun: str, nouns: str) -> None:
    spec = DataSpec(dataset, 1, 28, 28, 10)
    assert (spec.noun, plural(spec.noun)) == (noun, nouns)
    assert DataSpec(dataset, 1, 28, 28, 10, "letter").noun == "letter"
    assert DataSpec(dataset, 1, 28, 28, 10, "letter") == spec  # a word changes no data


@pytest.mark.parametrize("noun", ["a/b", "../x", "x\n", "<b>", "$x$", " x", "x" * 41, 3])
def test_a_noun_that_is_no_plain_word_is_refused(noun: Any) -> None:
    with pytest.raises(InputError, match="noun") as caught:
        DataSpec("toy", 1, 28, 28, 10, noun)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(TypeError):
        GanConfig(d_evry=2)  # type: ignore[call-arg]


@given(st.integers(max_value=0))
def test_no_number_of_epochs_below_one_is_taken(epochs: int) -> None:
    with pytest.raises(InputError):
        GanConfig(epochs=epochs)
