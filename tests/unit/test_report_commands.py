import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import golden_results
from msgspec.structs import replace as with_other

from cgan.cli import main
from cgan.config.recipes import RECIPES, eval_config, gan_config
from cgan.config.schema import DataSize, EvalConfig, GanConfig
from cgan.data.spec import description
from cgan.metrics.results import ClassifierFacts, Provenance, Results
from cgan.reporting.commands import commands_of


def results(config: GanConfig | None, scored: EvalConfig, **provenance: Any) -> Results:
    found, dataset = golden_results(), config.dataset if config else "digits"
    return with_other(
        found,
        run="my-run",
        dataset=dataset,
        recipe=config.recipe if config else None,
        judge=with_other(found.judge, name=f"{dataset}-judge"),
        guide=None,
        provenance=Provenance(
            config=asdict(config) if config else None, evaluation=asdict(scored), **provenance
        ),
    )


def parsed(line: str) -> dict[str, Any]:
    """Return what the command line makes of a command: the values of its options."""
    program, name, *words = shlex.split(line)
    assert program == "cgan"
    command = main.commands[name]
    with command.make_context(name, words, parent=click.Context(main)) as context:
        return context.params


DIGITS = description("digits").size
CONFIGS = [
    *(gan_config(recipe, "mnist") for recipe in RECIPES),
    *(gan_config(recipe, "digits", DIGITS) for recipe in RECIPES),
    gan_config("guided", "mnist", d_every=2, g_lr=1e-3, d_lr=3e-3, epochs=0.5, seed=9),
    gan_config("guided", "digits", DIGITS, d_every=3, guidance=0.25, modes=2, device="cpu"),
    gan_config("guided", "mine-01234567", DataSize(100, 2, 3, 64, 64)),
    gan_config("guided", "mnist", penalty="r1+r2", penalty_weight=0.05, penalty_every=4),
    gan_config("udacity", "mnist", net="conv", label_smoothing=0.2, noise="uniform"),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.recipe}-{c.dataset}-{c.d_every}")
def test_the_command_of_a_training_leads_to_its_config(config: GanConfig) -> None:
    line, _ = commands_of(results(config, EvalConfig()))
    given = parsed(line)
    assert given["name"] == "my-run"
    flags = {key: given[key] for key in asdict(config).keys() & given.keys()}
    size = DIGITS if config.dataset == "digits" else DataSize(7, 3, 1, 16, 16)
    if config.dataset == "mnist":
        size = DataSize()
    again = gan_config(flags.pop("recipe"), flags.pop("dataset"), size, **flags)
    assert replace(again, dry_run=False) == config


@pytest.mark.parametrize(
    ("scored", "flags"),
    [
        (EvalConfig(), []),
        (eval_config(quick=True), ["--quick"]),
        (EvalConfig(n_samples=500), ["--n-samples", "500"]),
        (eval_config(quick=True, n_samples=300), ["--quick", "--n-samples", "300"]),
        (EvalConfig(copying=False, seed=3), ["--no-copying", "--seed", "3"]),
    ],
)
def test_the_command_of_an_evaluation_leads_to_its_config(
    scored: EvalConfig, flags: list[str]
) -> None:
    *_, line = commands_of(results(gan_config("guided", "mnist"), scored))
    assert shlex.split(line) == ["cgan", "evaluate", "my-run", *flags]
    given = parsed(line)
    kept = {key: given[key] for key in asdict(scored)}
    assert eval_config(given["quick"], **kept) == replace(scored, device=given["device"])


def test_images_from_a_file_are_named_and_quoted(tmp_path: Path) -> None:
    path = "my images; rm -rf.npz"
    (line,) = commands_of(results(None, EvalConfig(), images=path))
    assert parsed(line)["images"] == Path(path)
    assert parsed(line)["dataset"] == "digits"


@pytest.mark.parametrize(("chosen", "precision"), [("bf16", "bf16"), (None, None)])
def test_the_precision_that_a_training_chose_by_itself_is_named_where_it_is_known(
    chosen: str | None, precision: str | None
) -> None:
    config = gan_config("guided", "digits", DIGITS)
    assert config.precision == "auto"
    line, _ = commands_of(results(config, EvalConfig(), training_precision=chosen))
    assert parsed(line)["precision"] == precision
    config = gan_config("guided", "digits", DIGITS, precision="fp32")  # a flag is kept
    line, _ = commands_of(results(config, EvalConfig(), training_precision=chosen))
    assert parsed(line)["precision"] == "fp32"


def test_another_guide_and_judge_are_named() -> None:
    found = results(gan_config("guided", "digits", DIGITS), EvalConfig())
    guide = ClassifierFacts(name="other-guide", network="cnn")
    judge = with_other(found.judge, name="other-judge")
    train, score = commands_of(with_other(found, guide=guide, judge=judge))
    assert parsed(train)["guide"] == "other-guide"
    assert parsed(score)["judge"] == "other-judge"


def test_a_config_of_another_version_gives_no_command() -> None:
    config = {**asdict(gan_config("guided", "digits", DIGITS)), "nonsense": 1}
    found = with_other(golden_results(), provenance=Provenance(config=config))
    assert commands_of(found) == []


def test_arrays_in_memory_and_names_that_pass_for_flags_give_no_command() -> None:
    assert commands_of(results(None, EvalConfig())) == []
    found = results(gan_config("guided", "digits", DIGITS), EvalConfig())
    assert commands_of(with_other(found, run="--out")) == []
