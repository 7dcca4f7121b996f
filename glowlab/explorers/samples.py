"""Sixteen samples at any temperature: decoded a few at a time, and cached."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.explorers.pca import PCA
from glowlab.explorers.render import decode_batch, measure_bits
from glowlab.explorers.scheduler import BatchSize
from glowlite import latents as latent_space

COUNT = 16
MOVE = 32.0  # milliseconds that decoding may take in a move; messages to the page and back take nearly as long
MAX_SHEETS = 48  # in the cache; one takes 200 kB at 64 x 64 pixels


class Sheet:
    """Sixteen samples at one temperature for each level; `images` and `bits` hold None where not computed yet."""

    def __init__(self, samples: "Samples", temperatures: tuple[float, ...]):
        self.samples, self.temperatures = samples, temperatures
        self.images: list[Tensor | None] = [None] * COUNT
        self.bits: list[float | None] = [None] * COUNT  # per dimension
        self.took = 0.0  # milliseconds that decoding took so far
        squares = samples.squares @ torch.tensor(temperatures).square()
        self.effective = (squares / samples.model.dims).sqrt()  # (COUNT,), |eps| / sqrt(D)

    def missing(self, order: Sequence[int], bits: bool = False) -> list[int]:
        """Those of `order` that are not decoded, or not measured, yet."""
        have = self.bits if bits else self.images
        return [i for i in order if have[i] is None]

    def decode(self, which: list[int], batch_size: BatchSize) -> float:
        """Decode these; milliseconds, 0 where all were in the cache. GlowliteError where a value is not finite."""
        if not which:
            return 0.0
        eps = latent_space.scale([level[which] for level in self.samples.eps], self.temperatures)
        decoded, took = decode_batch(batch_size, self.samples.model, eps)
        for i, one in zip(which, decoded, strict=True):
            self.images[i] = one.image
        self.took += took
        return took

    def measure(self, which: list[int]) -> None:
        """Measure bits per dimension of these, which must be decoded."""
        images = torch.stack([self.images[i] for i in which])

        def action() -> None:
            found = measure_bits(self.samples.model, images)
            for i, bits in zip(which, found, strict=True):
                self.bits[i] = bits

        self.samples.measuring.run(action, len(which))

    def finish(self, order: Sequence[int] = range(COUNT)) -> Iterator[None]:
        """Decode all that are missing, a few at a time."""
        while which := self.missing(order)[: self.samples.decoding.count]:
            self.decode(which, self.samples.decoding)
            yield

    def measure_all(self) -> Iterator[None]:
        """Measure all bits per dimension that are missing, a few at a time."""
        while which := self.missing(range(COUNT), bits=True)[: self.samples.measuring.count]:
            self.measure(which)
            yield

    def complete(self) -> bool:
        return not self.missing(range(COUNT))


class Samples:
    """Samples of one seed at every temperature; the sheets used last are cached."""

    def __init__(self, model, seed: int):
        self.model = model
        self.moving = BatchSize(1, COUNT, MOVE)  # while a slider is dragged
        self.decoding, self.measuring = BatchSize(2, COUNT), BatchSize(2, COUNT)
        self.sample(seed)

    def sample(self, seed: int) -> None:
        """Sample eps, the same for the same seed."""
        self.seed = seed
        generator = torch.Generator().manual_seed(seed)
        self.eps = latent_space.sample_eps(self.model.latent_shapes, COUNT, generator, self.model.device)
        self.squares = torch.stack([eps.flatten(1).square().sum(1).cpu() for eps in self.eps], 1)  # (COUNT, L)
        self.sheets: OrderedDict[tuple[float, ...], Sheet] = OrderedDict()

    def at(self, temperatures: Sequence[float]) -> Sheet:
        """The sheet at these temperatures, one for each level, finest first."""
        key = tuple(round(float(t), 2) for t in temperatures)
        if key not in self.sheets:
            self.sheets[key] = Sheet(self, key)
        self.sheets.move_to_end(key)
        while len(self.sheets) > MAX_SHEETS:
            self.sheets.popitem(last=False)
        return self.sheets[key]


def spread(images: Tensor) -> float:
    """Mean absolute difference between two of N pictures, uint8 (N, C, H, W), in grey levels, over all pairs."""
    flat = images.flatten(1).float()
    return (torch.cdist(flat, flat, p=1.0).sum() / (len(flat) * (len(flat) - 1)) / flat.shape[1]).item()


class SampleQuality(NamedTuple):
    """Quality and diversity of samples at one temperature, both in grey levels."""

    temperature: float
    residual: float  # of the PCA of faces: 0 is all face
    spread: float  # mean difference between two


STOPS = tuple(i / 10 for i in range(14))  # 0 to 1.3


def trade_off(
    model, pca: PCA, points: list[SampleQuality], seed: int = 1, stops: Sequence[float] = STOPS
) -> Iterator[None]:
    """Append to `points` the quality of sixteen samples at each temperature, a few pictures at a time."""
    samples = Samples(model, seed)
    for stop in stops[len(points) :]:
        sheet = samples.at([stop] * len(model.latent_shapes))
        yield from sheet.finish()
        images = torch.stack(sheet.images)
        points.append(SampleQuality(stop, pca.residual(images), spread(images)))
        samples.sheets.clear()


def describe(levels: tuple[float, ...], apart: float) -> str:
    """One sentence on sixteen faces at these temperatures; two of them differ by `apart` grey levels."""
    if max(levels) == 0:
        return "Sixteen times the same face: at temperature 0 nothing is left to chance, and this is the middle of all."
    differ = f"Two of them differ by {apart:.0f} grey levels in the mean."
    if len(set(levels)) > 1:
        return f"Sixteen faces, the levels at {', '.join(f'{t:.2f}' for t in levels)}, finest first. {differ}"
    words = [
        (0.35, "hardly more than one mean face"),
        (0.6, "calm and much alike"),
        (0.85, "clean, and no two the same"),
        (1.02, "varied, and less clean"),
        (9.0, "bolder than any face it learned from"),
    ]
    kind = next(text for top, text in words if levels[0] < top)
    return f"Sixteen faces at temperature {levels[0]:.2f}: {kind}. {differ}"
