"""Figures of notebook 11: ways between two faces, the shell that draws lie on, what an angle does to the formula."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from glowlab.figures.scene import EDGE, WIDTH, Panel, Scene
from glowlab.figures.style import SHARPNESS, Shown
from glowlite import latents as latent_space
from glowlite.errors import GlowliteError

COLOURS = {"pixel blend": "x", "straight line": "pink", "arc": "z"}  # of the three ways
NAME_WIDTH, PICTURE_GAP, HEAD_HEIGHT = 88, 3, 20  # page units
CURVE_POINTS = 41  # points of a curve
REACH, ROOM = 1.55, 1.85  # effective temperatures that the shell's picture holds; with words above them
GROUPS = ("x", "sky", "pink", "amber", "z")

# ---- pictures along a way ------------------------------------------------------------------------------------


def picture_strips(rows: Mapping[str, Sequence[Tensor]], heads: Sequence[str], alt: str) -> Shown:
    """Rows of square pictures, uint8 (3, N, N) or (1, 3, N, N), each with its name at the left; `heads` stand above."""
    counts = {len(pictures) for pictures in rows.values()}
    if counts != {len(heads)} or not heads:
        raise GlowliteError(f"every row needs {len(heads)} pictures, one under each head, not {sorted(counts)}")
    room = (WIDTH - 2 * EDGE - NAME_WIDTH - PICTURE_GAP * (len(heads) - 1)) / len(heads)
    pixels = next(iter(rows.values()))[0].shape[-1]
    sides = (pixels * zoom / SHARPNESS for zoom in (3, 2))  # each pixel as a square of whole stored pixels
    side = next((side for side in sides if side <= room), room)
    across = math.ceil(NAME_WIDTH + len(heads) * (side + PICTURE_GAP) - PICTURE_GAP)
    high = HEAD_HEIGHT + len(rows) * (side + PICTURE_GAP)
    scene = Scene(alt, height=math.ceil(high) + 2 * EDGE, width=across + 2 * EDGE)
    panel = scene.panel((0, across), (0, math.ceil(high)), equal=True, frame=False)
    for column, words in enumerate(heads):
        panel.text(NAME_WIDTH + column * (side + PICTURE_GAP) + side / 2, high - HEAD_HEIGHT / 2, words, size=12)
    for row, (name, pictures) in enumerate(rows.items()):
        low = high - HEAD_HEIGHT - (row + 1) * (side + PICTURE_GAP)
        panel.text(0, low + side / 2, name, COLOURS.get(name, "ink"), 12, "start", bold=name in COLOURS)
        for column, picture in enumerate(pictures):
            left = NAME_WIDTH + column * (side + PICTURE_GAP)
            panel.image(picture, (left, left + side, low, low + side))
    return scene.shown()


# ---- the shell -----------------------------------------------------------------------------------------------


def paths_in_shell(t: float, dims: int, second: float = 1.0, again: int = 0) -> Scene:
    """Two draws of `dims` numbers in the plane that holds them and the origin, both ways between them, and |eps|.

    The second draw is at temperature `second`; `again` is the seed. All lengths are over sqrt(dims).
    """
    if not 0 <= t <= 1 or dims < 2 or second <= 0:
        raise GlowliteError("the shell needs t from 0 to 1, two numbers or more, a temperature above 0")
    dice = torch.Generator().manual_seed(again)
    a, b = torch.randn(2, 1, 1, 1, dims, generator=dice, dtype=torch.float64)
    first, second = (latent_space.effective_temperature([eps]).item() for eps in (a, second * b))
    cosine = torch.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    ways = {"straight line": latent_space.lerp, "arc": latent_space.slerp}
    plane = {name: _path_in_plane(way, first, second, angle) for name, way in ways.items()}
    now = {name: math.hypot(*way(t)) for name, way in plane.items()}
    curves = {name: [way(k / (CURVE_POINTS - 1)) for k in range(CURVE_POINTS)] for name, way in plane.items()}
    scene = Scene(_alt(t, dims, angle, now), height=300)
    _draw_plane(scene, curves, {name: way(t) for name, way in plane.items()}, dims, angle)
    _draw_norms(scene, curves, t, now, dims)
    return scene


def _alt(t: float, dims: int, angle: float, now: Mapping[str, float]) -> str:
    return (
        f"Two draws of {dims:,} numbers stand at an angle of {math.degrees(angle):.0f} degrees. At t = {t:.2f} the "
        f"straight line cuts through the shell of draws, at effective temperature {now['straight line']:.2f}; the arc "
        f"goes along it, at {now['arc']:.2f}."
    )


def _path_in_plane(way, first: float, second: float, angle: float):
    """A function t -> (x, y): a way between two points of these lengths and this angle, in the plane."""
    a = [torch.tensor([[[[first, 0.0]]]], dtype=torch.float64)]
    b = [second * torch.tensor([[[[math.cos(angle), math.sin(angle)]]]], dtype=torch.float64)]
    return lambda t: way(a, b, t)[0].flatten().tolist()


def shell_spread(dims: int) -> float:
    """The standard deviation of |eps| / sqrt(D) of a draw, about 1 / sqrt(2 D)."""
    return 1 / math.sqrt(2 * dims)


def _ring(panel: Panel, low: float, high: float) -> None:
    """The shell between two radii as 90 small polygons, so that it looks round."""
    turn = [2 * math.pi * k / 90 for k in range(91)]
    corners = [
        [(r * math.cos(u), r * math.sin(u)) for r, u in ((low, u0), (high, u0), (high, u1), (low, u1))]
        for u0, u1 in zip(turn, turn[1:], strict=False)
    ]
    panel.polygons(corners, colour="log_det", alpha=0.16)
    panel.line([math.cos(u) for u in turn], [math.sin(u) for u in turn], "log_det", 1.2, 0.8)


def _draw_plane(scene: Scene, curves: Mapping, here: Mapping, dims: int, angle: float) -> None:
    panel = scene.panel((-REACH, REACH), (-REACH, REACH), equal=True, frame=False, weight=1.05)
    _ring(panel, max(0.0, 1 - 2 * shell_spread(dims)), min(REACH, 1 + 2 * shell_spread(dims)))
    for name, points in curves.items():
        panel.line(*zip(*points, strict=True), COLOURS[name])
        x, y = here[name]
        panel.line([0, x], [0, y], COLOURS[name], 1.2, 0.9, dash=True)
        panel.dots([x], [y], COLOURS[name], size=6)
    for word, place in (("a", curves["arc"][0]), ("b", curves["arc"][-1])):
        length = math.hypot(*place) or 1.0
        out = min(1 + 0.17 / length, 1.45 / length)
        panel.dots([place[0]], [place[1]], "ink", size=4.5)
        panel.text(out * place[0], out * place[1], word, size=15, bold=True)
    panel.dots([0], [0], "ink", size=3)
    panel.text(0, -0.14, "0", size=13)
    panel.text(0, -0.5, f"angle {math.degrees(angle):.0f}°", size=13)


def _draw_norms(scene: Scene, curves: Mapping, t: float, now: Mapping[str, float], dims: int) -> None:
    panel = scene.panel(
        (0, 1), (0, ROOM), title="|ε| / √D, the effective temperature", xlabel="t, from a to b", xticks=[0, 0.5, 1],
        yticks=[0, 0.5, (0.71, "0.71"), 1, 1.5],
    )  # fmt: skip
    panel.area([0, 1], [1 + 2 * shell_spread(dims)] * 2, 1 - 2 * shell_spread(dims), "log_det", 0.2)
    panel.line([0, 1], [1, 1], "log_det", 1.2, 0.8)
    panel.text(0.02, 0.08, "green: the shell", "log_det", 12, "start")
    panel.line([t, t], [0, REACH], "ink", 1.2, 0.6, dash=True)
    for name, points in curves.items():
        at = [k / (CURVE_POINTS - 1) for k in range(CURVE_POINTS)]
        panel.line(at, [math.hypot(*point) for point in points], COLOURS[name])
        panel.dots([t], [now[name]], COLOURS[name], size=6)
    for place, name in ((0.02, "arc"), (0.4, "straight line")):
        panel.text(place, 1.72, f"{name}: {now[name]:.2f}", COLOURS[name], 13, "start", bold=True)


# ---- the formula's weights -----------------------------------------------------------------------------------


def slerp_weight(part: float, degrees: float) -> float:
    """sin(part w) / sin(w), an end's weight on the arc; `part` at 0 degrees, infinite at 180."""
    angle = math.radians(degrees)
    if degrees == 0:
        return part
    return math.inf if degrees == 180 else math.sin(part * angle) / math.sin(angle)


def arc_weights(degrees: float) -> Scene:
    """Two ends of length 1 at this angle, the arc between them, and the weight of each end half-way."""
    if not 0 <= degrees <= 180:
        raise GlowliteError(f"two latents stand at 0 to 180 degrees, not {degrees}")
    half = slerp_weight(0.5, degrees)
    said = f"{half:.2f}" if half < 1000 else "∞"
    scene = Scene(
        f"Two ends at an angle of {degrees:.0f} degrees and the arc between them. Half-way the formula takes {said} of "
        "each. Beside it that weight over all angles: 0.5 at 0, 0.71 at 90, without bound towards 180 degrees.",
        height=250,
    )
    panel = scene.panel((-1.3, 1.3), (-0.25, 1.25), equal=True, frame=False)
    turn = [math.radians(degrees) * k / (CURVE_POINTS - 1) for k in range(CURVE_POINTS)]
    panel.line([math.cos(u) for u in turn], [math.sin(u) for u in turn], "z")
    for word, u in (("a", 0.0), ("b", turn[-1])):
        panel.arrow(0, 0, math.cos(u), math.sin(u))
        panel.text(1.15 * math.cos(u), 1.15 * math.sin(u) - (0.12 if word == "b" and degrees in (0, 180) else 0), word,
                   size=15, bold=True)  # fmt: skip
    middle = turn[-1] / 2
    panel.dots([math.cos(middle)], [math.sin(middle)], "z", size=6)
    panel.text(0, -0.18, f"angle {degrees:.0f}°", size=13)
    chart = scene.panel(
        (0, 188), (0, 4), title="weight of each end, half-way", xlabel="angle in degrees", xticks=[0, 45, 90, 135, 180],
        yticks=[0, 1, 2, 3, 4],
    )  # fmt: skip
    angles = [float(k) for k in range(0, 180, 2)]
    chart.line(angles, [slerp_weight(0.5, angle) for angle in angles], "z")
    chart.line([180, 180], [0, 4], "ink", 1.2, 0.7, dash=True)
    chart.dots([degrees], [min(half, 4.0)], "z", size=6.5)
    chart.text(8, 3.5, f"half-way: {said} a + {said} b", "z", 14, "start", bold=True)
    return scene


# ---- costs of pictures ---------------------------------------------------------------------------------------


def bits_by_group(groups: Mapping[str, Tensor], alt: str) -> Shown:
    """A line of dots for each group of pictures: their bits per dimension, (N,), with the mean written beside them."""
    if not groups or len(groups) > len(GROUPS) or any(values.numel() == 0 for values in groups.values()):
        raise GlowliteError(f"there is room for 1 to {len(GROUPS)} groups, each of one picture or more")
    every = torch.cat([values.flatten() for values in groups.values()])
    low, high = every.min().item(), every.max().item()
    room = 0.06 * (high - low) + 0.01
    scene = Scene(alt, height=70 + 44 * len(groups))
    names = [(len(groups) - k - 0.5, name) for k, name in enumerate(groups)]
    panel = scene.panel(
        (low - room, high + 2.5 * room), (0, len(groups)), xlabel="bits per dimension: fewer are likelier", yticks=names
    )
    for (height, _), values, colour in zip(names, groups.values(), GROUPS, strict=False):
        values = values.flatten().sort().values
        jitter = [0.22 * ((0.618 * k) % 1 - 0.5) for k in range(len(values))]
        panel.dots(values, [height + up for up in jitter], colour, size=3.2, alpha=0.6)
        mean = values.mean().item()
        panel.line([mean, mean], [height - 0.24, height + 0.24], colour, 3)
        panel.text(mean, height + 0.27, f"{mean:.2f}", colour, 13, bold=True, baseline="bottom")
    return scene.shown()


def curves_along_path(curves: Mapping[str, Tensor], alt: str, title: str = "bits per dimension") -> Shown:
    """Curves name -> (stops, pairs) from t = 0 to 1: a line for the mean of the pairs, a band from least to most."""
    if not curves or any(values.dim() != 2 or len(values) < 2 for values in curves.values()):
        raise GlowliteError("each curve is (stops, pairs), with two stops or more")
    every = torch.cat([values.flatten() for values in curves.values()])
    low, high = every.min().item(), every.max().item()
    room = 0.05 * (high - low) + 0.01
    scene = Scene(alt, height=280)
    span = low - room, high + room
    panel = scene.panel((0, 1.22), span, title=title, xlabel="t, from the first to the second", xticks=[0, 0.5, 1])
    for name, values in curves.items():
        at, colour = torch.linspace(0, 1, len(values)), COLOURS.get(name, "ink")
        panel.area(at, values.amax(1), values.amin(1), colour, 0.15)
        panel.line(at, values.mean(1), colour, 3)
        panel.dots(at, values.mean(1), colour, size=4)
    for name, place in _spread_names(curves, 0.075 * (high - low)).items():
        panel.text(1.02, place, name, COLOURS.get(name, "ink"), 13, "start", bold=True)
    return scene.shown()


def _spread_names(curves: Mapping[str, Tensor], least: float) -> dict[str, float]:
    """Heights for the names of curves: in the order of the curves' middles, around the mean of their ends."""
    names = sorted(curves, key=lambda name: curves[name].mean(1)[len(curves[name]) // 2].item())
    ends = sum(curves[name][-1].mean().item() for name in names) / len(names)
    return {name: ends + least * (k - (len(names) - 1) / 2) for k, name in enumerate(names)}
