"""Stage 3: generates images, asks a judge, and writes down what it says with its uncertainty."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cgan import __version__, data
from cgan.config import EvalConfig, Folders
from cgan.errors import InputError
from cgan.features import extract, extract_split
from cgan.files import make_folder, write_bytes, write_json
from cgan.machine import choose_device, choose_precision, place, precision_name
from cgan.metrics import METRICS, Samples
from cgan.metrics.accuracy import accuracy, accuracy_per_class, confusion
from cgan.metrics.alarms import alarms
from cgan.metrics.collapse import expected_shares
from cgan.metrics.diversity import diversity_per_class
from cgan.pictures import sample_grid
from cgan.progress import Progress
from cgan.sampling import collect, sample
from cgan.store import (
    ClassifierRun,
    GanRun,
    load_classifier,
    load_generator,
    newest_run,
    require_same_images,
)

N_SHOWN = 100  # images in the picture of the report


@dataclass
class Stopwatch:
    """Seconds spent in each named stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to stage `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def evaluate(
    run: str | None = None,
    config: EvalConfig = EvalConfig(),  # noqa: B008 - frozen
    folders: Folders = Folders(),  # noqa: B008 - frozen
    *,
    judge: str | None = None,
    guide: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a generator; write results.json, samples.png and history.csv to `reports/<run>`.

    Args:
        run: name or folder of a trained run; None: the newest.
        config: how many images, which seed, which machine.
        folders: where data and weights are and where the report goes.
        judge: name or folder of the classifier that scores; None: `<dataset>-judge`.
        guide: name or folder of the classifier shown beside it; None: the one that trained `run`.
        progress: shows the stages; None shows nothing.

    Returns:
        What results.json holds.

    Raises:
        InputError: no such run, judge or guide, one that does not fit the data set, a judge that
            guided the run, data that is missing or damaged, a folder not to be written.
    """
    watch = Stopwatch()
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)
    gan = load_generator(run or newest_run(folders.weights), folders.weights)
    spec = gan.spec
    seers = {
        "judge": load_classifier(judge or f"{spec.dataset}-judge", folders.weights),
        "guide": load_classifier(guide or gan.guide, folders.weights),
    }
    for seer in seers.values():
        require_same_images(seer, spec)
    _require_roles(gan, seers["judge"], seers["guide"], named=guide is not None)
    test = data.load(spec.dataset, folders.data, "test")
    validation = data.load(spec.dataset, folders.data, "validation")
    for split in (test, validation):
        if split.spec != spec:
            raise InputError(
                f"{gan.name} draws images of {spec.image_shape} and the {spec.dataset} in "
                f"{folders.data} has {split.spec.image_shape}; name another --data-dir"
            )
    folder = make_folder(folders.reports / gan.name, "--reports-dir")

    progress = progress or Progress()
    size = config.batch_size
    with watch.stage("sampling"), progress.bar(config.n_samples, "drawing") as bar:
        labels = data.balanced_labels(config.n_samples, spec.n_classes)
        network = place(gan.network, device)
        drawn = []
        for pair in sample(network, labels, seed=config.seed, batch_size=size, dtype=dtype):
            drawn.append(pair)
            bar.advance(len(pair[1]))
    fake, real, held_out = {}, {}, {}
    with watch.stage("features"), progress.bar(len(seers) * 3, "reading") as bar:
        for role, seer in seers.items():
            classifier = place(seer.network, device)
            fake[role] = extract(classifier, drawn, dtype=dtype)
            bar.advance()
            real[role] = extract_split(classifier, test, batch_size=size, dtype=dtype)
            bar.advance()
            held_out[role] = extract_split(classifier, validation, batch_size=size, dtype=dtype)
            bar.advance()
    with watch.stage("metrics"):
        results = {
            "run": gan.name,
            "dataset": spec.dataset,
            "recipe": gan.config.recipe,
            "conditional": True,
            "n_samples": config.n_samples,
            "seed": config.seed,
            "judge": _about(seers["judge"], real["judge"]),
            "guide": _about(seers["guide"], real["guide"]),
            "metrics": _metrics(fake, real, held_out),
            **_tables(fake["judge"], real["judge"]),
        }
    results["alarms"] = alarms(results)
    results["timing"] = watch.seconds
    results["provenance"] = {
        "version": __version__,
        "torch": torch.__version__,
        "device": device.type,
        "precision": precision_name(dtype),
        "data_sha256": test.sha256(),
        "config": asdict(gan.config),
        "evaluation": asdict(config),
    }
    images, _ = collect(drawn)
    _write(folder, results, images, fake["judge"])
    history = gan.folder / "history.csv"
    if history.is_file():  # beside the results, so that the report is of this very training
        write_bytes(folder / "history.csv", history.read_bytes())
    return results


def _require_roles(gan: GanRun, judge: ClassifierRun, guide: ClassifierRun, *, named: bool) -> None:
    """Check that the judge did not guide this generator, and that the guide did.

    Raises:
        InputError: the judge's weights are those that guided; or the guide was trained anew since,
            unless a person `named` it.
    """
    if judge.sha256() in (gan.guide_sha256, guide.sha256()):
        raise InputError(f"{judge.name} guided {gan.name}, so it cannot judge it; name another")
    if not named and guide.sha256() != gan.guide_sha256:
        raise InputError(
            f"{guide.name} is not what guided {gan.name}: its weights have changed since; "
            "name a classifier to show with --guide"
        )


def _about(run: ClassifierRun, real: Samples) -> dict[str, Any]:
    return {
        "name": run.name,
        "arch": run.config.network,
        "seed": run.config.seed,
        "accuracy_real": accuracy(fake=real),
    }


def _metrics(
    fake: dict[str, Samples], real: dict[str, Samples], held_out: dict[str, Samples]
) -> dict[str, dict[str, float]]:
    """Return {name: {value, low, high, real}} for every metric."""
    values = {}
    for name, metric in METRICS.items():
        who = metric.seen_by
        value = metric.function(fake=fake[who], real=real[who])
        if metric.compares:
            twin = _twin(fake[who], held_out[who])
            value["real"] = metric.function(fake=twin, real=real[who])["value"]
        else:
            value["real"] = metric.function(fake=real[who], real=real[who])["value"]
        values[name] = value
    return values


def _twin(fake: Samples, held_out: Samples) -> Samples:
    """Return real validation images with the labels of `fake`, drawn with replacement.

    What a metric says of them is what it says of a generator that can do no more than repeat the
    validation images: close to perfect, and closer the more validation images there are.

    Raises:
        InputError: no validation image has one of the labels.
    """
    random = np.random.default_rng(0)
    index = np.empty(len(fake), np.int64)
    for digit in np.unique(fake.labels):
        mine = np.flatnonzero(fake.labels == digit)
        same = np.flatnonzero(held_out.labels == digit)
        if not len(same):
            raise InputError(f"no validation image has the label {digit}, so it cannot be scored")
        index[mine] = random.choice(same, len(mine))
    return held_out.take(index)


def _tables(fake: Samples, real: Samples) -> dict[str, Any]:
    judged = np.bincount(fake.judged, minlength=fake.n_classes)
    expected = expected_shares(fake=fake, real=real) * len(fake)
    diversity = diversity_per_class(fake=fake, real=real)
    per_digit = accuracy_per_class(fake=fake)
    for row in per_digit:
        found = diversity.get(int(row["digit"]), {})
        row["diversity"] = found.get("value", math.nan)
        row["diversity_high"] = found.get("high", math.nan)
    return {
        "per_digit": per_digit,
        "confusion": confusion(fake=fake).tolist(),
        "histogram": [
            {"digit": digit, "generated": int(judged[digit]), "real": float(expected[digit])}
            for digit in range(fake.n_classes)
        ],
    }


def _write(folder: Path, results: dict[str, Any], images: torch.Tensor, seen: Samples) -> None:
    sample_grid(
        images[:N_SHOWN].cpu().numpy(),
        seen.labels[:N_SHOWN],
        seen.judged[:N_SHOWN],
        f"{results['run']}: T requested, C read by the judge",
        folder / "samples.png",
    )
    write_json(folder / "results.json", results)
