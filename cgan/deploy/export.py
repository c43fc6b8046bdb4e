"""Writes networks down for other programs: as ONNX, as TorchScript, or as plain arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cgan.deploy.archive import to_npz
from cgan.deploy.formats import require_onnx, to_onnx, to_torchscript
from cgan.deploy.parity import Parity, compare
from cgan.deploy.portable import GENERATOR, JUDGE, NETWORKS, Portable, Source, portable
from cgan.io.files import make_folder, require_writable, write_bytes
from cgan.io.run_layout import find_run, is_run, newest_run
from cgan.models.hub import (
    ClassifierRun,
    DiscriminatorRun,
    GanRun,
    load_classifier,
    load_config,
    load_discriminator,
    load_generator,
)
from cgan.runtime.errors import ExportError, InputError, lookup


@dataclass(frozen=True)
class Format:
    """A way to write a network down: how its files end, and their content."""

    suffix: str
    content: Callable[[Portable], bytes]


FORMATS = {
    "onnx": Format(".onnx", to_onnx),
    "torchscript": Format(".pt", to_torchscript),
    "npz": Format(".npz", to_npz),
}


@dataclass(frozen=True)
class Export:
    """A file that was written, and how it was found to compute."""

    path: Path
    portable: Portable
    parity: Parity | None  # None: nothing here can run it


def generator_onnx(gan: GanRun) -> bytes:
    """Return a generator as ONNX: `z`, `labels` -> `images`, `conditions`.

    `z` float32 [N, z_dim] is the noise that the metadata name, `labels` int64 [N]; `images` are
    float32 [N, C, H, W] in [-1, 1], `conditions` int64 [N] what the discriminator is told of them.

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable(gan))


def judge_onnx(run: ClassifierRun) -> bytes:
    """Return a classifier as ONNX: `images` float32 [N, C, H, W] in [-1, 1] -> `logits` [N, K].

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable(run))


def discriminator_onnx(run: DiscriminatorRun) -> bytes:
    """Return a discriminator with its guide as ONNX: `images`, `conditions` -> `logits` [N].

    Images are float32 [N, C, H, W] in [-1, 1], conditions int64 [N], label x n_modes + mode.
    Positive logits mean that an image looks real.

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable(run))


def find_source(network: str, run: str | None, weights_dir: Path) -> Source:
    """Load what is to be exported.

    Args:
        network: one of NETWORKS.
        run: name or folder of a GAN run; None: the newest. For a judge a classifier's as well;
            of a GAN run it is the one that scored it, else that of its data set.
        weights_dir: where runs are.

    Raises:
        InputError: an unknown network, or a run that is missing or damaged.
    """
    lookup(dict.fromkeys(NETWORKS), network, "network")
    if network == JUDGE and run is not None and is_run(run, weights_dir, "classifier"):
        return load_classifier(run, weights_dir)
    run = run or newest_run(weights_dir)
    if network == JUDGE:
        config, facts = load_config(find_run(run, weights_dir, "gan"))
        return load_classifier(facts.get("judge") or f"{config.dataset}-judge", weights_dir)
    if network == GENERATOR:
        return load_generator(run, weights_dir)
    return load_discriminator(run, weights_dir)


def require_target(form: str, out: Path | None) -> None:
    """Check, before anything is computed, that a format can be written, and to `out`.

    Raises:
        InputError: an unknown format, one whose package is missing, a name that does not fit it,
            or a place that cannot be written to.
    """
    suffix = lookup(FORMATS, form, "format").suffix
    if out is not None and out.suffix != suffix:
        raise InputError(f"--out {out}: end it in {suffix}, or choose another --format")
    if out is not None and out.is_dir():
        raise InputError(f"--out {out} is a folder; name a file in it")
    require_writable((out or Path(suffix)).parent, "--out")
    if form == "onnx":
        require_onnx()


def export(source: Source, form: str, out: Path | None = None) -> Export:
    """Write a network to a file, once it is found to compute there what it computes here.

    Args:
        source: the run that it is of.
        form: one of FORMATS.
        out: the file; None: one here, named by the run and the network.

    Raises:
        InputError: as `require_target`.
        ExportError: what was to be written computes something else.
        OSError: it cannot be written.
    """
    require_target(form, out)
    chosen, packed = FORMATS[form], portable(source)
    name = source.name if packed.kind == JUDGE else f"{source.name}-{packed.kind}"
    out = out or Path(name + chosen.suffix)
    content = chosen.content(packed)
    with TemporaryDirectory(prefix="cgan-export-") as folder:
        trial = Path(folder) / f"trial{chosen.suffix}"
        trial.write_bytes(content)
        parity = compare(packed, trial, form)
    if parity is not None and not parity.holds:
        raise ExportError(
            f"nothing was written: as {form} the {packed.kind} computes something else (it differs "
            f"by {parity.largest:.1e}); try another --format"
        )
    make_folder(out.parent, "--out")
    try:
        write_bytes(out, content)
    except OSError as error:
        raise OSError(f"cannot write {out} ({error.strerror or error})") from error
    return Export(out, packed, parity)
