"""The functions of the public API; importing them imports no torch."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgan.config.recipes import eval_config
from cgan.config.schema import Folders
from cgan.data.images import Images
from cgan.metrics import features as metrics
from cgan.reporting.page import write_report
from cgan.reporting.read import find_report, read_history, read_results
from cgan.runtime.errors import InputError
from cgan.runtime.progress import Progress

if TYPE_CHECKING:
    from cgan.data.importing.arrays import ArrayImages
    from cgan.models.hub import GanRun

from cgan.reporting.notebook import Evaluation


def evaluate(
    run: "str | Path | GanRun | None" = None,
    *,
    images: Any = None,
    labels: Any = None,
    dataset: str | None = None,
    n_samples: int | None = None,
    seed: int | None = None,
    quick: bool = False,
    gan_train_images: int | None = None,
    copying: bool | None = None,
    batch_size: int | None = None,
    precision: str | None = None,
    device: str = "auto",
    name: str | None = None,
    judge: str | Path | None = None,
    guide: str | Path | None = None,
    weights_dir: str | Path = "weights",
    reports_dir: str | Path = "reports",
    data_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a generator, or anybody's images, as `cgan evaluate` does; write and return the report.

    Args:
        run: a trained run, or its name or folder; None: the newest, or the shipped one of MNIST.
        images: to score instead of a run: an npz file or a folder of pictures, by its path;
            Images; or an array or a tensor [N, C, H, W], [N, H, W, C] or [N, H, W], whole numbers
            from 0 to 255, or floats from 0 to 1 or from -1 to 1.
        labels: with an array, the labels that were requested: whole numbers [N]; None: none were.
        dataset: with images, the real ones to compare with: mnist, mnist-sample, digits,
            fashion-mnist or kmnist.
        n_samples: of a run, images to draw; None: 10,000, or 2,000 if quick.
        seed: of a run, seed of the noise; None: 0.
        quick: in seconds: fewer images, in bf16 where that is fast; neither GAN-train nor copying.
        gan_train_images: images that GAN-train learns from; 0: none; None: 20,000, or none.
        copying: search all training images for copies; None: unless quick.
        batch_size: images at a time; None: 500.
        precision: "auto", "fp32" or "bf16"; None: fp32, or auto if quick.
        device: "auto", "cpu", "cuda" or "mps".
        name: of the report's folder; None: that of the run or of the images' file.
        judge: name or folder of the classifier that scores; None: `<dataset>-judge`.
        guide: name or folder of the one shown beside it; None: the one that trained the run.
        weights_dir: the folder of trained runs; those that ship are found without it.
        reports_dir: where the folder of the report goes.
        data_dir: the folder of the data sets; None: the environment's CGAN_DATA, or "data".
        progress: shows the stages, such as Progress(sys.stderr); None shows nothing.

    Raises:
        InputError: no such run, judge, guide or data; images or labels that cannot be scored; a
            number out of range; a folder not to be written.
    """
    if images is not None and (n_samples is not None or seed is not None):
        raise InputError("n_samples and seed go with a run; of images all are scored as they are")
    config = eval_config(
        quick,
        n_samples=n_samples,
        seed=seed,
        gan_train_images=gan_train_images,
        copying=copying,
        batch_size=batch_size,
        precision=precision,
        device=device,
    )
    from cgan.evaluation import evaluate as stage3  # now: reading a report needs no torch

    folders = Folders(
        Path(os.environ.get("CGAN_DATA", "data") if data_dir is None else data_dir),
        Path(weights_dir),
        Path(reports_dir),
    )
    results = stage3.evaluate(
        _run(run),
        config,
        folders,
        images=_subject(images, labels),
        dataset=dataset,
        name=name,
        judge=_text(judge),
        guide=_text(guide),
        progress=progress,
    )
    report = write_report(folders.reports / results.run)
    return Evaluation(report.results, report.page, report.history)


def read_report(run: str | Path | None = None, reports_dir: str | Path = "reports") -> Evaluation:
    """Read what `evaluate` or `cgan evaluate` wrote, from its files alone.

    Args:
        run: its name, or the folder of its report; None: the newest.
        reports_dir: the folder of reports.

    Raises:
        InputError: there is no such report, or its files cannot be read.
    """
    folder = find_report(_text(run), Path(reports_dir))
    return Evaluation(read_results(folder), folder / "index.html", read_history(folder))


def _run(run: "str | Path | GanRun | None") -> str | None:
    """Return the name or folder of a run.

    Raises:
        InputError: it is something else.
    """
    from cgan.models.hub import GanRun

    if isinstance(run, GanRun):
        return str(run.folder)
    if run is not None and not isinstance(run, str | Path):
        raise InputError(f"run is a name or a folder, not a {type(run).__name__}; or give images=")
    return _text(run)


def _text(name: str | Path | None) -> str | None:
    return None if name is None else str(name)


def _subject(images: Any, labels: Any) -> "Path | ArrayImages | None":
    """Return what is to be scored instead of a run.

    Raises:
        InputError: labels of nothing, or besides those of a file.
    """
    from cgan.data.importing.arrays import ArrayImages

    if images is None or isinstance(images, str | Path):
        if labels is not None:
            raise InputError("labels go with an array of images; a file brings its own")
        return None if images is None else Path(images)
    if isinstance(images, Images):
        if labels is None and images.requested:
            labels = images.labels
        images = images.images
    return ArrayImages(images, labels)


BATCH_SIZE = 500


class Samples(metrics.Features):
    """What every metric reads: labels int64 [N], logits float32 [N, K], features float32 [N, F]."""

    @classmethod
    def from_images(
        cls,
        images: Any,
        labels: Any = None,
        dataset: str = "mnist",
        judge: str | Path | None = None,
        *,
        weights_dir: str | Path = "weights",
        device: str = "auto",
    ) -> "Samples":
        """Return a judge's outputs for images, in fp32; nothing is written, no data set needed.

        Args:
            images: an array or a tensor [N, C, H, W], [N, H, W, C], or [N, H, W] where there is one
                channel: whole numbers from 0 to 255, or floats from 0 to 1 or from -1 to 1; or
                Images, which bring their labels.
            labels: the labels that were requested of them, or, of real images, that they have:
                whole numbers [N]. None: those of Images, or there are none, and the judge's own
                answers stand for them (`requested` is False).
            dataset: whose judge classifies them: mnist, digits, ...
            judge: name or folder of another classifier.
            weights_dir: the folder of one's own runs; those that ship are found without it.
            device: "auto", "cpu", "cuda" or "mps".

        Raises:
            InputError: no such judge, a device that is not there, images that are not of the
                judge's size, blank, or in an unknown range, or labels that are no classes of its.
        """
        import torch  # now: reading a report needs none of it

        from cgan.data.importing.arrays import classes, pixels
        from cgan.models.hub import load_classifier
        from cgan.models.judge import extract
        from cgan.runtime.device import choose_device, place

        run = load_classifier(judge or f"{dataset}-judge", weights_dir)
        if isinstance(images, Images):
            labels = images.labels if labels is None and images.requested else labels
            images = images.images
        seen = torch.from_numpy(pixels(images, run.spec))
        known = None if labels is None else classes(labels, len(seen), run.spec)
        wanted = torch.zeros(len(seen), dtype=torch.int64)
        network = place(run.network, choose_device(device))
        pairs = zip(seen.split(BATCH_SIZE), wanted.split(BATCH_SIZE), strict=True)
        found = extract(network, pairs)
        answers = found.judged if known is None else known
        return cls(answers, found.logits, found.features, requested=known is not None)
