"""Lists the runs: what was trained, on what, how good it is, and where it lies; no torch."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cgan.config.schema import ClassifierConfig, GanConfig
from cgan.data.run_config import read_config
from cgan.io import run_layout
from cgan.io.run_layout import CHECKPOINT, HISTORY, RESULTS, SHIPPED, WEIGHTS
from cgan.reporting.read import read_history, read_results
from cgan.reporting.verdict import find_verdict
from cgan.runtime.errors import InputError

SHOWN = ("judge_accuracy", "fcd")  # of a report, or of the validation in training


@dataclass(frozen=True)
class ListedRun:
    """A trained network, or an unfinished training. What is unknown is None."""

    name: str
    folder: Path
    shipped: bool
    trained: datetime | None  # when one's own weights were written, UTC
    problem: str | None = None  # why it cannot be read
    kind: str = "generator"  # or guide, or judge
    dataset: str | None = None
    recipe: str | None = None  # of a generator; of a classifier, its network
    epochs: float | None = None  # trained so far
    epochs_planned: float | None = None
    test_accuracy: float | None = None  # of a classifier, on real images, 0 to 1
    validation: dict[str, float] | None = None  # of a generator's kept weights, in training
    report: Path | None = None  # its folder
    verdict: str | None = None  # of the report, its title
    verdict_kind: str | None = None
    metrics: dict[str, float] | None = None  # of the report

    @property
    def unfinished(self) -> bool:
        """Whether a training can be resumed until its planned end."""
        known = self.epochs_planned is not None and (self.folder / CHECKPOINT).is_file()
        return known and (self.epochs or 0) < (self.epochs_planned or 0) - 1e-6


def list_runs(weights_dir: Path, reports_dir: Path) -> list[ListedRun]:
    """Return one's own runs, the newest first, then the shipped ones by name.

    A run that cannot be read is listed with its `problem`.

    Args:
        weights_dir: the folder of one's own runs.
        reports_dir: the folder of one's own reports.
    """
    reports = run_layout.reports(reports_dir)
    own = _folders(weights_dir) if weights_dir.resolve() != SHIPPED.resolve() else []
    own.sort(key=_written, reverse=True)
    return [_listed(folder, reports) for folder in (*own, *_folders(SHIPPED))]


def _folders(root: Path) -> list[Path]:
    """Return the folders with weights or a checkpoint, by name."""
    if not root.is_dir():
        return []
    names = (*WEIGHTS.values(), CHECKPOINT)
    found = [path for path in sorted(root.iterdir()) if not path.name.startswith(".")]
    return [path for path in found if any((path / name).is_file() for name in names)]


def _written(folder: Path) -> float:
    """Return when the newest weights or checkpoint of a run were written, in seconds since 1970."""
    files = [folder / name for name in (*WEIGHTS.values(), CHECKPOINT)]
    return max(path.stat().st_mtime for path in files if path.is_file())


def _listed(folder: Path, reports: dict[str, Path]) -> ListedRun:
    newest = _written(folder)
    shipped = folder.resolve().parent == SHIPPED.resolve()
    about: dict[str, Any] = {
        "name": folder.name,
        "folder": folder,
        "shipped": shipped,
        # the files of shipped runs have the date of the installation
        "trained": None if shipped else datetime.fromtimestamp(newest, UTC),
    }
    try:
        if (folder / WEIGHTS["classifier"]).is_file():
            return ListedRun(**about, **_classifier(folder))
        report = reports.get(folder.name)
        stale = report is not None and (report / RESULTS).stat().st_mtime < newest
        if stale and not shipped:  # it is the report of an earlier run of that name
            report = None
        return ListedRun(**about, **_generator(folder, report))
    except InputError as error:
        return ListedRun(**about, problem=str(error))


def _classifier(folder: Path) -> dict[str, Any]:
    spec, config, facts = read_config(folder, ClassifierConfig)
    accuracy = facts.get("test_accuracy")
    value = accuracy.get("value") if isinstance(accuracy, dict) else None
    return {
        "kind": config.role,
        "dataset": spec.dataset,
        "recipe": config.network,
        "epochs": config.epochs,
        "epochs_planned": config.epochs,
        "test_accuracy": value if isinstance(value, float) and 0 <= value <= 1 else None,
    }


def _generator(folder: Path, report: Path | None) -> dict[str, Any]:
    spec, config, _ = read_config(folder, GanConfig)
    found: dict[str, Any] = {
        "dataset": spec.dataset,
        "recipe": config.recipe,
        "epochs": run_layout.epochs_trained(folder),
        "epochs_planned": config.epochs,
        "validation": _validation(folder),
    }
    if report is None:
        return found
    results = read_results(report)
    if results.provenance.images is not None or results.recipe != config.recipe:
        return found  # the report of something else
    scores = {name: results.metrics[name].value for name in SHOWN if name in results.metrics}
    verdict = find_verdict(results, read_history(report))
    said = {"verdict": verdict.title, "verdict_kind": verdict.kind, "metrics": scores}
    return {**found, "report": report, **said}


def _validation(folder: Path) -> dict[str, float] | None:
    """Return the scores of the kept weights; None if the training was not evaluated."""
    history = read_history(folder) if (folder / HISTORY).is_file() else None
    if history is None or "fcd" not in history or history["fcd"].isna().all():
        return None
    best = history.sort_values("fcd").iloc[0].dropna()
    return {name: float(best[name]) for name in SHOWN if name in best}
