"""Align photographs of faces: crops whose eyes lie where a model trained on aligned faces has them."""

import os
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from glowlite.data import picture_folder
from glowlite.data.eyes import Point, find_eyes, read_eyes
from glowlite.data.pictures import UnreadablePicture, check_size, read_upright
from glowlite.errors import GlowliteError

EYES = (16.4 + 16.5j, 46.1 + 16.6j)  # of the data of portraits64, in pixels of 64 x 64: x + y i
SAMPLES = 4  # in each direction of a pixel of the crop
POOR = 0.1, 1.5  # share of a crop beyond the picture's edges, and times that a face was enlarged, worth a remark


class Report(NamedTuple):
    """written: how many crops; failed and remarks: a sentence for each picture without a crop, or with a poor one."""

    written: int
    failed: dict[str, str]
    remarks: dict[str, str]


def align(image: Tensor, left_eye: Point, right_eye: Point, size: int = 64) -> Tensor:
    """Turn, scale and cut a picture so that the eyes lie at their places: uint8 (C, size, size) from uint8 (C, H, W).

    The eyes are points (x, y) in pixels of the picture, whose upper left corner is (0, 0); their order does not matter.
    A similarity transform; each pixel of the crop is the mean over its area, and beyond the picture's edges the edge
    goes on. GlowliteError for other images, and for eyes that are not at least 2 pixels apart.

    >>> image = torch.zeros(3, 300, 200, dtype=torch.uint8)
    >>> image[:, 99:102, 49:52] = 255  # an eye
    >>> align(image, (50.5, 100.5), (124.75, 100.75))[0, 15:18, 15:18].max() > 200
    tensor(True)
    """
    places = _places(left_eye, right_eye, check_size(size))
    if image.dtype != torch.uint8 or image.dim() != 3:
        raise GlowliteError(f"A picture to align is uint8 (C, H, W), not {image.dtype} {tuple(image.shape)}.")
    # First the picture's own pixels are averaged until samples are at most one apart, so that none is left out.
    step = int((places[0, 1] - places[0, 0]).abs().ceil())
    height, width = image.shape[1:]
    left, right = _range(places.real, step, width)
    top, bottom = _range(places.imag, step, height)
    part = image[None, :, top:bottom, left:right].float()
    part = F.avg_pool2d(part, step, ceil_mode=True, count_include_pad=False)
    x = 2 * (places.real - left) / (step * part.shape[3]) - 1
    y = 2 * (places.imag - top) / (step * part.shape[2]) - 1
    found = F.grid_sample(part, torch.stack([x, y], -1)[None].float(), padding_mode="border", align_corners=False)
    return F.avg_pool2d(found, SAMPLES)[0].round().to(torch.uint8)


def outside(shape: tuple[int, ...], left_eye: Point, right_eye: Point) -> float:
    """The share of the crop that lies beyond the edges of a picture of this shape (..., H, W).

    >>> round(outside((3, 64, 32), (16.4, 16.5), (46.1, 16.6)), 2)
    0.5
    """
    height, width = shape[-2:]
    places = _places(left_eye, right_eye, 64)
    inside = (places.real >= 0) & (places.real <= width) & (places.imag >= 0) & (places.imag <= height)
    return 1 - inside.double().mean().item()


def _places(left_eye: Point, right_eye: Point, size: int) -> Tensor:
    """The points of the picture that fall on the crop's samples: complex x + y i, (SAMPLES * size, SAMPLES * size)."""
    try:
        left, right = sorted((complex(*map(float, eye)) for eye in (left_eye, right_eye)), key=lambda eye: eye.real)
    except (TypeError, ValueError):
        raise GlowliteError(f"An eye is a point (x, y), not {left_eye!r} and {right_eye!r}.") from None
    if not 2 <= abs(right - left) < 1e6:
        raise GlowliteError(f"The eyes {left_eye} and {right_eye} are not two points at least 2 pixels apart.")
    scale = (right - left) / (EYES[1] - EYES[0]) * 64 / size
    samples = (torch.arange(SAMPLES * size, dtype=torch.float64) + 0.5) / SAMPLES
    return left + scale * (torch.complex(*torch.meshgrid(samples, samples, indexing="xy")) - EYES[0] * size / 64)


def _range(places: Tensor, margin: int, end: int) -> tuple[int, int]:
    """First and last + 1 of the rows or columns that the samples need; one at least, if all lie beyond the edge."""
    first = min(max(int(places.min()) - 2 * margin, 0), end - 1)
    return first, max(min(int(places.max()) + 2 * margin, end), first + 1)


def align_folder(
    path: str | os.PathLike, out: str | os.PathLike, eyes: str | os.PathLike | None = None, size: int = 64
) -> Report:
    """Align every picture of a folder, and write the crops as PNG files to the same paths within `out`.

    eyes: a CSV file with a line `file,left_x,left_y,right_x,right_y` for each picture; else they are looked for.
    GlowliteError where no picture can be aligned.
    """
    path, out = picture_folder.check_folder(path), Path(out)
    if out.resolve().is_relative_to(path.resolve()):
        raise GlowliteError(f"{out} lies in {path}, so crops would be aligned again: give another --out.")
    files, _ = picture_folder.find_files(path)
    table = read_eyes(eyes, list(files)) if eyes else None
    failed, remarks, written = {}, {}, set()
    for name, file in tqdm(files.items(), "aligning", unit=" pictures", delay=1):
        try:
            image, scale = read_upright(file)
        except UnreadablePicture as error:
            failed[name] = str(error)
            continue
        if table is None:
            points = find_eyes(image)
        else:
            points = [(x * scale, y * scale) for x, y in table.get(name, ())]
        if not points:
            failed[name] = "no face with two eyes was found." if table is None else "its eyes are not in the table."
            continue
        target = out / Path(name).with_suffix(".png")
        target = out / f"{name}.png" if target in written else target  # me.jpg beside me.png
        written.add(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(align(image, *points, size).permute(1, 2, 0).numpy()).save(target)
        left_out, (left, right) = outside(image.shape, *points), (complex(*point) for point in points)
        enlarged = abs(EYES[1] - EYES[0]) * size / 64 / abs(right - left)
        if left_out > POOR[0]:
            remarks[name] = f"{left_out:.0%} of the crop lies beyond the picture's edges."
        elif enlarged > POOR[1]:
            remarks[name] = f"the face is small and was enlarged {enlarged:.1f} times."
    if not written:
        first = next((f"{name}: {reason}" for name, reason in failed.items()), "It holds none.")
        raise GlowliteError(f"No picture in {path} could be aligned. {first}")
    return Report(len(written), failed, remarks)
