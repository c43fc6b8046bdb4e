"""What an import found and did, as entries of data.json and as sentences; no torch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgan.config.schema import ImportConfig
from cgan.data.conversion.pixels import Conversion
from cgan.data.conversion.staging import Staging, counted
from cgan.data.importing.found import FoundImages
from cgan.data.splitting.assignment import Assignment
from cgan.data.splitting.near_duplicates import DuplicateGroups

Findings = dict[str, Any]


def findings(
    found: FoundImages,
    staging: Staging,
    config: ImportConfig,
    duplicates: DuplicateGroups,
    assigned: Assignment,
) -> Findings:
    """Return what was found in a source, and what was done to its pixels.

    Args:
        found: all images of the source.
        staging: those that could be read.
        config: the settings.
        duplicates: among these.
        assigned: their splits.
    """
    records = staging.records()
    read = records[records["reason"] == 0]
    sides = np.stack([read["height"], read["width"]], axis=1)
    area = sides.prod(axis=1, dtype=np.int64)
    return {
        "images": len(found),
        "read": len(read),
        "sizes": {
            "smallest": sides[area.argmin()].tolist(),
            "median": np.median(sides, axis=0).round().astype(int).tolist(),
            "largest": sides[area.argmax()].tolist(),
            "different": len(np.unique(sides, axis=0)),
        },
        "modes": counted(staging.words("mode"), read["mode"]),
        "unreadable": _unreadable(found, staging, records),
        "skipped": [
            {"reason": reason, "files": len(files), "example": files[0]}
            for reason, files in found.skipped.items()
            if files
        ],
        "pixels": [*found.notes, *told_pixels(staging.conversion, read, config)],
        "duplicates": _duplicates(found, np.flatnonzero(records["reason"] == 0), duplicates),
        "splits": list(assigned.sentences),
    }


def _unreadable(
    found: FoundImages, staging: Staging, records: NDArray[np.void]
) -> list[dict[str, Any]]:
    reasons = staging.words("reason")
    numbers = records["reason"]
    return [
        {
            "reason": reasons[number],
            "files": int((numbers == number).sum()),
            "example": found.reader.place(int((numbers == number).argmax())),
        }
        for number in range(1, len(reasons))
        if (numbers == number).any()
    ]


def _duplicates(
    found: FoundImages, read: NDArray[np.int64], duplicates: DuplicateGroups
) -> Findings:
    """Return how many images belong together, and examples of nearly equal ones."""
    pairs = [[found.reader.place(int(read[one])) for one in pair] for pair in duplicates.examples]
    return {
        "exact": duplicates.exact,
        "near": duplicates.near,
        "near_groups": duplicates.near_groups,
        "largest": duplicates.largest,
        "apart": duplicates.apart,
        "threshold": duplicates.threshold,
        "examples": pairs,
        "sentences": duplicates.sentences(),
    }


def told_pixels(conversion: Conversion, read: NDArray[np.void], config: ImportConfig) -> list[str]:
    """Return sentences on what was done to the pixels of the images that were read."""
    return [
        *_told_sizes(conversion, read["height"], read["width"]),
        *_told_colour(read["lost_colour"], config),
        *_told_ground(conversion, read["transparent"], config),
        *_told_levels(conversion, read["clipped"]),
    ]


def _told_sizes(
    conversion: Conversion, heights: NDArray[np.integer], widths: NDArray[np.integer]
) -> list[str]:
    size, short = conversion.size, np.minimum(heights, widths)
    square = (heights == widths).sum()
    how = {
        "crop": "cropped to a square around the centre",
        "pad": f"padded to a square with {_ground_words(conversion.padding)}",
        "stretch": "stretched to a square",
    }[conversion.fit]
    side = short if conversion.fit == "crop" else np.maximum(heights, widths)
    told = [f"{len(short) - square:,} {how}"] if square < len(short) else []
    smaller, larger = int((side > size).sum()), int((side < size).sum())
    if smaller:
        told.append(f"{smaller:,} made smaller, to {size}x{size}, antialiased")
    if larger:
        told.append(f"{larger:,} enlarged to {size}x{size}")
    return told


def _ground_words(ground: str) -> str:
    return "the colour of their corner" if ground == "corner" else ground


def _told_colour(lost: NDArray[np.bool_], config: ImportConfig) -> list[str]:
    if not lost.any():
        return []
    keep = "" if config.colour == "grey" else " (--colour keeps their colours)"
    return [f"{int(lost.sum()):,} turned grey{keep}"]


def _told_ground(
    conversion: Conversion, transparent: NDArray[np.bool_], config: ImportConfig
) -> list[str]:
    n = int(transparent.sum())
    if n == 0:
        return []
    why = ""
    if config.ground == "auto":
        edges = "white" if conversion.ground == "black" else "not white"
        why = f", because their edges are {edges} on average (--ground changes it)"
    return [f"{n:,} transparent ones laid on {_ground_words(conversion.ground)}{why}"]


def _told_levels(conversion: Conversion, clipped: NDArray[np.bool_]) -> list[str]:
    told = []
    if conversion.byte_top != 255:
        told.append(f"made brighter: {conversion.byte_top} of 255 is white")
    if (conversion.low, conversion.high) != (0.0, 255.0):
        low, high = (f"{end:,.6g}" for end in (conversion.low, conversion.high))
        told.append(f"numbers from {low} (black) to {high} (white) scaled to 0 to 255")
    if clipped.any():
        told.append(
            f"{int(clipped.sum()):,} have numbers outside of this range, which were cut off"
        )
    return told
