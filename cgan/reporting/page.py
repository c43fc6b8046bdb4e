"""Writes a run's page, one self-contained file, with its tables and figures beside it."""

import json
import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pandas as pd
from markupsafe import Markup
from matplotlib.colors import LinearSegmentedColormap

from cgan.data.grids import figure_bytes
from cgan.io.files import make_folder
from cgan.io.journal import PATIENCE, commit, locked
from cgan.metrics.registry import METRICS
from cgan.metrics.results import Gallery, Results
from cgan.reporting import figures, tables
from cgan.reporting.commands import commands_of
from cgan.reporting.gallery import Tile, embedded, tiles
from cgan.reporting.read import read_history, read_picture, read_results
from cgan.reporting.verdict import find_verdict

SHOWN = ["n", "accuracy", "low", "high", "coverage", "diversity", "fcd", "fcd_real"]
HEADS = {"low": "from", "high": "to", "fcd": "FCD", "fcd_real": "real"}
SHARES = ("accuracy", "low", "high", "coverage")
# from far below real images to better; black letters are legible on all colours
HEAT = LinearSegmentedColormap.from_list("heat", ["#f6b26b", "#ffffff", "#9ecae9"])
# relative difference from real images at which the colours end
SPANS: dict[Hashable, float] = {"accuracy": 0.1, "coverage": 0.5, "diversity": 0.5, "fcd": 0.5}
ROWS = "samples"  # the sheet that is shown row by row
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
            commit(folder, {"training.png": figure_bytes(figures.training(history))})


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
        verdict=find_verdict(results, history),
        headline=tables.headline(results),
        cost=sheets["cost"],
        per_class=Markup(_per_class_html(results, per_class)),
        figures={name: Markup(_inline(name, picture, results)) for name, picture in drawn.items()},
        pictures={name: embedded(p) for name, p in pictures.items() if p is not None},
        gallery=_gallery(folder, results),
        worded=tables.worded,
        wrong=None if results.confusion is None else _wrong(results.confusion),
        commands=commands_of(results),
        provenance=json.dumps(msgspec.to_builtins(results.provenance), indent=2),
        titles={name: tables.title(name, results.noun) for name in METRICS},
    )
    files = {
        tables.file_name(name, results): table.to_csv(lineterminator="\n").encode()
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
    drawn = {"histogram": figures.svg("histogram", figures.histogram, tables.histogram(results))}
    if figures.can_be_scaled(results):
        drawn["scores"] = figures.svg("scores", figures.scores, results)
    if confusion is not None:
        real = results.judge.accuracy_real.value
        drawn["accuracy"] = figures.svg("accuracy", figures.accuracy, per_class, real)
        drawn["confusion"] = figures.svg("confusion", figures.confusion, confusion)
    if history is not None:
        for name in figures.panels(history):
            whole = f"training-{name}"
            drawn[whole] = figures.svg(whole, figures.panel, history, name)
    return drawn


LABELS = {
    "scores": "The metrics of the table below with their intervals on one scale, on which real "
    "images are 1",
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
            found[name] = tiles(name, sheet, content, rows=name == ROWS)
    return found


def _wrong(confusion: list[list[int]]) -> int:
    """Return how many images are classified as another class than the requested one."""
    return sum(
        count
        for requested, row in enumerate(confusion)
        for judged, count in enumerate(row)
        if judged != requested
    )


def _per_class_html(results: Results, table: pd.DataFrame) -> str:
    """Colour each score by its ratio to that of real images; every cell shows its number."""
    # not the noun, which could be the name of another column
    shown = table.rename_axis("class").reset_index()[["class", *SHOWN]]
    shown = shown.dropna(axis="columns", how="all")
    formats: dict[Any, Any] = {
        column: "{:.1%}" if column in SHARES else "{:.2f}"
        for column in shown.columns.difference(["class", "n"])
    }
    styler = shown.style.hide(axis="index").format(formats, escape="html", na_rep="-")
    styler = styler.set_uuid("classes")
    for column, share in _shares_of_real(results, table).items():
        if column in shown:
            styler = styler.background_gradient(
                cmap=HEAT,
                subset=[column],
                gmap=share.to_numpy(),
                vmin=1 - SPANS[column],
                vmax=1 + SPANS[column],
                text_color_threshold=0,
            )
    named = {**HEADS, "class": results.noun}
    heads = [named.get(str(name), str(name)) for name in shown]
    styler = styler.relabel_index(heads, axis="columns")
    html = styler.set_table_attributes('class="numbers heat"').to_html()
    return re.sub(r"<th id=[^>]*?class=\"col_heading", '<th scope="col" class="col_heading', html)


def _shares_of_real(results: Results, table: pd.DataFrame) -> dict[Hashable, pd.Series]:
    real = max(results.judge.accuracy_real.value, 1e-9)
    shares: dict[Hashable, pd.Series] = {
        "accuracy": table["accuracy"] / real,
        # closest to 1 is best: noise varies more than real images do
        "diversity": table["diversity"].where(table["diversity"] <= 1, 1 / table["diversity"]),
        "fcd": table["fcd_real"] / table["fcd"].where(table["fcd"] > 0),
    }
    if "coverage_real" in table:
        known = table["coverage_real"].where(table["coverage_real"] > 0)
        shares["coverage"] = table["coverage"] / known
    return {name: share.fillna(1.0).clip(0, 2) for name, share in shares.items()}


def render(template: str, **values: Any) -> bytes:
    """Return a page of `templates`, all text in it escaped, with every value that it names."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values).encode()
