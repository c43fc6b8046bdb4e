"""The frozen dataclasses that say what a run is; each checks itself when it is made."""

import math
import reprlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cgan.runtime.errors import InputError

ROLES = ("guide", "judge")
OPTIMIZERS = ("adamw", "adadelta")
CLASSIFIER_SCHEDULES = ("one-cycle", "step", "constant")
BELOW_ONE = 1 - 1e-9
LARGEST_SEED = 2**63 - 1
GAN_SCHEDULES = ("hold", "cosine", "constant")
NOISES = ("normal", "uniform")
ON_NAN = ("stop", "rollback")
# The most that a config may ask for: it may be a stranger's, and these decide memory and time.
MOST_CHANNELS, MOST_PIXELS, MOST_CLASSES = 16, 256, 100  # of an image and along one side of it
MOST_NUMBERS = 4096  # in the noise of an image
MOST_MODES = 256
MOST_IMAGES, MOST_IN_BATCH = 1_000_000, 100_000
MOST_EPOCHS = 10_000
LONGEST_TEXT = 100
KINDS: dict[Any, tuple[type | tuple[type, ...], str]] = {
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    str: (str, "a text"),
}


@dataclass(frozen=True)
class DataSpec:
    """What a network must know of a data set: image size, channels and number of classes."""

    dataset: str
    channels: int
    height: int
    width: int
    n_classes: int

    def __post_init__(self) -> None:
        """Raise InputError on the first value that no data set of ours could have."""
        _check_kinds(self)
        _within(self, 1, MOST_CHANNELS, "channels")
        _within(self, 1, MOST_PIXELS, "height", "width")
        _within(self, 1, MOST_CLASSES, "n_classes")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class Folders:
    """Where data sets are, and where runs and their reports go."""

    data: Path = Path("data")
    weights: Path = Path("weights")
    reports: Path = Path("reports")


@dataclass(frozen=True)
class ClassifierConfig:
    """Everything that decides what stage 1 trains."""

    dataset: str = "mnist"
    role: str = "guide"
    network: str = "leaky-cnn"
    optimizer: str = "adamw"
    lr: float = 1e-2
    schedule: str = "one-cycle"
    gamma: float = 0.7  # factor on the rate after each epoch of the step schedule
    epochs: int = 4
    batch_size: int = 256
    test_batch_size: int = 1000
    label_smoothing: float = 0.05
    max_shift: int = 2  # pixels by which each batch is moved at random
    seed: int = 1
    log_interval: int = 20  # steps between two readings of the loss
    dry_run: bool = False  # one step, nothing saved
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Raise InputError on the first value that cannot work."""
        _check_kinds(self)
        _one_of(self, "role", ROLES)
        _one_of(self, "optimizer", OPTIMIZERS)
        _one_of(self, "schedule", CLASSIFIER_SCHEDULES)
        _within(self, 1, MOST_EPOCHS, "epochs")
        _within(self, 1, MOST_IN_BATCH, "batch_size", "test_batch_size")
        _at_least(self, 1, "log_interval")
        _within(self, 0, MOST_PIXELS, "max_shift")
        _within(self, 0, LARGEST_SEED, "seed")
        _above_zero(self, "lr")
        _within(self, 0, 1, "gamma", "label_smoothing")


@dataclass(frozen=True)
class GanConfig:
    """Everything that decides what stage 2 trains: one recipe with the flags that changed it."""

    recipe: str = "guided"
    dataset: str = "mnist"
    generator: str = "shuffle-conv"
    discriminator: str = "projection-conv"
    z_dim: int = 64
    noise: str = "normal"  # distribution of z: N(0, 1), or uniform in (-1, 1)
    modes: int = 1  # that each class has, found in the guide's features
    loss: str = "logistic"
    label_smoothing: float = 0.0  # real images' target is 1 minus this, for the discriminator alone
    penalty: str = "none"
    penalty_weight: float = 0.0
    penalty_every: int = 16  # discriminator updates between two penalties
    g_lr: float = 2e-3
    paced: bool = True  # g_lr is shared out over the batches between two discriminator updates
    d_lr: float = 2e-3
    beta1: float = 0.0
    beta2: float = 0.99
    schedule: str = "hold"
    decay: float = 0.5  # last share of the training in which held rates fall to zero
    warmup: int = 0  # steps in which the rates rise from zero
    d_every: int = 1  # a discriminator update on every n-th batch
    d_shift: int = 0  # pixels by which the discriminator sees each image moved at random
    guidance: float = 0.0  # weight of the guide's cross entropy in the generator's loss
    guidance_end: float = 1.0  # share of the training after which the guide is silent; may be > 1
    guidance_mixed: bool = False  # the adversarial loss gives way: its weight is 1 - guidance
    delta_alpha: float = 0.0  # added to guidance after every epoch
    ema: float = 0.998  # decay of the averaged generator weights, a step; 0: none are averaged
    batch_size: int = 128
    epochs: float = 6  # passes over the images, or a part of one
    checks: int = 1  # times an epoch that the generator is scored, and kept if it is the best
    seed: int = 1
    log_interval: int = 50  # steps between two readings of the losses
    checkpoint_every: str = "5m"  # epochs, or minutes with an m; after every score as well
    on_nan: str = "stop"  # where a loss or a gradient is no number; or rollback
    dry_run: bool = False  # one step, nothing saved
    device: str = "auto"
    precision: str = "auto"

    @property
    def checkpoint_interval(self) -> tuple[float, float]:
        """Epochs and seconds between two checkpoints; one of them is infinite."""
        text = self.checkpoint_every
        try:
            number = float(text.removesuffix("m"))
        except ValueError:
            number = math.nan
        if not number > 0:
            raise InputError(
                f"--checkpoint-every must be a number of epochs above 0, or of minutes such as 5m, "
                f"not {text!r}"
            )
        return (math.inf, 60 * number) if text.endswith("m") else (number, math.inf)

    def __post_init__(self) -> None:
        """Raise InputError on the first value that cannot work."""
        _check_kinds(self)
        _one_of(self, "schedule", GAN_SCHEDULES)
        _one_of(self, "on_nan", ON_NAN)
        self.checkpoint_interval  # noqa: B018 - checks it
        _one_of(self, "noise", NOISES)
        _within(self, 1, MOST_NUMBERS, "z_dim")
        _within(self, 1, MOST_MODES, "modes")
        _within(self, 1, MOST_EPOCHS, "checks")
        _within(self, 1, MOST_IN_BATCH, "batch_size")
        _at_least(self, 1, "d_every", "penalty_every", "log_interval")
        _within(self, 0, LARGEST_SEED, "seed")
        _at_least(self, 0, "warmup", "guidance", "guidance_end", "penalty_weight")
        _within(self, 0, MOST_PIXELS, "d_shift")
        _above_zero(self, "g_lr", "d_lr", "epochs")
        _within(self, 0, MOST_EPOCHS, "epochs")
        _within(self, 0, 1, "decay", "label_smoothing")
        _within(self, -1, 1, "delta_alpha")
        if self.noise == "uniform" and self.modes > 1:
            raise InputError("--modes above 1 needs --noise normal")
        if self.guidance_mixed:
            _within(self, 0, 1, "guidance")
        _within(self, 0, BELOW_ONE, "beta1", "beta2", "ema")


@dataclass(frozen=True)
class EvalConfig:
    """Everything that decides what stage 3 measures."""

    n_samples: int = 10_000
    seed: int = 0
    gan_train_images: int = 20_000  # for the classifier of gan_train_accuracy; 0 leaves it out
    copying: bool = True  # search all training images for copies
    batch_size: int = 500
    device: str = "auto"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Raise InputError on the first value that cannot work."""
        _check_kinds(self)
        _within(self, 1, MOST_IMAGES, "n_samples")
        _within(self, 1, MOST_IN_BATCH, "batch_size")
        if 0 < self.gan_train_images < 100:
            raise InputError("--gan-train-images must be 0 (leave it out) or 100 or more")
        _within(self, 0, MOST_IMAGES, "gan_train_images")
        _within(self, 0, LARGEST_SEED, "seed")


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def _check_kinds(config: Any) -> None:
    """Check each field against its annotation; its value may come from a file of anybody's.

    A float may be given as a whole number, a whole number must fit into 64 bits, and a text must
    be short and printable: it is shown in messages and on terminals.

    Raises:
        InputError: a value of another type, or a number that is not finite.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        kind, words = KINDS[field.type]
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if not wrong and isinstance(value, str):
            wrong = len(value) > LONGEST_TEXT or not value.isprintable()
            words = f"a text of {LONGEST_TEXT} printable characters at most"
        if not wrong and isinstance(value, float):
            wrong, words = not math.isfinite(value), "a finite number"
        elif not wrong and isinstance(value, int):
            wrong, words = abs(value) > LARGEST_SEED, f"{words} below 2^63"
        if wrong:
            raise InputError(f"{_flag(field.name)} must be {words}, not {reprlib.repr(value)}")


def _one_of(config: Any, field: str, known: tuple[str, ...]) -> None:
    value = getattr(config, field)
    if value not in known:
        raise InputError(f"{_flag(field)} must be one of {', '.join(known)}, not {value!r}")


def _at_least(config: Any, lowest: int, *fields: str) -> None:
    for field in fields:
        value = getattr(config, field)
        if not lowest <= value < math.inf:
            raise InputError(f"{_flag(field)} must be {lowest} or more, not {value}")


def _above_zero(config: Any, *fields: str) -> None:
    for field in fields:
        value = getattr(config, field)
        if not 0 < value < math.inf:
            raise InputError(f"{_flag(field)} must be above 0, not {value}")


def _within(config: Any, low: float, high: float, *fields: str) -> None:
    for field in fields:
        value = getattr(config, field)
        if not low <= value <= high:
            end = "below 1" if high == BELOW_ONE else f"at most {high}"
            raise InputError(f"{_flag(field)} must be {low} or more and {end}, not {value}")
