import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from cgan.runtime.errors import InputError

sys.path.insert(0, str(REPOSITORY))

from scripts.pages import markdown, rewrite


def test_a_table_goes_between_the_marks_of_a_page_and_nothing_else_moves(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- cost -->\nold\n<!-- end of cost -->\nbelow\n")
    for text in ("new", r"\1 is no group"):
        rewrite(page, "cost", text)
        wanted = f"above\n<!-- cost -->\n{text}\n<!-- end of cost -->\nbelow\n"
        assert page.read_text() == wanted


def test_a_page_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- cost --> and no end")
    with pytest.raises(InputError, match="lacks the lines <!-- cost -->"):
        rewrite(page, "cost", "new")
    assert page.read_text() == "<!-- cost --> and no end"


def test_a_table_has_a_line_under_its_heads() -> None:
    assert markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
