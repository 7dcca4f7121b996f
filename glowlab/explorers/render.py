"""Decode latents for a page, and update the page: the latest request wins, slow work waits for a rest."""

import asyncio
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.explorers.cache import Cache, hash_rows
from glowlab.explorers.scheduler import LONGEST, BatchSize, time_call
from glowlite import pixels
from glowlite.errors import GlowliteError
from glowlite.latents import effective_temperature

PICTURES, BITS = Cache(512), Cache(4096)  # 6 MB at 64 x 64 pixels; next to nothing


class Decoded(NamedTuple):
    """A picture to show, with measurements."""

    image: Tensor  # uint8 (C, H, W), on the CPU
    milliseconds: float  # from latents to pixels; 0 where it was in the cache
    saturated: float  # share of values that had to be clamped to black or white, 0 to 1
    temperature: float  # effective: |eps| / sqrt(D), about 1 for a typical draw of the model


def decode(model, latents: list[Tensor]) -> Decoded:
    """Decode the latents of one picture. GlowliteError if a value is not finite: no such picture is shown."""
    return decode_all(model, latents)[0]


def decode_all(model, latents: list[Tensor]) -> list[Decoded]:
    """Decode the latents of B pictures at once; each gets the time that all took. GlowliteError as in `decode`."""
    now: set[int] = set()

    def compute(which: list[int]) -> list[Decoded]:
        now.update(which)
        return _decode(model, [eps[which] for eps in latents])

    found = PICTURES.get(model, hash_rows(*latents), compute)
    return [one if i in now else one._replace(milliseconds=0.0) for i, one in enumerate(found)]


def decode_batch(batch_size: BatchSize, model, latents: list[Tensor]) -> tuple[list[Decoded], float]:
    """As `decode_all`, timed by `batch_size`; also the milliseconds it took, 0 where all were in the cache."""
    decoded: list[Decoded] = []

    def action() -> int:
        decoded.extend(decode_all(model, latents))
        return sum(one.milliseconds > 0 for one in decoded)

    took = batch_size.run(action, len(latents[0]))
    return decoded, took if any(one.milliseconds for one in decoded) else 0.0


@torch.inference_mode()
def measure_bits(model, images: Tensor) -> list[float]:
    """Bits per dimension of pictures, uint8 (B, C, H, W), all with the same dequantisation noise."""
    return BITS.get(model, hash_rows(images), lambda which: model.bits_per_dim(images[which]).tolist())


@torch.inference_mode()
def _decode(model, latents: list[Tensor]) -> list[Decoded]:
    start = time.perf_counter()
    x = model.inverse(latents)
    if not torch.isfinite(x).all():
        raise GlowliteError("These settings lead out of what the model can draw. Move the last slider back a little.")
    images = pixels.to_uint8(x).cpu()  # waits for the device, so that the time below is all of it
    saturated = (x.abs() > 0.5).float().flatten(1).mean(1).tolist()
    temperatures = effective_temperature(latents).tolist()
    milliseconds = 1000 * (time.perf_counter() - start)
    rows = zip(images, saturated, temperatures, strict=True)
    return [Decoded(image, milliseconds, share, temperature) for image, share, temperature in rows]


class Updater:
    """Calls `show()` at each request, and `settle()` once none has come for `rest` seconds.

    `show()` runs inside the request, so it always shows the newest state: meanwhile the page sends at most one message
    of each control and folds later moves into the next. What is too slow for every move (bits per dimension) belongs
    in `settle()`; each new request postpones it. The pause before it grows with the time that `show()` took, and grows
    more where `show()` had to wait for a core: in a crowd, the cores are left to those who move something.
    """

    def __init__(self, show: Callable[[], None], settle: Callable[[], None], rest: float = 0.25):
        self.show, self.settle, self.rest = show, settle, rest
        self._took = self._waited = 0.0  # seconds that the last picture took, and waited for a core
        self._ticket = 0
        self._held = 0
        self._wanted = False

    def request(self) -> None:
        """Request an update, as the state has changed."""
        self._ticket += 1
        if self._held:
            self._wanted = True
            return
        self._took, self._waited = time_call(self.show)
        self._later(self._ticket)

    @property
    def held(self) -> bool:
        """Whether a `hold` is open, as while controls are set from Python."""
        return self._held > 0

    @contextmanager
    def hold(self):
        """Make one update of many changes: requests inside become one, at the end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held and self._wanted:
                self._wanted = False
                self.request()

    def _later(self, ticket: int) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, so nobody is moving anything: the state is at rest already
            self.settle()
            return
        rest = min(max(self.rest, 5 * self._took, 20 * self._waited), LONGEST)
        loop.call_later(rest, self._settle_if_latest, ticket)

    def _settle_if_latest(self, ticket: int) -> None:
        if ticket == self._ticket:
            self.settle()
