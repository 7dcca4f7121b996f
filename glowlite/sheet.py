"""A contact sheet of pictures, and a PNG file that is either whole or not there."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from glowlite.errors import GlowliteError
from glowlite.files import write_atomically

PAPER = (245, 243, 239)  # a warm white


def sheet(
    images: Tensor | np.ndarray,
    columns: int = 8,
    gap: int = 2,
    background: int | tuple[int, int, int] = PAPER,
) -> np.ndarray:
    """Lay uint8 pictures (N, C, h, w), C = 1 or 3, row by row on one sheet: uint8 (H, W, 3).

    `gap` pixels of `background` lie between the pictures and around them; a last row that is not full stays
    at the left. With fewer pictures than `columns` the sheet is as wide as the pictures need.
    Raises GlowliteError where there is no picture, or pictures have another shape or type.

    >>> sheet(torch.zeros(6, 3, 16, 16, dtype=torch.uint8), columns=3).shape
    (38, 56, 3)
    """
    images = torch.as_tensor(images).detach().cpu()
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise GlowliteError(
            f"A sheet needs uint8 pictures of shape (N, 3, H, W) or (N, 1, H, W), not {images.dtype} of "
            f"shape {tuple(images.shape)}."
        )
    if len(images) == 0:
        raise GlowliteError("A sheet needs at least one picture.")
    if columns < 1 or gap < 0:
        raise GlowliteError(f"A sheet needs at least 1 column and a gap of at least 0, not {columns} and {gap}.")
    count, _, height, width = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    paper = np.empty((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), dtype=np.uint8)
    paper[:] = background
    for i, picture in enumerate(images.permute(0, 2, 3, 1).numpy()):  # (h, w, C)
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        paper[top : top + height, left : left + width] = picture
    return paper


def save_png(path: str | os.PathLike, array: np.ndarray) -> Path:
    """Write uint8 (H, W, 3) or (H, W) as a PNG file, atomically: there is the old file or the whole new one.

    Missing folders are made. Raises GlowliteError for what is no picture or where the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_png(f"{folder}/grey.png", np.full((4, 4), 128, np.uint8)).name
    'grey.png'
    """
    path, array = Path(path), np.asarray(array)
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise GlowliteError(f"A PNG needs uint8 (H, W, 3) or (H, W), not {array.dtype} of shape {array.shape}.")
    write_atomically(path, lambda file: Image.fromarray(np.ascontiguousarray(array)).save(file, format="PNG"))
    return path
