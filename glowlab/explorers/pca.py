"""How unlike any drawn face a picture is: what is left of it without the parts that drawn faces are made of.

Likelihood does not say this: a picture without grain is likelier than every face (notebook 10, sections 3 and 8).
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glowlite.data import faces

CROWD, SEED = 1536, 6  # drawn faces that are looked at, and the first of their seeds
AT_ONCE = 32
PARTS = 300 / 768  # of all principal components, those kept; 768 are there at 64 x 64 pixels


def coarse(images: Tensor) -> Tensor:
    """Means of 4 x 4 pixels, since grain would hide the rest: uint8 (N, C, H, W) -> (N, C * H / 4 * W / 4)."""
    return avg_pool2d(images.float(), 4).flatten(1)


def crowd(size: int) -> Iterator[Tensor]:
    """Drawn faces of size x size pixels, coarse, a few at a time."""
    for start in range(0, CROWD, AT_ONCE):
        yield coarse(faces.draw(AT_ONCE, size, SEED + start).images)


class Likeness(NamedTuple):
    """The mean of coarse drawn faces, (D,), and their first K principal components, (D, K)."""

    mean: Tensor
    parts: Tensor

    @classmethod
    def of(cls, people: Tensor) -> "Likeness":
        """Of coarse faces, (N, D)."""
        mean = people.mean(0)
        away = people - mean
        ordered = torch.linalg.eigh(away.T @ away).eigenvectors  # from the least to the most that they differ in
        return cls(mean, ordered[:, -round(PARTS * len(mean)) :].contiguous())

    def oddness(self, images: Tensor) -> float:
        """What the parts leave over of pictures, uint8 (N, C, H, W): in grey levels, mean of N; 0 is all face."""
        away = coarse(images) - self.mean
        return (away - away @ self.parts @ self.parts.T).square().mean(1).sqrt().mean().item()
