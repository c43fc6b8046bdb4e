"""Writes networks down for other programs: as ONNX, as TorchScript, or as plain arrays."""

from cgan.discriminator import DiscriminatorRun
from cgan.exporting.formats import to_onnx
from cgan.exporting.portable import portable_discriminator, portable_generator, portable_judge
from cgan.store import ClassifierRun, GanRun


def generator_onnx(gan: GanRun) -> bytes:
    """Return a generator as ONNX: `z`, `labels` -> `images`, `conditions`.

    `z` float32 [N, z_dim] is the noise that the metadata name, `labels` int64 [N]; `images` are
    float32 [N, C, H, W] in [-1, 1], `conditions` int64 [N] what the discriminator is told of them.

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable_generator(gan))


def judge_onnx(run: ClassifierRun) -> bytes:
    """Return a classifier as ONNX: `images` float32 [N, C, H, W] in [-1, 1] -> `logits` [N, K].

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable_judge(run))


def discriminator_onnx(run: DiscriminatorRun) -> bytes:
    """Return a discriminator with its guide as ONNX: `images`, `conditions` -> `logits` [N].

    Images are float32 [N, C, H, W] in [-1, 1], conditions int64 [N], label x n_modes + mode.
    Positive logits mean that an image looks real.

    Raises:
        InputError: the packages for ONNX are missing.
    """
    return to_onnx(portable_discriminator(run))
