from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from cgan.cli import main
from cgan.runtime.device import (
    PRECISIONS,
    choose_device,
    choose_precision,
    memory_advice,
    precision_name,
    require_one_process,
    using_threads,
)
from cgan.runtime.errors import InputError, TrainingError

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


def test_one_device_of_several_is_chosen_by_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("cuda") == torch.device("cuda")
    for absent in ("cuda:2", "cuda:", "cuda:x", "cuda:-1", "cuda:01"):
        with pytest.raises(InputError, match=r"use --device cuda:0 or cuda:1$"):
            choose_device(absent)


@pytest.mark.parametrize("kind", ["cpu", "auto"])
def test_a_kind_of_which_there_is_one_takes_no_index(kind: str) -> None:
    with pytest.raises(InputError, match=f"{kind} takes no index; use --device {kind}$"):
        choose_device(f"{kind}:0")


@pytest.mark.parametrize("variable", ["WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"])
def test_copies_of_one_command_are_refused(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for alone in ("1", "", "many"):
        monkeypatch.setenv(variable, alone)
        require_one_process()
    monkeypatch.setenv(variable, "2")
    with pytest.raises(InputError, match=f"^{variable} is 2, .* start it once"):
        require_one_process()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train-gan", "--dataset", "digits"],
        ["train-classifier", "--dataset", "digits"],
        ["evaluate", "digits"],
        ["demo"],
    ],
)
def test_every_command_that_trains_or_evaluates_refuses_copies(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = CliRunner().invoke(main, [*arguments, "-q"])
    assert result.exit_code == 2
    assert result.stderr.startswith("cgan: WORLD_SIZE is 2")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_threads_are_set_for_a_while_and_only_if_told_to() -> None:
    before = torch.get_num_threads()
    with using_threads("auto"):
        assert torch.get_num_threads() == before
    with using_threads(str(before + 1)):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    for wrong in ("0", "-1", "two", "1025", "1.5", ""):
        with pytest.raises(InputError, match="--threads must be auto or 1 to 1024"):  # noqa: SIM117
            with using_threads(wrong):
                pass


@pytest.mark.parametrize("name", PRECISIONS)
def test_a_named_precision_is_taken_as_it_is(name: str) -> None:
    assert precision_name(choose_precision(name, CPU)) == name


@pytest.mark.parametrize(
    ("known", "precision"),
    [
        ({"avx512_f": True, "avx512_bf16": True}, "bf16"),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": True}, "bf16"),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, "fp32"),
        ({"architecture": "aarch64", "bf16": True}, "bf16"),
        ({}, "fp32"),
    ],
)
def test_auto_is_bf16_where_the_processor_multiplies_in_it(
    known: dict[str, object], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert choose_precision("auto", CPU) == PRECISIONS[precision]


def test_auto_is_bf16_on_a_gpu_that_does_not_emulate_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for real in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda real=real, **_: real)
        assert (choose_precision("auto", torch.device("cuda")) == torch.bfloat16) == real
    assert choose_precision("auto", torch.device("mps")) == torch.float32


def test_auto_disturbs_no_random_state() -> None:
    before = torch.get_rng_state()
    choose_precision("auto", CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_misspelt_precision_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'bf16'"):
        choose_precision("bf61", CPU)


def no_room() -> None:
    torch.empty(2**46)  # 256 TiB: more than any machine can promise


def test_out_of_memory_names_the_batch_size_to_try() -> None:
    with pytest.raises(TrainingError, match=r"out of memory on cpu; try --batch-size 64"):  # noqa: SIM117
        with memory_advice(CPU, 128):
            no_room()


@pytest.mark.parametrize("text", ["CUDA out of memory. Tried", "MPS backend out of memory (MPS"])
def test_every_device_says_in_its_own_words_that_memory_is_out(text: str) -> None:
    with pytest.raises(TrainingError, match=r"--batch-size 1$"), memory_advice(CPU, 1):
        raise RuntimeError(text)


def test_other_errors_of_torch_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_advice(CPU, 128):
        raise RuntimeError("shapes cannot be multiplied")


def test_out_of_memory_is_one_line_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgan.models.hub.draw", lambda *_, **__: no_room())
    result = CliRunner().invoke(main, ["sample", "digits"])
    assert result.exit_code == 1
    assert result.stderr == "cgan: out of memory; try a smaller --batch-size, or fewer images\n"
