import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import idx_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgan.data.idx import read_idx
from cgan.runtime.errors import InputError

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
# without the time of writing, so that tests are called the same in every process
EMPTY, MORE = (gzip.compress(content, mtime=0) for content in (b"", b"more"))


def write(folder: Path, content: bytes) -> Path:
    path = folder / "some-idx3-ubyte"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_written_is_read(tmp_path: Path, pack: type[bytes]) -> None:
    read = read_idx(write(tmp_path, pack(idx_bytes(IMAGES))), 3)
    assert np.array_equal(read, IMAGES)
    assert read.dtype == np.uint8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with nothing"),
        (idx_bytes(IMAGES)[:-1], "truncated"),
        (idx_bytes(IMAGES)[:9], "within its header"),
        (idx_bytes(IMAGES) + b"!", "longer than its header says"),
        (b"\0\0\x0d\x03" + idx_bytes(IMAGES)[4:], "00000d03"),
        (idx_bytes(IMAGES.reshape(6, 4)), "3-dimensional"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 2**31, 2**31), "declares the shape"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 0, 28, 28), "declares the shape"),
        (gzip.compress(idx_bytes(IMAGES), mtime=0)[:-9], "damaged"),
        (gzip.compress(idx_bytes(IMAGES), mtime=0)[:20] + b"\xff" * 20, "damaged"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_gzip_stream_of_much_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    bomb = gzip.compress(idx_bytes(IMAGES) + bytes(10**7))
    tracemalloc.start()
    with pytest.raises(InputError, match="longer than its header says"):
        read_idx(write(tmp_path, bomb), 3)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


@pytest.mark.parametrize("after", [EMPTY, MORE, b"\0", b"junk"])
def test_what_follows_a_gzip_stream_is_refused(tmp_path: Path, after: bytes) -> None:
    # Python's reader would go on through any number of empty streams
    path = write(tmp_path, gzip.compress(idx_bytes(IMAGES), mtime=0) + after * 1000)
    with pytest.raises(InputError, match="other data follow"):
        read_idx(path, 3)


def test_a_large_gzip_stream_is_read(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (500, 20, 20), np.uint8)
    assert np.array_equal(
        read_idx(write(tmp_path, gzip.compress(idx_bytes(images), mtime=0)), 3), images
    )


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(idx_bytes(IMAGES), mtime=0))
    content[-6] ^= 1
    with pytest.raises(InputError, match="damaged"):
        read_idx(write(tmp_path, bytes(content)), 3)


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "absent"):
        with pytest.raises(InputError, match="is damaged"):
            read_idx(path, 3)


def test_a_link_to_a_data_set_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(write(tmp_path, idx_bytes(IMAGES)))
    assert np.array_equal(read_idx(tmp_path / "link", 3), IMAGES)


@given(st.binary(max_size=64), st.booleans(), st.integers(1, 3))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_raise_anything_but_an_input_error(
    tmp_path: Path, content: bytes, headed: bool, n_dimensions: int
) -> None:
    if headed:
        content = bytes([0, 0, 8, n_dimensions]) + content
    try:
        read = read_idx(write(tmp_path, content), n_dimensions)
    except InputError:
        return
    assert read.ndim == n_dimensions
