"""The interpolation explorer's state: two faces and three ways between them (pixels, straight line, arc)."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.explorers.gallery import GalleryFace
from glowlab.explorers.render import Decoded, decode, decode_batch, measure_bits
from glowlab.explorers.scheduler import BatchSize
from glowlite import latents as latent_space

WAYS = ("pixels", "linear", "spherical")
PATHS = {"linear": latent_space.lerp, "spherical": latent_space.slerp}
ALONG = {"pixels": "mixed as pixels", "linear": "along the straight line", "spherical": "along the arc"}
NAMES = {"pixels": "pixel blend", "linear": "straight line", "spherical": "arc"}
STOPS = tuple(i / 6 for i in range(7))


class Stop(NamedTuple):
    """One stop of a row; fields are None until they are known."""

    image: Tensor | None = None
    bits: float | None = None  # per dimension
    temperature: float | None = None  # effective


class InterpolationState:
    """`first` and `second`; `t` from 0 to 1 along the `way`; `levels` says for each level whether it moves.

    rows     way -> its seven stops
    curves   way through eps -> (t, effective temperatures) along it
    """

    def __init__(self, model, first: GalleryFace, second: GalleryFace):
        self.model = model
        self.t, self.way = 0.5, "spherical"
        self.decoding, self.measuring = BatchSize(2), BatchSize(2)
        self.choose(first, second, (True,) * len(model.latent_shapes))

    def choose(self, first: GalleryFace, second: GalleryFace, levels: tuple[bool, ...]) -> None:
        """Set the faces and levels; empties the rows."""
        self.first, self.second, self.levels = first, second, levels
        self.rows = {way: [Stop()] * len(STOPS) for way in WAYS}
        self.curves = {way: self._temperatures(way) for way in PATHS}

    @torch.inference_mode()
    def latents(self, t: float, way: str) -> list[Tensor]:
        """eps at t on the straight line or arc, in those levels that move."""
        moving = [level for level, moves in enumerate(self.levels) if moves]
        now = list(self.first.latents)
        if moving:
            ends = [[face.latents[level] for level in moving] for face in (self.first, self.second)]
            for level, eps in zip(moving, PATHS[way](*ends, t), strict=True):
                now[level] = eps
        return now

    def angle(self) -> float | None:
        """Degrees between the latents of both faces, in the levels that move; None where none does."""
        if not any(self.levels):
            return None
        ends = [
            [eps for eps, moves in zip(face.latents, self.levels, strict=True) if moves]
            for face in (self.first, self.second)
        ]
        cosine = torch.cosine_similarity(*map(latent_space.flatten, ends)).clamp(-1, 1)
        return torch.rad2deg(cosine.acos()).item()

    def blend(self, t: float) -> Tensor:
        """Mix the pixels of both pictures: uint8 (C, H, W)."""
        return torch.lerp(self.first.image.float(), self.second.image.float(), t).round().to(torch.uint8)

    def decode(self) -> Decoded:
        """Decode the picture at t, or mix its pixels. GlowliteError where a value is not finite."""
        if self.way != "pixels":
            return decode(self.model, self.latents(self.t, self.way))
        start = time.perf_counter()
        image = self.blend(self.t)
        took = 1000 * (time.perf_counter() - start)
        return Decoded(image, took, 0.0, self.measure_temperatures([image])[0])

    def measure_temperatures(self, images: list[Tensor]) -> list[float]:
        """Effective temperatures of encoded pictures."""
        eps = self.model.encode(torch.stack(images))
        return latent_space.effective_temperature(eps).tolist()

    def _temperatures(self, way: str, count: int = 25) -> tuple[list[float], list[float]]:
        at = [i / (count - 1) for i in range(count)]
        return at, [latent_space.effective_temperature(self.latents(t, way)).item() for t in at]

    # ---- rows ----------------------------------------------------------------------------------------------

    def missing(self, way: str, number: str = "image") -> list[int]:
        """The stops of a row whose `number` is not known yet."""
        return [i for i, stop in enumerate(self.rows[way]) if getattr(stop, number) is None]

    def finish(self, way: str, at_once: int | None = None) -> Iterator[None]:
        """Compute the pictures of the row, a few at a time."""
        row = self.rows[way]
        while which := self.missing(way)[: at_once or self.decoding.count]:
            if way == "pixels":
                images = [self.blend(STOPS[i]) for i in which]
            else:
                images = self._decode(way, which)
            for i, image in zip(which, images, strict=True):
                row[i] = row[i]._replace(image=image)
            yield

    def _decode(self, way: str, which: list[int]) -> list[Tensor]:
        eps = latent_space.cat([self.latents(STOPS[i], way) for i in which])
        found, _ = decode_batch(self.decoding, self.model, eps)
        return [one.image for one in found]

    def measure(self, way: str) -> Iterator[None]:
        """Measure the row's bits per dimension, and the temperatures of the pixel blend, a few stops at a time."""
        row = self.rows[way]
        while which := self.missing(way, "bits")[: self.measuring.count]:
            self.measuring.run(lambda which=which: self._measure_some(row, which), len(which))
            yield
        while way == "pixels" and (which := self.missing(way, "temperature")[: self.measuring.count]):
            for i, value in zip(which, self.measure_temperatures([row[i].image for i in which]), strict=True):
                row[i] = row[i]._replace(temperature=value)
            yield

    def _measure_some(self, row: list[Stop], which: list[int]) -> None:
        images = torch.stack([row[i].image for i in which])
        for i, bits in zip(which, measure_bits(self.model, images), strict=True):
            row[i] = row[i]._replace(bits=bits)

    # ---- words ---------------------------------------------------------------------------------------------

    def describe_angle(self) -> str:
        """One sentence on the angle between both faces; empty where no level moves."""
        angle, (_, values) = self.angle(), self.curves["linear"]
        if angle is None or self.first is self.second:
            return ""
        middle = values[len(values) // 2]
        return f"These two stand at {angle:.0f}°: half-way on their straight line the temperature is {middle:.2f}."

    def describe(self, temperature: float) -> str:
        """One sentence on the picture at t, which has this effective temperature."""
        first, second = self.first.name, self.second.name
        if self.first is self.second:
            return f"Both pictures are {first}, so there is no way to go."
        whole = self.way == "pixels" or all(self.levels)
        where = f"{round(100 * self.t)} % of the way from {first} to {second}"
        if self.t == 0:
            where = f"{first}, where the way begins"
        elif self.t == 1:
            where = f"{second}, where the way ends" if whole else f"the end of the way from {first} to {second}"
        text = f"{where[0].upper()}{where[1:]}, {ALONG[self.way]}. Its effective temperature is {temperature:.2f}."
        if not whole:
            still = [str(i) for i, moves in enumerate(self.levels, 1) if not moves]
            text += f" Level{'s' * (len(still) > 1)} {', '.join(still)} stayed as in {first}."
        return text


def format_levels(levels: tuple[bool, ...]) -> str:
    """The numbers of the levels that move, as an address holds them: "134", or "none"."""
    return "".join(str(level) for level, moves in enumerate(levels, 1) if moves) or "none"


def parse_levels(text: str, count: int) -> tuple[bool, ...] | None:
    """The reverse of `format_levels`, for `count` levels; None for any other text."""
    if text != "none" and not (text and set(text) <= {str(level) for level in range(1, count + 1)}):
        return None
    return tuple(str(level) in text for level in range(1, count + 1))
