"""The commands that reproduce a report."""

import shlex
from dataclasses import asdict
from typing import Any

from cgan.config.recipes import eval_config, gan_config
from cgan.config.rules import RULED
from cgan.config.schema import EvalConfig, GanConfig
from cgan.data.spec import DESCRIPTIONS, description
from cgan.io.run_layout import PLAIN_NAME
from cgan.metrics.results import Provenance, Results
from cgan.runtime.errors import InputError

# settings without a flag, given otherwise, or without effect on the weights
UNSAID = {
    *("recipe", "dataset", "d_every", "dry_run", "log_interval", "checkpoint_every", "on_nan"),
    *("warmup", "beta2"),
}


def commands_of(results: Results) -> list[str]:
    """Return the command lines that train and score the run of `results`, as far as known.

    Settings that have no flag are left out, and so is a config of another version.
    """
    provenance = results.provenance
    names = [results.run, results.dataset, results.judge.name]
    initial = str((results.provenance.config or {}).get("init", ""))
    others = (_shown_guide(results), _training_guide(results), initial)
    names += [name for name in others if name]
    if not all(PLAIN_NAME.fullmatch(name) for name in names):
        return []  # an untrusted name could pass for a flag
    lines = []
    if provenance.config is not None:
        lines += _training(results, _as_used(provenance))
    elif provenance.images is None:
        return []  # arrays in memory
    subject = [results.run]
    if provenance.images is not None:
        subject = ["--images", provenance.images, "--dataset", results.dataset]
        subject += ["--name", results.run]
    if provenance.evaluation is not None:
        flags = _evaluation(provenance.evaluation, results)
        lines.append(shlex.join(["cgan", "evaluate", *subject, *flags]))
    return lines


def _shown_guide(results: Results) -> str | None:
    """Return the name of the classifier that is shown beside the judge."""
    return results.guide.name if results.guide else None


def _training_guide(results: Results) -> str | None:
    """Return the name of the classifier that guided the generator, if it is known."""
    return results.provenance.guide or _shown_guide(results)


def _as_used(provenance: Provenance) -> dict[str, Any]:
    """Return the settings of the training, with the precision that it chose by itself."""
    config = dict(provenance.config or {})
    if config.get("precision") == "auto" and provenance.training_precision is not None:
        config["precision"] = provenance.training_precision
    return config


def _training(results: Results, config: dict[str, Any]) -> list[str]:
    try:
        GanConfig(**config)
        recipe, dataset = config["recipe"], config["dataset"]
        size = description(dataset).size
        plain = gan_config(recipe, dataset, size)
        row = asdict(gan_config(recipe, dataset, size, d_every=config["d_every"]))
    except (TypeError, KeyError, InputError):
        return []
    flags = ["--recipe", config["recipe"], "--dataset", config["dataset"], "--name", results.run]
    guide = _training_guide(results)
    if guide and guide != f"{config['dataset']}-guide":
        flags += ["--guide", guide]
    if config["d_every"] != plain.d_every:
        flags += ["--d-every", str(config["d_every"])]
    for field, value in config.items():
        if field in UNSAID or isinstance(value, bool):
            continue
        # the size of an imported data set, from which rules set fields, is not known here
        if value != row[field] or (field in RULED and dataset not in DESCRIPTIONS):
            flags += [_flag(field), str(value)]
    return [shlex.join(["cgan", "train-gan", *flags])]


def _evaluation(scored: dict[str, Any], results: Results) -> list[str]:
    """Return the flags for the settings that differ from the default or the quick evaluation."""
    try:
        EvalConfig(**scored)
    except (TypeError, InputError):
        return []
    plain, quick = asdict(EvalConfig()), asdict(eval_config(quick=True))
    apart = {key for key in scored if scored[key] != plain[key]}
    flags = []
    if len(apart - {key for key in scored if scored[key] != quick[key]}) > 1:
        plain, flags = quick, ["--quick"]
    apart = {key for key in scored if scored[key] != plain[key]}
    if results.recipe is None:
        apart -= {"n_samples", "seed"}  # all images are scored as they are
    for key in sorted(apart):
        if key == "copying":
            flags.append("--copying" if scored[key] else "--no-copying")
        else:
            flags += [_flag(key), str(scored[key])]
    judge = results.judge.name
    if judge != f"{results.dataset}-judge":
        flags += ["--judge", judge]
    shown = _shown_guide(results)
    if shown and (shown != _training_guide(results) or results.recipe is None):
        flags += ["--guide", shown]
    return flags


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")
