"""PCA of faces; its residual measures how unlike any of these a picture is.

Likelihood cannot measure this: a picture without grain is likelier than every face (notebook 10, sections 3 and 8).
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glowlite.data import faces

COUNT, SEED = 1536, 6  # faces that the PCA is made of, and the first seed of drawn ones
BATCH = 32
SHARE = 300 / 768  # of the principal components that are kept; 768 exist at 64 x 64 pixels


def coarse(images: Tensor) -> Tensor:
    """Means over 4 x 4 pixels, as grain would hide the rest: uint8 (N, C, H, W) -> (N, C * H / 4 * W / 4)."""
    return avg_pool2d(images.float(), 4).flatten(1)


def coarse_faces(size: int) -> Iterator[Tensor]:
    """Coarse drawn faces of size x size pixels, a batch at a time."""
    for start in range(0, COUNT, BATCH):
        yield coarse(faces.draw(BATCH, size, SEED + start).images)


class PCA(NamedTuple):
    """The mean of coarse faces, (D,), and their first K principal components, (D, K)."""

    mean: Tensor
    components: Tensor

    @classmethod
    def fit(cls, people: Tensor) -> "PCA":
        """The PCA of coarse faces, (N, D)."""
        mean = people.mean(0)
        away = people - mean
        ordered = torch.linalg.eigh(away.T @ away).eigenvectors  # by growing variance
        return cls(mean, ordered[:, -round(SHARE * len(mean)) :].contiguous())

    def residual(self, images: Tensor) -> float:
        """Root mean square of what the components miss, in grey levels; the mean over pictures, uint8 (N, C, H, W)."""
        away = coarse(images) - self.mean
        return (away - away @ self.components @ self.components.T).square().mean(1).sqrt().mean().item()
