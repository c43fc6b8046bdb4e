"""The home page of a folder of reports."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from cgan.cli import main
from cgan.cli.report import renew_home
from cgan.io.run_layout import SHIPPED_REPORTS
from cgan.reporting.home import find_summaries, write_home
from cgan.runtime.errors import InputError


def copied(name: str, folder: Path) -> None:
    """Copy what the home page reads of a shipped report."""
    folder.mkdir(parents=True)
    for file in ("results.json", "samples.png", "history.csv", "index.html"):
        (folder / file).write_bytes((SHIPPED_REPORTS / name / file).read_bytes())


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Two reports, the second of them newer."""
    for age, name in ((1000, "mnist"), (0, "digits")):
        copied(name, tmp_path / name)
        when = time.time() - age
        os.utime(tmp_path / name / "results.json", (when, when))
    return tmp_path


def test_every_report_is_listed_the_newest_first(reports: Path) -> None:
    page = write_home(reports)
    assert page == reports / "index.html"
    text = page.read_text()
    assert text.index('href="digits/index.html"') < text.index('href="mnist/index.html"')
    assert text.count("<img") == 2
    found = {report.name: report for report in find_summaries(reports)}
    assert found["digits"].verdict == "Narrow"
    assert found["mnist"].verdict == "Good"
    assert found["mnist"].n_samples == 10_000
    for said in ("Narrow", found["mnist"].judge_accuracy, found["mnist"].fcd, "10,000"):
        assert f">{said}<" in text
    assert "https:" not in text
    assert "leaderboard" not in text


def test_a_damaged_report_is_listed_with_its_reason(reports: Path) -> None:
    (reports / "broken").mkdir()
    (reports / "broken/results.json").write_text("{")
    (reports / "digits/samples.png").write_bytes((reports / "mnist/results.json").read_bytes())
    listed = {report.name: report.reason for report in find_summaries(reports)}
    assert listed["mnist"] == ""
    assert listed["broken"].startswith("results.json cannot be read")
    assert listed["digits"].startswith("samples.png is neither PNG nor GIF")
    page = write_home(reports)
    assert page is not None
    text = page.read_text()
    assert text.count("Cannot be read:") == 2
    assert str(reports) not in text


def test_pages_of_several_reports_are_linked(reports: Path) -> None:
    for name in ("leaderboard.html", "compare-mnist+digits.html"):
        (reports / name).write_text("x")
    page = write_home(reports)
    assert page is not None
    text = page.read_text()
    assert '<a href="leaderboard.html">leaderboard</a>' in text
    assert '<a href="compare-mnist+digits.html">mnist+digits</a>' in text


def test_names_are_escaped(reports: Path) -> None:
    copied("mnist", reports / "<b>&'")
    page = write_home(reports)
    assert page is not None
    assert "<b>" not in page.read_text()
    assert "&lt;b&gt;" in page.read_text()


def test_nothing_is_written_where_nothing_is_to_be_listed_or_which_is_not_ours(
    reports: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert write_home(tmp_path / "empty") is None
    assert write_home(tmp_path / "nowhere") is None
    assert list((tmp_path / "empty").iterdir()) == []
    assert write_home(SHIPPED_REPORTS) is None
    assert not (SHIPPED_REPORTS / "index.html").exists()
    (reports / "index.html").write_text("a page of somebody")
    with pytest.raises(InputError, match="is not a page of cgan"):
        write_home(reports)
    assert (reports / "index.html").read_text() == "a page of somebody"


def test_all_reports_are_drawn_again_and_one_that_cannot_be_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def show(address: str) -> bool:
        shown.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", show)
    copytree(SHIPPED_REPORTS / "digits", tmp_path / "one", ignore=lambda *_: ["latent"])
    (tmp_path / "one/index.html").unlink()
    words = ["report", "--all", "--reports-dir", str(tmp_path)]
    done = CliRunner().invoke(main, [*words, "--open"])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"all reports: {tmp_path / 'index.html'}\n")
    assert (tmp_path / "one/index.html").is_file()
    assert shown == [(tmp_path / "index.html").resolve().as_uri()]
    (tmp_path / "two").mkdir()
    (tmp_path / "two/results.json").write_text("{}")
    (tmp_path / "one/results.json").write_text("{}")
    failed = CliRunner().invoke(main, words)
    assert failed.exit_code == 2
    assert "one, two could not be drawn again" in failed.output
    assert (tmp_path / "index.html").read_text().count("Cannot be read:") == 2


def test_a_home_page_that_cannot_be_written_fails_no_command(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (reports / "index.html").write_text("a page of somebody")
    renew_home(reports)
    assert "without a home page" in capsys.readouterr().err


def test_it_is_written_fast_and_without_matplotlib(tmp_path: Path) -> None:
    results = json.loads((SHIPPED_REPORTS / "digits/results.json").read_text())
    for i in range(30):
        copied("digits", tmp_path / f"run-{i}")
        (tmp_path / f"run-{i}/results.json").write_text(json.dumps(results | {"run": f"run-{i}"}))
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom cgan.reporting.home import write_home\n"
        f"begun = time.process_time()\nwrite_home(Path({str(tmp_path)!r}))\n"
        "print(time.process_time() - begun)\nsys.exit('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 0 < float(done.stdout) < 1.5  # 0.25 s where nothing else runs
