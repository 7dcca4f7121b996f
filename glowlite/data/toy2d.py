"""Points in the plane that a small flow can learn in seconds: moons, spiral, rings, checkerboard, a drawing.

Every shape lies within 3 of the origin, about 1.5 from it in the mean, as a standard normal latent does, so a flow
that starts as the identity is already close.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from glowlite.errors import GlowliteError

REACH = 3.0  # every point's coordinates lie within -REACH and REACH


def moons(count: int, generator: torch.Generator, noise: float = 0.12) -> Tensor:
    """Two half circles, each with an end inside the other (made popular by scikit-learn)."""
    turn = math.pi * torch.rand(count, generator=generator)
    upper = torch.rand(count, generator=generator) < 0.5
    x = torch.where(upper, turn.cos(), 1 - turn.cos())
    y = torch.where(upper, turn.sin(), 0.5 - turn.sin())
    middle = torch.tensor([0.5, 0.25])
    return 1.5 * (torch.stack([x, y], 1) - middle) + _normal(count, noise, generator)


def spiral(count: int, generator: torch.Generator, noise: float = 0.08) -> Tensor:
    """One arm that goes round one and a half times, as dense at its end as at its beginning."""
    turn = np.linspace(0, 3 * math.pi, 181)
    radius = 0.25 + 0.21 * turn
    line = np.stack([radius * np.cos(turn) + 0.15, radius * np.sin(turn) - 0.35], 1)
    return along(line, count, generator, noise)


def rings(count: int, generator: torch.Generator, noise: float = 0.08) -> Tensor:
    """Two circles about one centre, as dense on either."""
    radius = torch.where(torch.rand(count, generator=generator) < 1 / 3, 0.9, 1.8)
    turn = 2 * math.pi * torch.rand(count, generator=generator)
    points = torch.stack([radius * turn.cos(), radius * turn.sin()], 1)
    return points + _normal(count, noise, generator)


def checkerboard(count: int, generator: torch.Generator, noise: float = 0.0) -> Tensor:
    """The black fields of a board of 4 by 4, each a unit wide: a density with edges."""
    row = torch.randint(0, 4, (count,), generator=generator)
    column = 2 * torch.randint(0, 2, (count,), generator=generator) + row % 2
    corner = torch.stack([column, row], 1) - 2.0
    return corner + torch.rand(count, 2, generator=generator) + _normal(count, noise, generator)


def heart(count: int, generator: torch.Generator, noise: float = 0.1) -> Tensor:
    """The outline of a heart, as dense on every part of the line."""
    turn = np.linspace(0, 2 * math.pi, 181)
    x = 16 * np.sin(turn) ** 3
    y = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
    return along(np.stack([x, y - 0.2], 1) / 8, count, generator, noise)


SHAPES: dict[str, Callable[..., Tensor]] = {
    "moons": moons,
    "spiral": spiral,
    "rings": rings,
    "checkerboard": checkerboard,
    "heart": heart,
}


def draw(shape: str, count: int, seed: int = 0, noise: float | None = None) -> Tensor:
    """`count` points of one of SHAPES, float32 (count, 2), the same ones for the same seed.

    noise: standard deviation of what is added to each coordinate; None for the shape's own. GlowliteError for a
    shape that is not known.

    >>> draw("moons", 100, seed=1).shape
    torch.Size([100, 2])
    """
    if shape not in SHAPES:
        raise GlowliteError(f"unknown shape {shape!r}: choose one of {', '.join(SHAPES)}")
    generator = torch.Generator().manual_seed(seed)
    return SHAPES[shape](count, generator, **({} if noise is None else {"noise": noise}))


def along(
    strokes: np.ndarray | Tensor | Sequence, count: int, generator: torch.Generator | None = None, noise=0.1
) -> Tensor:
    """Points along the strokes of a pen: float32 (count, 2), as dense on every part of the line.

    - strokes: (N, 2), the points that the pen passed, in order; a row of nan lifts the pen. A stroke of one point is
      a dot.
    - noise: standard deviation of what is added to each coordinate, the width of the pen.
    - generator: without one, seed 0.

    GlowliteError where there is no point.

    >>> along([(0, 0), (1, 0)], count=4, noise=0)[:, 1]
    tensor([0., 0., 0., 0.])
    """
    start, end = _segments(np.asarray(strokes, float).reshape(-1, 2))
    length = np.linalg.norm(end - start, axis=1) + 1e-6  # a dot has a chance, too
    generator = generator or torch.Generator().manual_seed(0)
    chosen = torch.multinomial(torch.as_tensor(length), count, replacement=True, generator=generator)
    part = torch.rand(count, 1, generator=generator)
    start, end = (torch.as_tensor(ends, dtype=torch.float32)[chosen] for ends in (start, end))
    return start + part * (end - start) + _normal(count, noise, generator)


def _segments(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The start and end of each straight part of the strokes, both (M, 2); a dot ends where it starts."""
    down = np.isfinite(points).all(1)
    if not down.any():
        raise GlowliteError("nothing is drawn yet: a drawing needs one point or more")
    joined = down[:-1] & down[1:]  # whether the pen went from point i to point i + 1
    alone = points[down & ~np.append(joined, False) & ~np.insert(joined, 0, False)]
    start, end = points[:-1][joined], points[1:][joined]
    return np.concatenate([start, alone]), np.concatenate([end, alone])


def _normal(count: int, noise: float, generator: torch.Generator) -> Tensor:
    return noise * torch.randn(count, 2, generator=generator)
