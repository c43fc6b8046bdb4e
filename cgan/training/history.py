"""The history of a training: the scores at each evaluation."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cgan.io.strict import first_line
from cgan.runtime.errors import InputError
from cgan.training.validation import ValidationResult

# short name and format of logged values and scores, for one line of a terminal
SHORT = {
    "d_loss": ("D", ".2f"),
    "g_loss": ("G", ".2f"),
    "d_real": ("D(x)", ".2f"),
    "d_fake": ("D(G(z))", ".2f"),
    "judge_accuracy": ("acc", ".1%"),
    "coverage": ("cov", ".0%"),
}


def in_short(readings: Mapping[str, float]) -> str:
    """Return logged values and scores as text of at most 60 columns, for a progress bar.

    Only the names in `SHORT` are included.
    """
    known = ((SHORT[name], readings[name]) for name in SHORT if name in readings)
    return " ".join(f"{word} {value:{form}}" for (word, form), value in known)


def in_words(scores: Mapping[str, float]) -> list[str]:
    """Return the given scores as text, one string per score."""
    names = {"guide_accuracy": "guide accuracy", "judge_accuracy": "judge accuracy"}
    words = [f"{names[key]} {scores[key]:.1%}" for key in names if key in scores]
    if "fcd" in scores:
        words += [f"FCD {scores['fcd']:.3f}", f"coverage {scores['coverage']:.1%}"]
    return words


class History:
    """The scores of a training at each evaluation, and which were the best so far.

    The best evaluation has the lowest FCD. Without a judge it is the last one.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.rows: list[dict[str, float]] = []
        self.best = math.inf
        self.warnings: list[str] = []  # about the kept networks

    def add(self, row: Mapping[str, float], result: ValidationResult) -> bool:
        """Add a row, and return whether its scores are the best so far.

        Args:
            row: mean values since the last row; its first column is `epoch`.
            result: the scores of the current generator.
        """
        fcd = result.scores.get("fcd", -math.inf)
        kept = fcd <= self.best
        self.best = min(self.best, fcd)
        self.rows.append({**row, **result.scores, "kept": int(kept)})
        if kept:
            self.warnings = result.warnings
        return kept

    def facts(self) -> dict[str, Any]:
        """Return everything that `restore` needs."""
        return {"rows": self.rows, "best": self.best, "warnings": self.warnings}

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Restore the history that returned these `facts`.

        Raises:
            InputError: they are malformed.
        """
        try:
            self.rows = [
                {str(key): (int if key == "kept" else float)(n) for key, n in row.items()}
                for row in facts["rows"]
            ]
            self.best = float(facts["best"])
            self.warnings = [str(text) for text in facts["warnings"]]
            if not all(text.isprintable() for text in self.warnings):  # a terminal shows them
                raise ValueError("a warning is not printable")
            if not all("epoch" in row for row in self.rows):
                raise ValueError("a row has no epoch")
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            reason = first_line(error)
            raise InputError(f"the checkpoint's history is damaged ({reason})") from error

    def last_line(self) -> str:
        """Return the last row as a line below HEAD, with a dash for each missing value."""
        return _columns(
            format(self.rows[-1][name], form) if name in self.rows[-1] else "-"
            for name, _, form in COLUMNS
        )


def _columns(words: Iterable[str]) -> str:
    return "".join(
        f" {word:>{len(head) - 1}}" for word, (_, head, _) in zip(words, COLUMNS, strict=True)
    )


# columns of an evaluation's line: name in the history, heading as wide as the column, format
COLUMNS = (
    ("epoch", "   epoch", ".4g"),
    ("d_loss", "  D loss", ".3f"),
    ("g_loss", "  G loss", ".3f"),
    ("d_real", "   D(x)", ".2f"),
    ("d_fake", "  D(G(z))", ".2f"),
    ("guide_accuracy", "   guide", ".1%"),
    ("judge_accuracy", "   judge", ".1%"),
    ("fcd", "     FCD", ".3f"),
    ("coverage", "  cover", ".0%"),
    ("seconds", "  time", ".0f"),
)
HEAD = "".join(head for _, head, _ in COLUMNS)
