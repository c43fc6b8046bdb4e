"""The content of results.json, defined once as types, each with its limits."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from cgan.config.schema import LONGEST_CLASS_NAME, LONGEST_NOUN, MOST_CLASSES, PLAIN_NOUN
from cgan.io.typed import NAME
from cgan.io.upgrades import RENAMED_RESULTS
from cgan.metrics.collapse import histogram
from cgan.metrics.features import Features
from cgan.runtime.errors import warn_renamed

FORMAT = 2
LARGEST_NUMBER = 1e12  # far above every score
LONGEST_NAME, LONGEST_TEXT = 200, 1000
ROUNDING = 1e-9  # by which a bound of an interval may lie outside of 0 to 1

Number = Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Share = Annotated[float, Meta(ge=-ROUNDING, le=1 + ROUNDING)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Name = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=NAME)]
Noun = Annotated[str, Meta(max_length=LONGEST_NOUN, pattern=PLAIN_NOUN)]
ClassName = Annotated[str, Meta(min_length=1, max_length=LONGEST_CLASS_NAME)]
Label = Annotated[int, Meta(ge=0, lt=MOST_CLASSES)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Real = Annotated[float, Meta(ge=-(2.0**63), le=2.0**63)]
Setting = Name | bool | Whole | Real | None
Item = TypeVar("Item")
Rows = Annotated[list[Item], Meta(min_length=1, max_length=MOST_CLASSES)]
Fields = Annotated[dict[Name, Item], Meta(max_length=200)]


class Accuracy(Struct, frozen=True):
    """A share with its 95% interval."""

    value: Share
    low: Share | None = None
    high: Share | None = None


class ClassifierFacts(Struct, frozen=True, kw_only=True):
    """A classifier, and its accuracy on real test images."""

    name: Name
    network: Name
    seed: Count | None = None
    accuracy_real: Accuracy | None = None


class JudgeFacts(Struct, frozen=True, kw_only=True):
    """The judge, the classifier that scored, and its accuracy on real test images.

    It never guided a generator.
    """

    name: Name
    network: Name
    seed: Count | None = None
    accuracy_real: Accuracy
    balanced_real: Accuracy | None = None  # mean of the classes, if their test images are unequal


class ReferenceCounts(Struct, frozen=True, kw_only=True):
    """Numbers of real images: reference (test), held out (validation, train), copy search."""

    train: Count
    validation: Count
    test: Count = 0
    searched_for_copies: Count = 0
    # classes that a split has no image of, so that they were left out
    absent: Annotated[list[Label], Meta(max_length=MOST_CLASSES)] = field(default_factory=list)


class Score(Struct, frozen=True, kw_only=True):
    """A metric with its 95% interval, for generated images and for held-out real images."""

    value: Number
    low: Number | None
    high: Number | None
    real: Number | None
    n: Count
    real_low: Number | None = None
    real_high: Number | None = None
    real_n: Count | None = None
    extrapolated: Number | None = None  # to an infinite number of images, if known


class ClassRow(Struct, frozen=True, kw_only=True):
    """The scores of one class; unknown ones are null."""

    label: Label = field(name="class")
    n: Count = 0
    accuracy: Share | None = None
    low: Share | None = None
    high: Share | None = None
    coverage: Share | None = None
    coverage_real: Share | None = None
    diversity: Number | None = None
    diversity_low: Number | None = None
    diversity_high: Number | None = None
    fcd: Number | None = None
    fcd_low: Number | None = None
    fcd_high: Number | None = None
    fcd_real: Number | None = None


class HistogramRow(Struct, frozen=True, kw_only=True):
    """The number of images that the judge assigns to a class, and that of as many real images."""

    label: Label = field(name="class")
    generated: Number
    low: Number | None = None
    high: Number | None = None
    real: Number


class QualityWarning(Struct, frozen=True, kw_only=True):
    """A fault that a reader must know before trusting the other numbers."""

    message: Text
    kind: Name = "unknown"
    metric: Name = ""
    value: Number | None = None
    threshold: Number | None = None


class Cell(Struct, frozen=True, kw_only=True):
    """One image of a sheet; its class is the requested one, null if none was requested."""

    label: Label | None = field(name="class")
    judged: Label
    certainty: Share
    distance: Number | None = None  # to the nearest training image
    share_of_usual: Number | None = None  # distance / median distance of held-out real images


class Sheet(Struct, frozen=True, kw_only=True):
    """The images in a PNG of the report, row by row."""

    columns: Annotated[int, Meta(ge=1, le=100)]
    gap: Annotated[int, Meta(ge=0, le=100)] = 0  # pixels between two images
    cells: Annotated[list[Cell], Meta(min_length=1, max_length=1000)]


class Gallery(Struct, frozen=True, kw_only=True):
    """The sheets of a report, by the name of their PNG."""

    samples: Sheet | None = None
    certain: Sheet | None = None
    uncertain: Sheet | None = None
    mistakes: Sheet | None = None
    copies: Sheet | None = None

    def sheets(self) -> Iterator[tuple[str, Sheet]]:
        """Yield the name and the sheet of each sheet that exists."""
        for name in self.__struct_fields__:
            sheet = getattr(self, name)
            if sheet is not None:
                yield name, sheet


class Cost(Struct, frozen=True, kw_only=True):
    """The resources that the evaluation used; unknown ones are null."""

    weights: Count | None = None  # of the generator
    threads: Count | None = None
    peak_memory: Count | None = None  # bytes


class Provenance(Struct, frozen=True, kw_only=True):
    """How the results were made: versions, machine, checksums, and the settings of both stages."""

    created: Annotated[datetime, Meta(tz=True)] | None = None  # with its time zone
    version: Name | None = None
    torch: Name | None = None
    device: Name | None = None
    precision: Name | None = None
    data_sha256: Name | None = None
    judge_sha256: Name | None = None
    config: Fields[Setting] | None = None  # of the training
    guide: Name | None = None  # of the training
    training_precision: Name | None = None  # number format, from a flag or chosen by auto
    images: Text | None = None  # path of imported images
    source: Text | None = None  # path of the run or the images, seen from the reports' folder
    evaluation: Fields[Setting] | None = None


class Results(Struct, frozen=True, kw_only=True):
    """The content of results.json, format 2."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    run: Name
    dataset: Name
    noun: Noun  # word for a class of the data set
    # of the classes, in the order of their labels; empty: classes are called by their labels
    class_names: Annotated[list[ClassName], Meta(max_length=MOST_CLASSES)] = field(
        default_factory=list
    )
    recipe: Name | None
    conditional: bool  # whether classes were requested
    n_samples: Count
    seed: Count | None
    judge: JudgeFacts
    guide: ClassifierFacts | None
    reference: ReferenceCounts
    metrics: dict[Name, Score]
    left_out: dict[Name, Text]
    per_class: Rows[ClassRow]
    confusion: Rows[Rows[Count]] | None  # rows: requested class, columns: judged class
    histogram: Rows[HistogramRow]
    warnings: Annotated[list[QualityWarning], Meta(max_length=100)]
    gallery: Gallery = field(default_factory=Gallery)
    timing: Fields[Number] = field(default_factory=dict)  # seconds of each stage
    cost: Cost = field(default_factory=Cost)
    provenance: Provenance = field(default_factory=Provenance)

    def __getitem__(self, key: str) -> Any:
        """Return a part as plain lists and dicts, as `Evaluation.results` did before 0.2."""
        name = RENAMED_RESULTS.get(key, key)
        part = msgspec.to_builtins(self)[name]
        warn_renamed(f"results[{key!r}]", f"results.{name}")
        return part

    def name_of(self, label: int) -> str:
        """Return what texts call a class: its name, or its label if it has none."""
        return self.class_names[label] if label < len(self.class_names) else str(label)


def histogram_rows(fake: Features, real: Features) -> list[HistogramRow]:
    """Return how many images the judge assigns to each class, beside real images."""
    return [msgspec.convert(row, HistogramRow) for row in histogram(fake=fake, real=real)]


def finite(value: float | None) -> float | None:
    """Return a number for results.json: None if it is unknown or not finite."""
    return None if value is None or not math.isfinite(value) else float(value)
