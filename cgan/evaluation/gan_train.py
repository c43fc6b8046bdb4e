"""GAN-train: what a classifier learns from generated images alone, tried on real ones."""

from dataclasses import replace

import torch

from cgan.config.recipes import STUDENT, STUDENT_EPOCHS, STUDENT_STEPS
from cgan.data.splits import Split
from cgan.evaluation.views import Seers
from cgan.metrics.accuracy import accuracy
from cgan.metrics.samples import Samples
from cgan.models.judge import extract_split
from cgan.training.classifier import fit, new_classifier

HELD_OUT = 0.1  # of the images, to select the epoch


def taught(lesson: Split, test: Split, seers: Seers) -> Samples:
    """Train the student on `lesson` alone and return what it says of the real test images.

    Always the same network and the same number of steps, or of epochs where the images are few;
    the epoch that reads a held-out part of the lesson best is the one that is tried. No real image
    is seen before that, if there is none in the lesson (Ravuri and Vinyals 2019; Shmelkov et al.
    2018).

    Args:
        lesson: generated images with their requested labels, or real ones.
        test: real images.
        seers: on which machine and in which format the judge looks; the student does likewise.
    """
    held = max(1, int(len(lesson) * HELD_OUT))
    order = torch.randperm(len(lesson), generator=torch.Generator().manual_seed(STUDENT.seed))
    selection, rest = (
        Split(lesson.spec, lesson.images[part], lesson.labels[part])
        for part in (order[:held], order[held:])
    )
    device = next(seers.judge.parameters()).device
    batch_size = min(STUDENT.batch_size, len(rest))
    epochs = min(STUDENT_EPOCHS, max(1, round(STUDENT_STEPS / (len(rest) // batch_size))))
    config = replace(STUDENT, dataset=lesson.spec.dataset, epochs=epochs)
    student = new_classifier(lesson.spec, config, device)
    best, state = -1.0, student.state_dict()
    for _ in fit(
        student,
        rest.to(device),
        config,
        dtype=seers.dtype,
        title="GAN-train",
        progress=seers.progress,
    ):
        seen = extract_split(student, selection, batch_size=seers.batch_size, dtype=seers.dtype)
        share = accuracy(fake=seen)["value"]
        if share >= best:
            best = share
            state = {name: value.clone() for name, value in student.state_dict().items()}
    student.load_state_dict(state)
    return extract_split(student, test, batch_size=seers.batch_size, dtype=seers.dtype)
