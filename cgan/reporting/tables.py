"""The numbers of a report as pandas tables."""

import msgspec
import pandas as pd

from cgan.data.spec import absent_classes, description, plural, title_of
from cgan.io.files import safe_cell
from cgan.metrics.registry import METRICS
from cgan.metrics.results import ClassRow, Results, Score
from cgan.runtime.progress import wrapped
from cgan.runtime.wording import clipped

# which way is better
ARROWS = {"high": "\N{UPWARDS ARROW}", "low": "\N{DOWNWARDS ARROW}", "real": "\N{ALMOST EQUAL TO}"}
WORST_CLASS = "worst_class"  # the lowest accuracy of a class, shown with the metrics
SUMMARY = (
    *("judge_accuracy", "guide_accuracy", "missing_classes", "intra_class_diversity"),
    *("fcd", "precision", "recall", "coverage", "gan_train_accuracy", "copying_z"),
)
HEADS = ("95% interval", "real images")


def title(name: str, noun: str, *, short: bool = False) -> str:
    """Return a metric's title; `noun` is the data set's word for a class."""
    if name == WORST_CLASS:
        return f"worst {noun}"
    metric = METRICS[name]
    return ((short and metric.short_title) or metric.title).format(noun=noun)


def heading(results: Results) -> str:
    """Return the title of a report: what was evaluated, what it shows, and when, if known."""
    images, created = description(results.dataset).images, results.provenance.created
    what = "a generator of" if results.recipe is not None else "images compared with"
    when = "" if created is None else f", {created.day} {created:%B %Y}"
    return f"Evaluation of {results.run}: {what} {images}{when}"


def metrics(results: Results) -> pd.DataFrame:
    """Return one row a metric: value, its 95% interval, the same of real images, and N."""
    columns = ["value", "low", "high", "real", "real_low", "real_high", "n"]
    rows = [[getattr(score, column) for column in columns] for score in results.metrics.values()]
    index = pd.Index(results.metrics, name="metric")
    return pd.DataFrame(rows, index, columns).astype(float).astype({"n": "Int64"})


def headline(results: Results) -> list[dict[str, str]]:
    """Return one row a metric, formatted for readers, with its meaning."""
    rows = []
    for name, score in results.metrics.items():
        metric = METRICS[name]
        rows.append(
            {
                "name": name,
                "metric": f"{title(name, results.noun)} {ARROWS[metric.better]}",
                "value": worded(name, score.value),
                "interval": interval(name, score.low, score.high),
                "real": worded(name, score.real),
                "n": f"{score.n:,}",
                "words": metric.meaning.format(noun=results.noun) + _extrapolated(score),
                "source": metric.source,
                "address": metric.address,
            }
        )
    return rows


def _extrapolated(score: Score) -> str:
    if score.extrapolated is None:
        return ""
    return f" Extrapolated to infinite N: {score.extrapolated:.4f}."


def cost(results: Results, history: pd.DataFrame | None) -> pd.DataFrame:
    """Return time and cost, as far as they are known: rows of `what` and `took`."""
    rows = []
    if history is not None and len(history):
        last = history.iloc[-1]
        rows.append(("training", f"{_time(last['seconds'])}, {last['epoch']:.4g} epochs"))
        if "validation_seconds" in history:
            rows.append(
                ("validation during the training", _time(history["validation_seconds"].sum()))
            )
    rows += [(f"evaluation: {stage}", _time(took)) for stage, took in results.timing.items()]
    if results.cost.weights is not None:
        rows.append(("weights of the generator", f"{results.cost.weights:,}"))
    if results.cost.threads is not None:
        rows.append(("threads of the evaluation", f"{results.cost.threads}"))
    if results.cost.peak_memory is not None:
        rows.append(
            ("peak memory of the evaluation", f"{results.cost.peak_memory / 2**20:,.0f} MiB")
        )
    return pd.DataFrame(rows, columns=["what", "took"])


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def worded(name: str, value: float | None) -> str:
    """Return a metric's value, formatted for readers."""
    if value is None:
        return "-"
    form = METRICS["judge_accuracy" if name == WORST_CLASS else name].form
    return f"{value:{form}}"


def interval(name: str, low: float | None, high: float | None) -> str:
    """Return a metric's interval, formatted for readers; a dash where an end is not known."""
    known = low is not None and high is not None
    return f"{worded(name, low)} to {worded(name, high)}" if known else "-"


def short(name: str, value: float) -> str:
    """Return a metric's value with as few digits as distinguish recipes."""
    metric = METRICS["judge_accuracy" if name == WORST_CLASS else name]
    return f"{value:{metric.short_form or metric.form}}"


def per_class(results: Results) -> pd.DataFrame:
    """Return one row a class: n, accuracy, coverage, diversity and FCD, with those of real images.

    The index, labels, is named after the data set's word for a class. If classes have names, the
    first column is `name`.
    """
    rows = [msgspec.to_builtins(row) for row in results.per_class]
    table = pd.DataFrame(rows).set_index("class").astype(float).astype({"n": int})
    return _named(table.rename_axis(results.noun), results)


def _named(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Return a table whose index is labels with the names of the classes in front, if any."""
    if results.class_names:
        table.insert(0, "name", [results.class_names[label] for label in table.index])
    return table


def confusion(results: Results) -> pd.DataFrame | None:
    """Return counts: rows the requested class, columns the judged one; None without requests.

    Rows and columns are called by the names of the classes, or by their labels without names.
    """
    if results.confusion is None:
        return None
    classes = results.class_names or range(len(results.confusion))
    table = pd.DataFrame(results.confusion, [*classes], [*classes])
    table.index.name, table.columns.name = "requested", "judged"
    return table


def histogram(results: Results) -> pd.DataFrame:
    """Return judged counts of generated images beside those that real images would give.

    If classes have names, the first column is `name`.
    """
    rows = [msgspec.to_builtins(row) for row in results.histogram]
    table = pd.DataFrame(rows).set_index("class").rename_axis(results.noun)
    if (table["generated"] % 1 == 0).all():  # a count, though results from elsewhere may have none
        table["generated"] = table["generated"].astype("int64")
    return _named(table, results)


def worst(results: Results) -> ClassRow | None:
    """Return the row of the class with the lowest accuracy, or None where none was requested."""
    rated = [
        (row.accuracy, i) for i, row in enumerate(results.per_class) if row.accuracy is not None
    ]
    return results.per_class[min(rated)[1]] if rated else None


def summary(results: Results) -> str:
    """Return the result in lines of at most 79 columns for a terminal: numbers, warnings, gaps.

    Unusually long names and warnings can make a line longer.
    """
    weakest = worst(results)
    rows = [(f"{results.n_samples:,} images, {title_of(results.dataset)}", "value", *HEADS)]
    for name in SUMMARY:
        score = results.metrics.get(name)
        if score is not None:
            shown = title(name, results.noun, short=True)
            shown += " (lower is better)" if name == "fcd" else ""
            ends = interval(name, score.low, score.high)
            rows.append((shown, worded(name, score.value), ends, worded(name, score.real)))
        if name == "judge_accuracy" and (balanced := results.judge.balanced_real):
            real = worded(name, balanced.value)
            rows.append((f"mean of the {nouns(results)}", "", "", real))
        if name == "judge_accuracy" and weakest is not None:
            ends = interval(WORST_CLASS, weakest.low, weakest.high)
            shown = clipped(f"worst {results.noun}: {results.name_of(weakest.label)}")
            rows.append((shown, worded(WORST_CLASS, weakest.accuracy), ends, ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {ends:<{widths[2]}}  "
        f"{real:>{widths[3]}}".rstrip()
        for name, value, ends, real in rows
    ]
    lines += [wrapped(f"  WARNING: {warning.message}") for warning in results.warnings]
    if results.reference.absent:
        lines.append(wrapped(f"  without {absent(results)}"))
    missing: dict[str, list[str]] = {}
    for name, why in results.left_out.items():
        missing.setdefault(why, []).append(title(name, results.noun, short=True))
    for why, titles in missing.items():
        lines.append(wrapped(f"  without {', '.join(titles)}: {why}"))
    return "\n".join(lines)


def file_name(table: str, results: Results) -> str:
    """Return the name of a table's file: per_digit.csv where classes are digits."""
    return f"per_{results.noun.replace(' ', '_')}.csv" if table == "per_class" else f"{table}.csv"


def csv_of(table: pd.DataFrame, *, index: bool = True) -> bytes:
    """Return a table as CSV, whose texts no spreadsheet takes for formulas."""
    safe = table.rename(columns=safe_cell, index=safe_cell)
    for name, column in safe.select_dtypes(exclude="number").items():
        safe[name] = column.map(safe_cell)
    return safe.to_csv(index=index, lineterminator="\n").encode()


def absent(results: Results) -> str:
    """Return which classes the evaluation left out, and why; empty if none."""
    names = [results.name_of(label) for label in results.reference.absent]
    return absent_classes(names, results.noun) if names else ""


def nouns(results: Results) -> str:
    """Return the data set's word for several classes."""
    return plural(results.noun)
