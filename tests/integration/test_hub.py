import json
import os
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import safetensors.torch
import torch
from conftest import digits_config

from cgan.cli import main
from cgan.config.schema import Folders
from cgan.data.roles import require_classifier
from cgan.data.spec import DataSpec
from cgan.io.journal import MANIFEST
from cgan.io.run_layout import (
    CHECKPOINT,
    SHIPPED,
    find_run,
    newest_run,
    plain_name,
    runs,
    unused_name,
)
from cgan.models.hub import load_classifier, load_generator
from cgan.models.registry import make_generator
from cgan.models.roles import load_discriminator, require_same_images
from cgan.runtime.errors import InputError, UncheckedWarning
from cgan.training.run_writer import RunWriter

SPEC = DataSpec("digits", 1, 28, 28, 10)


def toy_run(weights: Path, name: str, *, overwrite: bool = False) -> None:
    config = digits_config()
    with RunWriter(weights, name, overwrite=overwrite) as writer:
        writer.add_config("gan", SPEC, config, {})
        writer.add_network("generator.safetensors", make_generator(config, SPEC))
        writer.publish()


def test_a_run_that_was_never_published_leaves_no_trace(tmp_path: Path) -> None:
    with RunWriter(tmp_path, "a", overwrite=False) as writer:
        writer.add_config("gan", SPEC, digits_config(), {})
        assert writer.folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_published_run_is_replaced_only_on_request(tmp_path: Path) -> None:
    toy_run(tmp_path, "a")
    with pytest.raises(InputError, match="exists already"):
        toy_run(tmp_path, "a")
    toy_run(tmp_path, "a", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["", ".", "../up", "a/b", ".hidden", "a b", "x" * 101])
def test_a_name_that_is_no_plain_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="run name"):
        RunWriter(tmp_path / "weights", name, overwrite=False)
    assert not (tmp_path / "weights").exists()


def test_an_unused_name_is_numbered(tmp_path: Path) -> None:
    assert unused_name(tmp_path, "a", overwrite=False) == "a"
    toy_run(tmp_path, "a")
    toy_run(tmp_path, "a-2")
    assert unused_name(tmp_path, "a", overwrite=False) == "a-3"
    assert unused_name(tmp_path, "a", overwrite=True) == "a"


def test_a_run_is_found_by_name_and_by_folder(tmp_path: Path) -> None:
    toy_run(tmp_path, "a")
    assert find_run("a", tmp_path, "gan") == tmp_path / "a"
    assert find_run(str(tmp_path / "a"), Path("elsewhere"), "gan") == tmp_path / "a"
    assert load_generator(str(tmp_path / "a")).name == "a"


def test_a_misspelt_run_names_the_nearest(tmp_path: Path) -> None:
    toy_run(tmp_path, "mine")
    with pytest.raises(InputError, match="did you mean 'mine'"):
        find_run("mien", tmp_path, "gan")


def test_the_newest_run_is_the_one_written_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.io.run_layout.SHIPPED", tmp_path / "shipped")
    with pytest.raises(InputError, match="train-gan"):
        newest_run(tmp_path)
    toy_run(tmp_path / "shipped", "mnist")
    assert newest_run(tmp_path) == "mnist"  # where there is none of one's own
    toy_run(tmp_path, "b")
    toy_run(tmp_path, "a")
    os.utime(tmp_path / "a" / "generator.safetensors", ns=(0, 0))
    assert newest_run(tmp_path) == "b"


def test_shipped_classifiers_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for dataset in ("digits", "mnist", "mnist-sample"):
        for role in ("guide", "judge"):
            assert load_classifier(f"{dataset}-{role}").spec.dataset == dataset
    assert not (tmp_path / "weights").exists()


def test_ones_own_classifier_comes_before_the_shipped_one(tmp_path: Path) -> None:
    copytree(SHIPPED / "digits-judge", tmp_path / "digits-guide")
    assert runs(tmp_path, "classifier")["digits-guide"] == tmp_path / "digits-guide"
    assert load_classifier("digits-guide", tmp_path).config.role == "judge"


@pytest.mark.parametrize("role", ["guide", "judge"])
@pytest.mark.parametrize("dataset", ["fashion-mnist", "kmnist"])
def test_a_missing_classifier_is_told_with_a_command_that_trains_it(
    tmp_path: Path, dataset: str, role: str
) -> None:
    folders = Folders(tmp_path / "my data", tmp_path / "w")
    command = (
        f"cgan train-classifier --save-model --role {role} --dataset {dataset} "
        f"--data-dir '{folders.data}' --weights-dir {folders.weights}"
    )
    with pytest.raises(InputError) as caught:
        require_classifier(role, None, dataset, folders)
    assert str(caught.value) == (
        f"no {role} '{dataset}-{role}' in {folders.weights}; train one with: {command}"
    )
    typed = shlex.split(command)
    main.commands[typed[1]].make_context("train-classifier", typed[2:])  # it can be read
    # one of the data set under another name is advised, one of another data set is not
    with pytest.raises(InputError, match=rf"did you mean 'digits-{role}'\? \(one of: [a-z-]*\)"):
        require_classifier(role, f"digits{role}", "digits", folders)
    assert require_classifier(role, None, "digits", folders) == f"digits-{role}"


def test_a_classifier_of_another_data_set_is_refused() -> None:
    with pytest.raises(InputError, match="--dataset mnist"):
        require_same_images(load_classifier("digits-guide"), DataSpec("mnist", 1, 28, 28, 10))
    require_same_images(load_classifier("digits-guide"), SPEC)


@pytest.mark.filterwarnings("ignore::cgan.runtime.errors.UncheckedWarning")
@pytest.mark.parametrize(
    ("fact", "value", "said"),
    [
        ("class_counts", [1] * 9, "must be a list of 10 numbers"),
        ("class_counts", {"0": 3}, "must be a list of 10 numbers"),
        ("class_counts", [1] * 9 + [-1], "whole numbers from 0"),
        ("class_counts", [0] * 10, "not all 0"),
        ("class_counts", [True] * 10, "whole numbers from 0"),
        ("data_sha256", "../x", "is not a run name"),
        ("data_sha256", 7, "must be a text"),
        ("test_accuracy", 0.5, "test_accuracy: it: expected an object"),
        ("test_accuracy", {"value": 1.5}, "test_accuracy: value: expected"),
        ("test_accuracy", {"value": 0.5, "low": "0"}, "test_accuracy: low: expected a number"),
    ],
)
def test_facts_of_a_classifier_that_are_not_what_they_should_be_are_refused(
    tmp_path: Path, fact: str, value: object, said: str
) -> None:
    folder = copytree(SHIPPED / "digits-judge", tmp_path / "mine")
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**content, fact: value}))
    (folder / MANIFEST).unlink()
    with pytest.raises(InputError, match=said):
        load_classifier(folder)


def damage_weights(folder: Path) -> str:
    path = folder / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return "damaged"


def other_shape(folder: Path) -> str:
    path = folder / "config.json"
    content = json.loads(path.read_text())
    content["config"]["z_dim"] = 63
    path.write_text(json.dumps(content))
    return "shape"


def other_keys(folder: Path) -> str:
    path = folder / "generator.safetensors"
    path.write_bytes(safetensors.torch.save({"x": torch.zeros(1)}))
    return "does not fit"


def no_config(folder: Path) -> str:
    (folder / "config.json").unlink()
    return "missing or damaged"


def broken_config(folder: Path) -> str:
    (folder / "config.json").write_text("{")
    return "missing or damaged"


def strange_field(folder: Path) -> str:
    path = folder / "config.json"
    content = json.loads(path.read_text())
    content["config"]["color"] = "blue"
    path.write_text(json.dumps(content))
    return "does not fit this version"


def strange_network(folder: Path) -> str:
    path = folder / "config.json"
    path.write_text(path.read_text().replace("shuffle-conv", "shufle-conv"))
    return "did you mean 'shuffle-conv'"


def changed(part: str, field: str, value: object, message: str) -> Callable[[Path], str]:
    def change(folder: Path) -> str:
        path = folder / "config.json"
        content = json.loads(path.read_text())
        (content[part] if part else content)[field] = value
        path.write_text(json.dumps(content))
        return message

    return change


def long_config(folder: Path) -> str:
    with (folder / "config.json").open("a") as stream:
        stream.write(" " * 2**20)
    return "1,048,576 is the maximum"


def deep_config(folder: Path) -> str:
    (folder / "config.json").write_text('{"spec":' * 100_000)
    return "levels"


def linked_config(folder: Path) -> str:
    (folder / "config.json").rename(folder / "other.json")
    (folder / "config.json").symlink_to(folder / "other.json")
    return "it is a link"


def config_of_a_list(folder: Path) -> str:
    (folder / "config.json").write_text("[1, 2]")
    return "missing or damaged"


def linked_weights(folder: Path) -> str:
    (folder / "generator.safetensors").rename(folder / "other")
    (folder / "generator.safetensors").symlink_to(folder / "other")
    return "it is a link"


@pytest.mark.parametrize(
    "damage",
    [
        damage_weights,
        long_config,
        deep_config,
        linked_config,
        config_of_a_list,
        linked_weights,
        changed("", "spec", [1], "missing or damaged"),
        changed("", "config", "guided", "missing or damaged"),
        changed("spec", "channels", "1", "--channels must be a whole number"),
        changed("spec", "height", 10**9, "--height must be"),
        changed("spec", "depth", 3, "does not fit this version"),
        changed("config", "z_dim", 64.0, "--z-dim must be a whole number"),
        changed("config", "z_dim", 10**9, "--z-dim must be"),
        changed("config", "z_dim", 4096, "shape"),  # refused before a network of it is made
        changed("config", "modes", 256, "shape"),
        changed("config", "generator", ["mlp"], "--generator must be a text"),
        changed("config", "dataset", "\x1b[2J", "printable"),
        changed("", "guide", 3, "`guide` must be a text"),
        changed("", "guide", "../../elsewhere", "not a run name"),
        changed("", "guide", "/etc", "not a run name"),
        changed("", "guide_sha256", {}, "`guide_sha256` must be a text"),
        changed("", "precision", 16, "`precision` must be a text"),
        other_shape,
        other_keys,
        no_config,
        broken_config,
        strange_field,
        strange_network,
    ],
)
def test_a_run_whose_files_do_not_belong_together_is_refused(
    tmp_path: Path, damage: object
) -> None:
    toy_run(tmp_path, "a")
    message = damage(tmp_path / "a")  # type: ignore[operator]
    (tmp_path / "a" / MANIFEST).unlink()  # as a stranger would
    with pytest.raises(InputError, match=message):
        load_generator("a", tmp_path)


@pytest.mark.parametrize("damage", [damage_weights, other_shape])
def test_a_run_that_is_not_what_was_written_is_refused(tmp_path: Path, damage: object) -> None:
    toy_run(tmp_path, "a")
    damage(tmp_path / "a")  # type: ignore[operator]
    with pytest.raises(InputError, match="is damaged: it does not match its manifest"):
        load_generator("a", tmp_path)


def test_a_run_that_was_never_scored_says_how_to_go_on(tmp_path: Path) -> None:
    with RunWriter(tmp_path, "a") as writer:
        writer.add({CHECKPOINT: b""})
        writer.publish()
    for name in ("a", str(tmp_path / "a")):
        with pytest.raises(InputError, match=f"train-gan --resume {tmp_path / 'a'}"):
            load_generator(name, tmp_path)


def test_loading_gives_back_what_was_trained(digits_run: Folders) -> None:
    gan = load_generator("toy", digits_run.weights)
    assert gan.spec == SPEC
    assert gan.config.epochs == 2
    assert not gan.network.training


def test_a_config_has_a_format_first_and_other_ones_are_read_or_refused_by_number(
    tmp_path: Path,
) -> None:
    toy_run(tmp_path, "a")
    (tmp_path / "a" / MANIFEST).unlink()
    path = tmp_path / "a/config.json"
    content = json.loads(path.read_text())
    assert next(iter(content.items())) == ("format", 2)
    path.write_text(json.dumps({**content, "format": 3}))
    with pytest.raises(InputError, match=r"config.json is of format 3, .* reads up to 2"):
        load_generator("a", tmp_path)
    path.write_text(json.dumps({**content, "format": 2.0}))
    with pytest.raises(InputError, match="not a whole number"):
        load_generator("a", tmp_path)
    del content["format"]
    path.write_text(json.dumps(content))
    assert load_generator("a", tmp_path).name == "a"


@pytest.mark.parametrize("run", ["digits", "digits-judge"])
def test_files_that_no_manifest_lists_are_loaded_with_a_word(tmp_path: Path, run: str) -> None:
    load = load_generator if run == "digits" else load_classifier
    folder = copytree(SHIPPED / run, tmp_path / run)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["sha256"]["history.csv"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.warns(UncheckedWarning, match=r"does not list history\.csv, .*leave the history o"):
        load(folder)
    manifest["sha256"] = {}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.warns(UncheckedWarning, match=r"is missing or empty; nothing lists config\.json"):
        load(folder)
    (folder / MANIFEST).unlink()
    with pytest.warns(UncheckedWarning, match=r"safetensors, .* would not be noticed"):
        load(folder)


@pytest.mark.parametrize(
    ("run", "file", "load"),
    [
        ("digits", "generator.safetensors", load_generator),
        ("digits", "discriminator.safetensors", lambda folder: load_discriminator(str(folder))),
        ("digits-judge", "classifier.safetensors", load_classifier),
    ],
)
def test_weights_that_are_not_finite_are_refused_by_name(
    tmp_path: Path, run: str, file: str, load: Callable[[Path], object]
) -> None:
    folder = copytree(SHIPPED / run, tmp_path / run)
    state = safetensors.torch.load_file(folder / file)
    name = max(name for name in state if state[name].is_floating_point())
    state[name].view(-1)[-1] = torch.nan
    safetensors.torch.save_file(state, folder / file)
    (folder / MANIFEST).unlink()
    with pytest.raises(InputError, match=f"{file} is damaged: {name} has values that are not fin"):
        load(folder)


@pytest.mark.parametrize("field", ["dataset", "recipe", "generator"])
def test_a_text_that_begins_as_a_formula_is_refused(tmp_path: Path, field: str) -> None:
    toy_run(tmp_path, "a")
    (tmp_path / "a" / MANIFEST).unlink()
    changed("config", field, "=1+1", "")(tmp_path / "a")
    with pytest.raises(InputError, match=f"`{field}` must not begin with any of =|did you mean"):
        load_generator("a", tmp_path)


@pytest.mark.parametrize(
    "name", ["CON", "nul", "Aux.txt", "com1.tar.gz", "LPT9", "a.", "a..", "b "]
)
def test_a_name_that_other_systems_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is not a run name"):
        RunWriter(tmp_path, name)
    for other in ("console", "null", "com", "com10", "a.b", "x", "my-con", "v1.5", "a_", "a-"):
        assert plain_name(other) == other
