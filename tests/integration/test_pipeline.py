"""cgan run: every stage in a row, each done once; what was interrupted goes on."""

import dataclasses
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from toys import TOY

from cgan.api import pipeline
from cgan.api.pipeline import carry_out
from cgan.api.plan import Plan, make_plan
from cgan.config.schema import Folders
from cgan.io.run_layout import epochs_trained
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

pytestmark = pytest.mark.usefixtures("toy_data", "few_training_images")


class Lines(Progress):
    """Keeps the lines that would be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    @property
    def stages(self) -> list[str]:
        """The lines that begin a stage."""
        return [line for line in self.lines if line[1:3] == "/4"]


def plan(folders: Folders, **flags: Any) -> Plan:
    """Return a plan of seconds for toy images."""
    small: dict[str, Any] = {"epochs": 2, "batch_size": 48, "precision": "fp32"}
    small |= {"g_lr": 1e-3, "d_lr": 1e-3}
    row = {**small, "n_samples": 150, **flags}
    made = make_plan(TOY, folders, device="cpu", quick=True, **row)
    quick = dataclasses.replace(made.guide, epochs=2, batch_size=48, precision="fp32", max_shift=0)
    return dataclasses.replace(made, guide=quick)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folders, Lines]:
    """Folders in which everything was carried out once, and what was said."""
    top = tmp_path_factory.mktemp("pipeline")
    folders = Folders(top / "data", top / "weights", top / "reports")
    said = Lines()
    carry_out(plan(folders), folders, said)
    return folders, said


def files(folders: Folders) -> dict[Path, int]:
    """Return the time of change of every file of the runs."""
    return {path: path.stat().st_mtime_ns for path in folders.weights.rglob("*") if path.is_file()}


def test_all_stages_are_said_in_their_order_and_end_in_a_report(
    done: tuple[Folders, Lines],
) -> None:
    folders, said = done
    assert [line[0] for line in said.stages] == ["1", "2", "3", "4"]
    assert "the judge toy-judge was trained on these images before" in said.stages[1]  # it ships
    assert (folders.reports / "toy-guided/index.html").is_file()
    assert (folders.reports / "index.html").is_file()


def test_a_second_time_nothing_is_computed_again(done: tuple[Folders, Lines]) -> None:
    folders, _ = done
    before, said = files(folders), Lines()
    report = carry_out(plan(folders), folders, said)
    assert files(folders) == before
    assert all("before" in line for line in said.stages)
    assert len(said.stages) == 4
    assert report.results.n_samples == 150


def test_other_numbers_of_images_are_scored_but_not_trained_again(
    done: tuple[Folders, Lines],
) -> None:
    folders, _ = done
    before, said = files(folders), Lines()
    other = plan(folders, n_samples=160)
    assert carry_out(other, folders, said).results.n_samples == 160
    assert files(folders) == before
    assert "scoring" in said.stages[3]


def test_other_settings_go_to_a_run_of_the_next_number(done: tuple[Folders, Lines]) -> None:
    folders, _ = done
    other = plan(folders, seed=5)
    assert carry_out(other, folders, Lines()).results.run == "toy-guided-2"
    named = dataclasses.replace(other, name="toy-guided")
    with pytest.raises(InputError, match="toy-guided has other settings, images or another guide"):
        carry_out(named, folders, Lines())
    replacing = dataclasses.replace(plan(folders, seed=6, epochs=1), name="mine", replaces=True)
    carry_out(dataclasses.replace(replacing, gan=plan(folders).gan), folders, Lines())
    carry_out(replacing, folders, Lines())
    assert epochs_trained(folders.weights / "mine") == 1


def test_another_guide_trains_another_generator(done: tuple[Folders, Lines]) -> None:
    folders, _ = done
    fixed = dataclasses.replace(plan(folders, epochs=1), name="of-guide", guide_name="own-guide")
    fixed = dataclasses.replace(fixed, replaces=True)
    carry_out(fixed, folders, Lines())
    other = dataclasses.replace(fixed, guide=dataclasses.replace(fixed.guide, seed=9))
    said = Lines()
    carry_out(other, folders, said)
    assert [" before" in line for line in said.stages] == [False, True, False, False]


def test_a_report_of_another_run_is_not_shown_for_this_one(done: tuple[Folders, Lines]) -> None:
    folders, _ = done
    wanted = plan(folders)
    elsewhere = Folders(folders.data, folders.weights / "../other", folders.reports)
    copytree(folders.weights / "toy-guided", elsewhere.weights / "toy-guided")
    said = Lines()
    assert carry_out(wanted, elsewhere, said).results.run.startswith("toy-guided-")
    assert "toy-guided was trained" in said.stages[2]
    assert "scoring" in said.stages[3]


def test_an_interrupted_training_goes_on(
    done: tuple[Folders, Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cgan.training import gan

    folders, _ = done
    wanted = dataclasses.replace(plan(folders, seed=8, checks=1), name="cut")
    real = gan._record
    calls: list[None] = []

    def stop_after_the_first(*args: Any) -> None:
        if calls:
            raise KeyboardInterrupt
        real(*args)
        calls.append(None)

    monkeypatch.setattr(gan, "_record", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        carry_out(wanted, folders, Lines())
    monkeypatch.setattr(gan, "_record", real)
    assert epochs_trained(folders.weights / "cut") == 1
    said = Lines()
    carry_out(wanted, folders, said)
    assert "goes on, after 1 epoch" in said.stages[2]
    assert epochs_trained(folders.weights / "cut") == 2


def test_classifiers_of_other_images_are_not_used(
    done: tuple[Folders, Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, _ = done
    wanted = plan(folders)
    name = pipeline._classifier(wanted.guide, None, "other", "toys", folders, Lines())
    assert name == "toy-guide-2"


def test_what_cannot_be_written_is_said_before_a_training(
    done: tuple[Folders, Lines], tmp_path: Path
) -> None:
    folders, _ = done
    (tmp_path / "file").touch()
    nowhere = dataclasses.replace(folders, reports=tmp_path / "file")
    with pytest.raises(InputError, match="--reports-dir"):
        carry_out(plan(folders, seed=9), nowhere, Lines())
