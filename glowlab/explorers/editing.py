"""Latents of edited and interpolated faces, and a picture of what changed."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from glowlite import latents as latent_space

PATHS = {"linear": latent_space.lerp, "spherical": latent_space.slerp}
LIMIT = 1.3  # effective temperature up to which the model's pictures stay free of black and white spots
STRONG = 64  # grey levels of change that are shown brightest
SHADES = torch.tensor([[21, 23, 27], [122, 47, 22], [213, 94, 0], [245, 166, 80], [255, 246, 230]]) / 1.0


@torch.inference_mode()
def edit(start: list[Tensor], directions: Mapping[str, list[Tensor]], amounts: Mapping[str, float]) -> list[Tensor]:
    """start + sum of amount * direction; without edits, the start's latents bit for bit."""
    for name, amount in amounts.items():
        if amount:
            start = latent_space.add(start, directions[name], amount)
    return start


@torch.inference_mode()
def limit(now: list[Tensor], start: list[Tensor]) -> list[Tensor]:
    """Scale latents down to an effective temperature of 1.3, or the start's where that is higher.

    Directions from few labels are mostly chance, and so long that several together would lead away from all faces.
    """
    reached = latent_space.effective_temperature(now).item()
    most = max(LIMIT, latent_space.effective_temperature(start).item())
    return latent_space.scale(now, most / reached) if reached > most * (1 + 1e-4) else now


@torch.inference_mode()
def interpolate(a: list[Tensor], b: list[Tensor], t: float, way: str, moving: Sequence[bool]) -> list[Tensor]:
    """Latents at t on the straight line or arc from a to b, in those levels that move; the others stay as in a."""
    now = list(a)
    levels = [level for level, moves in enumerate(moving) if moves]
    if levels:
        ends = [[eps[level] for level in levels] for eps in (a, b)]
        for level, eps in zip(levels, PATHS[way](*ends, t), strict=True):
            now[level] = eps
    return now


def mix_pixels(first: Tensor, second: Tensor, t: float) -> Tensor:
    """Mix the pixels of two pictures, uint8 (C, H, W)."""
    return torch.lerp(first.float(), second.float(), t).round().to(torch.uint8)


def paint_change(before: Tensor, after: Tensor) -> Tensor:
    """Picture (3, H, W) of where two pictures, uint8 (C, H, W), differ: dark where they are the same."""
    change = (after.float() - before.float()).abs().mean(0) / STRONG
    place = change.clamp(0, 1) * (len(SHADES) - 1)
    low = place.long().clamp(max=len(SHADES) - 2)
    share = (place - low)[..., None]
    shown = SHADES[low] * (1 - share) + SHADES[low + 1] * share
    return shown.round().to(torch.uint8).movedim(-1, 0)
