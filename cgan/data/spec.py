"""What networks and reports must know of a data set: the shape of its images, its classes."""

from dataclasses import dataclass

from cgan.config.checks import (
    check_kinds,
    within,
)
from cgan.config.schema import MOST_CHANNELS, MOST_CLASSES, MOST_PIXELS


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
        check_kinds(self)
        within(self, 1, MOST_CHANNELS, "channels")
        within(self, 1, MOST_PIXELS, "height", "width")
        within(self, 1, MOST_CLASSES, "n_classes")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.channels, self.height, self.width
