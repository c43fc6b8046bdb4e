"""Scores for a notebook: an evaluation as pandas tables, from Python or from files; no torch."""

import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cgan.config.recipes import eval_config
from cgan.config.schema import Folders
from cgan.data.images import Images
from cgan.reporting import tables
from cgan.reporting.page import write_report
from cgan.reporting.read import find_report, read_history, read_results
from cgan.reporting.tables import summary
from cgan.reporting.verdict import find_verdict
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

if TYPE_CHECKING:
    from cgan.data.importing.arrays import Handed
    from cgan.models.hub import GanRun

COLUMNS = ["value", "low", "high", "real", "n"]  # of the metrics
ALARM = ["kind", "metric", "value", "threshold", "message"]
# what a notebook shows of them, under these heads
HEADLINE = {
    "metric": "metric",
    "value": "value",
    "interval": "95% interval",
    "real": "real images",
    "n": "N",
}


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """What an evaluation found, as pandas tables; the last line of a cell shows it.

    Attributes:
        results: the content of results.json.
        report: the path of its page, index.html, which `cgan report` draws again.
        history: losses and scores of the training, a row each time it was scored; None where it is
            not known.
    """

    results: dict[str, Any]
    report: Path
    history: pd.DataFrame | None = None

    @property
    def metrics(self) -> pd.DataFrame:
        """Rows: metrics by name. Columns: value, its 95% interval low to high, real, n.

        `real` is the same metric of held-out real images, `n` how many images were looked at.
        Metrics that were left out have no row: `results["left_out"]` tells why.
        """
        return tables.metrics(self.results)[COLUMNS]

    @property
    def per_digit(self) -> pd.DataFrame:
        """Rows: digits. Columns: n, accuracy with its interval, coverage, diversity, fcd, ..."""
        return tables.per_digit(self.results)

    @property
    def confusion(self) -> pd.DataFrame | None:
        """Counts. Rows: the requested digit. Columns: the judged one. None without requests."""
        return tables.confusion(self.results)

    @property
    def histogram(self) -> pd.DataFrame:
        """Rows: digits. Columns: how many were judged so, and how many of real images would be."""
        return tables.histogram(self.results)

    @property
    def alarms(self) -> pd.DataFrame:
        """One row an alarm, none where all is well: kind, metric, value, threshold, message."""
        return pd.DataFrame(self.results["alarms"]).reindex(columns=ALARM)

    @property
    def verdict(self) -> str:
        """Good, or what is wrong with it, as a sentence."""
        return str(find_verdict(self.results, self.history))

    def __repr__(self) -> str:
        """Return the verdict in a line."""
        return f"<Evaluation of {self.results['run']}: {self.verdict}>"

    def __str__(self) -> str:
        """Return the verdict and the numbers in a few lines."""
        return f"{self.results['run']}: {self.verdict}\n{summary(self.results)}"

    def _repr_html_(self) -> str:
        """Return verdict, alarms and the headline table for a notebook, in its own colours."""
        name, n = html.escape(self.results["run"]), self.results["n_samples"]
        against = html.escape(self.results["dataset"])
        parts = [
            f"<p><strong>{name}</strong>, {n:,} images, {against}: {html.escape(self.verdict)}</p>"
        ]
        parts += [
            f"<p><strong>Alarm.</strong> {html.escape(alarm['message'])}</p>"
            for alarm in self.results["alarms"]
        ]
        rows = [[row[key] for key in HEADLINE] for row in tables.headline(self.results)]
        parts.append(_html([list(HEADLINE.values()), *rows]))
        left = ", ".join(tables.TITLES[name] for name in self.results["left_out"])
        if left:
            parts.append(f"<p>Left out: {html.escape(left)}.</p>")
        return "\n".join(parts)


def evaluate(
    run: "str | Path | GanRun | None" = None,
    *,
    images: Any = None,
    labels: Any = None,
    dataset: str | None = None,
    n_samples: int | None = None,
    seed: int | None = None,
    quick: bool = False,
    gan_train_images: int | None = None,
    copying: bool | None = None,
    batch_size: int | None = None,
    precision: str | None = None,
    device: str = "auto",
    name: str | None = None,
    judge: str | Path | None = None,
    guide: str | Path | None = None,
    weights_dir: str | Path = "weights",
    reports_dir: str | Path = "reports",
    data_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a generator, or anybody's images, as `cgan evaluate` does; write and return the report.

    Args:
        run: a trained run, or its name or folder; None: the newest, or the shipped one of MNIST.
        images: to score in place of a run: an npz file or a folder of pictures, by its path;
            Images; or an array or a tensor [N, C, H, W], [N, H, W, C] or [N, H, W], whole numbers
            from 0 to 255, or floats from 0 to 1 or from -1 to 1.
        labels: with an array, the labels that were requested: whole numbers [N]; None: none were.
        dataset: with images, the real ones to compare with: mnist, digits, fashion-mnist, kmnist.
        n_samples: of a run, images to draw; None: 10,000, or 2,000 if quick.
        seed: of a run, seed of the noise; None: 0.
        quick: in seconds: fewer images, in bf16 where that is fast; neither GAN-train nor copying.
        gan_train_images: images that GAN-train learns from; 0: none; None: 20,000, or none.
        copying: search all training images for copies; None: unless quick.
        batch_size: images at a time; None: 500.
        precision: "auto", "fp32" or "bf16"; None: fp32, or auto if quick.
        device: "auto", "cpu", "cuda" or "mps".
        name: of the report's folder; None: that of the run or of the images' file.
        judge: name or folder of the classifier that scores; None: `<dataset>-judge`.
        guide: name or folder of the one shown beside it; None: the one that trained the run.
        weights_dir: the folder of trained runs; those that ship are found without it.
        reports_dir: where the folder of the report goes.
        data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
        progress: shows the stages, such as Progress(sys.stderr); None shows nothing.

    Raises:
        InputError: no such run, judge, guide or data; images or labels that cannot be scored; a
            number out of range; a folder not to be written.
    """
    if images is not None and (n_samples is not None or seed is not None):
        raise InputError("n_samples and seed go with a run; of images all are scored as they are")
    config = eval_config(
        quick,
        n_samples=n_samples,
        seed=seed,
        gan_train_images=gan_train_images,
        copying=copying,
        batch_size=batch_size,
        precision=precision,
        device=device,
    )
    from cgan.evaluation import evaluate as evaluation  # now: reading a report needs no torch

    folders = Folders(
        Path(os.environ.get("CGAN_DATA", "data") if data_dir is None else data_dir),
        Path(weights_dir),
        Path(reports_dir),
    )
    results = evaluation.evaluate(
        _run(run),
        config,
        folders,
        images=_subject(images, labels),
        dataset=dataset,
        name=name,
        judge=_text(judge),
        guide=_text(guide),
        progress=progress,
    )
    return _read(write_report(folders.reports / results["run"]).parent)


def read_report(run: str | Path | None = None, reports_dir: str | Path = "reports") -> Evaluation:
    """Read what `evaluate` or `cgan evaluate` wrote, from its files alone.

    Args:
        run: its name, or the folder of its report; None: the newest.
        reports_dir: the folder of reports.

    Raises:
        InputError: there is no such report, or its files cannot be read.
    """
    return _read(find_report(_text(run), Path(reports_dir)))


def _html(rows: list[list[str]]) -> str:
    """Return a table, the heads first; aligned as a notebook would not, the names to the left."""
    cells = [
        "".join(
            f'<{tag} style="padding: 0 .5em; text-align: {"right" if i else "left"}">'
            f"{html.escape(text)}</{tag}>"
            for i, text in enumerate(row)
        )
        for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
    ]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _read(folder: Path) -> Evaluation:
    return Evaluation(read_results(folder), folder / "index.html", read_history(folder))


def _run(run: "str | Path | GanRun | None") -> str | None:
    """Return the name or folder of a run.

    Raises:
        InputError: it is something else.
    """
    from cgan.models.hub import GanRun

    if isinstance(run, GanRun):
        return str(run.folder)
    if run is not None and not isinstance(run, str | Path):
        raise InputError(f"run is a name or a folder, not a {type(run).__name__}; or give images=")
    return _text(run)


def _text(name: str | Path | None) -> str | None:
    return None if name is None else str(name)


def _subject(images: Any, labels: Any) -> "Path | Handed | None":
    """Return what is to be scored in place of a run.

    Raises:
        InputError: labels of nothing, or besides those of a file.
    """
    from cgan.data.importing.arrays import Handed

    if images is None or isinstance(images, str | Path):
        if labels is not None:
            raise InputError("labels go with an array of images; a file brings its own")
        return None if images is None else Path(images)
    if isinstance(images, Images):
        if labels is None and images.requested:
            labels = images.labels
        images = images.images
    return Handed(images, labels)
