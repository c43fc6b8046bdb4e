"""Writes a run's page, one self-contained file, with its tables and figures beside it."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd
from markupsafe import Markup

from cgan.data.grids import figure_bytes
from cgan.data.spec import description
from cgan.io.files import make_folder
from cgan.io.journal import PATIENCE, commit, locked
from cgan.metrics.registry import METRICS
from cgan.metrics.results import Gallery, Results
from cgan.reporting import figures, tables, training_figures
from cgan.reporting.classes import figures as class_figures
from cgan.reporting.classes.tables import class_section, n_wrong, strongest_pairs
from cgan.reporting.commands import commands_of
from cgan.reporting.gallery import Tile, embedded, tiles
from cgan.reporting.read import read_history, read_picture, read_results
from cgan.reporting.rendering import render
from cgan.reporting.verdict import find_verdict

ROWS, PAIRS = "samples", "copies"  # the sheets that are shown row by row, and in pairs
PICTURES = {
    "epochs": "epochs.png",
    "film": "film.gif",
    **{
        name: f"latent/{name}.png"
        for name in ("arithmetic", "interpolation-spherical", "labels", "neighbours")
    },
}


@dataclass(frozen=True)
class Report:
    """A report as it was written: its page, and the files that the page shows."""

    page: Path
    results: Results
    history: pd.DataFrame | None


def write_report(folder: Path) -> Report:
    """Write index.html, its tables (CSV) and its figures (SVG), from files alone.

    Args:
        folder: holds results.json and, if there are, history.csv and pictures; the page goes
            there.

    Returns:
        The path of index.html, the results and the history.

    Raises:
        InputError: a file cannot be read or is damaged, or the folder cannot be written.
    """
    if not (folder / "results.json").is_file():  # fail before anything is written
        read_results(folder)
    make_folder(folder, "--reports-dir")
    with locked(folder, wait=PATIENCE):  # so that all files are of one evaluation
        results, history = read_results(folder), read_history(folder)
        commit(folder, _files(folder, results, history))
    return Report(folder / "index.html", results, history)


def write_training(folder: Path) -> None:
    """Write training.png, the curves of history.csv, to the folder of both.

    Raises:
        InputError: history.csv is damaged, or the folder cannot be written to.
    """
    history = read_history(folder)
    if history is not None:
        with locked(folder, wait=PATIENCE):
            commit(folder, {"training.png": figure_bytes(training_figures.training(history))})


def _files(folder: Path, results: Results, history: pd.DataFrame | None) -> dict[str, bytes]:
    """Return the page, its tables and its figures by name."""
    per_class, confusion = tables.per_class(results), tables.confusion(results)
    sheets = {
        "metrics": tables.metrics(results),
        "per_class": per_class,
        "confusion": confusion,
        "histogram": tables.histogram(results),
        "cost": tables.cost(results, history).set_index("what"),
    }
    drawn = _figures(results, history, per_class, confusion)
    pictures = {name: read_picture(folder / file) for name, file in PICTURES.items()}
    page = render(
        "page.html",
        results=results,
        noun=results.noun,
        nouns=tables.nouns(results),
        heading=tables.heading(results),
        enlarged=description(results.dataset).enlarged,
        verdict=find_verdict(results, history),
        headline=tables.headline(results),
        cost=sheets["cost"],
        classes=class_section(results, per_class),
        named=bool(results.class_names),
        name=results.name_of,
        figures={name: Markup(_inline(name, picture, results)) for name, picture in drawn.items()},
        pictures={name: embedded(p) for name, p in pictures.items() if p is not None},
        gallery=_gallery(folder, results),
        absent=tables.absent(results),
        wrong=None if confusion is None else n_wrong(confusion),
        pairs=strongest_pairs(confusion),
        commands=commands_of(results),
        provenance=json.dumps(msgspec.to_builtins(results.provenance), indent=2),
        titles={name: tables.title(name, results.noun) for name in METRICS},
    )
    files = {
        tables.file_name(name, results): tables.csv_of(table)
        for name, table in sheets.items()
        if table is not None
    }
    files |= {f"{name}.svg": picture for name, picture in drawn.items()}
    return {**files, "index.html": page}


def _figures(
    results: Results,
    history: pd.DataFrame | None,
    per_class: pd.DataFrame,
    confusion: pd.DataFrame | None,
) -> dict[str, bytes]:
    drawn = {
        "histogram": figures.svg("histogram", class_figures.histogram, tables.histogram(results))
    }
    if figures.can_be_scaled(results):
        drawn["scores"] = figures.svg("scores", figures.scores, results)
    if confusion is not None:
        real = results.judge.accuracy_real.value
        drawn["accuracy"] = figures.svg("accuracy", class_figures.accuracy, per_class, real)
        drawn["confusion"] = figures.svg("confusion", class_figures.confusion, confusion)
    if history is not None:
        for name in training_figures.panels(history):
            whole = f"training-{name}"
            drawn[whole] = figures.svg(whole, training_figures.panel, history, name)
    return drawn


LABELS = {
    "scores": "The metrics of the table below with their intervals on one scale, on which real "
    "images are 100%",
    "histogram": "Number of images that the judge assigns to each class, generated and real; the "
    "same numbers are in histogram.csv",
    "accuracy": "Judge accuracy of each {noun} with its interval; the same numbers are in the "
    "table and in {file}",
    "confusion": "Confusion matrix: number of images by requested and judged {noun}; the same "
    "numbers are in confusion.csv",
    "training-loss": "Losses over the epochs; the same numbers are in history.csv",
    "training-discriminator": "Outputs of the discriminator over the epochs, also in history.csv",
    "training-shares": "Accuracies and coverage over the epochs, also in history.csv",
    "training-fcd": "FCD over the epochs, also in history.csv",
}


def _inline(name: str, picture: bytes, results: Results) -> str:
    file = tables.file_name("per_class", results)
    return figures.inline(picture, LABELS[name].format(noun=results.noun, file=file))


def _gallery(folder: Path, results: Results) -> dict[str, list[Tile]]:
    """Return the images of each sheet; none of a missing one."""
    found: dict[str, list[Tile]] = {name: [] for name in Gallery.__struct_fields__}
    for name, sheet in results.gallery.sheets():
        content = read_picture(folder / f"{name}.png")
        if content is not None:
            found[name] = tiles(name, sheet, content, rows=name == ROWS, pairs=name == PAIRS)
    return found
