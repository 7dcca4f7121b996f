"""Pixels and bits: from uint8 pixels to the continuous numbers of a flow and back, and bits per dimension.

A pixel with n bits fills a bin of width 1 / 2^n in (-0.5, 0.5). Noise that fills this bin exactly turns a density of
real numbers into a bound on the probability of pixels (Theis et al. 2016, section 3.1; Kingma & Dhariwal 2018,
section 2):  log P(pixels) >= E[log p(x)] - D log 2^n.
"""

import math

import torch
from torch import Tensor

from glowlite.errors import GlowliteError


def check_images(images: Tensor) -> None:
    """Raise GlowliteError unless images are uint8 (B, C, H, W)."""
    if images.dtype != torch.uint8 or images.dim() != 4:
        raise GlowliteError(
            f"images must be uint8 of shape (batch, channels, height, width), not {images.dtype} {tuple(images.shape)}"
        )


def to_float(images: Tensor) -> Tensor:
    """uint8 -> float32 in (-0.5, 0.5): the middle of each pixel's 8-bit bin. Deterministic.

    >>> to_float(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
    tensor([[[[-0.4980,  0.4980]]]])
    """
    check_images(images)
    return (images.float() + 0.5) / 256 - 0.5


def to_uint8(x: Tensor) -> Tensor:
    """Float in [-0.5, 0.5) -> the uint8 pixel whose 8-bit bin it lies in; clamped where outside, NaN becomes 0.

    >>> to_uint8(torch.tensor([-0.5, 0.0, 7.0]))
    tensor([  0, 128, 255], dtype=torch.uint8)
    """
    return torch.nan_to_num((x + 0.5) * 256, nan=0.0).floor().clamp(0, 255).to(torch.uint8)


def check_bits(n_bits: int) -> None:
    if n_bits not in range(1, 9):
        raise GlowliteError(f"n_bits must be a whole number from 1 to 8, not {n_bits}")


def quantize(images: Tensor, n_bits: int) -> Tensor:
    """Keep n bits of each pixel and spread what is left over 0..255, so that white stays white: uint8 -> uint8.

    >>> quantize(torch.tensor([0, 100, 200, 255], dtype=torch.uint8), n_bits=2)
    tensor([  0,  85, 255, 255], dtype=torch.uint8)
    """
    check_bits(n_bits)
    levels = images >> (8 - n_bits)
    return (levels.float() * (255 / (2**n_bits - 1))).round().to(torch.uint8)


def dequantize(
    images: Tensor, n_bits: int = 8, generator: torch.Generator | None = None, rank: int = 0, world: int = 1
) -> Tensor:
    """uint8 (B, C, H, W) -> float32: keep n bits, then a uniformly random point of each pixel's bin.

    x = (pixel // 2^(8-n) + u) / 2^n - 0.5,  u ~ U(0, 1). The noise is drawn on the generator's device, so its seed
    gives the same noise for every device; without a generator, on the images' device. Where the images are part number
    `rank` of the `world` equal parts of a batch, the noise of the whole batch is drawn, and they get their part of it.

    >>> images = torch.full((2, 3, 8, 8), 200, dtype=torch.uint8)
    >>> torch.equal(to_uint8(dequantize(images)), images)
    True
    """
    check_images(images)
    check_bits(n_bits)
    device = images.device if generator is None else generator.device
    u = torch.rand((world * len(images), *images.shape[1:]), generator=generator, device=device)
    u = u[rank * len(images) : (rank + 1) * len(images)].to(images.device)
    return ((images >> (8 - n_bits)).float() + u) / 2**n_bits - 0.5


def bits_per_dim(log_prob: Tensor, dims: int) -> Tensor:
    """-log2 P(picture) per dimension: log_prob in nats of the *discrete* picture, dims = C * H * W.

    >>> bits_per_dim(torch.tensor([-24 * math.log(2)]), dims=12)
    tensor([2.])
    """
    return -log_prob / (dims * math.log(2))


def log_bins(dims: int, n_bits: int) -> float:
    """D log 2^n in nats: log P(pixels) = log p(x) - log_bins, since a bin's volume is 2^-n in each dimension.

    >>> round(log_bins(dims=12, n_bits=8) / math.log(2))  # bits
    96
    """
    return dims * n_bits * math.log(2)
