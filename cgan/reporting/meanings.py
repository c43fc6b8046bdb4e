"""What each metric means, in two sentences, and where it comes from."""

from typing import NamedTuple


class Meaning(NamedTuple):
    """Two sentences for a person, and the publication that defines the metric."""

    words: str
    source: str


MEANINGS = {
    "judge_accuracy": Meaning(
        "Share of the images that a classifier which guided nothing reads as the requested digit. "
        "Real images reach what stands beside it, not 100%.",
        "GAN-test; Shmelkov, Schmid and Alahari 2018, How good is my GAN?, section 3",
    ),
    "guide_accuracy": Meaning(
        "The same by the classifier that trained the generator. It is flattering and shown for "
        "comparison only.",
        "the training's own classifier; no evidence",
    ),
    "flattery": Meaning(
        "How many more images the guide accepts than the judge. Far above real images it says that "
        "the generator learned to please its guide.",
        "guide accuracy minus judge accuracy",
    ),
    "classifier_score": Meaning(
        "The inception score with the judge's posteriors: high when each image is read surely and "
        "all classes occur. It is blind to variety within a class.",
        "Salimans et al. 2016, Improved techniques for training GANs, section 4",
    ),
    "fcd": Meaning(
        "Distance between the clouds of the judge's features of generated and of real images, as "
        "Gaussians. It grows as N falls: compare it with real images at the same N only.",
        "Heusel et al. 2017, GANs trained by a two time-scale update rule, equation 6, in features "
        "of the judge",
    ),
    "precision": Meaning(
        "Share of the images that lie among the real ones: realism. An image counts if it is in "
        "the ball around some real image that reaches to its k-th neighbour.",
        "Kynkäänniemi et al. 2019, Improved precision and recall metric, section 2",
    ),
    "recall": Meaning(
        "Share of the real images that lie among the generated ones: variety. What is scattered "
        "widely has a high recall, so read it with precision.",
        "Kynkäänniemi et al. 2019, Improved precision and recall metric, section 2",
    ),
    "density": Meaning(
        "Like precision, but counting in how many real balls an image lies. Real images are near "
        "1, and more means that typical images are drawn too often.",
        "Naeem et al. 2020, Reliable fidelity and diversity metrics, equation 3",
    ),
    "coverage": Meaning(
        "Share of the real images that have a generated one in their ball. It is variety that "
        "outliers do not fool.",
        "Naeem et al. 2020, Reliable fidelity and diversity metrics, equation 4",
    ),
    "gan_train_accuracy": Meaning(
        "How well a classifier that learned from generated images alone reads real ones. Beside it "
        "stands the same classifier taught by as many real images.",
        "Shmelkov, Schmid and Alahari 2018, How good is my GAN?, section 3",
    ),
    "class_kl": Meaning(
        "How far the judged classes stray from those of real images with the same labels, in nats. "
        "0 is perfect.",
        "Kullback and Leibler 1951, of the two histograms below",
    ),
    "missing_classes": Meaning(
        "Classes that are drawn less than a tenth as often as real images would be. Any is a "
        "collapse.",
        "counted with the judge's classes",
    ),
    "ndb": Meaning(
        "Share of the regions of feature space in which it draws too often or too rarely. It grows "
        "with N, and real images have some by chance.",
        "Richardson and Weiss 2018, On GANs and GMMs, section 2",
    ),
    "intra_class_diversity": Meaning(
        "Variance of the images of one digit as a share of that of real ones, the mean over the "
        "digits. 1 is perfect, 0 the same picture every time.",
        "ratio of variances in the judge's features",
    ),
    "duplicate_rate": Meaning(
        "Share of the images that are all but the same as another one. It grows with N, as shared "
        "birthdays do.",
        "the birthday test of Arora and Zhang 2017, Do GANs actually learn the distribution?",
    ),
    "copying_z": Meaning(
        "Whether images lie nearer to the training images than new real ones do, as a z-score. Far "
        "below real images: they repeat what they were trained on; above: they are further away.",
        "Meehan, Chaudhuri and Dasgupta 2020, A non-parametric test to detect data-copying, "
        "section 3",
    ),
}
