"""Typical bits per dimension: those of held-out pictures, from which a picture may differ."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

FAR = 4.0  # standard deviations of bits/dim from which on a picture is called unlike the training data


class Typical(NamedTuple):
    """Bits per dimension of held-out pictures: mean and standard deviation."""

    mean: float
    spread: float

    def unlike(self, bits_per_dim: float) -> bool:
        """Whether this is far from typical, on either side: too few bits are as foreign as too many."""
        return not abs(bits_per_dim - self.mean) <= FAR * self.spread  # so that NaN is foreign too


def known(card: Mapping) -> dict[str, float]:
    """The numbers of card["held_out"]; of one picture there is no spread, so a card may hold None or NaN."""
    held_out = card.get("held_out")
    numbers = held_out.items() if isinstance(held_out, Mapping) else ()
    return {key: value for key, value in numbers if isinstance(value, (int, float)) and math.isfinite(value)}


def read_typical(card: Mapping, measured: Tensor) -> Typical:
    """Read card["held_out"] of a checkpoint; where it lacks a number, use `measured` bits per dimension, (N,)."""
    held_out = known(card)
    mean = held_out.get("bits_per_dim", measured.mean().item())
    spread = held_out.get("spread", measured.std().item())
    return Typical(float(mean), max(float(spread), 1e-3))
