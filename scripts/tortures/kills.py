"""Kills trainings and evaluations with SIGKILL at random moments, and checks their files."""

import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from cgan.config.recipes import gan_config
from cgan.config.schema import EvalConfig, Folders, GanConfig
from cgan.data.spec import description
from cgan.evaluation.evaluate import evaluate
from cgan.io.journal import COMING, READY, checksums, damaged
from cgan.io.run_layout import CHECKPOINT, resumable
from cgan.models.hub import load_generator
from cgan.reporting import tables
from cgan.reporting.page import write_report
from cgan.reporting.read import read_results
from cgan.runtime.errors import InputError
from cgan.training.checkpoint import read_checkpoint
from cgan.training.gan import train_gan

STORIES = ("guided", "udacity", "mlp", "basic")  # trained repeatedly, each to its end
WRITING = 0.01  # most seconds between noticing an unfinished write and the kill
TIMES = ["seconds", "validation_seconds"]


def story(recipe: str) -> GanConfig:
    """Return the config of a short training with a checkpoint after every step."""
    size = description("digits").size
    small = gan_config(recipe, "digits", size, batch_size=160, device="cpu", precision="fp32")
    values = {**vars(small), "epochs": 3, "checkpoint_every": "0.01"}
    return GanConfig(**values)


def live_and_die(
    work: Callable[[], None], folder: Path, longest: float, chance: random.Random
) -> str:
    """Run `work` in a process and kill it within `longest` seconds, or at its next write after.

    Returns:
        "ended" if it finished before, "failed" if it raised, else the moment of the kill.
    """
    watching = chance.random() < 0.5
    patience = chance.uniform(0, longest) * (not watching or chance.random() < 0.5)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    born, start = time.time(), time.perf_counter()
    while time.perf_counter() - start < (60 if watching else patience):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "ended" if status == 0 else "failed"
        if watching and time.perf_counter() - start > patience and _writing(folder, born):
            time.sleep(chance.uniform(0, WRITING))
            break
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        return "ended" if os.WEXITSTATUS(status) == 0 else "failed"
    return _writing(folder, born) or "killed between writings"


def _writing(folder: Path, since: float) -> str:
    """Return the unfinished write of a folder that began after `since`; empty if there is none."""
    for name, words in ((READY, "killed while moving"), (COMING, "killed while writing")):
        with suppress(FileNotFoundError):
            if (folder / name).stat().st_mtime >= since:
                return words
    return ""


def trainings(n: int, seed: int = 0) -> dict[str, Any]:
    """Kill `n` trainings and resume each; compare the results with undisturbed trainings.

    Returns:
        The number of kills, their moments, and the number of finished trainings.

    Raises:
        AssertionError: a file is damaged, the history has a gap, or a result differs.
    """
    torch.set_num_threads(1)
    chance, deaths, ends = random.Random(seed), Counter[str](), 0
    longest = 0.0
    with tempfile.TemporaryDirectory() as top:
        for recipe in _forever(STORIES):
            folders = Folders(Path(top), Path(top) / f"w{ends}", Path(top) / "r")
            config = story(recipe)
            twin = Folders(Path(top), Path(top) / f"twin-{recipe}")
            if not twin.weights.exists():
                start = time.perf_counter()
                train_gan(config, twin, name="x")
                longest = time.perf_counter() - start
            folder, death = folders.weights / "x", ""
            while death != "ended":
                goes_on = _can_go_on(folders)
                death = live_and_die(
                    lambda f=folders, c=config, g=goes_on: _train(c, f, g),
                    folder,
                    longest,
                    chance,
                )
                deaths[death] += 1
                assert death != "failed"
                if chance.random() < 0.5:  # else the next process finds the folder untouched
                    _check_run(folder)
                killed = sum(count for how, count in deaths.items() if how != "ended")
                if killed == n:
                    return {"killed": killed, "how": _told(deaths), "ends": ends}
                sys.stderr.write(f"\r{killed} trainings killed, {ends} finished ")
            _require_same(folder, twin.weights / "x")
            ends += 1
    raise AssertionError("never reached")


def _train(config: GanConfig, folders: Folders, goes_on: bool) -> None:
    """Train or resume. A process killed after its last step has nothing left to do."""
    try:
        train_gan(config, folders, name="x", resume=goes_on)
    except InputError as error:
        if not goes_on or "is finished" not in str(error):
            raise


def _can_go_on(folders: Folders) -> bool:
    """Return whether --resume would find the training."""
    try:
        return resumable("x", folders.weights).is_dir()
    except InputError:
        return False


def _told(deaths: Counter[str]) -> str:
    return ", ".join(f"{n} {how}" for how, n in deaths.most_common() if how != "ended")


def _forever(names: tuple[str, ...]) -> Iterator[str]:
    while True:
        yield from names


def _check_run(folder: Path) -> None:
    """Check that the files of a killed training are intact, consistent and without gaps."""
    if not folder.exists():
        return
    assert damaged(folder) == [], damaged(folder)
    if not (folder / CHECKPOINT).is_file():
        assert not checksums(folder)
        return
    known = read_checkpoint(folder).facts["history"]["rows"]
    if not known:
        assert not (folder / "history.csv").exists()
        return
    history = pd.read_csv(folder / "history.csv")
    assert history["epoch"].tolist() == list(range(1, len(known) + 1))
    assert history["epoch"].tolist() == [row["epoch"] for row in known]
    assert len(list((folder / "samples").glob("epoch-*.png"))) == len(known)
    load_generator(str(folder))


def _require_same(one: Path, other: Path) -> None:
    """Check that two runs have the same result, bit for bit."""
    for name in ("generator.safetensors", "discriminator.safetensors"):
        assert checksums(one)[name] == checksums(other)[name], name
    frames = [pd.read_csv(path / "history.csv").drop(columns=TIMES) for path in (one, other)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    pictures = [{n: s for n, s in checksums(f).items() if "samples" in n} for f in (one, other)]
    assert pictures[0] == pictures[1]


def evaluations(n: int, seed: int = 0) -> dict[str, Any]:
    """Kill `n` evaluations that write the same report; check the report after each.

    Returns:
        The number of kills, and their moments.

    Raises:
        AssertionError: a report cannot be read or rebuilt, or mixes two evaluations.
    """
    torch.set_num_threads(1)
    chance, deaths = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as top:
        folders = Folders(Path(top), Path(top) / "w", Path(top) / "r")
        folder, round_, longest = folders.reports / "x", 0, 0.0
        while sum(count for how, count in deaths.items() if how != "ended") < n:
            round_ += 1
            config = EvalConfig(n_samples=300, seed=round_, gan_train_images=0, copying=False)

            def work(config: EvalConfig = config) -> None:
                evaluate("digits", config, folders, name="x")
                write_report(folder)

            if round_ == 1:
                start = time.perf_counter()
                work()
                longest = time.perf_counter() - start
            death = live_and_die(work, folder, longest, chance)
            deaths[death] += 1
            assert death != "failed"
            _check_report(folder)
            sys.stderr.write(f"\r{sum(deaths.values())} evaluations, {dict(deaths)} ")
    killed = sum(count for how, count in deaths.items() if how != "ended")
    return {"killed": killed, "how": _told(deaths)}


def _check_report(folder: Path) -> None:
    if not (folder / "results.json").exists() and not (folder / READY).exists():
        return
    assert damaged(folder) == [], damaged(folder)
    results = read_results(folder)
    if (folder / "index.html").is_file():
        page = (folder / "index.html").read_text()
        assert f"&#34;seed&#34;: {results.seed}," in page, "the page belongs to another evaluation"
        table = tables.per_class(results).to_csv(lineterminator="\n")
        assert (folder / tables.file_name("per_class", results)).read_text() == table
    write_report(folder)
