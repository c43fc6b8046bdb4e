"""The rules by which settings follow from the size of a data set, not from its name.

Numbers of epochs were found on grey images of 28x28 pixels in ten classes: 1,297, 10,000 and 55,000
of them. Between these three they are interpolated; beyond, the number of steps stays.
"""

import math
from collections.abc import Sequence
from typing import Any

from cgan.config.schema import MOST_EPOCHS, DataSize

Points = Sequence[tuple[int, float]]  # (training images, epochs), in rising order

GAN_EPOCHS: Points = ((1_297, 60), (10_000, 30), (55_000, 10))
RICH_GAN_EPOCHS: Points = ((1_297, 60), (10_000, 28), (25_000, 28))
CLASSIFIER_EPOCHS: dict[str, Points] = {
    "guide": ((1_297, 30), (10_000, 6), (55_000, 4)),
    "judge": ((1_297, 30), (10_000, 6), (55_000, 6)),
}
SIDE, CLASSES = 28, 10  # of those images

# Colour images, and those above this number of pixels a side, are rich: they need larger networks.
LARGEST_PLAIN = 32
RICHER = 2.0  # factor on a classifier's epochs
# With k times the classes a classifier gets k^0.4 times the epochs, a generator of images that are
# not rich k^0.15 times.
MORE_CLASSES, MORE_CLASSES_GAN = 0.4, 0.15
LONGEST = 2.5  # of these factors together, so that 5,000 images take ten minutes

# Below so many images the discriminator memorises them, unless it learns more slowly and sees them
# shifted, by up to 3 of 28 pixels.
FEW_IMAGES, FEW_SHIFT = 5_000, 3
SHIFT = 2  # of 28 pixels, for classifiers
# With a thousand images per class, more modes bring more of the rare ones: of validation images the
# diversity was 0.94 and 0.97 with 16 modes (two seeds), 0.85 to 0.90 with 2, 4 and 8 (one each).
MODES, MORE_MODES = 8, 16
MORE_MODES_FOR = range(500, 2_000)  # images per class
IMAGES_PER_MODE = 10
MOST_CLUSTERED = 200_000  # images: modes need the guide's features of all of them
# Images of all epochs together, unless one epoch has more.
MOST_SEEN, MOST_SEEN_GAN = 500_000, 1_000_000
SMALL_BATCH, LARGE_BATCH, MOST_STEPS = 64, 256, 300  # of a classifier's epoch, steps per epoch


# the fields of `GanConfig` that a rule may set
RULED = {"epochs", "checks", "modes", "batch_size", "g_lr", "d_lr", "d_shift"}
RULED |= {"generator", "discriminator"}


def is_rich(size: DataSize) -> bool:
    """Return whether images have colour or are large, so that they need larger networks."""
    return size.channels > 1 or max(size.height, size.width) > LARGEST_PLAIN


def epochs_by(points: Points, n_images: int) -> float:
    """Return the number of epochs for `n_images`, interpolated between logarithms of `points`.

    Below the first point and above the last one the number of steps is the same as there. There is
    at least one epoch.
    """
    (first, most), (last, fewest) = points[0], points[-1]
    if n_images <= first:
        return most * first / max(1, n_images)
    if n_images >= last:
        return max(1.0, fewest * last / n_images)
    upper = next(i for i, (n, _) in enumerate(points) if n_images < n)
    (n0, epochs0), (n1, epochs1) = points[upper - 1 : upper + 1]
    share = math.log(n_images / n0) / math.log(n1 / n0)
    return epochs0 * (epochs1 / epochs0) ** share


def n_modes(size: DataSize) -> int:
    """Return the modes per class: one for every ten images of a class at most."""
    if size.n_train > MOST_CLUSTERED:
        return 1
    per_class = size.n_train // size.n_classes
    wanted = MORE_MODES if per_class in MORE_MODES_FOR else MODES
    return max(1, min(wanted, per_class // IMAGES_PER_MODE))


def gan_settings(recipe: str, epochs: float, size: DataSize) -> dict[str, Any]:
    """Return the fields of `GanConfig` that a rule sets, by name.

    Recipes of older systems only train for longer on fewer images. The recipe `guided` also
    chooses its networks, batch size, rates, shifts and modes.

    Args:
        recipe: its name.
        epochs: of the recipe for MNIST.
        size: of the data set.
    """
    if recipe != "guided":
        longer = epochs_by(GAN_EPOCHS, size.n_train) / GAN_EPOCHS[-1][1]
        return _length(epochs * longer, size)
    rich, few = is_rich(size), size.n_train < FEW_IMAGES
    points = RICH_GAN_EPOCHS if rich else GAN_EPOCHS
    longer = 1.0 if rich else max(1.0, size.n_classes / CLASSES) ** MORE_CLASSES_GAN
    length = min(longer * epochs_by(points, size.n_train), max(1.0, MOST_SEEN_GAN / size.n_train))
    settings = {"modes": n_modes(size), **_length(length, size)}
    if few:
        shift = _scaled(FEW_SHIFT, size)
        settings |= {"batch_size": 64, "g_lr": 1e-3, "d_lr": 1e-3, "d_shift": shift}
    if rich and few:
        settings["discriminator"] = "deep-guided-conv"
    elif rich:
        # A guide of many photographs is no help: on 14,000 of CIFAR-10, of which it classified 75%
        # correctly, the discriminator with its features let noise pass and lost variety. FCD was
        # 1.9 to 3.2 after 40 epochs (four runs), and 0.8 with pixels only (two runs).
        settings["generator"] = "wide-shuffle-conv"
        settings["discriminator"] = "wide-projection-conv"
    return settings


def classifier_settings(role: str, size: DataSize) -> dict[str, Any]:
    """Return the fields of `ClassifierConfig` that a rule sets, by name.

    Args:
        role: "guide" or "judge".
        size: of the data set.
    """
    factor = max(1.0, size.n_classes / CLASSES) ** MORE_CLASSES
    factor = min(LONGEST, factor * (RICHER if is_rich(size) else 1.0))
    epochs = factor * epochs_by(CLASSIFIER_EPOCHS[role], size.n_train)
    epochs = min(epochs, MOST_EPOCHS, max(1.0, MOST_SEEN / size.n_train))
    batch_size = SMALL_BATCH
    while size.n_train > MOST_STEPS * batch_size and batch_size < LARGE_BATCH:
        batch_size *= 2
    return {
        "epochs": round(epochs),
        "batch_size": batch_size,
        "max_shift": _scaled(SHIFT, size),
    }


def _length(epochs: float, size: DataSize) -> dict[str, Any]:
    """Return the number of epochs, and how often each is scored: less often if they are short."""
    settings: dict[str, Any] = {"epochs": min(MOST_EPOCHS, max(1, round(epochs)))}
    if size.n_train < GAN_EPOCHS[0][0]:
        settings["checks"] = size.n_train / GAN_EPOCHS[0][0]
    return settings


def _scaled(shift: int, size: DataSize) -> int:
    """Return a shift for images of 28 pixels a side in pixels of these."""
    return max(1, round(shift * min(size.height, size.width) / SIDE))
