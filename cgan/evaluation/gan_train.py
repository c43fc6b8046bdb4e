"""GAN-train: a classifier is trained on generated images only and tested on real ones."""

from dataclasses import replace

import torch

from cgan.config.recipes import STUDENT, STUDENT_EPOCHS, STUDENT_STEPS
from cgan.data.splits import Split
from cgan.evaluation.comparison import Extractors
from cgan.metrics.accuracy import accuracy
from cgan.metrics.features import Features
from cgan.models.judge import extract_split
from cgan.training.classifier import fit, new_classifier

HELD_OUT = 0.1  # of the images, to select the epoch


def gan_train(train: Split, test: Split, extractors: Extractors) -> Features:
    """Train a small classifier on `train` only and return its outputs for the real test images.

    The network and the number of steps (or of epochs, if there are few images) are always the same.
    The epoch with the best accuracy on a held-out part of `train` is tested. Before the test no
    real image is used, unless `train` has some (Ravuri and Vinyals 2019; Shmelkov et al. 2018).

    Args:
        train: generated images with their requested labels, or real ones.
        test: real images.
        extractors: determine the device and the number format of the student.
    """
    held = max(1, int(len(train) * HELD_OUT))
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(STUDENT.seed))
    selection, rest = (
        Split(train.spec, train.images[part], train.labels[part])
        for part in (order[:held], order[held:])
    )
    size = extractors.batch_size
    device = next(extractors.judge.parameters()).device
    batch_size = min(STUDENT.batch_size, len(rest))
    epochs = min(STUDENT_EPOCHS, max(1, round(STUDENT_STEPS / (len(rest) // batch_size))))
    config = replace(STUDENT, dataset=train.spec.dataset, epochs=epochs)
    student = new_classifier(train.spec, config, device)
    best, state = -1.0, student.state_dict()
    for _ in fit(
        student,
        rest.to(device),
        config,
        dtype=extractors.dtype,
        title="GAN-train",
        progress=extractors.progress,
    ):
        seen = extract_split(student, selection, batch_size=size, dtype=extractors.dtype)
        share = accuracy(fake=seen)["value"]
        if share >= best:
            best = share
            state = {name: value.clone() for name, value in student.state_dict().items()}
    student.load_state_dict(state)
    return extract_split(student, test, batch_size=size, dtype=extractors.dtype)
