"""Parquet files with pictures and labels, as Hugging Face's data sets have them."""

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cgan.data.formats.parquet import NO_LABEL, parquet_images
from cgan.data.importing.class_names import plain_name
from cgan.data.importing.found import NOT_GIVEN, UnreadableError
from cgan.runtime.errors import InputError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

FEATURES = {"image": {"_type": "Image"}, "label": {"names": ["owl", "cat"], "_type": "ClassLabel"}}
HUGGING_FACE = {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()}


def picture(level: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.full((4, 5, 3), level, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


PICTURES = [picture(level) for level in range(200)]


def write(path: Path, columns: dict[str, Any], metadata: Any = None, group: int = 50) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns).replace_schema_metadata(metadata)
    pq.write_table(table, path, row_group_size=group)
    return path


def structs(levels: range) -> list[dict[str, Any]]:
    return [{"bytes": PICTURES[level], "path": f"{level}.png"} for level in levels]


def level_of(reader: Any, index: int) -> int:
    return int(np.asarray(reader.load(index)).max())


def test_shards_of_hugging_face_are_joined_and_keep_their_splits(tmp_path: Path) -> None:
    parts = {
        "data/test-00000-of-00001": range(150, 200),
        "data/train-00000-of-00002": range(0, 90),
        "data/train-00001-of-00002": range(90, 150),
    }
    for name, levels in parts.items():
        labels = [level % 2 for level in levels]
        columns = {"image": structs(levels), "label": labels}
        write(tmp_path / f"{name}.parquet", columns, HUGGING_FACE)
    found = parquet_images(tmp_path / "data")
    assert found.name == plain_name(tmp_path)
    assert found.names == ("owl", "cat")  # in the order of their labels
    assert found.splits.tolist() == [2] * 50 + [0] * 150
    order = [*range(150, 200), *range(150)]
    assert found.labels.tolist() == [level % 2 for level in order]
    assert [level_of(found.reader, index) for index in range(200)] == order
    for index in np.random.default_rng(0).permutation(200)[:20].tolist():
        assert level_of(found.reader, index) == order[index]
    assert found.reader.place(51) == "row 1 of train-00000-of-00002.parquet"


def test_columns_of_bytes_and_words_are_taken_too(tmp_path: Path) -> None:
    words = pa.array(["b", "a"] * 5).dictionary_encode()
    columns = {"id": list(range(10)), "photo": PICTURES[:10], "animal": words}
    with pytest.raises(InputError, match=r"no column of labels that is clear.*animal \(dict"):
        parquet_images(write(tmp_path / "a.parquet", columns))
    del columns["id"]
    found = parquet_images(write(tmp_path / "a.parquet", columns))
    assert (found.names, found.labels.tolist()) == (("a", "b"), [1, 0] * 5)
    assert found.splits.tolist() == [NOT_GIVEN] * 10
    assert level_of(found.reader, 7) == 7


def test_rows_without_a_label_are_skipped_and_pictures_that_are_none_reported(
    tmp_path: Path,
) -> None:
    pictures = [PICTURES[0], PICTURES[1], None, b"no picture", PICTURES[4], PICTURES[5]]
    columns = {"image": pictures, "label": [0, None, 1, 0, -1, 1]}
    found = parquet_images(write(tmp_path / "a.parquet", columns, group=2))
    assert found.skipped == {NO_LABEL: ["row 1 of a.parquet", "row 4 of a.parquet"]}
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert [level_of(found.reader, index) for index in (0, 3)] == [0, 5]
    for index, reason in ((1, "not in the file"), (2, "no picture of a known format")):
        with pytest.raises(UnreadableError, match=reason):
            found.reader.load(index)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no images": ({"text": ["a", "b"], "label": [0, 1]}, "no column of images that is clear"),
    "several labels": ({"image": PICTURES[:2], "label": [[0], [1]]}, "no column of labels"),
    "no label": ({"image": PICTURES[:2], "label": pa.array([None, None], pa.int64())}, "no labels"),
}


@pytest.mark.parametrize(("columns", "message"), WRONG.values(), ids=WRONG)
def test_other_columns_are_refused_in_a_line(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parquet_images(write(tmp_path / "a.parquet", columns))
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"image": PICTURES[:2], "label": [0, 1]})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a.parquet is damaged or cannot be read") as caught:
        parquet_images(path)
    assert "\n" not in str(caught.value)


def test_without_pyarrow_it_is_told_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.parquet", {"image": PICTURES[:2], "label": [0, 1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="run: pip install pyarrow"):
        parquet_images(path)
