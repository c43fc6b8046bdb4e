"""Writes a run's page, one self-contained file, with its tables as CSV beside it."""

import base64
import json
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from cgan.files import make_folder, write_bytes
from cgan.pictures import figure_bytes
from cgan.report import figures, tables
from cgan.report.read import read_history, read_results

PER_DIGIT_FORMATS: dict[Any, Any] = {
    "accuracy": "{:.2%}",
    "low": "{:.2%}",
    "high": "{:.2%}",
    "diversity": "{:.2f}",
}


def write_report(folder: Path) -> Path:
    """Write index.html, per_digit.csv, confusion.csv and histogram.csv from files alone.

    Args:
        folder: holds results.json and, if there are, samples.png and history.csv; the page
            goes there.

    Returns:
        The path of index.html.

    Raises:
        InputError: results.json cannot be read, or the folder cannot be written.
    """
    results = read_results(folder)
    make_folder(folder, "--reports-dir")
    history = read_history(folder)
    per_digit, confusion = tables.per_digit(results), tables.confusion(results)
    histogram = tables.histogram(results)
    for name, table in (
        ("per_digit", per_digit),
        ("confusion", confusion),
        ("histogram", histogram),
    ):
        write_bytes(folder / f"{name}.csv", table.to_csv(lineterminator="\n").encode())

    real = results["judge"]["accuracy_real"]["value"]
    pictures = {
        "accuracy": figure_bytes(figures.accuracy(per_digit, real)),
        "confusion": figure_bytes(figures.confusion(confusion)),
        "histogram": figure_bytes(figures.histogram(histogram)),
    }
    if history is not None:
        pictures["training"] = figure_bytes(figures.training(history))
    if (folder / "samples.png").is_file():
        pictures["samples"] = (folder / "samples.png").read_bytes()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("page.html").render(
        results=results,
        verdict=verdict(results),
        headline=_html(tables.headline(results)),
        per_digit=_per_digit_html(per_digit),
        pictures={name: _embedded(content) for name, content in pictures.items()},
        provenance=json.dumps(results.get("provenance", {}), indent=2),
        weakest=tables.worst(results),
    )
    write_bytes(folder / "index.html", page.encode())
    return folder / "index.html"


def verdict(results: dict[str, Any]) -> str:
    """Return one sentence on whether the generator draws what it is asked for, with variety."""
    raised = {alarm["metric"] for alarm in results["alarms"]}
    if "missing_classes" in raised:
        return "Collapsed: some classes are hardly ever drawn."
    if "intra_class_diversity" in raised:
        return "Collapsed within classes: it draws some digits nearly the same way every time."
    judge, weakest = results["metrics"]["judge_accuracy"], tables.worst(results)
    if judge["value"] < 0.9:
        return "Undertrained: more than one image in ten is not read as the digit asked for."
    if weakest["accuracy"] < 0.9:
        return f"Uneven: fewer than nine in ten images of the digit {weakest['digit']} are read so."
    return (
        "Draws what it is asked for: every digit is read as requested at least nine times in ten."
    )


def _html(table: pd.DataFrame) -> str:
    return table.to_html(index=False, border=0, classes="numbers", escape=True)


def _per_digit_html(table: pd.DataFrame) -> str:
    """Colour the accuracy by value; the number itself stands in every cell."""
    styler = table.reset_index().style.hide(axis="index")
    styler = styler.format(PER_DIGIT_FORMATS, escape="html", na_rep="-")
    for column in ("accuracy", "diversity"):
        styler = styler.background_gradient(cmap="Blues", subset=[column], vmin=0.0, vmax=1.0)
    return styler.set_table_attributes('class="numbers"').to_html()


def _embedded(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
