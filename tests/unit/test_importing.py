import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cgan.data.images import write_images
from cgan.data.importing.folders import read_images
from cgan.data.spec import DataSpec
from cgan.runtime.errors import InputError

SPEC = DataSpec("toy", 1, 6, 5, 3)
COLOUR = DataSpec("colour", 3, 6, 5, 3)


def some(n: int = 9, spec: DataSpec = SPEC) -> NDArray[np.uint8]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (n, *spec.image_shape), dtype=np.uint8)


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "theirs.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


LABELS = np.arange(9) % 3


def test_an_npz_gives_back_images_and_labels(tmp_path: Path) -> None:
    imported = read_images(saved(tmp_path, images=some(), labels=LABELS), SPEC)
    assert imported.name == "theirs"
    assert np.array_equal(imported.images.numpy(), some())
    assert imported.labels is not None
    assert imported.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_labels_may_be_any_whole_numbers(tmp_path: Path, kind: type) -> None:
    imported = read_images(saved(tmp_path, images=some(), labels=LABELS.astype(kind)), SPEC)
    assert imported.labels is not None
    assert imported.labels.tolist() == LABELS.tolist()


def test_without_labels_there_are_none(tmp_path: Path) -> None:
    assert read_images(saved(tmp_path, images=some()), SPEC).labels is None


@pytest.mark.parametrize(("spec", "order"), [(SPEC, (0, 2, 3, 1)), (COLOUR, (0, 2, 3, 1))])
def test_channels_may_come_last_or_not_at_all(
    tmp_path: Path, spec: DataSpec, order: tuple[int, ...]
) -> None:
    images = some(spec=spec)
    for shaped in [images.transpose(order), *([images[:, 0]] if spec.channels == 1 else [])]:
        imported = read_images(saved(tmp_path, images=shaped), spec)
        assert np.array_equal(imported.images.numpy(), images)


@pytest.mark.parametrize("spec", [SPEC, COLOUR])
def test_the_folder_that_sample_writes_is_read_back(tmp_path: Path, spec: DataSpec) -> None:
    write_images(some(spec=spec), LABELS, tmp_path / "drawn")
    imported = read_images(tmp_path / "drawn", spec)
    assert imported.name == "drawn"
    assert np.array_equal(imported.images.numpy(), some(spec=spec))
    assert imported.labels is not None
    assert imported.labels.tolist() == LABELS.tolist()


def test_a_folder_a_class_gives_the_labels(tmp_path: Path) -> None:
    for i, image in enumerate(some()):
        (tmp_path / "top" / str(i % 3)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(tmp_path / "top" / str(i % 3) / f"{i}.png")
    imported = read_images(tmp_path / "top", SPEC)
    assert imported.labels is not None
    assert imported.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_folder_of_plain_names_has_no_labels(tmp_path: Path) -> None:
    for i, image in enumerate(some()):
        Image.fromarray(image[0]).save(tmp_path / f"{i}.png")
    assert read_images(tmp_path, SPEC).labels is None


NAN = np.full((9, 1, 6, 5), np.nan, np.float32)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pictures": some()}, "no array `images`"),
        ({"images": some().astype(np.float32) / 255}, "are float32; save them as uint8"),
        ({"images": NAN}, "are float32"),
        ({"images": some()[:, :, :5]}, r"needs \[N, 1, 6, 5\]"),
        ({"images": some().ravel()}, "shape"),
        ({"images": np.uint8(3)}, "shape"),
        ({"images": some()[:0]}, "holds no images"),
        ({"images": some() // 255}, "scale the images to 0 to 255"),
        ({"images": np.repeat(some(1), 9, axis=0)}, "all 9 images are the same"),
        ({"images": np.ones_like(some()) * LABELS[:, None, None, None].astype(np.uint8)}, "colour"),
        ({"images": some(), "labels": LABELS[:-1]}, "one whole number for each of the 9"),
        ({"images": some(), "labels": LABELS / 2}, "one whole number"),
        ({"images": some(), "labels": np.array(["a"] * 9)}, "one whole number"),
        ({"images": some(), "labels": LABELS - 1}, "run from -1 to 1"),
        ({"images": some(), "labels": LABELS + 1}, "run from 1 to 3"),
    ],
)
def test_arrays_that_cannot_be_scored_are_refused_in_one_line(
    tmp_path: Path, arrays: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_images(saved(tmp_path, **arrays), SPEC)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "sprung"),)  # pragma: no cover

    path = saved(tmp_path, images=np.array([Trap()], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        read_images(path, SPEC)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nonsense", b"\x93NUMPY"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_images(path, SPEC)
    assert "\n" not in str(caught.value)


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.data.importing.npz.LARGEST", 1000)
    stream = io.BytesIO()
    np.save(stream, np.zeros(5000, np.uint8))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", stream.getvalue())
    with pytest.raises(InputError, match="unpacks to"):
        read_images(tmp_path / "bomb.npz", SPEC)


def test_pictures_of_more_than_8_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(some()[0, 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    with pytest.raises(InputError, match=r"deep\.png has more than 8 bits"):
        read_images(tmp_path, SPEC)


def test_folders_of_long_numbers_are_labels_or_dates(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / "top" / f"{i:05d}").mkdir(parents=True)
        Image.fromarray(some()[i, 0]).save(tmp_path / "top" / f"{i:05d}" / "x.png")
    imported = read_images(tmp_path / "top", SPEC)
    assert imported.labels is not None
    assert imported.labels.tolist() == [0, 1, 2]


def test_shuffled_images_keep_their_labels(tmp_path: Path) -> None:
    imported = read_images(saved(tmp_path, images=some(), labels=LABELS), SPEC)
    other = imported.shuffled()
    assert other.labels is not None
    pairs = [(x.numpy().tobytes(), int(y)) for x, y in zip(other.images, other.labels, strict=True)]
    assert sorted(pairs) == sorted(
        (x.tobytes(), int(y)) for x, y in zip(some(), LABELS, strict=True)
    )
    assert other.labels.tolist() != LABELS.tolist()


def test_folders_that_cannot_be_scored_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_images(tmp_path / "nowhere", SPEC)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        read_images(tmp_path / "none", SPEC)
    Image.new("L", (9, 9)).save(tmp_path / "none" / "large.png")
    with pytest.raises(InputError, match="9 pixels wide and 9 high; toy needs 5 and 6"):
        read_images(tmp_path / "none", SPEC)
    (tmp_path / "none" / "large.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        read_images(tmp_path / "none", SPEC)


def test_a_folder_of_which_only_some_have_labels_is_refused(tmp_path: Path) -> None:
    for name in ("1-label-2.png", "3.png"):
        Image.fromarray(some()[0, 0]).save(tmp_path / name)
    with pytest.raises(InputError, match=r"3\.png has no class but others have"):
        read_images(tmp_path, SPEC)


def npy(descr: str, shape: str, body: bytes = b"") -> bytes:
    """Return an array file whose header says what is given."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


def zipped(folder: Path, packing: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(folder / "theirs.npz", "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return folder / "theirs.npz"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npy("'|u1'", f"({2**60}, 1, 6, 5)", bytes(30)), "not as long as its header says"),
        (npy("'|u1'", "(9, 1, 6, 5)", bytes(269)), "not as long as its header says"),
        (npy("'|u1'", "(9, 1, 6, 5)", bytes(271)), "not as long as its header says"),
        (npy("'|u1'", "(-9, 1, 6, 5)", bytes(270)), "cannot be read"),
        (npy("'|O'", "(1,)", bytes(8)), "holds objects, which could run code"),
        (npy("[('x', '|O')]", "(1,)", bytes(8)), "holds objects"),
        (npy("'|V999999999'", "(0,)"), "the images are"),
        (npy("'<f4'", "(9, 1, 6, 5)", bytes(1080)), "are float32"),
        (npy("'|u1'", "(" * 900), "cannot be read"),
        (npy("__import__('os').mkdir('sprung')", "(9,)"), "cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(2**21), "cannot be read"),
        (b"\x93NUMPY\x09\x00", "cannot be read"),
    ],
)
def test_an_array_whose_header_lies_is_refused(
    tmp_path: Path, content: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_images(zipped(tmp_path, images=content), SPEC)
    assert str(caught.value).isprintable()
    assert not Path("sprung").exists()


def test_labels_whose_header_lies_are_refused(tmp_path: Path) -> None:
    images = npy("'|u1'", "(9, 1, 6, 5)", some().tobytes())
    for labels in (npy("'|O'", "(9,)", bytes(72)), npy("'<i8'", "(9,)", bytes(71))):
        with pytest.raises(InputError, match="cannot be read"):
            read_images(zipped(tmp_path, images=images, labels=labels), SPEC)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_that_may_claim_any_memory_is_refused(tmp_path: Path, packing: int) -> None:
    content = npy("'|u1'", "(9, 1, 6, 5)", some().tobytes())
    with pytest.raises(InputError, match="a compression that numpy does not use"):
        read_images(zipped(tmp_path, packing, images=content), SPEC)


def test_a_member_that_holds_less_than_the_archive_says_is_refused(tmp_path: Path) -> None:
    content = npy("'|u1'", "(9, 1, 6, 5)", some().tobytes())
    path = zipped(tmp_path, zipfile.ZIP_STORED, images=content[:-100])
    given, size = path.read_bytes(), len(content) - 100
    for claimed in (len(content), 2**27):  # in the list of contents at the end
        at = given.rindex(b"PK\x01\x02") + 24
        assert given[at : at + 4] == struct.pack("<I", size)
        path.write_bytes(given[:at] + struct.pack("<I", claimed) + given[at + 4 :])
        with pytest.raises(InputError, match="cannot be read"):
            read_images(path, SPEC)


def test_a_damaged_pixel_is_seen_by_its_checksum(tmp_path: Path) -> None:
    path = saved(tmp_path, images=some())
    content = bytearray(path.read_bytes())
    content[content.index(some().tobytes()) + 7] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_images(path, SPEC)


def test_a_list_of_very_many_members_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.npz", "w") as archive:
        for i in range(9000):
            archive.writestr(f"{i:0100d}", b"")
    with pytest.raises(InputError, match="a part of it is too long"):
        read_images(tmp_path / "many.npz", SPEC)


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", Path("/dev/zero")):
        with pytest.raises(InputError, match="not a regular file"):
            read_images(path, SPEC)


def drawn(folder: Path, n: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    for i in range(n):
        Image.fromarray(some()[i, 0]).save(folder / f"{i}.png")
    return folder


def test_formats_whose_readers_start_programs_are_not_tried(tmp_path: Path) -> None:
    folder = drawn(tmp_path / "in")
    Image.fromarray(some()[0, 0]).save(folder / "x.eps")
    (folder / "x.eps").rename(folder / "x.png")
    with pytest.raises(InputError, match=r"x\.png cannot be read"):
        read_images(folder, SPEC)


def test_a_truncated_or_endless_picture_is_refused(tmp_path: Path) -> None:
    folder = drawn(tmp_path / "in")
    whole = (folder / "0.png").read_bytes()
    for content in (whole[:60], whole[:-30], whole[:8]):
        (folder / "0.png").write_bytes(content)
        with pytest.raises(InputError, match=r"0\.png cannot be read"):
            read_images(folder, SPEC)
    with (folder / "0.png").open("ab") as stream:
        stream.truncate(2**24 + 1)
    with pytest.raises(InputError, match=r"0\.png cannot be read"):
        read_images(folder, SPEC)


def test_a_picture_that_unpacks_to_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    folder = drawn(tmp_path / "in")
    content = bytearray((folder / "0.png").read_bytes())
    for side in (10_000, 2**30):
        content[16:24] = struct.pack(">II", side, side)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        (folder / "0.png").write_bytes(content)
        with pytest.raises(InputError, match=r"0\.png (is|cannot)"):
            read_images(folder, SPEC)


def test_links_to_outside_are_refused_and_linked_folders_left_out(tmp_path: Path) -> None:
    folder, other = drawn(tmp_path / "in"), drawn(tmp_path / "other")
    (folder / "more").symlink_to(other)
    (folder / "self").symlink_to(folder)
    (folder / "again.png").symlink_to(folder / "1.png")
    assert len(read_images(folder, SPEC).images) == 4
    (folder / "theirs.png").symlink_to(other / "1.png")
    with pytest.raises(InputError, match=r"theirs\.png is a link to outside"):
        read_images(folder, SPEC)


def test_a_folder_of_very_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = drawn(tmp_path / "in", 5)
    monkeypatch.setattr("cgan.data.importing.folders.LARGEST", 5 * 30 - 1)
    with pytest.raises(InputError, match="too many at once"):
        read_images(folder, SPEC)
    monkeypatch.setattr("cgan.data.importing.folders.MOST_FILES", 5)
    with pytest.raises(InputError, match="more than 5 files"):
        read_images(folder, SPEC)
