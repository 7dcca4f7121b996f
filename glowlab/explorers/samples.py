"""Quality and diversity of sixteen samples at each temperature."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.explorers.pca import PCA

COUNT = 16
STOPS = tuple(i / 10 for i in range(14))  # temperatures, 0 to 1.3


class SampleQuality(NamedTuple):
    """Quality and diversity of samples at one temperature, both in grey levels."""

    temperature: float
    residual: float  # of the PCA of faces: 0 is all face
    spread: float  # mean difference between two


def spread(images: Tensor) -> float:
    """Mean absolute difference between two of N pictures, uint8 (N, C, H, W), in grey levels, over all pairs."""
    flat = images.flatten(1).float()
    return (torch.cdist(flat, flat, p=1.0).sum() / (len(flat) * (len(flat) - 1)) / flat.shape[1]).item()


def trade_off(model, pca: PCA, seed: int = 1, stops: Sequence[float] = STOPS) -> Iterator[SampleQuality]:
    """The quality of sixteen samples, the same people at each temperature."""
    for stop in stops:
        images = model.sample(COUNT, stop, torch.Generator().manual_seed(seed)).cpu()
        yield SampleQuality(stop, pca.residual(images), spread(images))
