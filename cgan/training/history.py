"""The history of a training: the scores at each evaluation, and what is wrong with its course."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cgan.config.schema import GanConfig
from cgan.io.strict import first_line
from cgan.runtime.errors import InputError
from cgan.training.losses import ADVERSARIAL
from cgan.training.validation import ValidationResult

EARLY = 0.1  # share of the training without warnings: the images cannot be good yet
SURE = 0.98  # D(x) of a discriminator that wins, over a whole evaluation interval
NEVER_FOOLED = 0.02  # its D(G(z)); for losses of other outputs, its loss
CHANCE = 0.02  # difference of D(x) and D(G(z)), or of the loss from ln 2, of one that guesses
HALF = 0.5  # share of mistakes of one that guesses
VANISHED = 1e-5  # norm of a gradient
SMOOTHING = 0.1  # of labels, that is recommended

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
        words.append(f"FCD {scores['fcd']:.3f}")
    if "coverage" in scores:
        words.append(f"coverage {scores['coverage']:.1%}")
    return words


class History:
    """The scores of a training at each evaluation, and which were the best so far.

    The best evaluation has the lowest FCD. Where none has an FCD, it is the last one.
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


def imbalances(rows: Sequence[Mapping[str, float]], config: GanConfig) -> list[str]:
    """Return warnings about the balance of the two networks: each once, when it first applies.

    Args:
        rows: of the history; the last one is the newest.
        config: of the training.
    """
    if config.dry_run:
        return []
    late = [i for i, row in enumerate(rows, start=1) if row["epoch"] > EARLY * config.epochs]
    found = [_imbalances(rows[:count], config) for count in late]
    if not found or late[-1] != len(rows):
        return []
    before = {kind for earlier in found[:-1] for kind in earlier}
    return [text for kind, text in found[-1].items() if kind not in before]


def _imbalances(rows: Sequence[Mapping[str, float]], config: GanConfig) -> dict[str, str]:
    """Return what is wrong in the last row, by kind."""
    found, last = {}, rows[-1]
    if _wins(last, config):
        found["wins"] = (
            f"The discriminator wins: {_outputs(last, config)} since the last evaluation, so the "
            f"generator learns little from it. Start again with {_weaker(config)}."
        )
    if len(rows) > 1 and all(_guesses(row, config) for row in rows):
        found["guesses"] = (
            f"The discriminator guesses: {_outputs(last, config)}, as at the start, so the "
            f"generator learns nothing from it. Start again with {_stronger(config)}."
        )
    for name, network in (("g", "generator"), ("d", "discriminator")):
        norm = last.get(f"{name}_gradient", math.inf)
        if norm < VANISHED:
            found[name] = (
                f"The gradient of the {network} has vanished (norm {norm:.1g}), so it no longer "
                f"learns. Start again with {_steeper(config)}."
            )
    return found


def _wins(row: Mapping[str, float], config: GanConfig) -> bool:
    """Return whether the discriminator made no mistake between two evaluations."""
    outputs = row.get("d_real", 0.0) > SURE * (1 - config.label_smoothing)
    if not ADVERSARIAL[config.loss].relative and outputs:
        return row.get("d_fake", 1.0) < NEVER_FOOLED
    return config.label_smoothing == 0 and row.get("d_loss", math.inf) < NEVER_FOOLED


def _guesses(row: Mapping[str, float], config: GanConfig) -> bool:
    """Return whether the discriminator did not tell real from generated images."""
    if ADVERSARIAL[config.loss].relative:  # its outputs for single images mean nothing
        return abs(row.get("d_loss", math.inf) - math.log(2)) < CHANCE
    mistakes = row.get("d_error", HALF)  # in histories of older versions it is missing
    same = abs(row.get("d_real", math.inf) - row.get("d_fake", -math.inf)) < CHANCE
    return same and abs(mistakes - HALF) < CHANCE


def _outputs(row: Mapping[str, float], config: GanConfig) -> str:
    if ADVERSARIAL[config.loss].relative:
        return f"its loss is {row['d_loss']:.2g}"
    return f"D(x) {row['d_real']:.2f}, D(G(z)) {row['d_fake']:.2f}"


def _weaker(config: GanConfig) -> str:
    """Return the options that make the discriminator weaker."""
    options = [f"--d-lr {config.d_lr / 2:g}", f"--d-every {2 * config.d_every}"]
    if config.label_smoothing < SMOOTHING:
        options.append(f"--label-smoothing {SMOOTHING}")
    return f"{', '.join(options[:-1])} or {options[-1]}"


def _stronger(config: GanConfig) -> str:
    """Return the options that make the discriminator stronger."""
    oftener = "--d-every 1 or " if config.d_every > 1 else ""
    return f"{oftener}--d-lr {2 * config.d_lr:g}"


def _steeper(config: GanConfig) -> str:
    """Return the options that keep the gradients from vanishing."""
    if config.loss == "probability":  # its sigmoid has no slope where the discriminator is sure
        return "--loss logistic"
    return f"--g-lr {config.g_lr / 2:g} --d-lr {config.d_lr / 2:g}"
