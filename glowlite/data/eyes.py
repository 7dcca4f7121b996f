"""The eyes of a photograph: from a table that a person made, or found by OpenCV, an optional package."""

import functools
import os

import numpy as np
from torch import Tensor

from glowlite.data.table import read_attributes
from glowlite.errors import GlowliteError

Point = tuple[float, float]  # x to the right and y down, in pixels from the picture's upper left corner
COLUMNS = ("left_x", "left_y", "right_x", "right_y")  # of a table; left is the left side of the picture
WIDTH = 240  # of a face in which eyes are looked for, in pixels
EYES = ((0.31, 0.39), (0.69, 0.39))  # about where they are in the square that OpenCV calls a face


def read_eyes(path: str | os.PathLike, names: list[str]) -> dict[str, tuple[Point, Point]]:
    """Read a CSV file with lines `file,left_x,left_y,right_x,right_y`: the eyes of each picture that it names.

    The numbers are pixels of the whole upright picture, from its upper left corner. GlowliteError as `read_attributes`.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pathlib.Path(folder, "eyes.csv")
    ...     _ = table.write_text("file,left_x,left_y,right_x,right_y\\nme.jpg,410,380,620,377.5\\n")
    ...     read_eyes(table, ["me.jpg", "you.jpg"])
    {'me.jpg': ((410.0, 380.0), (620.0, 377.5))}
    """
    table = read_attributes(path, names)
    if missing := [column for column in COLUMNS if column not in table]:
        raise GlowliteError(f"{path} has no column {missing[0]}: its head is to be file,{','.join(COLUMNS)}")
    rows = np.stack([table[column].numpy() for column in COLUMNS], 1).tolist()
    found = {name: ((a, b), (c, d)) for name, (a, b, c, d) in zip(names, rows, strict=True)}
    return {name: eyes for name, eyes in found.items() if np.isfinite(eyes).all()}


def find_eyes(image: Tensor) -> tuple[Point, Point] | None:
    """The eyes of the largest upright face in a picture, uint8 (C, H, W); None where no face with two eyes is found.

    By the cascades of Viola & Jones (2001) that OpenCV holds. GlowliteError if OpenCV is not installed.
    """
    cv2 = _opencv()
    grey = image.float().mean(0).byte().numpy()
    shrink = max(1.0, max(grey.shape) / 800)
    small = cv2.resize(grey, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    faces = _cascade("frontalface_alt2").detectMultiScale(small, 1.1, 5, minSize=(40, 40))
    if len(faces) == 0:
        return None
    x, y, side, _ = max(faces.tolist(), key=lambda face: face[2])
    left, top, side = (int(value * shrink) for value in (x, y, side))
    face = cv2.resize(grey[top : top + side, left : left + side], (WIDTH, WIDTH), interpolation=cv2.INTER_AREA)
    eyes = [_nearest(face, place) for place in EYES]
    if None in eyes:
        return None
    (a, b), (c, d) = ((left + x * side, top + y * side) for x, y in eyes)
    return (a, b), (c, d)


def _nearest(face: np.ndarray, place: Point) -> Point | None:
    """The eye that is found nearest to a place of a face, both as shares of its side; None if none is near."""
    for kind in ("eye_tree_eyeglasses", "eye"):
        boxes = _cascade(kind).detectMultiScale(face, 1.05, 3, minSize=(WIDTH // 8,) * 2, maxSize=(WIDTH // 3,) * 2)
        centres = [((x + w / 2) / WIDTH, (y + h / 2) / WIDTH) for x, y, w, h in np.reshape(boxes, (-1, 4)).tolist()]
        near = [centre for centre in centres if np.hypot(*np.subtract(centre, place)) < 0.12]
        if near:
            return min(near, key=lambda centre: np.hypot(*np.subtract(centre, place)))
    return None


@functools.cache
def _cascade(kind: str):
    cv2 = _opencv()
    return cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{kind}.xml")


def _opencv():
    try:
        import cv2
    except ImportError:
        raise GlowliteError(
            'To find eyes, OpenCV is needed: pip install ".[align]", or give their places with --eyes.'
        ) from None
    return cv2
