"""Two reports side by side: the page, the table for a terminal, and the command."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner
from markupsafe import escape

from cgan.cli import main
from cgan.io.journal import checksums
from cgan.io.run_layout import PLAIN_NAME, SHIPPED_REPORTS
from cgan.reporting.comparing.entries import Entry, named_entries
from cgan.reporting.comparing.side_by_side import (
    OVERLAP,
    UNKNOWN,
    metric_rows,
    page_name,
    run_names,
    side_by_side_text,
    write_side_by_side,
)
from cgan.runtime.progress import WIDTH


def edit(folder: Path, change: Callable[[dict], None]) -> None:
    """Change the results of a report."""
    path = folder / "results.json"
    results = json.loads(path.read_text())
    change(results)
    path.write_text(json.dumps(results))


def renamed(name: str) -> Callable[[dict], None]:
    """Return a change of a run's name."""
    return lambda results: results.update(run=name)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with two reports of the same images, one training under two names."""
    for name in ("first", "second"):
        copytree(SHIPPED_REPORTS / "digits", tmp_path / name, ignore=lambda *_: ["latent"])
        edit(tmp_path / name, renamed(name))
    return tmp_path


def pair_of(top: Path, *names: str) -> tuple[Entry, Entry]:
    first, second = named_entries(names or ("first", "second"), top)
    return first, second


def test_the_command_writes_a_page_and_prints_a_table_of_both(two: Path) -> None:
    done = CliRunner().invoke(main, ["compare", "first", "second", "--reports-dir", str(two)])
    assert done.exit_code == 0, done.output
    page = two / "compare-first+second.html"
    assert done.output.endswith(f"side by side: {page}\n")
    assert not (two / "leaderboard.html").exists()
    assert checksums(two).keys() == {page.name, "index.html"}
    assert page.name in (two / "index.html").read_text()
    assert max(len(line) for line in done.output.splitlines()[:-1]) <= WIDTH
    for word in ("metric", "first", "second", "real images", "judge accuracy"):
        assert word in done.output
    text = page.read_text()
    assert text.count("<svg") == 1
    for word in ("Narrow", "Is it varied?", "FCD", "None that is known"):
        assert word in text
    assert text.count("<img") == 20  # the rows of ten classes of each
    assert "https:" not in text
    with_board = ["compare", "first", "second", "--leaderboard", "--reports-dir", str(two)]
    assert "leaderboard: " in CliRunner().invoke(main, with_board).output


def test_a_row_says_whether_intervals_overlap_and_not_which_is_better(two: Path) -> None:
    def change(results: dict) -> None:
        metrics = results["metrics"]
        metrics["recall"] |= {"value": 0.5, "low": 0.4, "high": 0.6}
        metrics["coverage"]["low"] = None
        del metrics["ndb"]

    edit(two / "second", change)
    rows = {row.title.split()[0]: row for row in metric_rows(pair_of(two))}
    assert rows["FCD"].said == OVERLAP
    assert rows["recall"].said == "first is higher"
    assert rows["coverage"].said == UNKNOWN
    assert rows["different"].values[1] == "-"
    assert rows["different"].said == ""
    assert "better" not in " ".join(row.said for row in rows.values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.update(dataset="other"), "several data sets (digits, other)"),
        (lambda r: r["judge"].update(name="other"), "several judges (digits-judge, other)"),
        (
            lambda r: r["provenance"].update(judge_sha256="0" * 64),
            "several versions of the judge digits-judge",
        ),
        (lambda r: r.update(n_samples=77), "different numbers of images (77, 10,000)"),
    ],
    ids=["data set", "judge", "weights of the judge", "N"],
)
def test_what_is_not_comparable_is_shown_with_the_reason(
    change: Callable[[dict], None], reason: str, two: Path
) -> None:
    edit(two / "second", change)
    pair = pair_of(two)
    assert {row.said for row in metric_rows(pair)} == {"not comparable"}
    assert side_by_side_text(pair).startswith("not comparable: ")
    assert reason in " ".join(side_by_side_text(pair).split())
    text = write_side_by_side(pair, two / "pages").read_text()
    assert f"<strong>Not comparable:</strong> {reason}" in text


def test_settings_that_differ_are_listed_and_others_are_not(two: Path) -> None:
    edit(two / "second", lambda results: results["provenance"]["config"].update(d_every=7))
    text = write_side_by_side(pair_of(two), two).read_text()
    settings = text.partition("Settings that differ</h2>")[2]
    assert '<th scope="row">d every</th><td>1</td><td>7</td>' in settings
    assert "batch size" not in settings
    edit(two / "first", lambda results: results["provenance"].update(config=None))
    text = write_side_by_side(pair_of(two), two).read_text()
    assert "The settings of the training of first are not known." in text
    assert "d every" not in text


def test_no_name_becomes_a_part_of_the_page_or_leaves_its_folder(two: Path) -> None:
    name = "<script>../../../x</script>$x$"
    edit(two / "second", renamed(name))
    pair = pair_of(two)
    assert PLAIN_NAME.fullmatch(page_name(pair).replace("+", "-"))
    page = write_side_by_side(pair, two / "pages")
    assert page.parent == two / "pages"
    assert name not in page.read_text()
    assert str(escape(name)) in page.read_text()
    assert page_name((pair[0], pair[0])) == "compare-first+first.html"


def test_runs_of_one_name_are_told_apart(two: Path) -> None:
    edit(two / "second", renamed("first"))
    assert run_names(pair_of(two)) == ("first", "second")  # the names of their folders
    assert run_names(pair_of(two, "first", "first")) == ("first (1)", "first (2)")


def test_long_names_leave_the_terminal_its_width(two: Path) -> None:
    for folder in ("first", "second"):
        edit(two / folder, renamed(folder + "x" * 150))
    lines = side_by_side_text(pair_of(two)).splitlines()
    assert max(map(len, lines)) <= WIDTH


def test_without_histories_and_pictures_the_rest_is_shown(two: Path) -> None:
    for folder in ("first", "second"):
        (two / folder / "history.csv").unlink()
        (two / folder / "samples.png").unlink()
    text = write_side_by_side(pair_of(two), two).read_text()
    assert "<svg" not in text
    assert "<img" not in text
    assert "Is it varied?" in text
