"""What an evaluation leaves behind: pictures of samples and of possible copies, results.json."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgan import data
from cgan.evaluation.views import Reference, Views
from cgan.files import json_bytes
from cgan.metrics import Samples
from cgan.pictures import pair_grid, sample_grid

N_SHOWN = 100  # images in the picture of the report
N_PAIRS = 20  # generated images beside their nearest training images
N_ALIKE = 2  # of them of one class: ones are all alike


def result_files(
    results: dict[str, Any], images: torch.Tensor, views: Views, reference: Reference
) -> dict[str, bytes]:
    """Return results.json, samples.png and, where copies were looked for, copies.png."""
    seen, pixels = views["all"], images.cpu().numpy()
    chosen = _shown(seen)
    requested = "T requested, C read by the judge" if seen.requested else "C read by the judge"
    samples = sample_grid(
        pixels[chosen],
        seen.labels[chosen] if seen.requested else None,
        seen.judged[chosen],
        f"{results['run']}: {requested}",
    )
    files = {"results.json": json_bytes(results), "samples.png": samples}
    if views["distances"] is not None:
        order = _nearest_few(views["distances"], views["distinct"].judged)
        files["copies.png"] = pair_grid(
            pixels[views["kept"][order]],
            reference.train_images[views["nearest"][order]],
            views["distances"][order],
            f"{results['run']}: above, generated images; below, the nearest of "
            f"{len(reference.train):,} training images and its distance",
        )
    return files


def _shown(seen: Samples) -> NDArray[np.int64]:
    """Return the first N_SHOWN images, the classes taking turns where labels were requested."""
    if not seen.requested:
        return np.arange(min(N_SHOWN, len(seen)))
    return data.interleaved(torch.from_numpy(seen.labels)).numpy()[:N_SHOWN]


def _nearest_few(distances: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of the N_PAIRS smallest distances, at most N_ALIKE of a class."""
    order = np.argsort(distances, kind="stable")
    rank = data.interleaved(torch.from_numpy(classes[order])).numpy()
    kept = np.sort(rank[: N_ALIKE * len(np.unique(classes))])[:N_PAIRS]
    return order[kept]
