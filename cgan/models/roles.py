"""The guide and the judge of a data set: loads them, and says if they do not know its images."""

from cgan.config.commands import classifier_command, free_classifier_name
from cgan.config.schema import Folders
from cgan.data.roles import require_classifier
from cgan.metrics.accuracy import accuracy
from cgan.metrics.features import Features
from cgan.models.hub import ClassifierRun, load_classifier
from cgan.runtime.errors import InputError

FAR_BELOW = 0.1  # of the images; a judge that loses more than this does not know the images


def load_role(role: str, run: str | None, dataset: str, folders: Folders) -> ClassifierRun:
    """Load the guide or the judge of a data set; the arguments are those of `require_classifier`.

    Raises:
        InputError: no such run, or one whose files do not match.
    """
    return load_classifier(require_classifier(role, run, dataset, folders), folders.weights)


def of_other_images(
    role: str, classifier: ClassifierRun, data_sha256: str, folders: Folders
) -> str | None:
    """Return a line on a classifier that was trained on other images; None if it was on these.

    Args:
        role: "guide" or "judge".
        classifier: has this role for a data set of the same name.
        data_sha256: of the training images, as `Split.sha256` returns it.
        folders: the folders of the data and of one's own runs.
    """
    if classifier.data_sha256 in (None, data_sha256):
        return None
    dataset = classifier.spec.dataset
    name = free_classifier_name(dataset, role, folders.weights)
    use = "" if name == f"{dataset}-{role}" else f", then use --{role} {name}"
    return (
        f"{classifier.name} was trained on other images than those of {dataset} in "
        f"{folders.data}; to train a {role} of these: "
        f"{classifier_command(dataset, role, folders)}{use}"
    )


def require_knowledge(judge: ClassifierRun, real: Features, folders: Folders) -> None:
    """Check that a judge classifies real test images about as well as when it was trained.

    A judge of a version that recorded no accuracy is not checked.

    Args:
        judge: the judge.
        real: its outputs for real test images.
        folders: the folders of the data and of one's own runs.

    Raises:
        InputError: its accuracy, with its 95% interval, is more than `FAR_BELOW` below the recorded
            one, with its own.
    """
    recorded, found = judge.test_accuracy, accuracy(fake=real)
    if recorded is None:
        return
    least = recorded.value if recorded.low is None else recorded.low
    if found["high"] < least - FAR_BELOW:
        dataset = judge.spec.dataset
        raise InputError(
            f"the judge {judge.name} classifies {found['value']:.0%} of the test images of "
            f"{dataset} in {folders.data} correctly ({recorded.value:.1%} when it was trained): "
            "transposed, inverted, or another data set? To train a judge of these: "
            f"{classifier_command(dataset, 'judge', folders)}"
        )
