"""From latents to a picture on the page: the latest request wins, and slow work waits until things rest."""

import asyncio
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.explorers.cache import Kept, keys_of
from glowlab.explorers.scheduler import Pace, timed
from glowlite import pixels
from glowlite.errors import GlowliteError
from glowlite.latents import effective_temperature

LONGEST = 3.0  # seconds that slow work waits for rest
PICTURES, BITS = Kept(512), Kept(4096)  # 6 MB at 64 x 64 pixels; next to nothing


class Drawn(NamedTuple):
    """One drawn picture."""

    image: Tensor  # uint8 (C, H, W), on the CPU
    milliseconds: float  # from latents to pixels; 0 where it was kept from before
    saturated: float  # share of values that had to be clamped to black or white, 0 to 1
    temperature: float  # effective: |eps| / sqrt(D), about 1 for a typical draw of the model


def draw(model, latents: list[Tensor]) -> Drawn:
    """Decode the latents of one picture. GlowliteError if a value is not finite: no such picture is shown."""
    return draw_all(model, latents)[0]


def draw_all(model, latents: list[Tensor]) -> list[Drawn]:
    """Decode the latents of B pictures at once; each has the time that all took. GlowliteError as in `draw`."""
    now: set[int] = set()

    def find(which: list[int]) -> list[Drawn]:
        now.update(which)
        return _draw(model, [eps[which] for eps in latents])

    found = PICTURES.all(model, keys_of(*latents), find)
    return [one if i in now else one._replace(milliseconds=0.0) for i, one in enumerate(found)]


def draw_at(pace: Pace, model, latents: list[Tensor]) -> tuple[list[Drawn], float]:
    """As `draw_all`, and `pace` learns from it; also the milliseconds it took, 0 where all were kept from before."""
    drawn: list[Drawn] = []

    def action() -> int:
        drawn.extend(draw_all(model, latents))
        return sum(one.milliseconds > 0 for one in drawn)

    took = pace.timed(action, len(latents[0]))
    return drawn, took if any(one.milliseconds for one in drawn) else 0.0


@torch.inference_mode()
def weigh_all(model, images: Tensor) -> list[float]:
    """Bits per dimension of pictures, uint8 (B, C, H, W); all have the same dequantisation noise."""
    device = next(model.parameters()).device
    return BITS.all(model, keys_of(images), lambda which: model.bits_per_dim(images[which].to(device)).tolist())


@torch.inference_mode()
def _draw(model, latents: list[Tensor]) -> list[Drawn]:
    start = time.perf_counter()
    x = model.inverse(latents)
    if not torch.isfinite(x).all():
        raise GlowliteError("These settings lead out of what the model can draw. Move the last slider back a little.")
    images = pixels.to_uint8(x).cpu()  # waits for the device, so that the time below is all of it
    saturated = (x.abs() > 0.5).float().flatten(1).mean(1).tolist()
    temperatures = effective_temperature(latents).tolist()
    milliseconds = 1000 * (time.perf_counter() - start)
    rows = zip(images, saturated, temperatures, strict=True)
    return [Drawn(image, milliseconds, share, temperature) for image, share, temperature in rows]


class Renderer:
    """Calls `show()` for requests, and `rested()` once none came for `rest` seconds.

    Drawing happens at once, inside the request: while it lasts the page keeps at most one message of each
    control in flight and folds later moves into the next, so nothing piles up and what is drawn is always the
    newest state. What is too slow for every move (bits per dimension) belongs in `rested`; each new request
    drops the one that waits. Where drawing is slow that waits longer, and in a crowd, where drawing itself has to wait
    for a core, longer still: the cores are left to what is moved.
    """

    def __init__(self, show: Callable[[], None], rested: Callable[[], None], rest: float = 0.25):
        self.show, self.rested, self.rest = show, rested, rest
        self._took = self._waited = 0.0  # seconds that the last picture did, for a core too
        self._ticket = 0
        self._held = 0
        self._wanted = False

    def request(self) -> None:
        """The state has changed."""
        self._ticket += 1
        if self._held:
            self._wanted = True
            return
        self._took, self._waited = timed(self.show)
        self._later(self._ticket)

    @property
    def held(self) -> bool:
        """Whether changes are being gathered, as when controls are set from here."""
        return self._held > 0

    @contextmanager
    def hold(self):
        """Many changes, one picture: requests inside are drawn once, at the end."""
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
            self.rested()
            return
        rest = min(max(self.rest, 5 * self._took, 20 * self._waited), LONGEST)
        loop.call_later(rest, self._rested_if_latest, ticket)

    def _rested_if_latest(self, ticket: int) -> None:
        if ticket == self._ticket:
            self.rested()
