"""An evaluation for a notebook: pandas tables, and a summary as the output of a cell."""

import html
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd

from cgan.metrics.results import Results
from cgan.reporting import tables
from cgan.reporting.tables import summary
from cgan.reporting.verdict import find_verdict
from cgan.runtime.errors import warn_renamed

COLUMNS = ["value", "low", "high", "real", "n"]  # of the metrics
WARNING = ["kind", "metric", "value", "threshold", "message"]
# the columns that a notebook shows, and their heads
HEADLINE = {
    "metric": "metric",
    "value": "value",
    "interval": "95% interval",
    "real": "real images",
    "n": "N",
}


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """The results of an evaluation as pandas tables; a notebook shows a summary.

    Attributes:
        results: the content of results.json.
        report: the path of its page, index.html, which `cgan report` regenerates.
        history: losses and scores of the training, a row each time it was scored; None where it is
            not known.
    """

    results: Results
    report: Path
    history: pd.DataFrame | None = None

    @property
    def metrics(self) -> pd.DataFrame:
        """Rows: metrics by name. Columns: value, its 95% interval low to high, real, n.

        `real` is the same metric of held-out real images, `n` the number of images evaluated.
        Metrics that were left out have no row: `results.left_out` says why.
        """
        return tables.metrics(self.results)[COLUMNS]

    @property
    def per_class(self) -> pd.DataFrame:
        """Rows: classes. Columns: n, accuracy with its interval, coverage, diversity, fcd, ...

        If classes have names, the first column is `name`.
        """
        return tables.per_class(self.results)

    @property
    def per_digit(self) -> pd.DataFrame:
        """The old name of `per_class`."""
        warn_renamed("Evaluation.per_digit", "Evaluation.per_class")
        return self.per_class

    @property
    def confusion(self) -> pd.DataFrame | None:
        """Counts. Rows: the requested class. Columns: the judged one. None without requests.

        Classes are called by their names, or by their labels without names.
        """
        return tables.confusion(self.results)

    @property
    def histogram(self) -> pd.DataFrame:
        """Rows: classes. Columns: images that the judge assigns to it, generated and real.

        If classes have names, the first column is `name`.
        """
        return tables.histogram(self.results)

    @property
    def warnings(self) -> pd.DataFrame:
        """One row for each warning: kind, metric, value, threshold, message."""
        rows = [msgspec.to_builtins(warning) for warning in self.results.warnings]
        return pd.DataFrame(rows).reindex(columns=WARNING)

    @property
    def alarms(self) -> pd.DataFrame:
        """The old name of `warnings`."""
        warn_renamed("Evaluation.alarms", "Evaluation.warnings")
        return self.warnings

    @property
    def verdict(self) -> str:
        """The verdict as a sentence."""
        return str(find_verdict(self.results, self.history))

    def __repr__(self) -> str:
        """Return the verdict in one line."""
        return f"<Evaluation of {self.results.run}: {self.verdict}>"

    def __str__(self) -> str:
        """Return the verdict and the numbers in a few lines."""
        return f"{self.results.run}: {self.verdict}\n{summary(self.results)}"

    def _repr_html_(self) -> str:
        """Return verdict, warnings and the headline table for a notebook, in its own colours."""
        name, n = html.escape(self.results.run), self.results.n_samples
        against = html.escape(self.results.dataset)
        parts = [
            f"<p><strong>{name}</strong>, {n:,} images, {against}: {html.escape(self.verdict)}</p>"
        ]
        parts += [
            f"<p><strong>Warning.</strong> {html.escape(warning.message)}</p>"
            for warning in self.results.warnings
        ]
        rows = [[row[key] for key in HEADLINE] for row in tables.headline(self.results)]
        parts.append(_html([list(HEADLINE.values()), *rows]))
        left = ", ".join(tables.title(name, self.results.noun) for name in self.results.left_out)
        if left:
            parts.append(f"<p>Left out: {html.escape(left)}.</p>")
        return "\n".join(parts)


def _html(rows: list[list[str]]) -> str:
    """Return a table, heads first, with names aligned to the left and numbers to the right."""
    cells = [
        "".join(
            f'<{tag} style="padding: 0 .5em; text-align: {"right" if i else "left"}">'
            f"{html.escape(text)}</{tag}>"
            for i, text in enumerate(row)
        )
        for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
    ]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
