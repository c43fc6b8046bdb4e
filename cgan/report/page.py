"""Writes a run's page, one self-contained file, with its tables as CSV beside it."""

import base64
import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from cgan.files import make_folder
from cgan.journal import PATIENCE, commit, locked
from cgan.pictures import figure_bytes
from cgan.report import figures, tables
from cgan.report.read import read_history, read_picture, read_results

SHOWN = ["digit", "n", "accuracy", "low", "high", "coverage", "diversity", "fcd", "fcd_real"]
SHARES = ("accuracy", "low", "high", "coverage")


def write_report(folder: Path) -> Path:
    """Write index.html, per_digit.csv, confusion.csv and histogram.csv from files alone.

    Args:
        folder: holds results.json and, if there are, history.csv and pictures; the page goes
            there.

    Returns:
        The path of index.html.

    Raises:
        InputError: results.json cannot be read, or the folder cannot be written.
    """
    read_results(folder)  # before anything is made of a folder that is none
    make_folder(folder, "--reports-dir")
    with locked(folder, wait=PATIENCE):  # from reading to writing: all of one evaluation
        commit(folder, _files(folder))
    return folder / "index.html"


def _files(folder: Path) -> dict[str, bytes]:
    """Return the page and its tables by name."""
    results, history = read_results(folder), read_history(folder)
    per_digit, confusion = tables.per_digit(results), tables.confusion(results)
    histogram = tables.histogram(results)
    sheets = {"per_digit": per_digit, "confusion": confusion, "histogram": histogram}
    real = results["judge"]["accuracy_real"]["value"]
    pictures = {"histogram": figure_bytes(figures.histogram(histogram))}
    if confusion is not None:
        pictures["accuracy"] = figure_bytes(figures.accuracy(per_digit, real))
        pictures["confusion"] = figure_bytes(figures.confusion(confusion))
    if history is not None:
        pictures["training"] = figure_bytes(figures.training(history))
    for name in ("samples.png", "copies.png", "epochs.png", "film.gif"):
        picture = read_picture(folder / name)
        if picture is not None:
            pictures[Path(name).stem] = picture
    page = render(
        "page.html",
        results=results,
        verdict=verdict(results),
        headline=_html(tables.headline(results)),
        per_digit=_per_digit_html(per_digit),
        pictures={name: embedded(content) for name, content in pictures.items()},
        provenance=json.dumps(results.get("provenance", {}), indent=2),
        weakest=tables.worst(results),
        titles=tables.TITLES,
    )
    files = {
        f"{name}.csv": table.to_csv(lineterminator="\n").encode()
        for name, table in sheets.items()
        if table is not None
    }
    return {**files, "index.html": page}


def write_training(folder: Path) -> None:
    """Write training.png, the curves of history.csv, to the folder of both.

    Raises:
        InputError: history.csv is damaged, or the folder cannot be written to.
    """
    history = read_history(folder)
    if history is not None:
        with locked(folder, wait=PATIENCE):
            commit(folder, {"training.png": figure_bytes(figures.training(history))})


VERDICTS = {  # the first kind that was raised is what matters most
    "missing": "Collapsed: some classes are hardly ever drawn.",
    "collapsed": "Collapsed: it has learned a small part of what real images look like.",
    "unrealistic": "Not realistic: most of its images are unlike any real one.",
    "copied": "Copying: it repeats images that it was trained on.",
    "mislabelled": "Wrong digits: it often draws another digit than the one asked for.",
    "flattered": "Flattered: its guide likes the images better than an independent judge does.",
}


def verdict(results: dict[str, Any]) -> str:
    """Return one sentence on whether the generator draws what it is asked for, with variety."""
    raised = {alarm.get("kind") for alarm in results["alarms"]}
    for kind, sentence in VERDICTS.items():
        if kind in raised:
            return sentence
    judge, weakest = results["metrics"].get("judge_accuracy"), tables.worst(results)
    if judge is None or weakest is None:
        return "No alarm: realistic and varied as far as images without labels can show it."
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
    """Colour the shares by value; the number itself stands in every cell."""
    shown = table.reset_index()[SHOWN].dropna(axis="columns", how="all")
    formats: dict[Any, Any] = {
        column: "{:.1%}" if column in SHARES else "{:.2f}"
        for column in shown.columns.difference(["digit", "n"])
    }
    styler = shown.style.hide(axis="index").format(formats, escape="html", na_rep="-")
    coloured: list[Hashable] = [
        column for column in ("accuracy", "coverage", "diversity") if column in shown
    ]
    styler = styler.background_gradient(cmap="Blues", subset=coloured, vmin=0.0, vmax=1.0)
    return styler.set_table_attributes('class="numbers"').to_html()


def render(template: str, **values: Any) -> bytes:
    """Return a page of `templates`, all text in it escaped, with every value that it names."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values).encode()


def embedded(content: bytes) -> str:
    """Return a picture, PNG or GIF, as an address that holds it."""
    kind = "gif" if content.startswith(b"GIF") else "png"
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()
