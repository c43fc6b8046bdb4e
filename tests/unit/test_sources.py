"""Sources of labelled images: folders, tables and archives, sound ones and others."""

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image

from cgan.data.importing import pictures, trees
from cgan.data.importing.class_names import check_names
from cgan.data.importing.found import FoundImages, UnreadableError
from cgan.data.importing.sources import find_images
from cgan.runtime.errors import InputError

Files = Mapping[str, bytes]


def encoded(shade: int = 0, kind: str = "PNG", mode: str = "L", size: tuple = (3, 2)) -> bytes:
    """Return a picture of one shade as a file."""
    stream = io.BytesIO()
    Image.new(mode, size, shade).save(stream, kind)
    return stream.getvalue()


PICTURE = encoded()
CLASSES = {f"{name}/{at}.png": encoded(at) for name in ("cat", "dog") for at in range(3)}
FLAT = {f"{at}.png": encoded(at) for at in range(4)}
SPLIT = {
    f"{split}/{path}": content for split in ("Train", "TEST") for path, content in CLASSES.items()
}


def decoded(content: bytes, name: str) -> Image.Image:
    """Return a picture, decoded."""
    picture = pictures.open_picture(content, name)
    pictures.load_picture(picture)
    return picture


def load(found: FoundImages, index: int) -> Image.Image:
    """Return an image of a source, decoded."""
    picture = found.reader.load(index)
    assert isinstance(picture, Image.Image)
    pictures.load_picture(picture)
    return picture


def written(top: Path, files: Files) -> Path:
    """Write files and return their folder."""
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return top


def labels_of(found: FoundImages) -> dict[str, str]:
    """Return the class of each image by its place, after reading it."""
    for index in range(len(found)):
        load(found, index)
    return {found.reader.place(at): found.names[label] for at, label in enumerate(found.labels)}


def splits_of(found: FoundImages) -> dict[str, int]:
    """Return the split of each image by its place."""
    return {found.reader.place(at): int(split) for at, split in enumerate(found.splits)}


def test_the_class_is_the_first_folder_below_the_root(tmp_path: Path) -> None:
    deep = {"set/cat/young/1.png": PICTURE, "set/cat/2.png": PICTURE, "set/dog/3.PNG": PICTURE}
    found = find_images(written(tmp_path / "My sët", {**deep, "a.txt": b"x", "set/b.gif": PICTURE}))
    assert labels_of(found) == {
        "set/cat/2.png": "cat",
        "set/cat/young/1.png": "cat",
        "set/dog/3.PNG": "dog",
    }
    assert found.skipped == {
        "with an unknown ending": ["a.txt"],
        "in no folder of a class": ["set/b.gif"],
    }
    assert (found.name, found.kind) == ("My-set", "a folder for each class")
    assert found.path == tmp_path / "My sët"
    assert set(found.splits.tolist()) == {-1}


def test_numbers_are_sorted_by_their_value_and_keep_their_text(tmp_path: Path) -> None:
    names = [f"{number:05}" for number in range(43)]
    found = find_images(written(tmp_path / "signs", {f"{n}/1.ppm": PICTURE for n in names}))
    assert found.names == tuple(names)
    found = find_images(
        written(tmp_path / "numbers", {f"{n}/1.png": PICTURE for n in range(1, 12)})
    )
    assert found.names[:3] == ("1", "2", "3")
    found = find_images(
        written(tmp_path / "words", {f"{n}/1.png": PICTURE for n in ("2", "10", "x")})
    )
    assert found.names == ("10", "2", "x")


@pytest.mark.parametrize("inner", ["", "images/"])
def test_folders_of_splits_are_kept(tmp_path: Path, inner: str) -> None:
    files = {
        f"{split}/{inner}{path}": content
        for split in ("Train", "TESTING", "valid")
        for path, content in CLASSES.items()
    }
    found = find_images(written(tmp_path, files))
    assert found.names == ("cat", "dog")
    splits = splits_of(found)
    assert {place.partition("/")[0]: split for place, split in splits.items()} == {
        "Train": 0,
        "valid": 1,
        "TESTING": 2,
    }
    assert len(splits) == 18
    assert "splits" in found.kind


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("train/cat", "train/dog"), ("cat", "dog")),  # a single split is none
        (("train", "bus", "car"), ("bus", "car", "train")),  # a class is called train
        (("train/cat", "train/dog", "test"), ("cat", "dog")),  # test images without labels
    ],
)
def test_a_name_of_a_split_is_not_always_a_split(
    tmp_path: Path, names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    found = find_images(written(tmp_path, {f"{name}/1.png": PICTURE for name in names}))
    assert found.names == expected
    assert set(found.splits.tolist()) == {-1}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("train/cat", "train/dog", "extra/cat"), "split 'train' and beside it the folder 'extra'"),
        (("seg_train/cat", "seg_train/dog", "seg_test/dog"), "looks like a split"),
        (("cat",), "pictures of one class, 'cat', and at least two are needed; put them into a"),
        (("cat", "cat/young"), "pictures of one class, 'cat', and"),
        ((".",), "holds a picture without labels; put them into a folder for each"),
        (("train", "test"), "2 pictures without labels; put them"),
        (("Cat", "cat"), "'Cat' and 'cat', which differ only in spelling"),
        (("caf\u00e9", "cafe\u0301"), r"'cafe\\u0301' and 'caf\\xe9', which differ only"),
        (("7", "07"), "'07' and '7'"),
        (("a\nb", "c"), r"'a\\nb' has characters that cannot be printed"),
        (("x" * 101, "c"), "more than 100 characters"),
    ],
)
def test_folders_that_are_no_classes_are_refused(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        find_images(written(tmp_path, {f"{name}/1.png": PICTURE for name in names}))
    assert str(caught.value).isprintable()


def test_labels_may_be_in_the_names_of_files(tmp_path: Path) -> None:
    files = {f"{at:05}-label-{at % 3 + 8}.png": PICTURE for at in range(6)}
    found = find_images(written(tmp_path, {**files, "x.png": PICTURE}))
    assert labels_of(found) == {name: name[12:-4] for name in files}
    assert found.names == ("8", "9", "10")
    assert found.skipped == {"without a label in the name": ["x.png"]}


def test_a_label_in_a_name_and_a_folder_that_disagree_are_refused(tmp_path: Path) -> None:
    agreeing = {f"{label:02}/a-label-{label}.png": PICTURE for label in range(3)}
    assert find_images(written(tmp_path, agreeing)).names == ("00", "01", "02")
    find_images(written(tmp_path, {"02/b-label-7.png": PICTURE}))  # 7 is no class
    with pytest.raises(InputError, match=r"02/c-label-1.png has the label 1 .* folder '02'"):
        find_images(written(tmp_path, {"02/c-label-1.png": PICTURE}))


def test_more_than_a_thousand_classes_are_refused() -> None:
    check_names([str(number) for number in range(1000)], "it")
    with pytest.raises(InputError, match=r"1,001 classes; at most 1,000"):
        check_names([str(number) for number in range(1001)], "it")


def test_a_name_may_hold_html(tmp_path: Path) -> None:
    found = find_images(written(tmp_path, {"<b>&/1.png": PICTURE, "cat/1.png": PICTURE}))
    assert found.names == ("<b>&", "cat")


def test_names_that_cannot_be_printed_are_shown_otherwise(tmp_path: Path) -> None:
    odd = {b"cat/caf\xe9.png": PICTURE, b"cat/a\nb.png": PICTURE, b"cat/\x1b[2J.txt": b"x"}
    for name, content in odd.items():
        (tmp_path / "cat").mkdir(exist_ok=True)
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(content)
    found = find_images(written(tmp_path, {"dog/1.png": PICTURE}))
    assert sorted(labels_of(found)) == ["cat/a?b.png", "cat/caf?.png", "dog/1.png"]
    assert found.skipped == {"with an unknown ending": ["cat/?[2J.txt"]}


def test_what_is_no_picture_is_skipped_with_its_reason(tmp_path: Path) -> None:
    files = {
        ".DS_Store": b"x",
        ".git/1.png": PICTURE,
        "__MACOSX/cat/._1.png": PICTURE,
        "cat/Thumbs.db": b"x",
        "cat/empty.png": b"",
        "cat/1.heic": b"x",
    }
    top = written(tmp_path / "set", {**CLASSES, **files})
    written(tmp_path / "elsewhere", {"1.png": PICTURE})
    (top / "dog/out.png").symlink_to(tmp_path / "elsewhere/1.png")
    (top / "dog/in.png").symlink_to("../cat/1.png")
    (top / "fox").symlink_to(tmp_path / "elsewhere")
    (top / "dog/broken.png").symlink_to("nowhere.png")
    os.mkfifo(top / "cat/pipe.png")
    found = find_images(top)
    assert found.skipped == {
        "hidden": [".DS_Store", ".git"],
        "of the system": ["__MACOSX", "cat/Thumbs.db"],
        "empty": ["cat/empty.png"],
        "with an unknown ending": ["cat/1.heic"],
        "linked to outside": ["dog/out.png"],
        "linked to a folder": ["fox"],
        "linked to nothing": ["dog/broken.png"],
        "neither file nor folder": ["cat/pipe.png"],
    }
    assert labels_of(found) == {path: path[:3] for path in (*CLASSES, "dog/in.png")}


def test_a_folder_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no pictures; name a folder of pictures, a zip"):
        find_images(tmp_path)
    written(tmp_path, {"a.heic": b"x", "b.heic": b"x", ".c": b"x"})
    with pytest.raises(
        InputError, match=r"holds no pictures \(2 with an unknown ending, 1 hidden\)"
    ):
        find_images(tmp_path)
    written(tmp_path, {"set.tar.gz": b"x"})
    with pytest.raises(InputError, match=r"name the archive set.tar.gz in it"):
        find_images(tmp_path)


@pytest.mark.parametrize("kind", sorted({*pictures.SIGNED} - {"PSD", "SUN", "XBM", "CUR", "PCX"}))
def test_a_picture_is_known_by_its_content(kind: str) -> None:
    mode, size = ("1", (8, 8)) if kind == "MSP" else ("RGB", (16, 16))
    picture = decoded(encoded(0, kind, mode, size), "wrong.png")
    assert (picture.format, picture.size) == (kind, size)


def test_a_format_without_a_signature_is_known_by_its_ending() -> None:
    content = encoded(7, "TGA", "RGB")
    assert decoded(content, "a.TGA").size == (3, 2)
    with pytest.raises(UnreadableError, match="no picture of a known format"):
        decoded(content, "a.png")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is text", "no picture of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture of a known format"),
        (encoded(size=(99, 99), kind="BMP")[:-9], "damaged"),
        (encoded(size=(10000, 9000), mode="1"), "more than 89 million pixels"),
        (encoded(size=(20000, 20000), mode="1"), "more than 89 million pixels"),
    ],
)
def test_a_file_that_is_no_picture_is_unreadable(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        decoded(content, "a.png")


def test_the_first_frame_of_an_animation_is_read() -> None:
    stream = io.BytesIO()
    frames = [Image.new("L", (3, 2), shade) for shade in (10, 200)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    assert decoded(stream.getvalue(), "a.gif").convert("L").getpixel((0, 0)) == 10


def test_files_that_are_large_or_gone_are_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_images(written(tmp_path, CLASSES))
    (tmp_path / "cat/0.png").unlink()
    (tmp_path / "cat/1.png").write_bytes(PICTURE + b"longer")
    with pytest.raises(UnreadableError, match="missing"):
        found.reader.load(0)
    with pytest.raises(UnreadableError, match="not readable, or changed"):
        found.reader.load(1)
    monkeypatch.setattr(trees, "LARGEST_PICTURE", 9)
    with pytest.raises(UnreadableError, match="more than 256 MiB"):
        found.reader.load(2)


def test_the_fingerprint_tells_whether_pictures_changed(tmp_path: Path) -> None:
    before = find_images(written(tmp_path, CLASSES)).fingerprint
    written(tmp_path, {"notes.txt": b"x"})
    assert find_images(tmp_path).fingerprint == before
    os.utime(tmp_path / "cat/0.png", ns=(0, 1))
    assert find_images(tmp_path).fingerprint != before


CSV = b"file_name,label\n0.png,cat\n./1.png,dog\n2.png,dog\n3.png,cat\n"
ANSWERS = {"0.png": "cat", "1.png": "dog", "2.png": "dog", "3.png": "cat"}
PAIRS = [[file, label] for file, label in ANSWERS.items()]
JSON_LINES = b"".join(json.dumps({"file": f, "class": c}).encode() + b"\n" for f, c in PAIRS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", CSV),
        ("metadata.csv", b"\xef\xbb\xbf" + CSV.replace(b",", b";").replace(b"\n", b"\r\n")),
        (
            "Labels.CSV",
            b"id\tCategory\tPath\n" + b"".join(f"9\t{c}\t{f}\n".encode() for f, c in PAIRS),
        ),
        ("metadata.jsonl", JSON_LINES),
        ("dataset.json", json.dumps({"labels": PAIRS}).encode()),
        ("dataset.json", json.dumps({"labels": ANSWERS}).encode()),
        ("dataset.json", json.dumps(PAIRS).encode()),
    ],
)
def test_a_table_gives_labels(tmp_path: Path, name: str, content: bytes) -> None:
    found = find_images(written(tmp_path, {**FLAT, name: content}))
    assert labels_of(found) == ANSWERS
    assert found.kind == f"labels in {name}"
    assert not found.skipped


def test_a_table_may_have_any_name_and_list_files_of_any_ending(tmp_path: Path) -> None:
    written(tmp_path, {"images/a": PICTURE, "images/b": PICTURE, "other/c.png": PICTURE})
    written(tmp_path, {"train.csv": b"image,class\nimages/a,7\nimages/b,10\n"})
    found = find_images(tmp_path / "train.csv")
    assert labels_of(found) == {"images/a": "7", "images/b": "10"}
    assert found.names == ("7", "10")
    assert found.name == "train"


def test_tables_may_lie_in_folders_of_splits(tmp_path: Path) -> None:
    files = {
        f"{split}/{name}": content for split in ("train", "test") for name, content in FLAT.items()
    }
    tables = {"train/metadata.csv": CSV, "test/metadata.jsonl": JSON_LINES}
    found = find_images(written(tmp_path, {**files, **tables}))
    assert splits_of(found) == {name: 2 * name.startswith("test") for name in files}
    assert found.kind == "labels in metadata.jsonl and metadata.csv"


def test_a_table_may_give_splits(tmp_path: Path) -> None:
    table = b"file,label,split\n0.png,a,train\n1.png,b,Train\n2.png,a,val\n3.png,b,test\n"
    found = find_images(written(tmp_path, {**FLAT, "labels.csv": table}))
    assert found.splits.tolist() == [0, 0, 1, 2]
    moved = {f"{('train', 'test')[at % 2]}/{at}.png": PICTURE for at in range(4)}
    rows = "".join(f"{name},{at // 2}\n" for at, name in enumerate(moved))
    found = find_images(
        written(tmp_path / "b", {**moved, "labels.csv": f"file,label\n{rows}".encode()})
    )
    assert found.splits.tolist() == [2, 2, 0, 0]


def test_shards_beside_a_table_are_no_classes(tmp_path: Path) -> None:
    files = {f"{at:05}/img{at:08}.png": PICTURE for at in range(10)}
    table = {"labels": [[name, at % 3] for at, name in enumerate(files)]}
    found = find_images(written(tmp_path, {**files, "dataset.json": json.dumps(table).encode()}))
    assert found.names == ("0", "1", "2")
    assert labels_of(found) == {name: str(label) for name, label in table["labels"]}


def test_files_and_rows_without_each_other_are_skipped(tmp_path: Path) -> None:
    table = CSV + b"gone.png,cat\n.hidden.png,cat\n0.png,cat\n"
    extra = {"labels.csv": table, "9.png": PICTURE, ".hidden.png": PICTURE}
    found = find_images(written(tmp_path, {**FLAT, **extra}))
    assert labels_of(found) == ANSWERS
    assert found.skipped == {
        "hidden": [".hidden.png"],
        "in labels.csv, but missing": ["gone.png"],
        "not in labels.csv": ["9.png"],
    }


def test_a_table_of_other_things_leaves_the_folders_their_say(tmp_path: Path) -> None:
    found = find_images(written(tmp_path, {**CLASSES, "labels.csv": b"ClassId,Name\n0,cat\n"}))
    assert found.names == ("cat", "dog")
    assert found.skipped == {"without columns of files and labels": ["labels.csv"]}
    with pytest.raises(InputError, match=r"columns file_name and label.*\(it has ClassId, Name\)"):
        find_images(written(tmp_path / "flat", {**FLAT, "labels.csv": b"ClassId,Name\n0,cat\n"}))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (CSV + b"0.png,dog\n", "0.png has the labels 'cat' and 'dog' .line 6."),
        (CSV + b"../x.png,dog\n", "line 6 names '../x.png', which is not below"),
        (CSV + b"/x.png,dog\n", "line 6 names '/x.png', which is not below"),
        (CSV + rb"C:\x.png,dog" + b"\n", "line 6 names 'C:.*', which is not below"),
        (CSV + b"0.png,\n", "line 6 has the label ''"),
        (CSV + b",dog\n", "line 6 names no file"),
        (CSV + b"0.png,-1\n", "line 6 has the label '-1'; numbers begin with 0 or 1"),
        (CSV + b"9.png,../x\n0.png", "line 7 has the label None"),
        (CSV.replace(b"dog", b"../x"), "class name '../x' is a path"),
        (CSV.replace(b"dog", b"/x"), "class name '/x' is a path"),
        (CSV.replace(b"dog", b'"a\nb"'), r"class name 'a\\nb' has characters"),
        (CSV.replace(b"dog", b"CAT"), "'CAT' and 'cat', which differ only"),
        (
            CSV.replace(b".png", b".jpg"),
            "none of the 4 files that labels.csv lists exists, such as 0.jpg",
        ),
        (CSV.replace(b"dog", b"d\xf6g"), "not UTF-8"),
        (b"file,label\n", "none of the 0 files"),
        (b"file,label,split\n0.png,a,dev2\n", "line 2 has the split 'dev2'"),
        (b'file,label\n0.png,"' + b"x" * 200_000 + b'"\n', "cannot be read"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, table: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        find_images(written(tmp_path, {**FLAT, "labels.csv": table}))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"labels": null}', "its labels are null"),
        (b'{"labels": [["0.png", [0, 1]]]}', "entry 1 has the label"),
        (b'{"labels": [["0.png"]]}', "entry 1 is not a list"),
        (b'{"labels": [["0.png", true]]}', "entry 1 has the label True"),
        (b'{"labels": [["0.png", 0.5]]}', "entry 1 has the label 0.5"),
        (b'{"labels": [["0.png", NaN]]}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"{}", "needs the columns file_name and label"),
    ],
)
def test_a_dataset_json_that_is_wrong_is_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        find_images(written(tmp_path, {**FLAT, "dataset.json": content}))


def test_a_table_and_a_folder_that_disagree_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{name},{name[:3]}\n" for name in CLASSES)
    agreeing = {**CLASSES, "labels.csv": f"file,label\n{rows}".encode()}
    assert labels_of(find_images(written(tmp_path, agreeing))) == {n: n[:3] for n in CLASSES}
    inside_cat = {f"cat/{path}": content for path, content in {**FLAT, "labels.csv": CSV}.items()}
    found = find_images(written(tmp_path / "root", inside_cat))  # a root is no class
    assert set(labels_of(found).values()) == {"cat", "dog"}
    other = agreeing["labels.csv"].replace(b"dog/1.png,dog", b"dog/1.png,cat")
    with pytest.raises(InputError, match=r"dog/1.png lies in the folder 'dog'.*says 'cat'"):
        find_images(written(tmp_path, {"labels.csv": other}))


def zipped(
    files: Files,
    method: int = zipfile.ZIP_DEFLATED,
    links: Sequence[zipfile.ZipInfo] = (),
    rare: str = "",
) -> bytes:
    """Return a zip archive; `rare` is packed by another method."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for link in links:
            archive.writestr(link, b"0.png")
        if rare:
            archive.writestr(rare, PICTURE, zipfile.ZIP_LZMA)
    return stream.getvalue()


def tarred(files: Files, kinds: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    """Return a tar archive of files, and of members of other kinds."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, kind in kinds.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "cat/0.png"
            archive.addfile(member)
    return stream.getvalue()


ARCHIVES: dict[str, Callable[[Files], bytes]] = {
    "set.zip": zipped,
    "stored.zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "set.tar": tarred,
    "set.tar.gz": lambda files: gzip.compress(tarred(files)),
    "set.tar.bz2": lambda files: bz2.compress(tarred(files)),
    "set.tar.xz": lambda files: lzma.compress(tarred(files)),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_read_like_a_folder(tmp_path: Path, name: str) -> None:
    junk = {"__MACOSX/cat/._0.png": b"x", "top/.hidden": b"x", "top/a.txt": b"x"}
    files = {**junk, **{f"top/{path}": content for path, content in CLASSES.items()}}
    path = tmp_path / name
    path.write_bytes(ARCHIVES[name](files))
    found = find_images(path)
    assert labels_of(found) == {f"top/{path}": path[:3] for path in CLASSES}
    assert found.kind == "a folder for each class, in an archive"
    assert found.name in ("set", "stored")
    assert sorted(found.skipped) == ["hidden", "of the system", "with an unknown ending"]
    assert found.fingerprint == find_images(path).fingerprint
    path.write_bytes(ARCHIVES[name]({**FLAT, "labels.csv": CSV}))
    assert labels_of(find_images(path)) == ANSWERS
    path.write_bytes(ARCHIVES[name](SPLIT))
    assert set(find_images(path).splits.tolist()) == {0, 2}
    assert find_images(path).fingerprint != found.fingerprint


def test_an_archive_may_hold_arrays(tmp_path: Path) -> None:
    stream = io.BytesIO()
    images = np.arange(6 * 8 * 8, dtype=np.uint8).reshape(6, 8, 8)
    np.savez(stream, images=images, labels=[0, 1, 0, 1, 0, 1])
    path = tmp_path / "set.zip"
    path.write_bytes(
        zipped({"data/a.npz": stream.getvalue(), "README": b"x", "sheet.png": PICTURE})
    )
    found = find_images(path)
    assert (found.name, found.path, len(found)) == ("set", path, 6)
    assert np.array_equal(np.asarray(found.reader.load(5)).squeeze(), images[5])


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize(
    "files",
    [
        {"../a/1.png": PICTURE},
        {"a/../../1.png": PICTURE},
        {"/a/1.png": PICTURE},
        {"C:/a/1.png": PICTURE},
    ],
    ids=lambda files: next(iter(files)),
)
def test_an_archive_whose_names_lead_outside_is_refused(
    tmp_path: Path, name: str, files: Files
) -> None:
    path = tmp_path / name
    path.write_bytes(ARCHIVES[name]({**CLASSES, **files}))
    with pytest.raises(InputError, match="leads outside"):
        find_images(path)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_suspicious_or_damaged_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole = (
        tmp_path / name,
        ARCHIVES[name]({**CLASSES, "a/1.png": PICTURE, "./a/1.png": PICTURE}),
    )
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"'a/1\.png' twice"):
        find_images(path)
    sound = ARCHIVES[name](CLASSES)
    path.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(InputError, match=r"cannot be read \(.*\); fetch it or pack it again"):
        find_images(path)
    path.write_bytes(ARCHIVES[name]({**CLASSES, "cat/blank.png": bytes(10**6)}))
    for module in ("archives", "unpacking"):
        monkeypatch.setattr(f"cgan.data.importing.{module}.UNSUSPECTED", 10**5)
    if len(path.read_bytes()) < 10**4:
        with pytest.raises(InputError, match="more than 100 times its size"):
            find_images(path)


def test_what_is_no_file_in_an_archive_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "set.tar"
    kinds = {"cat/l.png": tarfile.SYMTYPE, "cat/h.png": tarfile.LNKTYPE, "p.png": tarfile.FIFOTYPE}
    path.write_bytes(tarred(CLASSES, kinds))
    found = find_images(path)
    assert found.skipped == {
        "linked": ["cat/h.png", "cat/l.png"],
        "neither file nor folder": ["p.png"],
    }
    assert len(labels_of(found)) == 6
    link = zipfile.ZipInfo("cat/l.png")
    link.external_attr = 0o120777 << 16
    path.write_bytes(zipped({**CLASSES, "cat\\w.png": PICTURE}, links=[link], rare="cat/r.png"))
    found = find_images(path)
    assert found.skipped == {"linked": ["cat/l.png"], "packed by a rare method": ["cat/r.png"]}
    assert len(labels_of(found)) == 7


def test_a_zip_whose_list_of_contents_is_untrue_is_refused(tmp_path: Path) -> None:
    path, sound = tmp_path / "set.zip", zipped(CLASSES, zipfile.ZIP_STORED)
    central = sound.index(b"PK\x01\x02")
    second = sound.index(b"PK\x01\x02", central + 1)

    def with_field(at: int, value: bytes) -> FoundImages:
        path.write_bytes(sound[:at] + value + sound[at + len(value) :])
        return find_images(path)

    with pytest.raises(InputError, match="is encrypted; unpack it yourself"):
        with_field(central + 8, b"\x01")
    with pytest.raises(InputError, match=r"files in it overlap"):
        with_field(second + 42, struct.pack("<I", 1))
    with pytest.raises(InputError, match="beyond its end"):
        with_field(central + 20, struct.pack("<I", 10**6))
    for field, value in ((16, b"\0\0"), (24, struct.pack("<I", len(PICTURE) - 1)), (10, b"\x08")):
        found = with_field(central + field, value)
        with pytest.raises(UnreadableError, match="damaged"):
            found.reader.load(0)
        found.reader.load(1)


def test_a_tar_that_is_damaged_inside_is_refused_and_not_read_by_half(tmp_path: Path) -> None:
    path, sound = tmp_path / "set.tar", tarred(CLASSES)
    path.write_bytes(sound[:2048] + b"x" * 512 + sound[2560:])
    with pytest.raises(InputError, match="cut off or damaged at byte 2,048"):
        find_images(path)


def test_a_full_disk_is_told_where_a_compressed_tar_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set.tar.gz").write_bytes(gzip.compress(tarred(CLASSES)))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InputError, match=r"there is no room in .* set TMPDIR"):
        find_images(tmp_path / "set.tar.gz")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", PICTURE, "is a single picture; name the folder"),
        ("a.txt", b"hello", "is of an unknown kind; name a folder of pictures, a zip"),
        ("a.gz", gzip.compress(b"hello", mtime=0), "is of an unknown kind"),
        ("a.csv", b"a,b\n1,2\n", "needs the columns file_name and label"),
        ("a.csv", b"", "is empty or hidden"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "holds no pictures"),
        ("a.zip", b"PK\x03\x04" + bytes(99), "cannot be read"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        find_images(written(tmp_path, {name: content}) / name)


def test_several_arrays_in_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.npz and b\.npz; name one of them"):
        find_images(written(tmp_path, {"a.npz": b"x", "b.npz": b"x"}))


def test_a_list_of_files_takes_little_memory(tmp_path: Path) -> None:
    names = [f"cat/{at:06}.png" for at in range(1000)] + ["dog/1.png"]
    written(tmp_path, {"cat/0.png": PICTURE})
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).hardlink_to(tmp_path / "cat/0.png")
    tracemalloc.start()
    found = find_images(tmp_path)
    taken, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 50 * len(found) < taken < 200 * len(found)
    assert most < 500 * len(found) + 2**20
