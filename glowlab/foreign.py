"""Pictures that a model of faces never saw, and how well a number tells them from faces (notebook 15)."""

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from glowlab.explorers.gallery import read_portraits
from glowlab.records import read_record
from glowlite import evaluation, latents, pixels
from glowlite.folders import ASSETS
from glowlite.glow import Glow

RECORDED = ASSETS / "runs" / "foreign.json"
KIND = "glowlite foreign"
NUMBERS = ("bits", "png", "distance")  # what is measured of a picture


def make_foreign(own: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Seven sets of pictures that are none of `own`, uint8 (B, 3, S, S); as many in each, except portraits."""
    count, _, size, _ = own.shape
    paintings = read_portraits(size)[0]
    return {
        "flat colour": flat(count, size, generator),
        "gradients": gradients(count, size, generator),
        "chessboards": chessboards(count, size, generator),
        "noise": torch.randint(0, 256, own.shape, generator=generator, dtype=torch.uint8),
        "blurred": blurred(own),
        "upside down": own.flip(2),
        "portraits": torch.cat([paintings, paintings.flip(3)]),  # and mirrored
    }


def colours(count: int, generator: torch.Generator) -> Tensor:
    return 255 * torch.rand(count, 3, 1, 1, generator=generator)


def flat(count: int, size: int, generator: torch.Generator) -> Tensor:
    """One colour each."""
    return colours(count, generator).round().to(torch.uint8).repeat(1, 1, size, size)


def gradients(count: int, size: int, generator: torch.Generator) -> Tensor:
    """From one colour to another, in any direction."""
    turn = 2 * np.pi * torch.rand(count, 1, 1, 1, generator=generator)
    line = torch.linspace(-1, 1, size)
    along = turn.cos() * line.view(1, 1, 1, -1) + turn.sin() * line.view(1, 1, -1, 1)
    share = (along / 2**0.5 + 1) / 2
    first, second = colours(count, generator), colours(count, generator)
    return (first + share * (second - first)).round().to(torch.uint8)


def chessboards(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Fields of two colours, 2 to 8 pixels wide."""
    field = torch.randint(2, 9, (count, 1, 1, 1), generator=generator)
    line = torch.arange(size)
    dark = (line.view(1, 1, 1, -1) // field + line.view(1, 1, -1, 1) // field) % 2 == 1
    return torch.where(dark, colours(count, generator), colours(count, generator)).round().to(torch.uint8)


def blurred(images: Tensor, radius: float = 2.0) -> Tensor:
    """Pictures after a Gaussian blur of that many pixels."""
    arrays = (Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images.contiguous())
    softer = [np.asarray(image.filter(ImageFilter.GaussianBlur(radius))) for image in arrays]
    return torch.from_numpy(np.stack(softer)).permute(0, 3, 1, 2).contiguous()


@torch.no_grad()
def measure(model: Glow, images: Tensor) -> dict[str, Tensor]:
    """NUMBERS of each picture, (B,) each: the model's bits per dimension, PNG's, and |eps| / sqrt(D).

    PNG sees what the likelihood counts, the first n bits of a pixel.
    """
    return {
        "bits": model.bits_per_dim(images),
        "png": evaluation.codec_bits_per_dim(pixels.quantize(images, model.config.n_bits), "png").float(),
        "distance": latents.effective_temperature(model.encode(images)).float(),
    }


def auroc(own: Tensor, foreign: Tensor) -> float:
    """The probability that a foreign picture has the higher number: 1 tells all, 0.5 none, 0 all the wrong way round.

    own (N,), foreign (M,). Equal numbers count half. (The area under the curve of hits against false alarms.)

    >>> auroc(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0]))
    0.875
    """
    higher = (foreign[:, None] > own).double() + 0.5 * (foreign[:, None] == own)
    return higher.mean().item()


def scores(numbers: dict[str, Tensor], usual: dict[str, Tensor]) -> dict[str, Tensor]:
    """Four ways to score pictures, higher for the more foreign; usual: NUMBERS of pictures known to be the model's own.

    - likelihood: bits per dimension.
    - typicality: how far these are from the usual ones' mean (Nalisnick et al. 2019b, for single pictures).
    - distance: how far |eps| / sqrt(D) is from the usual ones' mean.
    - less PNG: bits that the model needs more than PNG does (Serra et al. 2020).
    """
    return {
        "likelihood": numbers["bits"],
        "typicality": (numbers["bits"] - usual["bits"].mean()).abs(),
        "distance": (numbers["distance"] - usual["distance"].mean()).abs(),
        "less PNG": numbers["bits"] - numbers["png"],
    }


def load_foreign() -> dict:
    """The record of `python -m benchmarks.foreign`."""
    return read_record(RECORDED, KIND, "benchmarks.foreign")
