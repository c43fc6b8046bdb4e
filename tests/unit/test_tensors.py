import json
import os
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from cgan.models.layers import ClassEmbedding
from cgan.models.tensors import not_finite, on_meta_device, read_tensors
from cgan.runtime.errors import InputError

HELD = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(3, dtype=torch.int64)}


def saved(folder: Path, tensors: dict[str, Tensor] = HELD) -> Path:
    path = folder / "x.safetensors"
    path.write_bytes(safetensors.torch.save(tensors, {"by": "us"}))
    return path


def headed(folder: Path, header: object, body: bytes = b"") -> Path:
    """Return a file whose header says what is given."""
    text = json.dumps(header).encode()
    path = folder / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def test_tensors_and_metadata_are_read_back(tmp_path: Path) -> None:
    wanted = {name: tensor.to("meta") for name, tensor in HELD.items()}
    for asked in (wanted, None):
        tensors, metadata = read_tensors(saved(tmp_path), asked, 2**20)
        assert metadata == {"by": "us"}
        assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
            name: tensor.tolist() for name, tensor in HELD.items()
        }


def test_what_is_read_stays_when_the_file_changes(tmp_path: Path) -> None:
    path = saved(tmp_path)
    tensors, _ = read_tensors(path, None, 2**20)
    path.write_bytes(b"\xff" * path.stat().st_size)
    assert torch.equal(tensors["a"], HELD["a"])


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"a": HELD["a"]}, "b is in only one of them"),
        ({**HELD, "c\n": torch.zeros(2)}, r"'c\\n' is in only one of them"),
        ({**HELD, "a": HELD["a"].T.contiguous()}, r"a has shape \[3, 2\], not \[2, 3\]"),
        ({**HELD, "a": HELD["a"].double()}, "a is F64, not F32"),
        ({**HELD, "b": HELD["b"].int()}, "b is I32, not I64"),
    ],
)
def test_other_tensors_than_the_wanted_are_refused(
    tmp_path: Path, tensors: dict[str, Tensor], words: str
) -> None:
    with pytest.raises(InputError, match=f"does not fit.*{words}"):
        read_tensors(saved(tmp_path, tensors), HELD, 2**20)


def test_a_shape_that_is_not_wanted_takes_no_memory(tmp_path: Path) -> None:
    path = saved(tmp_path)
    huge = {"a": torch.empty(2**40, device="meta"), "b": HELD["b"]}
    with pytest.raises(InputError, match="a has shape"):
        read_tensors(path, huge, 2**20)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}},
        {"a": {"dtype": "F32", "shape": [2**63, 2**63], "data_offsets": [0, 24]}},
        {"a": {"dtype": "F32", "shape": [-6], "data_offsets": [0, 24]}},
        {"a": {"dtype": "O", "shape": [6], "data_offsets": [0, 24]}},
        {"a": {"dtype": "F32", "shape": [6], "data_offsets": [24, 0]}},
        {"a": 3},
        [],
        {"__metadata__": {"x": 1}},
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: object) -> None:
    with pytest.raises(InputError, match="is damaged") as caught:
        read_tensors(headed(tmp_path, header, bytes(24)), None, 2**20)
    assert str(caught.value).isprintable()


def test_a_type_that_no_network_of_ours_has_is_refused(tmp_path: Path) -> None:
    header = {"a": {"dtype": "F8_E4M3", "shape": [6], "data_offsets": [0, 6]}}
    with pytest.raises(InputError, match="a is F8_E4M3"):
        read_tensors(headed(tmp_path, header, bytes(6)), None, 2**20)


@pytest.mark.parametrize("length", [2**20 + 1, 2**63, 2**64 - 1])
def test_a_header_that_claims_to_be_long_is_refused(tmp_path: Path, length: int) -> None:
    path = saved(tmp_path)
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    with pytest.raises(InputError, match="its header declares"):
        read_tensors(path, None, 2**20)


def test_only_a_plain_file_of_its_size_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path / "link", tmp_path / "pipe", tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="is damaged"):
            read_tensors(other, None, 2**20)
    with pytest.raises(InputError, match="is the maximum"):
        read_tensors(path, None, path.stat().st_size - 1)


def test_a_network_on_the_meta_device_takes_the_weights_of_another() -> None:
    with on_meta_device():
        empty = nn.Sequential(ClassEmbedding(9, 2, 10**6), nn.Linear(10**6, 10**6))
    assert {tensor.device.type for tensor in empty.state_dict().values()} == {"meta"}
    real = ClassEmbedding(9, 2, 3)
    with on_meta_device():
        network = ClassEmbedding(9, 2, 3)
    network.load_state_dict(real.state_dict(), assign=True)
    labels, modes = torch.arange(18) // 2, torch.arange(18) % 2
    assert torch.equal(network(labels, modes), real(labels, modes))
    assert all(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_values_that_are_not_finite_are_refused_by_the_name_of_their_tensor(
    tmp_path: Path, value: float, kind: torch.dtype
) -> None:
    bad = {**HELD, "deep.weight": torch.zeros(3, 2, dtype=kind)}
    read_tensors(saved(tmp_path, bad), bad, 2**20)
    bad["deep.weight"][2, 1] = value
    assert not_finite(bad) == "deep.weight"
    with pytest.raises(InputError, match=r"damaged: deep\.weight has values that are not finite"):
        read_tensors(saved(tmp_path, bad), bad, 2**20)


@pytest.mark.parametrize("offsets", [([0, 24], [0, 24]), ([0, 24], [12, 36]), ([12, 36], [0, 12])])
def test_tensors_that_share_bytes_or_leave_some_out_are_refused(
    tmp_path: Path, offsets: tuple[list[int], list[int]]
) -> None:
    part = {"dtype": "F32", "shape": [6]}
    header = {name: {**part, "data_offsets": o} for name, o in zip("ab", offsets, strict=True)}
    with pytest.raises(InputError, match="is damaged"):
        read_tensors(headed(tmp_path, header, bytes(48)), None, 2**20)
