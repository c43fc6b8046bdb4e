"""The metrics by name: computation, display, meaning and source of each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgan.metrics.accuracy import accuracy, guide_gap
from cgan.metrics.classifier_score import classifier_score
from cgan.metrics.collapse import class_kl, missing_classes, ndb
from cgan.metrics.copying import copying_z
from cgan.metrics.diversity import intra_class_diversity
from cgan.metrics.duplicates import duplicate_rate
from cgan.metrics.features import Features
from cgan.metrics.frechet import fcd, has_covariance
from cgan.metrics.intervals import Value
from cgan.metrics.manifold import Balls, coverage, density, precision, recall


@dataclass(frozen=True)
class Copies:
    """Distances to the nearest training image, of generated images and of test images."""

    distinct: Features  # generated images without repeats
    held_out: Features  # test images
    distances: NDArray[np.float64]  # [len(distinct)]
    held_out_distances: NDArray[np.float64]  # [len(held_out)]


@dataclass(frozen=True)
class Inputs:
    """The inputs of the metrics: the judge's features of images, unless stated otherwise.

    None: not known or left out.
    """

    all: Features  # all generated images
    fake: Features  # as many generated images as there are test images to compare them with
    real: Features  # those test images
    train: Features
    balls: Balls | None  # of `fake` and `real`
    guide: Features | None = None  # all generated images, by the guide
    student: Features | None = None  # test images, by a classifier trained on generated images
    copies: Copies | None = None


@dataclass(frozen=True)
class Metric:
    """One row of the registry."""

    compute: Callable[[Inputs], Value | None]  # None where an input is missing
    counted: Callable[[Inputs], int]  # number of images evaluated
    title: str  # {noun}: the data set's word for a class
    better: str  # "high", "low" or "real": close to the value of real images
    form: str  # Python format of a value
    meaning: str  # two sentences for readers
    source: str  # the publication that defines it
    address: str = ""  # of that publication; empty: there is none
    short_form: str = ""  # fewer digits, enough to distinguish recipes; empty: as `form`
    short_title: str = ""  # for a terminal and a leaderboard; empty: as `title`
    needs_labels: bool = False  # undefined where no class was requested


def _n_all(inputs: Inputs) -> int:
    return len(inputs.all)


def _n_fake(inputs: Inputs) -> int:
    return len(inputs.fake)


def _of_balls(metric: Callable[..., Value]) -> Callable[[Inputs], Value | None]:
    """Return the computation of a metric that needs only the balls."""
    return lambda inputs: None if inputs.balls is None else metric(balls=inputs.balls)


def _fcd(inputs: Inputs) -> Value | None:
    n = min(len(inputs.fake), len(inputs.real))
    if not has_covariance(n, inputs.real.features.shape[1]):
        return None
    return fcd(fake=inputs.fake, real=inputs.real)


def _guide_accuracy(inputs: Inputs) -> Value | None:
    return None if inputs.guide is None else accuracy(fake=inputs.guide)


def _guide_gap(inputs: Inputs) -> Value | None:
    return None if inputs.guide is None else guide_gap(judge=inputs.all, guide=inputs.guide)


def _gan_train_accuracy(inputs: Inputs) -> Value | None:
    return None if inputs.student is None else accuracy(fake=inputs.student)


def _copying_z(inputs: Inputs) -> Value | None:
    copies = inputs.copies
    if copies is None:
        return None
    return copying_z(
        distinct=copies.distinct,
        held_out=copies.held_out,
        train=inputs.train,
        distances=copies.distances,
        held_out_distances=copies.held_out_distances,
    )


METRICS: dict[str, Metric] = {
    "judge_accuracy": Metric(
        lambda inputs: accuracy(fake=inputs.all),
        _n_all,
        title="judge accuracy",
        better="high",
        form=".2%",
        meaning="Share of the images that the judge, a classifier that guided no training, "
        "classifies as the requested {noun}. Compare it with the value of real images, not with "
        "100%.",
        source="GAN-test; Shmelkov, Schmid and Alahari 2018, How good is my GAN?, section 3",
        address="https://arxiv.org/abs/1807.09499",
        needs_labels=True,
    ),
    "guide_accuracy": Metric(
        _guide_accuracy,
        _n_all,
        title="guide accuracy",
        better="high",
        form=".2%",
        meaning="The same, by the classifier that guided the training. It favours the generator "
        "and is shown for comparison only.",
        source="the classifier of the training, so it is not independent",
        needs_labels=True,
    ),
    "guide_gap": Metric(
        _guide_gap,
        _n_all,
        title="guide gap (guide minus judge accuracy)",
        better="real",
        form=".2%",
        meaning="How many more images the guide accepts than the judge. A value far above that of "
        "real images means that the generator has overfitted to its guide.",
        source="guide accuracy minus judge accuracy",
        short_title="guide gap",
        needs_labels=True,
    ),
    "classifier_score": Metric(
        lambda inputs: classifier_score(fake=inputs.all),
        _n_all,
        title="classifier score",
        better="high",
        form=".2f",
        meaning="The inception score with the judge's posteriors: high when the judge is sure of "
        "each image and all classes occur. It does not measure variety within a class.",
        source="Salimans et al. 2016, Improved techniques for training GANs, section 4",
        address="https://arxiv.org/abs/1606.03498",
    ),
    "fcd": Metric(
        _fcd,
        _n_fake,
        title="Fréchet classifier distance (FCD)",
        better="low",
        form=".4f",
        meaning="Fréchet distance between the judge's features of generated and of real images, "
        "each modelled as a Gaussian. It grows as N falls, so compare values at the same N only.",
        source="Heusel et al. 2017, GANs trained by a two time-scale update rule, equation 6, in "
        "features of the judge",
        address="https://arxiv.org/abs/1706.08500",
        short_form=".3f",
        short_title="FCD",
    ),
    "precision": Metric(
        _of_balls(precision),
        _n_fake,
        title="precision",
        better="high",
        form=".2%",
        meaning="Realism: the share of generated images that lie in the ball of some real image. "
        "The ball of an image reaches to its k-th nearest neighbour.",
        source="Kynkäänniemi et al. 2019, Improved precision and recall metric, section 2",
        address="https://arxiv.org/abs/1904.06991",
        short_form=".1%",
    ),
    "recall": Metric(
        _of_balls(recall),
        _n_fake,
        title="recall",
        better="high",
        form=".2%",
        meaning="Variety: the share of real images that lie in the ball of some generated image. "
        "Widely scattered images also have a high recall, so read it with precision.",
        source="Kynkäänniemi et al. 2019, Improved precision and recall metric, section 2",
        address="https://arxiv.org/abs/1904.06991",
        short_form=".1%",
    ),
    "density": Metric(
        _of_balls(density),
        _n_fake,
        title="density",
        better="real",
        form=".2f",
        meaning="Like precision, but it counts the balls of real images that an image lies in. "
        "Real images are near 1; a higher value means too many typical images.",
        source="Naeem et al. 2020, Reliable fidelity and diversity metrics, equation 3",
        address="https://arxiv.org/abs/2002.09797",
    ),
    "coverage": Metric(
        _of_balls(coverage),
        _n_fake,
        title="coverage",
        better="high",
        form=".2%",
        meaning="Share of the real images that have a generated image in their ball. It measures "
        "variety, and outliers do not raise it.",
        source="Naeem et al. 2020, Reliable fidelity and diversity metrics, equation 4",
        address="https://arxiv.org/abs/2002.09797",
        short_form=".1%",
    ),
    "gan_train_accuracy": Metric(
        _gan_train_accuracy,
        lambda inputs: len(inputs.student) if inputs.student is not None else 0,
        title="GAN-train accuracy",
        better="high",
        form=".2%",
        meaning="Accuracy on real images of a classifier trained on generated images only. The "
        "value of real images is that of the same classifier trained on as many real images.",
        source="Shmelkov, Schmid and Alahari 2018, How good is my GAN?, section 3",
        address="https://arxiv.org/abs/1807.09499",
        needs_labels=True,
    ),
    "class_kl": Metric(
        lambda inputs: class_kl(fake=inputs.fake, real=inputs.real),
        _n_fake,
        title="class divergence (KL, nats)",
        better="low",
        form=".5f",
        meaning="Divergence of the distribution of judged classes from that of real images with "
        "the same labels, in nats. 0 is perfect.",
        source="Kullback and Leibler 1951, computed from the two class histograms",
        address="https://doi.org/10.1214/aoms/1177729694",
    ),
    "missing_classes": Metric(
        lambda inputs: missing_classes(fake=inputs.fake, real=inputs.real),
        _n_fake,
        title="missing classes",
        better="low",
        form=".0f",
        meaning="Number of classes with less than a tenth of the images that real images would "
        "give. Any missing class is a mode collapse.",
        source="counted from the classes that the judge assigns",
    ),
    "ndb": Metric(
        lambda inputs: ndb(fake=inputs.fake, real=inputs.real, train=inputs.train),
        _n_fake,
        title="different bins (NDB)",
        better="low",
        form=".2%",
        meaning="Share of the regions of feature space that hold significantly more or fewer "
        "generated than real images. It grows with N, and real images have some by chance.",
        source="Richardson and Weiss 2018, On GANs and GMMs, section 2",
        address="https://arxiv.org/abs/1805.12462",
        short_form=".1%",
    ),
    "intra_class_diversity": Metric(
        lambda inputs: intra_class_diversity(fake=inputs.fake, real=inputs.real),
        _n_fake,
        title="diversity within a {noun}",
        better="real",
        form=".2f",
        meaning="Variance of the images of one {noun} divided by that of real images, averaged "
        "over the classes. 1 is perfect; 0 is the same image every time.",
        source="ratio of variances in the judge's features",
    ),
    "duplicate_rate": Metric(
        _of_balls(duplicate_rate),
        _n_fake,
        title="duplicates",
        better="low",
        form=".2%",
        meaning="Share of the images that are nearly identical to another generated image. It "
        "grows with N, as in the birthday problem.",
        source="the birthday test of Arora and Zhang 2017, Do GANs actually learn the "
        "distribution?",
        address="https://arxiv.org/abs/1706.08224",
        short_form=".1%",
    ),
    "copying_z": Metric(
        _copying_z,
        lambda inputs: len(inputs.copies.distinct) if inputs.copies is not None else 0,
        title="copying (z)",
        better="real",
        form="+.1f",
        meaning="Whether images lie nearer to the training images than held-out real images do, "
        "as a z-score. A value far below that of real images means training images memorised; a "
        "value above it means that the images are further away.",
        source="Meehan, Chaudhuri and Dasgupta 2020, A non-parametric test to detect "
        "data-copying, section 3",
        address="https://arxiv.org/abs/2004.05675",
    ),
}
