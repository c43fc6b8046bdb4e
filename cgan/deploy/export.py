"""Exports networks to other programs: as ONNX, as TorchScript, or as plain arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cgan.data.run_config import load_config
from cgan.deploy.formats import require_onnx, to_onnx, to_torchscript
from cgan.deploy.npz_network import to_npz
from cgan.deploy.parity import Parity, compare
from cgan.deploy.portable import GENERATOR, JUDGE, NETWORKS, Portable, Source, portable
from cgan.io.files import output_folder, require_writable, require_writable_file, write_bytes
from cgan.io.run_layout import find_run, is_run, newest_run
from cgan.models.hub import ClassifierRun, GanRun, load_classifier, load_generator
from cgan.models.roles import DiscriminatorRun, load_discriminator
from cgan.runtime.errors import ExportError, InputError, lookup


@dataclass(frozen=True)
class Format:
    """A file format of networks."""

    suffix: str
    content: Callable[[Portable], bytes]
    load: str  # the function of another package that reads a file


FORMATS = {
    "onnx": Format(".onnx", to_onnx, "onnxruntime.InferenceSession"),
    "torchscript": Format(".pt", to_torchscript, "torch.jit.load"),
    "npz": Format(".npz", to_npz, "numpy.load"),
}


@dataclass(frozen=True)
class Export:
    """A file that was written, and the result of its comparison with the network."""

    path: Path
    portable: Portable
    parity: Parity | None  # None: no package that can run it is installed


def generator_onnx(gan: GanRun) -> bytes:
    """Return a generator as ONNX: `z`, `labels` -> `images`, `modes`.

    `z` float32 [N, z_dim] is noise of the distribution in the metadata, `labels` are int64 [N].
    `images` are float32 [N, C, H, W] in [-1, 1], `modes` int64 [N] are inputs of the discriminator.

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
    """Return a discriminator with its guide as ONNX: `images`, `labels`, `modes` -> `logits` [N].

    Images are float32 [N, C, H, W] in [-1, 1], labels and modes int64 [N]. A positive logit means
    that an image looks real.

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable(run))


def find_source(network: str, run: str | None, weights_dir: Path) -> Source:
    """Load the network to export.

    Args:
        network: one of NETWORKS.
        run: name or folder of a GAN run; None: the newest. A judge may also be named itself;
            the judge of a GAN run is the one that scored it, or else that of its data set.
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
    """Check, before anything is computed, that the format can be written, and to `out`.

    Raises:
        InputError: an unknown format, a missing package, a suffix that does not fit the format, or
            a folder that cannot be written to.
    """
    suffix = lookup(FORMATS, form, "format").suffix
    if out is not None and out.suffix != suffix:
        raise InputError(f"--out {out}: end it in {suffix}, or choose another --format")
    if out is not None:
        require_writable_file(out, "--out")
    else:
        require_writable(Path(), "--out")
    if form == "onnx":
        require_onnx()


def export(source: Source, form: str, out: Path | None = None) -> Export:
    """Write a network to a file, after a check that its outputs match those of the network.

    Args:
        source: the run of the network.
        form: one of FORMATS.
        out: the file; None: one in the working folder, named by the run and the network.

    Raises:
        InputError: as `require_target`.
        ExportError: the outputs of the exported network differ.
        OSError: it cannot be written.
    """
    require_target(form, out)
    chosen, packed = FORMATS[form], portable(source)
    name = source.name if packed.kind == JUDGE else f"{source.name}-{packed.kind}"
    out = out or Path(name + chosen.suffix)
    content = chosen.content(packed)
    with TemporaryDirectory(prefix="cgan-export-") as folder:
        trial = Path(folder) / f"trial{chosen.suffix}"
        try:
            trial.write_bytes(content)
        except OSError as error:
            raise OSError(f"cannot write {trial} ({error.strerror or error})") from error
        parity = compare(packed, trial, form)
    if parity is not None and not parity.holds:
        raise ExportError(
            f"nothing was written: the {packed.kind} as {form} computes something else (largest "
            f"difference {parity.largest:.1e}); try another --format"
        )
    with output_folder(out.parent, "--out"):
        write_bytes(out, content)
    return Export(out, packed, parity)
