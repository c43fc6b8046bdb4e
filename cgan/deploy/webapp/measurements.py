"""Measures generated images: what a slider can be named after."""

import torch
from torch import Tensor

PLAIN = 0.05  # largest spread of the corners' brightness, of images on a plain ground
GROUND_OF_DRAWINGS = 0.4  # least share of the ground in a drawing
FOREGROUND = 0.25  # difference from the ground, from which a pixel belongs fully to what is shown


def measurements(images: Tensor) -> dict[str, Tensor]:
    """Return what is worth measuring in images float [N, C, H, W] in [0, 1], each float [N].

    Drawings, which are grey strokes on a plain ground, have slant, ink and width. Other images
    have brightness and contrast, those with colours warmth and saturation, and those on a plain
    ground the size of what is shown.
    """
    grey = images.mean(1)
    ground = corners(images).mean(2)  # [N, C]
    distance = (images - ground[:, :, None, None]).abs().mean(1)
    size = (distance / FOREGROUND).clamp(max=1).mean((1, 2))
    plain = bool(corners(images).mean(1).std(1).median() <= PLAIN)
    if images.shape[1] == 1 and plain and float(1 - size.median()) >= GROUND_OF_DRAWINGS:
        return drawn(distance)
    found = {"brightness": grey.mean((1, 2)), "contrast": grey.std((1, 2))}
    if images.shape[1] == 3:
        red, _, blue = images.mean((2, 3)).unbind(1)
        found["warmth"] = red - blue
        found["saturation"] = (images.amax(1) - images.amin(1)).mean((1, 2))
    return {**found, "size": size} if plain else found


def corners(images: Tensor) -> Tensor:
    """Return the means float [N, C, 4] of the corners, squares of an eighth of the shorter side."""
    n = max(1, min(images.shape[2:]) // 8)
    rows = (images[:, :, :n], images[:, :, -n:])
    squares = [part for row in rows for part in (row[..., :n], row[..., -n:])]
    return torch.stack([square.mean((2, 3)) for square in squares], dim=2)


def drawn(ink: Tensor) -> dict[str, Tensor]:
    """Return slant, ink and width, each float [N], of the ink float [N, H, W] in [0, 1].

    Ink is the mean. Width is the standard deviation of the ink across, in pixels. Slant is the
    shift of the ink to the right per pixel upwards.
    """
    total = ink.sum((1, 2)).clamp(min=1e-6)
    down, right = (torch.arange(n, dtype=ink.dtype) for n in ink.shape[1:])
    rows, columns = ink.sum(2), ink.sum(1)
    down = down - (rows @ down / total)[:, None]
    right = right - (columns @ right / total)[:, None]
    tall = (rows * down.square()).sum(1).clamp(min=1e-6)
    leaning = torch.einsum("bhw,bh,bw->b", ink, down, right)
    wide = (columns * right.square()).sum(1) / total
    return {"slant": -leaning / tall, "ink": ink.mean((1, 2)), "width": wide.sqrt()}
