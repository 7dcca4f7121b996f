"""Reads scenes and stored pictures: their words and their pixels."""

import io

import numpy as np
from PIL import Image


def words(scene) -> list[str]:
    return [shape["words"] for shape in scene.drawing().shapes if shape["kind"] == "text"]


def text(scene) -> str:
    return " | ".join(words(scene))


def pixels(shown) -> np.ndarray:
    """uint8 (rows, columns, 4)."""
    return np.asarray(Image.open(io.BytesIO(shown.png)).convert("RGBA"))
