"""Frozen dataclasses with the settings of a run; each validates itself on creation."""

import math
from dataclasses import dataclass
from pathlib import Path

from cgan.config.checks import (
    BELOW_ONE,
    LARGEST_SEED,
    above_zero,
    at_least,
    check_kinds,
    one_of,
    within,
)
from cgan.runtime.errors import InputError

ROLES = ("guide", "judge")
OPTIMIZERS = ("adamw", "adadelta")
CLASSIFIER_SCHEDULES = ("one-cycle", "step", "constant")
GAN_SCHEDULES = ("hold", "cosine", "constant")
NOISES = ("normal", "uniform")
ON_NAN = ("stop", "rollback")
SAMPLE_LABELS = ("data", "balanced")
COLOURS = ("auto", "grey", "colour")
FITS = ("crop", "pad", "stretch")
GROUNDS = ("auto", "white", "black", "corner")
SMALLEST_SIDE, LARGEST_SIDE = 16, 128  # pixels, of an imported data set's images
# Upper limits. A config may be untrusted, and these values decide memory and time.
MOST_CHANNELS, MOST_PIXELS, MOST_CLASSES = 16, 256, 1000  # pixels: along one side of an image
PLAIN_NOUN, LONGEST_NOUN = r"^\w[\w -]*$", 40  # for a class; it becomes part of file names
LONGEST_CLASS_NAME = 100
MOST_NUMBERS = 4096  # in the noise vector of an image
MOST_MODES = 256
MOST_IMAGES, MOST_IN_BATCH = 1_000_000, 100_000
MOST_EPOCHS = 10_000


@dataclass(frozen=True)
class Folders:
    """The folders of data sets, runs and reports."""

    data: Path = Path("data")
    weights: Path = Path("weights")
    reports: Path = Path("reports")


@dataclass(frozen=True)
class DataSize:
    """The size of a data set, by which settings are chosen; the default is MNIST's."""

    n_train: int = 55_000
    n_classes: int = 10
    channels: int = 1
    height: int = 28
    width: int = 28


@dataclass(frozen=True)
class ImportConfig:
    """The settings of an import, by which labelled images become a data set."""

    size: int | None = None  # of the square images, in pixels; None: by the size of most
    colour: str = "auto"  # auto: grey if the channels of all images are equal
    fit: str = "crop"  # how an image that is not square becomes one: crop, pad or stretch
    ground: str = "auto"  # behind transparent images: white, black, or their corner's colour
    drop_rare: bool = False  # leave out classes with too few images
    seed: int = 0  # of the split into training, validation and test images
    name: str | None = None  # of the data set; None: that of the folder or file

    def __post_init__(self) -> None:
        """Raise InputError on the first invalid value."""
        optional = [field for field in ("size", "name") if getattr(self, field) is None]
        check_kinds(self, but=optional)
        if self.size is not None:
            within(self, SMALLEST_SIDE, LARGEST_SIDE, "size")
        one_of(self, "colour", COLOURS)
        one_of(self, "fit", FITS)
        one_of(self, "ground", GROUNDS)
        within(self, 0, LARGEST_SEED, "seed")


@dataclass(frozen=True)
class ClassifierConfig:
    """The settings of stage 1, the training of a classifier."""

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
    max_shift: int = 2  # largest random shift of a batch, in pixels
    seed: int = 1
    log_interval: int = 20  # steps between two recorded losses
    dry_run: bool = False  # one step, nothing saved
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Raise InputError on the first invalid value."""
        check_kinds(self)
        one_of(self, "role", ROLES)
        one_of(self, "optimizer", OPTIMIZERS)
        one_of(self, "schedule", CLASSIFIER_SCHEDULES)
        within(self, 1, MOST_EPOCHS, "epochs")
        within(self, 1, MOST_IN_BATCH, "batch_size", "test_batch_size")
        at_least(self, 1, "log_interval")
        within(self, 0, MOST_PIXELS, "max_shift")
        within(self, 0, LARGEST_SEED, "seed")
        above_zero(self, "lr")
        within(self, 0, 1, "gamma", "label_smoothing")


@dataclass(frozen=True)
class GanConfig:
    """The settings of stage 2, the training of a GAN: a recipe, changed by flags."""

    recipe: str = "guided"
    dataset: str = "mnist"
    init: str = ""  # name of the run whose weights the training started from; "": random weights
    generator: str = "shuffle-conv"
    discriminator: str = "projection-conv"
    z_dim: int = 64
    noise: str = "normal"  # distribution of z: N(0, 1), or uniform in (-1, 1)
    modes: int = 1  # per class, found by clustering the guide's features
    loss: str = "logistic"
    label_smoothing: float = 0.0  # one-sided: D's target for real images is 1 minus this
    penalty: str = "none"  # on the discriminator's gradient: none, r1, r1+r2
    penalty_weight: float = 0.0  # gamma: weight of half the mean squared gradient norm
    penalty_every: int = 16  # discriminator updates between two penalties
    g_lr: float = 2e-3
    paced: bool = True  # g_lr is divided among the batches between two discriminator updates
    d_lr: float = 2e-3
    beta1: float = 0.0
    beta2: float = 0.99
    schedule: str = "hold"
    decay: float = 0.5  # last share of the training, in which the rates of "hold" fall to zero
    warmup: int = 0  # steps in which the rates rise from zero
    d_every: int = 1  # a discriminator update on every n-th batch
    d_shift: int = 0  # largest random shift of each image that the discriminator sees, in pixels
    guidance: float = 0.0  # weight of the guide's cross entropy in the generator's loss
    guidance_end: float = 1.0  # share of the training after which guidance is off; may be > 1
    guidance_mixed: bool = False  # whether the adversarial loss has the weight 1 - guidance
    delta_alpha: float = 0.0  # added to guidance after every epoch
    ema: float = 0.998  # decay per step of the averaged generator weights; 0: no averaging
    batch_size: int = 128
    sample_labels: str = "data"  # frequencies of the classes: those of the data, or balanced
    epochs: float = 6  # passes over the images, or a part of one
    checks: float = 1  # times per epoch that the generator is scored; the best one is kept
    seed: int = 1
    log_interval: int = 50  # steps between two recorded losses
    checkpoint_every: str = "5m"  # epochs, or minutes with an m; also saved after every score
    on_nan: str = "stop"  # what to do if a loss or gradient is not finite: stop or rollback
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
        """Raise InputError on the first invalid value."""
        check_kinds(self)
        one_of(self, "schedule", GAN_SCHEDULES)
        one_of(self, "on_nan", ON_NAN)
        one_of(self, "sample_labels", SAMPLE_LABELS)
        self.checkpoint_interval  # noqa: B018 - checks it
        one_of(self, "noise", NOISES)
        within(self, 1, MOST_NUMBERS, "z_dim")
        within(self, 1, MOST_MODES, "modes")
        above_zero(self, "checks")
        within(self, 0, MOST_EPOCHS, "checks")
        within(self, 1, MOST_IN_BATCH, "batch_size")
        at_least(self, 1, "d_every", "penalty_every", "log_interval")
        within(self, 0, LARGEST_SEED, "seed")
        at_least(self, 0, "warmup", "guidance", "guidance_end", "penalty_weight")
        within(self, 0, MOST_PIXELS, "d_shift")
        above_zero(self, "g_lr", "d_lr", "epochs")
        within(self, 0, MOST_EPOCHS, "epochs")
        within(self, 0, 1, "decay", "label_smoothing")
        within(self, -1, 1, "delta_alpha")
        if self.noise == "uniform" and self.modes > 1:
            raise InputError("--modes above 1 needs --noise normal")
        if self.guidance_mixed:
            within(self, 0, 1, "guidance")
        within(self, 0, BELOW_ONE, "beta1", "beta2", "ema")


@dataclass(frozen=True)
class EvalConfig:
    """The settings of stage 3, the evaluation."""

    n_samples: int = 10_000
    seed: int = 0
    gan_train_images: int = 20_000  # for the classifier of gan_train_accuracy; 0 leaves it out
    copying: bool = True  # search all training images for copies
    batch_size: int = 500
    device: str = "auto"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Raise InputError on the first invalid value."""
        check_kinds(self)
        within(self, 1, MOST_IMAGES, "n_samples")
        within(self, 1, MOST_IN_BATCH, "batch_size")
        if 0 < self.gan_train_images < 100:
            raise InputError("--gan-train-images must be 0 (leave it out) or 100 or more")
        within(self, 0, MOST_IMAGES, "gan_train_images")
        within(self, 0, LARGEST_SEED, "seed")
