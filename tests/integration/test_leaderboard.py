import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import msgspec
import numpy as np
import pandas as pd
import pytest
from chromium import opened
from click.testing import CliRunner
from markupsafe import escape
from playwright.sync_api import Browser

from cgan.cli import main
from cgan.config.schema import EvalConfig, Folders
from cgan.evaluation.evaluate import evaluate
from cgan.io.journal import checksums
from cgan.io.run_layout import SHIPPED_REPORTS
from cgan.metrics.registry import METRICS
from cgan.reporting.comparing.entries import REAL, Entry, board, find_entries, groups
from cgan.reporting.comparing.labels import LONGEST
from cgan.reporting.comparing.leaderboard import (
    leaderboard_facts,
    leaderboard_files,
    leaderboard_text,
    write_leaderboard,
)
from cgan.reporting.comparing.standings import Standings, recipe_standings
from cgan.reporting.page import write_report
from cgan.runtime.errors import InputError

Changes = Callable[[dict], None]


@pytest.fixture(scope="module")
def reports(digits_run: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of three seeds of one recipe and of one run of another; only the first was scored."""
    evaluate("toy", EvalConfig(n_samples=200, gan_train_images=0, device="cpu"), digits_run)
    top = tmp_path_factory.mktemp("compared")

    def another(name: str, seed: int, recipe: str, recall: float, **config: object) -> None:
        copytree(digits_run.reports / "toy", top / name)
        path = top / name / "results.json"
        results = json.loads(path.read_text())
        results |= {"run": name, "recipe": recipe}
        results["metrics"]["recall"]["value"] = recall
        results["provenance"]["config"] |= {"seed": seed, "recipe": recipe, **config}
        path.write_text(json.dumps(results))

    another("a-1", 1, "guided", 0.1)
    another("a-2", 2, "guided", 0.2, checks=7)
    another("a-3", 3, "guided", 0.6)
    another("b", 1, "udacity", 0.4, epochs=9)
    return top


def test_one_row_a_run_stands_under_the_real_images(reports: Path) -> None:
    table = board(find_entries([], reports))
    assert table["run"].tolist() == [REAL, "a-1", "a-2", "a-3", "b"]
    assert table["recall"].tolist()[1:] == pytest.approx([0.1, 0.2, 0.6, 0.4])
    real = json.loads((reports / "b" / "results.json").read_text())["metrics"]["recall"]["real"]
    assert table["recall"][0] == pytest.approx(real)
    assert table["config.seed"].tolist()[1:] == [1, 2, 3, 1]
    assert set(METRICS) <= set(table.columns)


def test_the_seeds_of_a_recipe_are_one_group_with_mean_and_spread(reports: Path) -> None:
    table = groups(find_entries([], reports)).set_index("recipe")
    assert table["n"].to_dict() == {"guided": 3, "udacity": 1}
    assert table.loc["guided", "recall"] == pytest.approx(0.3)
    assert table.loc["guided", "recall_spread"] == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1))
    assert table["recall_spread"].isna().tolist() == [False, True]


def test_runs_of_a_recipe_with_other_settings_are_named_by_them(
    reports: Path, tmp_path: Path
) -> None:
    copytree(reports, tmp_path / "reports")
    path = tmp_path / "reports" / "a-3" / "results.json"
    results = json.loads(path.read_text())
    results["provenance"]["config"]["d_every"] = 2
    path.write_text(json.dumps(results))
    table = groups(find_entries(["a-1", "a-2", "a-3"], tmp_path / "reports"))
    assert table["recipe"].tolist() == ["guided, d_every 1", "guided, d_every 2"]
    assert table["n"].tolist() == [2, 1]


def test_a_terminal_shows_chosen_runs_in_80_columns(reports: Path) -> None:
    entries = find_entries(["b", str(reports / "a-2")], reports)
    assert [entry.results.run for entry in entries] == ["b", "a-2"]
    text = leaderboard_text(entries)
    assert text.index(REAL) < text.index("udacity") < text.index("guided")
    assert max(map(len, text.splitlines())) < 80
    *blocks, notes = text.split("\n\n")
    assert len(blocks) > 1
    assert all(f"{REAL} " in block for block in blocks)  # each is read alone
    assert notes.startswith("Best first, by FCD.")


def test_scores_on_several_data_sets_are_not_mixed(reports: Path, tmp_path: Path) -> None:
    copytree(reports, tmp_path / "reports")
    path = tmp_path / "reports" / "b" / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dataset": "mnist"}))
    with pytest.raises(InputError, match=r"digits, mnist.*--dataset"):
        find_entries([], tmp_path / "reports")
    (entry,) = find_entries([], tmp_path / "reports", "mnist")
    assert entry.results.run == "b"
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        find_entries([], tmp_path / "reports", "mnits")


def set_metrics(**values: float) -> Changes:
    """Return a change of metrics' values."""

    def change(results: dict) -> None:
        for name, value in values.items():
            results["metrics"][name]["value"] = value

    return change


def first_standings(entries: list[Entry]) -> Standings:
    """Return the table of recipes."""
    strips = [entry.strip for entry in entries]
    return recipe_standings(groups(entries), board(entries).iloc[0], "digit", strips)


def page_without_curves(entries: list[Entry], folder: Path) -> str:
    """Return the page without what takes a second to draw."""
    short = [replace(entry, history=None) for entry in entries]
    return leaderboard_files(short, folder)["leaderboard.html"].decode()


def test_recipes_are_sorted_by_fcd_and_the_page_says_so(reports: Path, tmp_path: Path) -> None:
    top = changed(reports, tmp_path, "b", set_metrics(fcd=0.001))
    entries = find_entries([], top)
    table = first_standings(entries)
    assert [row[0].text for row in table.rows] == ["udacity", "guided"]
    assert table.orders[table.heads.index("FCD ↓")] == "ascending"
    assert sum(map(bool, table.orders)) == 1
    assert "Best first, sorted by FCD." in page_without_curves(entries, top)
    assert leaderboard_facts(entries)["runs"][0]["name"] == "b"


def test_without_fcd_the_first_metric_that_all_have_decides(reports: Path, tmp_path: Path) -> None:
    def change(results: dict) -> None:
        del results["metrics"]["fcd"], results["metrics"]["guide_accuracy"]
        results["metrics"]["judge_accuracy"]["value"] = 1.0

    entries = find_entries([], changed(reports, tmp_path, "b", change))
    assert leaderboard_facts(entries)["sorted_by"] == "judge_accuracy"
    assert [row[0].text for row in first_standings(entries).rows] == ["udacity", "guided"]


def test_the_best_of_each_column_is_marked_by_its_direction(reports: Path, tmp_path: Path) -> None:
    real = json.loads((reports / "b/results.json").read_text())["metrics"]
    far, near = (real["copying_z"]["real"] + by for by in (50.0, 0.0))
    top = changed(reports, tmp_path, "b", set_metrics(fcd=99.0, recall=0.99, copying_z=near))
    for run in ("a-1", "a-2", "a-3"):
        change_file(top / run, set_metrics(fcd=1.0, copying_z=far))
    entries = find_entries([], top)
    table = first_standings(entries)
    best = {
        head: [row[0].text for row in table.rows if row[i].best]
        for i, head in enumerate(table.heads)
    }
    assert best["FCD ↓"] == ["guided"]
    assert best["recall ↑"] == ["udacity"]
    assert best["copying (z) ≈"] == ["udacity"]
    assert best["coverage ↑"] == []  # all are the same
    assert 'class="best">99.0% ★</td>' in page_without_curves(entries, top)


def test_samples_and_warnings_of_each_recipe_are_shown(reports: Path, tmp_path: Path) -> None:
    def warn(results: dict) -> None:
        results["warnings"] = [{"kind": "guide_gap", "message": "It is fitted to its guide."}]

    def calm(results: dict) -> None:
        results["warnings"] = []

    top = changed(reports, tmp_path, "a-2", warn)
    for run in ("a-1", "a-3", "b"):
        change_file(top / run, calm)
    entries = find_entries([], top)
    table = first_standings(entries)
    by_name = {row[0].text: row for row in table.rows}
    samples, warnings = table.heads.index("samples"), table.heads.index("warnings")
    assert by_name["guided"][warnings].text == "guide gap 1 of 3"
    assert by_name["udacity"][warnings].text == "none"
    strip = by_name["guided"][samples].strip
    assert strip is not None
    assert [cell.label for cell in strip.cells] == list(range(10))
    assert strip.width > 9 * strip.height
    assert "WARNING: guided: guide gap 1 of 3" in leaderboard_text(entries)


def test_labels_stay_short_and_what_they_leave_out_is_listed(reports: Path, tmp_path: Path) -> None:
    def change(results: dict) -> None:
        config = results["provenance"]["config"]
        config |= {"d_every": 2, "penalty": "r1", "penalty_weight": 0.5, "g_lr": 0.1, "d_lr": 0.1}

    entries = find_entries([], changed(reports, tmp_path, "a-3", change))
    table = groups(entries).set_index("recipe")
    assert sorted(table.index) == ["guided 1", "guided 2", "udacity"]
    told = str(table.loc["guided 2", "apart"])
    assert "penalty r1, penalty_weight 0.5, lr 0.1, d_every 2" in told
    assert table.loc["udacity", "apart"] == ""
    assert told in write_leaderboard(entries, tmp_path).read_text()
    (tmp_path / "again").mkdir()
    long = find_entries(
        [], changed(reports, tmp_path / "again", "b", lambda r: r.update(recipe="x" * 199))
    )
    assert max(map(len, groups(long)["recipe"])) <= LONGEST


def test_other_programs_get_runs_and_recipes_and_the_pages_go_to_a_folder_of_choice(
    reports: Path, tmp_path: Path
) -> None:
    words = ["compare", "--json", "--reports-dir", str(reports), "-o", str(tmp_path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert checksums(tmp_path).keys() == {f"leaderboard.{end}" for end in ("html", "csv", "svg")}
    facts = json.loads(done.stdout)
    assert facts["page"] == str(tmp_path / "leaderboard.html")
    seeds = {run["name"]: run["seed"] for run in facts["runs"]}
    assert seeds == {"a-1": 1, "a-2": 2, "a-3": 3, "b": 1}
    assert facts["runs"][0]["metrics"]["fcd"].keys() >= {"value", "low", "high", "real", "n"}
    (guided,) = [recipe for recipe in facts["recipes"] if recipe["label"] == "guided"]
    assert guided["n"] == 3
    assert guided["metrics"]["recall"]["mean"] == pytest.approx(0.3)
    assert guided["metrics"]["recall"]["spread"] == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1))


def test_no_page_goes_to_the_shipped_reports(reports: Path) -> None:
    before = sorted(SHIPPED_REPORTS.rglob("*"))
    for folder in (SHIPPED_REPORTS, SHIPPED_REPORTS / "mnist"):
        words = ["compare", "--reports-dir", str(reports), "-o", str(folder)]
        refused = CliRunner().invoke(main, words)
        assert refused.exit_code == 2
        assert "come with cgan; choose another folder with --out" in refused.output
    assert sorted(SHIPPED_REPORTS.rglob("*")) == before


def changed(reports: Path, top: Path, run: str, change: Changes) -> Path:
    """Return a copy of the reports in which the results of one run are changed."""
    copytree(reports, top / "reports")
    change_file(top / "reports" / run, change)
    return top / "reports"


def change_file(folder: Path, change: Changes) -> None:
    """Change the results of a report."""
    path = folder / "results.json"
    results = json.loads(path.read_text())
    change(results)
    path.write_text(json.dumps(results))


def test_scores_of_fewer_images_or_by_another_judge_are_a_group_of_their_own(
    reports: Path, tmp_path: Path
) -> None:
    fewer = changed(reports, tmp_path, "a-3", lambda r: r.update(n_samples=100))
    table = groups(find_entries(["a-1", "a-2", "a-3"], fewer))
    assert table["recipe"].tolist() == ["guided, 200 images", "guided, 100 images"]
    (tmp_path / "again").mkdir()
    other = changed(reports, tmp_path / "again", "a-3", lambda r: r["judge"].update(name="x"))
    table = groups(find_entries(["a-1", "a-3"], other))
    assert table["recipe"].tolist() == ["guided, judge digits-judge", "guided, judge x"]


def test_a_run_scored_twice_counts_once(reports: Path) -> None:
    table = groups(find_entries(["a-1", "a-1", "a-2"], reports))
    assert table["n"].tolist() == [2]


def test_a_config_of_before_a_field_was_has_its_default(reports: Path, tmp_path: Path) -> None:
    def forget(results: dict) -> None:
        for field in ("noise", "paced", "delta_alpha"):
            del results["provenance"]["config"][field]

    table = groups(find_entries(["a-1", "a-2", "a-3"], changed(reports, tmp_path, "a-2", forget)))
    assert table["recipe"].tolist() == ["guided"]


def test_images_without_a_config_stand_under_their_own_name(reports: Path, tmp_path: Path) -> None:
    def from_elsewhere(results: dict) -> None:
        results["provenance"]["config"], results["recipe"] = None, None

    entries = find_entries([], changed(reports, tmp_path, "b", from_elsewhere))
    assert groups(entries)["recipe"].tolist() == ["guided", "b"]


def test_a_long_seed_is_shown_whole(reports: Path, tmp_path: Path) -> None:
    def reseed(results: dict) -> None:
        results["provenance"]["config"]["seed"] = 20_240_101

    top = changed(reports, tmp_path, "b", reseed)
    assert "20240101" in page_without_curves(find_entries([], top), top)


def test_a_report_that_cannot_be_read_is_left_out_unless_it_is_named(
    reports: Path, tmp_path: Path
) -> None:
    top = changed(reports, tmp_path, "b", lambda results: results.pop("metrics"))
    said: list[str] = []
    entries = find_entries([], top, say=said.append)
    assert [entry.results.run for entry in entries] == ["a-1", "a-2", "a-3"]
    assert len(said) == 1
    assert "lacks 'metrics'" in said[0]
    with pytest.raises(InputError, match="lacks 'metrics'"):
        find_entries(["b"], top)


def test_no_report_and_a_misspelt_one_are_told(reports: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cgan evaluate"):
        find_entries([], tmp_path)
    with pytest.raises(InputError, match="did you mean 'a-"):
        find_entries(["a_1"], reports)


def test_page_table_and_curves_are_written(reports: Path) -> None:
    page = write_leaderboard(find_entries([], reports), reports)
    table = pd.read_csv(reports / "leaderboard.csv")
    assert table["run"].tolist() == [REAL, "a-1", "a-2", "a-3", "b"]
    assert (reports / "leaderboard.svg").read_text().count("<svg") == 1
    text = page.read_text()
    assert "30.0%" in text  # the mean recall of the three
    assert text.count("<table") == 2
    assert text.count("<svg") == 1
    assert "<img" in text
    assert "https:" not in text
    assert text.count("http:") == text.count("http://www.w3.org/")  # the names of SVG's own


def test_without_histories_there_are_no_curves(reports: Path, tmp_path: Path) -> None:
    copytree(reports, tmp_path / "reports")
    for path in (tmp_path / "reports").glob("*/history.csv"):
        path.unlink()
    page = write_leaderboard(find_entries([], tmp_path / "reports"), tmp_path / "reports")
    assert "<svg" not in page.read_text()
    assert not (tmp_path / "reports" / "leaderboard.svg").exists()


def test_the_picture_that_an_earlier_version_drew_is_removed(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "leaderboard.png").write_bytes(b"of version 0.1")
    (tmp_path / "own.png").write_bytes(b"of somebody")
    write_leaderboard(find_entries([], reports), tmp_path)
    assert not (tmp_path / "leaderboard.png").exists()
    assert (tmp_path / "own.png").exists()


def test_names_are_escaped(reports: Path, tmp_path: Path) -> None:
    copytree(reports, tmp_path / "reports")
    path = tmp_path / "reports" / "b" / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run": "<script>x</script>"}))
    text = page_without_curves(find_entries([], tmp_path / "reports"), tmp_path / "reports")
    assert "<script>x" not in text
    assert "&lt;script&gt;x" in text


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_click_on_a_title_sorts_and_another_turns_the_order(
    reports: Path, browser: Browser, by: str
) -> None:
    with opened(browser, write_leaderboard(find_entries([], reports), reports)) as visit:
        table = visit.page.locator("table.sortable").first
        head = table.locator("thead th", has_text="recall")
        button = head.get_by_role("button")
        for order, rows in (
            ("descending", [REAL, "udacity", "guided"]),
            ("ascending", [REAL, "guided", "udacity"]),
        ):
            button.press("Enter") if by == "keyboard" else button.click()
            assert head.get_attribute("aria-sort") == order
            assert table.locator("tbody th").all_text_contents() == rows


@pytest.mark.parametrize(
    ("gone", "drawn"),
    [(["judge_accuracy"], True), (["judge_accuracy", "d_error", "fcd", "coverage"], False)],
)
def test_histories_without_a_column_draw_the_others(
    gone: list[str], drawn: bool, reports: Path, tmp_path: Path
) -> None:
    copytree(reports, tmp_path / "reports")
    for path in (tmp_path / "reports").glob("*/history.csv"):
        pd.read_csv(path).drop(columns=gone).to_csv(path, index=False)
    write_leaderboard(find_entries([], tmp_path / "reports"), tmp_path / "reports")
    assert (tmp_path / "reports" / "leaderboard.svg").is_file() == drawn


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "$x$ $", "$\\frac{", "_hidden", "%s"]
)
def test_no_name_in_a_file_becomes_a_part_of_the_leaderboard(
    reports: Path, tmp_path: Path, name: str
) -> None:
    def rename(results: dict) -> None:
        results.update(run=name, recipe=name)
        results["judge"]["name"] = name
        results["provenance"]["config"] |= {name: name, "lr": name}

    entries = find_entries([], changed(reports, tmp_path, "b", rename))
    text = write_leaderboard(entries, tmp_path / "reports").read_text()
    assert "alert(1)</script>" not in text
    assert str(escape(name)) in text
    assert name in leaderboard_text(entries)


def test_the_largest_seed_is_shown_as_it_is(reports: Path, tmp_path: Path) -> None:
    largest = 2**63 - 1

    def seed(results: dict) -> None:
        results.update(n_samples=largest, seed=largest)
        results["provenance"]["config"]["seed"] = largest

    table = board(find_entries([], changed(reports, tmp_path, "b", seed)))
    for column in ("seed", "config.seed", "n_samples"):
        assert table[column].tolist()[-1] == largest


def test_no_cell_of_a_table_begins_as_a_formula(tmp_path: Path) -> None:
    reports = copytree(SHIPPED_REPORTS / "digits", tmp_path / "reports/digits").parent
    change_file(reports / "digits", set_metrics(copying_z=-2.5))
    change_file(reports / "digits", lambda r: r["timing"].update({"x" * 9: 1.0}))
    change_file(reports / "digits", lambda r: r["provenance"].update(version="0"))
    write_report(reports / "digits")
    entries = find_entries([], reports)
    entry = replace(entries[0], results=msgspec.structs.replace(entries[0].results, run="=x!A1"))
    write_leaderboard([entry], reports)
    tables = [*reports.rglob("*.csv")]
    assert {"leaderboard.csv", "metrics.csv", "cost.csv"} <= {path.name for path in tables}
    cells = {cell for path in tables for row in csv.reader(path.open()) for cell in row}
    assert "'=x!A1" in cells
    assert "-2.5" in cells
    for cell in cells:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or float(cell) < 0
