"""Short labels for runs of one recipe, by the settings that differ; and what cannot be compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from cgan.metrics.results import Results
from cgan.runtime.wording import clipped

LONGEST = 40  # letters of a label
RATES = ("g_lr", "d_lr")  # learning rates, mostly equal


def kind_labels(recipe: str, kinds: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return for each kind of a recipe a label of at most LONGEST letters, and what it leaves out.

    A label is the recipe and the settings that differ from another kind's, as far as the labels of
    all its kinds have room for them. Otherwise the kinds are numbered, and their settings are the
    second part.

    Args:
        recipe: its name.
        kinds: the settings of each kind.
    """
    apart = [_differing(settings, kinds) for settings in kinds]
    full = [", ".join(filter(None, [recipe, settings])) for settings in apart]
    if max(map(len, full)) <= LONGEST:
        return [(label, "") for label in full]
    if len(kinds) == 1:
        return [(clipped(recipe, LONGEST), "")]
    named = clipped(recipe, LONGEST - len(f" {len(kinds)}"))
    return [(f"{named} {i}", settings) for i, settings in enumerate(apart, start=1)]


def _differing(settings: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> str:
    keys = [
        key for key, value in settings.items() if any(other.get(key) != value for other in kinds)
    ]
    said = {key: f"{key} {settings[key]}" for key in keys}
    if set(RATES) <= said.keys() and settings[RATES[0]] == settings[RATES[1]]:
        said[RATES[0]] = f"lr {settings[RATES[0]]}"
        del said[RATES[1]]
    if "n_samples" in said:
        said["n_samples"] = f"{settings['n_samples']:,} images"
    return ", ".join(said.values())


def not_comparable(reports: Sequence[Results]) -> str:
    """Return why the scores of reports cannot be compared; empty where they can."""
    judges = {(one.judge.name, one.provenance.judge_sha256) for one in reports}
    names = sorted({name for name, _ in judges})
    known = {checksum for _, checksum in judges if checksum is not None}
    data_sets = sorted({one.dataset for one in reports})
    counts = sorted({one.n_samples for one in reports})
    reasons = []
    if len(data_sets) > 1:
        reasons.append(f"several data sets ({', '.join(data_sets)})")
    if len(names) > 1:
        reasons.append(f"several judges ({', '.join(names)})")
    elif len(known) > 1:
        reasons.append(f"several versions of the judge {names[0]}")
    if len(counts) > 1:
        numbers = ", ".join(f"{count:,}" for count in counts)
        reasons.append(f"different numbers of images ({numbers}), on which FCD depends")
    return "; ".join(reasons)
