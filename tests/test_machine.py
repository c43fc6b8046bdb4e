import pytest
import torch

from cgan.errors import InputError
from cgan.machine import PRECISIONS, choose_device, choose_precision, precision_name

CPU = torch.device("cpu")


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in ("cpu", "cuda", "mps")


def test_a_misspelt_device_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'cuda'"):
        choose_device("cudda")


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no device 'cuda'"):
        choose_device("cuda")


@pytest.mark.parametrize("name", PRECISIONS)
def test_a_named_precision_is_taken_as_it_is(name: str) -> None:
    assert precision_name(choose_precision(name, CPU)) == name


def test_auto_takes_the_faster_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    for fast in PRECISIONS.values():
        monkeypatch.setattr(
            "cgan.machine._seconds", lambda device, dtype, fast=fast: 1.0 if dtype == fast else 2.0
        )
        assert choose_precision("auto", CPU) == fast


def test_auto_disturbs_no_random_state() -> None:
    before = torch.get_rng_state()
    choose_precision("auto", CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_misspelt_precision_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'bf16'"):
        choose_precision("bf61", CPU)
