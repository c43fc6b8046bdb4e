"""What is written for other programs computes there what it computes here."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import REPOSITORY, TOY
from torch import Tensor, nn

from cgan.config.recipes import RECIPES, gan_config
from cgan.config.schema import ClassifierConfig, DataSize
from cgan.data.spec import DataSpec
from cgan.deploy.export import (
    FORMATS,
    discriminator_onnx,
    export,
    find_source,
    generator_onnx,
    judge_onnx,
)
from cgan.deploy.formats import to_onnx, to_torchscript
from cgan.deploy.npz_network import ABOUT, read_network, to_npz
from cgan.deploy.parity import compare
from cgan.deploy.portable import N_EXAMPLES, Portable, Source, portable
from cgan.io.run_layout import SHIPPED
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.hub import ClassifierRun, GanRun, load_classifier, load_generator
from cgan.models.registry import make_discriminator, make_generator, uses_guide_features
from cgan.models.residual import ResidualBlock
from cgan.models.roles import DiscriminatorRun, attach_guide
from cgan.runtime.errors import ExportError, InputError
from cgan.runtime.version import __version__

CLOSE = 1e-4
MODES = 3
ODD = DataSpec("odd", 2, 11, 45, 5)  # sides that are rounded up when they are halved; one is large
NAMES = ("oak", "\u00e9rable", "pine", "fir")
SPECS = {  # of recipes whose networks are built for other images than TOY's
    "guided": DataSpec("toy", 3, 30, 18, 4, names=NAMES),  # padded and cropped
    "conv": DataSpec("toy", 3, 64, 64, 4),  # which need further layers
}
SEVERAL = [1, 64, 2]  # images at a time

# the outputs of every TorchScript file named, by a Python that has no cgan
ELSEWHERE = """
import sys, warnings
import torch
sys.modules["cgan"] = None  # to import it is an error
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    network = torch.jit.load(name)
    for given in torch.load(name + ".inputs"):
        made = network(*given)
        made = [made] if isinstance(made, torch.Tensor) else list(made)
        torch.save(made, f"{name}.{len(given[0])}")
"""


def stirred(network: nn.Module) -> nn.Module:
    """Give batch norms other statistics than they start with, and residual branches weights."""
    for part in network.modules():
        if isinstance(part, ResidualBlock):
            nn.init.normal_(part.narrow.weight, std=0.1)
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_(std=0.3)
            part.running_var.uniform_(0.5, 2)
    return network.eval()


def untrained_classifier(name: str, spec: DataSpec = TOY) -> ClassifierRun:
    config = ClassifierConfig(dataset="toy", role="judge", network=name)
    network = CLASSIFIERS[name](spec)
    stirred(network)
    return ClassifierRun("toy-judge", Path("nowhere"), spec, config, network)


def untrained(recipe: str, kind: str) -> Source:
    """Return a generator or a discriminator of a recipe, of several modes where that can be."""
    spec = SPECS.get(recipe, TOY)
    modes = MODES if RECIPES[recipe].noise == "normal" else 1
    config = gan_config(recipe, "toy", DataSize(1000, 4, *spec.image_shape), modes=modes)
    where = Path("nowhere")
    if kind == "generator":
        generator = make_generator(config, spec)
        shares = torch.rand(spec.n_classes, config.modes) + 0.2
        generator.set_mode_frequencies(shares / shares.sum(1, keepdim=True))
        stirred(generator)
        counts = (9, 0, 9, 9)
        return GanRun("toy", where, spec, config, "guide", "0" * 64, generator, None, counts)
    guide = untrained_classifier("leaky-cnn", spec)
    discriminator = make_discriminator(config, spec, guide.network.local_and_global)
    discriminator.set_feature_scales(torch.tensor([1.7, 0.6]))
    stirred(discriminator)
    if not uses_guide_features(config):
        return DiscriminatorRun("toy", where, spec, config, None, discriminator)
    attach_guide(discriminator, guide.network)
    return DiscriminatorRun("toy", where, spec, config, guide, discriminator)


SOURCES: dict[str, Callable[[], Source]] = {
    **{
        f"{recipe}-{kind}": lambda recipe=recipe, kind=kind: untrained(recipe, kind)  # type: ignore[misc]
        for recipe in RECIPES
        for kind in ("generator", "discriminator")
    },
    **{name: lambda name=name: untrained_classifier(name) for name in CLASSIFIERS},  # type: ignore[misc]
    **{
        f"odd-{name}": lambda name=name: untrained_classifier(name, ODD)  # type: ignore[misc]
        for name in CLASSIFIERS
    },
}
ALL = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name.startswith("guided-") else pytest.mark.slow)
        for name in SOURCES
    ],
)


def told(packed: Portable, given: tuple[Tensor, ...]) -> list[Tensor]:
    """Return what the run's own network says, not the copy that is exported."""
    source = packed.source
    with torch.no_grad():
        if isinstance(source, GanRun):
            return [source.network(*given), source.network.choose_modes(*given)]
        if isinstance(source, ClassifierRun):
            return [source.network(*given)]
        return [source.network(*given).reshape(len(given[0]), -1).mean(1)]


@contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Check that what is done meanwhile leaves a network as it was."""
    before = {key: value.clone() for key, value in network.state_dict().items()}
    yield
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def apart(one: list[Tensor], other: list[Tensor]) -> float:
    assert [(x.shape, x.dtype) for x in one] == [(x.shape, x.dtype) for x in other]
    pairs = zip(one, other, strict=True)
    return max(float((x.double() - y.double()).abs().max()) for x, y in pairs)


@ALL
def test_onnx_runs_as_the_network_does_for_any_number_of_images(name: str) -> None:
    source = SOURCES[name]()
    with unchanged(source.network):
        packed = portable(source)
        content = to_onnx(packed)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == list(packed.inputs)
    assert [one.name for one in session.get_outputs()] == list(packed.outputs)
    for n in SEVERAL:
        given = packed.random_inputs(n, seed=5)
        arrays = {key: x.numpy() for key, x in zip(packed.inputs, given, strict=True)}
        made = [torch.from_numpy(array) for array in session.run(None, arrays)]
        assert apart(made, told(packed, given)) < CLOSE


@pytest.mark.slow
def test_torchscript_runs_as_the_network_does_in_a_process_without_cgan(tmp_path: Path) -> None:
    files: list[str] = []
    wanted: dict[str, list[Tensor]] = {}
    for name, source in SOURCES.items():
        exported = source()
        path = tmp_path / f"{name}.pt"
        with unchanged(exported.network):
            packed = portable(exported)
            path.write_bytes(to_torchscript(packed))
        files.append(str(path))
        inputs = [packed.random_inputs(n, seed=5) for n in SEVERAL]
        torch.save(inputs, f"{path}.inputs")
        wanted |= {f"{path}.{len(given[0])}": told(packed, given) for given in inputs}
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, *files],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(wanted) == len(SOURCES) * len(SEVERAL)
    for made, outputs in wanted.items():
        assert apart(torch.load(made), outputs) < CLOSE, made


@ALL
def test_npz_builds_the_network_again(name: str, tmp_path: Path) -> None:
    source = SOURCES[name]()
    with unchanged(source.network):
        packed = portable(source)
        (tmp_path / "x.npz").write_bytes(to_npz(packed))
    again = read_network(tmp_path / "x.npz")
    assert (again.kind, again.inputs, again.outputs) == (packed.kind, packed.inputs, packed.outputs)
    assert again.facts == packed.facts
    assert again.source.config == packed.source.config
    given = packed.random_inputs(64, seed=5)
    with torch.no_grad():
        made = again.network(*given)
    made = [made] if isinstance(made, Tensor) else list(made)
    assert apart(made, told(packed, given)) < CLOSE


def test_random_inputs_are_such_as_the_network_was_made_for() -> None:
    z, labels = portable(untrained("guided", "generator")).random_inputs(2000)
    assert (z.shape, z.dtype) == ((2000, RECIPES["guided"].z_dim), torch.float32)
    assert float(z.std()) == pytest.approx(1, abs=0.01)
    assert labels.unique().tolist() == list(range(TOY.n_classes))
    uniform, _ = portable(untrained("udacity", "generator")).random_inputs(2000)
    assert float(uniform.abs().max()) <= 1
    assert float(uniform.std()) == pytest.approx(3**-0.5, abs=0.01)
    images, labels, modes = portable(untrained("guided", "discriminator")).random_inputs(2000)
    assert images.shape == (2000, *SPECS["guided"].image_shape)
    assert -1 <= float(images.min()) < -0.99 < 0.99 < float(images.max()) <= 1
    assert labels.unique().tolist() == list(range(TOY.n_classes))
    assert modes.unique().tolist() == list(range(MODES))
    assert N_EXAMPLES not in (1, TOY.channels - 1, TOY.height, TOY.width, TOY.n_classes)


def test_what_ships_is_exported_by_three_functions_with_what_one_must_know() -> None:
    none = Path("none")
    made = {
        "generator": generator_onnx(load_generator("digits", none)),
        "judge": judge_onnx(load_classifier("digits-judge", none)),
        "discriminator": discriminator_onnx(find_source("discriminator", "digits", none)),  # type: ignore[arg-type]
    }
    for kind, content in made.items():
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model, full_check=True)
        facts: Mapping[str, str] = {one.key: one.value for one in model.metadata_props}
        assert facts["network"] == kind
        assert facts["format"] == "2"
        assert facts["run"] == ("digits-judge" if kind == "judge" else "digits")
        assert facts["version"] == __version__
        assert facts["classes"] == "10"
        assert json.loads(facts["class_names"]) == list("0123456789")
        assert facts["class_noun"] == "digit"
        assert json.loads(facts["image_shape"]) == [1, 28, 28]
        if kind == "generator":
            assert (facts["z_dim"], facts["noise"], facts["modes"]) == ("64", "normal", "8")
        del model.graph.initializer[:]  # of whose bytes any may look like a text
        for part in (str(REPOSITORY), ".py", "site-packages", "cgan"):
            assert part.encode() not in model.SerializeToString()
    facts = portable(untrained("udacity", "generator")).fact_texts()
    assert facts["noise"] == "uniform in (-1, 1)"
    assert facts["conditional"].startswith("no")


def test_torchscript_and_npz_tell_the_same_facts(tmp_path: Path) -> None:
    packed = portable(untrained("guided", "generator"))
    (tmp_path / "x.pt").write_bytes(to_torchscript(packed))
    extra = {"facts.json": ""}
    warnings.simplefilter("ignore")  # it is deprecated; pytest undoes this
    torch.jit.load(str(tmp_path / "x.pt"), _extra_files=extra)
    assert json.loads(extra["facts.json"]) == {"format": 2, **packed.facts}
    assert packed.facts["class_names"] == list(NAMES)
    assert packed.facts["image_shape"] == [3, 30, 18]
    assert packed.facts["untrained_labels"] == [1]
    (tmp_path / "x.npz").write_bytes(to_npz(packed))
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        about = json.loads(str(arrays[ABOUT]))
        assert about["format"] == 1
        assert about["facts"] == packed.facts
        state = packed.source.network.state_dict()
        assert set(arrays.files) == {ABOUT, *state}
        assert all(np.array_equal(arrays[name], state[name]) for name in state)


class Wrong(nn.Module):
    """A network whose outputs are off by as much as is asked for."""

    def __init__(self, network: nn.Module, by: float):
        super().__init__()
        self.network, self.by = network, by

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images) + self.by


@pytest.mark.parametrize("form", ["onnx", "torchscript"])
@pytest.mark.parametrize("by", [0.01, float("nan")])
def test_a_file_that_computes_something_else_is_not_left(
    form: str, by: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = FORMATS[form]

    def content(packed: Portable) -> bytes:
        return honest.content(replace(packed, network=Wrong(packed.network, by)))

    monkeypatch.setitem(FORMATS, form, replace(honest, content=content))
    out = tmp_path / f"new/x{honest.suffix}"
    with pytest.raises(ExportError, match="computes something else"):
        export(untrained_classifier("leaky-cnn"), form, out)
    assert not out.parent.exists()


def test_a_file_whose_weights_differ_a_little_does_not_hold(tmp_path: Path) -> None:
    source = untrained_classifier("leaky-cnn")
    packed = portable(source)
    with torch.no_grad():
        source.network.head.weight[0, 0] += 0.5
    (tmp_path / "x.npz").write_bytes(to_npz(packed))  # of the run's weights, not of the copy's
    parity = compare(packed, tmp_path / "x.npz", "npz")
    assert parity is not None
    assert parity.largest > parity.allowed
    assert not parity.holds


def test_an_export_is_the_same_each_time_and_tells_how_far_it_is_off_or_that_it_was_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = untrained("guided", "generator")
    done = export(source, "onnx", tmp_path / "x.onnx")
    assert done.parity is not None
    assert done.parity.largest < CLOSE
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert export(source, "onnx", tmp_path / "y.onnx").parity is None
    assert (tmp_path / "x.onnx").read_bytes() == (tmp_path / "y.onnx").read_bytes()


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_package_that_is_missing_is_named_with_the_way_to_get_it(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime onnxscript") as caught:
        export(untrained_classifier("leaky-cnn"), "onnx", tmp_path / "x.onnx")
    assert package in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_judge_of_a_run_is_the_one_that_its_config_tells(tmp_path: Path) -> None:
    for run, judge in (("digits", "digits-judge"), (None, "mnist-judge")):
        assert find_source("judge", run, tmp_path).name == judge
    assert find_source("judge", "mnist-guide", tmp_path).name == "mnist-guide"
    assert find_source("generator", None, tmp_path).name == "mnist"
    assert isinstance(find_source("discriminator", None, tmp_path), DiscriminatorRun)
    with pytest.raises(InputError, match="did you mean 'judge'"):
        find_source("jugde", None, tmp_path)


def test_a_run_in_a_folder_of_an_odd_name_is_exported(tmp_path: Path) -> None:
    folder = tmp_path / "my best run"
    folder.mkdir()
    for path in (SHIPPED / "digits").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    done = export(load_generator(str(folder)), "npz", tmp_path / "x.npz")
    assert done.portable.facts["run"] == "my best run"
    assert read_network(done.path).facts == done.portable.facts
