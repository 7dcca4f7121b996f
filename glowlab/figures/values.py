"""Conversions for scenes: numbers as arrays and as words, ticks, values as coloured pixels."""

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from glowlab.figures.colours import PALETTE, check_colour
from glowlite.errors import GlowliteError

MINUS = "\N{MINUS SIGN}"


def as_array(values) -> np.ndarray:
    """A tensor, a list or a number as a numpy array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def flat_pair(x, y) -> tuple[np.ndarray, np.ndarray]:
    """x and y as flat arrays of the same length; GlowliteError otherwise."""
    x, y = as_array(x).astype(float).ravel(), as_array(y).astype(float).ravel()
    if len(x) != len(y):
        raise GlowliteError(f"as many x as y are needed, not {len(x)} and {len(y)}")
    return x, y


def round_units(values) -> list:
    """Page units to a tenth, as lists for JSON."""
    return np.round(np.asarray(values, float), 1).tolist()


def format_number(value: float, digits: int | None = None) -> str:
    """A number with a real minus, at most this many decimals and no zeros at the end."""
    value = value if digits is None else round(value, digits) + 0.0  # + 0.0: no minus before a zero
    return f"{value:g}".replace("-", MINUS)


def format_fixed(value: float, digits: int = 2, plus: bool = False) -> str:
    """A number with a real minus and exactly this many decimals, never a negative zero."""
    text = f"{value:+.{digits}f}" if plus else f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return text.replace("-", MINUS)


def ticks(span: tuple[float, float], wanted) -> list[tuple[float, str]]:
    """(number, words) for each tick within `span`: round ones for None, else those that are wanted."""
    if wanted is None:
        wanted = round_ticks(*span)
    pairs = [tick if isinstance(tick, tuple) else (tick, format_number(tick)) for tick in wanted]
    slack = 1e-9 * (span[1] - span[0])
    return [(float(v), str(text)) for v, text in pairs if span[0] - slack <= v <= span[1] + slack]


def round_ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high: the smallest step of 1, 2 or 5 times a power of ten that makes at most five.

    If fewer than two ticks fit, it takes the next smaller step.
    """
    slack = 1e-9 * (high - low)
    ten = 10.0 ** math.floor(math.log10((high - low) / 5))
    steps = [factor * ten for factor in (0.2, 0.5, 1, 2, 5, 10)]
    fits = next(i for i, step in enumerate(steps) if 5 * step >= high - low - slack)
    for step in (steps[fits], steps[fits - 1]):
        first, last = math.ceil((low - slack) / step), math.floor((high + slack) / step)
        if last > first:
            break
    return [float(f"{step * i:.10g}") for i in range(first, last + 1)]


def to_rgba(values, colours: str, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Values (H, W), or a uint8 picture (C, H, W) or (1, C, H, W), as pixels (H, W, 4) uint8."""
    values = as_array(values)
    if values.ndim == 4 and len(values) == 1:
        values = values[0]
    if values.ndim == 3 and values.dtype == np.uint8 and values.shape[0] in (1, 3):
        opaque = np.full((1, *values.shape[1:]), 255, np.uint8)
        picture = np.broadcast_to(values, (3, *values.shape[1:]))
        return np.concatenate([picture, opaque]).transpose(1, 2, 0).copy()
    if values.ndim != 2:
        raise GlowliteError(f"an image is (H, W) numbers or a uint8 (C, H, W) picture, not {values.shape}")
    values = np.nan_to_num(values.astype(float))
    if colours == "diverging":
        reach = high if high is not None else float(np.abs(values).max())
        return _tint(np.abs(values) / (reach or 1.0), np.where(values < 0, 0, 1), ("x", "z"))
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    return _tint((values - low) / ((high - low) or 1.0), np.zeros(values.shape, int), (check_colour(colours),))


def _tint(strength: np.ndarray, which: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Strength 0..1 as opacity of the colours in `names`, chosen by `which`."""
    table = np.array([list(bytes.fromhex(PALETTE.get(name, name)[1:7])) for name in names]) / 255
    alpha = np.clip(strength, 0, 1)[..., None]
    return np.round(np.concatenate([table[which], alpha], -1) * 255).astype(np.uint8)
