"""steps.csv: a row every log interval."""

import pytest

from cgan.training.step_log import COLUMNS, HEADER, StepTable


def table_of(*images: int) -> StepTable:
    table = StepTable()
    for n in images:
        table.add(n // 10, n / 100, n, {"d_loss": 1 / 3, "g_gradient": 1e-9}, n / 7)
    return table


def test_a_table_that_is_read_is_the_one_that_was_written() -> None:
    content = table_of(10, 20, 30).to_bytes()
    header, *rows = content.decode().splitlines()
    assert header == HEADER == ",".join(COLUMNS)
    assert rows[1] == "2,0.2,20,0.333333,,,,,,,,,1e-09,2.857"
    again = StepTable()
    again.read(content)
    assert again.to_bytes() == content
    assert len(again) == 3
    assert StepTable().to_bytes().decode() == HEADER + "\n"


def test_a_training_that_goes_back_leaves_no_later_row() -> None:
    table = table_of(10, 20, 30)
    table.cut(20)
    assert table.to_bytes() == table_of(10, 20).to_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"step,epoch\n1,2\n",
        HEADER.encode() + b"\n1,2,3\n",
        HEADER.encode() + b"\n" + b",".join([b"x"] * len(COLUMNS)) + b"\n",
        HEADER.encode() + b"\n" + b",".join([b"nan"] * len(COLUMNS)) + b"\n",
        HEADER.encode() + b"\n" + b"," * (len(COLUMNS) - 1) + b"\n",
    ],
)
def test_a_malformed_table_is_refused_whole(content: bytes) -> None:
    table = table_of(10)
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        table.read(content)
    assert len(table) == 1
