"""Figures of notebook 01: a monotone curve z = f(x) to bend, and the densities p(z) and p(x) as ink.

Data x lie across, in blue; latents z lie upward, in orange. Slabs hold equal shares of the ink.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from glowlab.figures.scene import Panel, Scene
from glowlite.errors import GlowliteError

REACH, TOP = 4.0, 3.5  # the curve's box: x in (-4, 4), z in (-3.5, 3.5)
LEAST_GAP = 0.25  # handles stay this far apart and from the ends, so that the curve stays monotone
ROUNDING = 0.3  # standard deviation, along x, of the Gaussian that rounds the curve's corners
STRIP, UNIT_DENSITY = 2.6, 5.0  # depth of the strips that hold densities; units of the box for a density of 1
FLOOR, WALL = -TOP - STRIP - 0.4, -REACH - STRIP - 0.1  # where p(x) and p(z) stand
TABLE_SIZE, NEWTON_STEPS = 1024, 8  # entries of the table of f, and Newton steps, that find f^-1(z)


# ---- a monotone curve --------------------------------------------------------------------------------------


class Curve:
    """z = f(x), increasing: straight pieces through the points given, their corners rounded by a Gaussian.

    The slope is that of the pieces, averaged over the Gaussian, so it is positive and smooth. Beyond the first and
    the last point the outer pieces go on. x and z: two or more increasing numbers each, else GlowliteError.
    """

    def __init__(self, x: Sequence[float], z: Sequence[float], rounding: float = ROUNDING):
        self.x, self.z = (torch.as_tensor(values, dtype=torch.float64) for values in (x, z))
        if self.x.shape != self.z.shape or len(self.x) < 2:
            raise GlowliteError("a curve needs two points or more, each with x and z")
        if not (self.x.diff() > 0).all() or not (self.z.diff() > 0).all():
            raise GlowliteError("a monotone curve needs points whose x and z both increase")
        self.slopes, self.rounding = self.z.diff() / self.x.diff(), rounding

    def __call__(self, x: Tensor) -> Tensor:
        """z = f(x), data to latent, of the shape of x; one can differentiate it."""
        u = x[..., None] - self.x[1:-1]
        ramps = u * self._share(u) + self.rounding * normal(u / self.rounding)  # max(u, 0), rounded
        return self.z[0] + self.slopes[0] * (x - self.x[0]) + (self.slopes.diff() * ramps).sum(-1)

    def slope(self, x: Tensor) -> Tensor:
        """dz/dx, positive, of the shape of x."""
        return self.slopes[0] + (self.slopes.diff() * self._share(x[..., None] - self.x[1:-1])).sum(-1)

    def inverse(self, z: Tensor) -> Tensor:
        """x = f^-1(z), of the shape of z: looked up in a table, then refined by Newton's method."""
        flattest = self.slopes.min()
        low = self.x[0] + (z - self(self.x[0])).amin().clamp(max=-1e-9) / flattest
        high = self.x[-1] + (z - self(self.x[-1])).amax().clamp(min=1e-9) / flattest
        table = torch.linspace(low.item(), high.item(), TABLE_SIZE, dtype=torch.float64)
        i = torch.searchsorted(self(table), z.contiguous()).clamp(1, TABLE_SIZE - 1)
        low, high = table[i - 1], table[i]
        x = (low + high) / 2
        for _ in range(NEWTON_STEPS):
            x = (x - (self(x) - z) / self.slope(x)).clamp(low, high)
        return x

    def _share(self, u: Tensor) -> Tensor:
        """The share of the Gaussian around u that lies above 0."""
        return 0.5 * (1 + torch.erf(u / (self.rounding * math.sqrt(2))))


def bent_curve(*handles: tuple[float, float]) -> Curve:
    """The curve from corner to corner of the box that goes through handles (x, z), named from left to right.

    A handle that would cross its neighbour stays a little to its right and above, so any handles will do; where they
    are so close that rounding keeps the curve from them, it passes as near as it can.
    """
    x, z = [-REACH], [-TOP]
    for i, (across, up) in enumerate(handles):
        room = LEAST_GAP * (len(handles) - i)
        x.append(min(max(float(across), x[-1] + LEAST_GAP), REACH - room))
        z.append(min(max(float(up), z[-1] + LEAST_GAP), TOP - room))
    wanted = torch.tensor([*z, TOP], dtype=torch.float64)
    knots = wanted.clone()
    for _ in range(5):  # rounding draws the curve off its corners: move them out by what it misses
        missed = wanted - Curve([*x, REACH], knots)(torch.tensor([*x, REACH], dtype=torch.float64))
        knots[1:-1] += missed[1:-1]
        for i in range(1, len(knots) - 1):
            room = 0.1 * (len(knots) - 1 - i)
            knots[i] = knots[i].clamp(knots[i - 1] + 0.1, TOP - room)
    return Curve([*x, REACH], knots)


# ---- densities and areas under them ------------------------------------------------------------------------


def normal(z: Tensor) -> Tensor:
    """The standard normal density p(z)."""
    return torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def area_under(x: Tensor, p: Tensor) -> float:
    """The area under p over the grid x, both (N,), by the trapezoid rule: measured, not assumed."""
    return torch.trapezoid(p.double(), x.double()).item()


def slab_edges(slabs: int) -> Tensor:
    """Cuts of z between which the standard normal has equal shares: slabs + 1 numbers, the ends at +-4.

    The 0.00006 of it beyond 4 count with the outermost slabs.
    """
    if slabs < 2:
        raise GlowliteError(f"ink is cut into two slabs or more, not {slabs}")
    shares = torch.linspace(0, 1, slabs + 1, dtype=torch.float64)[1:-1]
    ends = torch.tensor([4.0], dtype=torch.float64)
    return torch.cat([-ends, math.sqrt(2) * torch.erfinv(2 * shares - 1), ends])


def wide_grid(curve: Curve, points: int = 4001) -> Tensor:
    """A grid over x that holds all of the ink except 1e-9 or so: its ends are mapped to z = +-6."""
    low = curve.x[0] - (curve.z[0] + 6).clamp_min(0) / curve.slopes[0]
    high = curve.x[-1] + (6 - curve.z[-1]).clamp_min(0) / curve.slopes[-1]
    return torch.linspace(low.item(), high.item(), points, dtype=torch.float64)


def measure_areas(curve: Curve) -> dict[str, float]:
    """The measured area under the base density, the naive p(f(x)) and the correct p(f(x)) |dz/dx|."""
    x, z = wide_grid(curve), torch.linspace(-6, 6, 4001, dtype=torch.float64)
    naive = normal(curve(x))
    return {
        "base": area_under(z, normal(z)),
        "naive": area_under(x, naive),
        "correct": area_under(x, naive * curve.slope(x)),
    }


# ---- slabs of ink ------------------------------------------------------------------------------------------


def ink_slabs(curve: Curve, slab: int = 5, slabs: int = 8, naive: bool = False, areas_too: bool = False) -> Scene:
    """The curve in its box, p(z) on its left, p(x) below it, in slabs of equal ink; one slab is followed.

    slab       the slab that is followed, from 1
    naive      draw p(f(x)), the Jacobian forgotten, in pink over p(x)
    areas_too  at the right the three areas as measured, instead of the width and height of the slab
    The scene has no handles yet; `add_handles` adds them.
    """
    if slab not in range(1, slabs + 1):
        raise GlowliteError(f"there are slabs 1 to {slabs}, not {slab}")
    cuts = slab_edges(slabs)
    places = curve.inverse(cuts)
    width, height = (places[slab] - places[slab - 1]).item(), (cuts[slab] - cuts[slab - 1]).item()
    words = (
        f"A rising curve z = f(x) between the bell of p(z) at the left and p(x) below, both cut into {slabs} slabs of "
        f"equal ink. Slab {slab} is {height:.2f} wide on the z axis and {width:.2f} on the x axis"
    )
    if areas_too:
        found = measure_areas(curve)
        words += "; measured areas: " + ", ".join(f"{name} {area:.3f}" for name, area in found.items())
    scene = Scene(words + ".", height=430)
    panel = scene.panel(x=(WALL - 0.2, REACH + 0.2), y=(FLOOR - 0.2, TOP + 0.2), frame=False, equal=True, weight=1.45)
    _strips(panel, curve, cuts, places, slab)
    if naive:
        x = torch.linspace(-REACH, REACH, 241, dtype=torch.float64)
        panel.line(x, FLOOR + UNIT_DENSITY * normal(curve(x)), colour="pink", width=3)
    _box(panel, curve)
    if areas_too:
        _bars(scene, found, naive)
    else:
        _sizes(scene, slabs, height, width)
    return scene


def add_handles(scene: Scene, curve: Curve, names: Sequence[str]) -> Scene:
    """The scene of `ink_slabs`, with a handle at each inner point of the curve; `names` from left to right."""
    if len(names) != len(curve.x) - 2:
        raise GlowliteError(f"the curve has {len(curve.x) - 2} inner points, not {len(names)}")
    for i, name in enumerate(names, start=1):
        at = curve.x[i], curve(curve.x[i])  # on the curve, where rounding kept it from the knot
        scene.panels[0].handle(name, *(value.item() for value in at), label=f"point {i} of the curve")
    return scene


def _strips(panel: Panel, curve: Curve, cuts: Tensor, places: Tensor, slab: int) -> None:
    """p(z) at the left and p(x) at the bottom, slab by slab, and a line from each border on z to that on x."""
    for i in range(len(cuts) - 1):
        strength = 0.85 if i + 1 == slab else (0.42 if i % 2 else 0.25)
        z = torch.linspace(max(cuts[i], -TOP), min(cuts[i + 1], TOP), 24, dtype=torch.float64)
        x = torch.linspace(max(places[i], -REACH), min(places[i + 1], REACH), 24, dtype=torch.float64)
        side = torch.stack([WALL + UNIT_DENSITY * normal(z), z], -1)
        corners = torch.cat([torch.tensor([[WALL, z[0]]]), side, torch.tensor([[WALL, z[-1]]])])
        panel.polygons(corners[None], colour="z", alpha=strength)
        panel.area(x, FLOOR + UNIT_DENSITY * normal(curve(x)) * curve.slope(x), base=FLOOR, colour="x", alpha=strength)
    for i in range(1, len(cuts) - 1):
        followed = i in (slab - 1, slab)
        look = {"colour": "ink" if followed else "faint", "width": 1.4 if followed else 0.8}
        up, across = cuts[i].item(), places[i].item()
        panel.line([WALL, across, across], [up, up, FLOOR], alpha=0.9 if followed else 0.6, **look)


def _box(panel: Panel, curve: Curve) -> None:
    """The curve and the two axes that densities stand on, with their names."""
    x = torch.linspace(-REACH, REACH, 161, dtype=torch.float64)
    look = {"size": 15, "bold": True}
    panel.line([WALL, WALL], [-TOP, TOP], colour="z", width=1.5)
    panel.line([-REACH, REACH], [FLOOR, FLOOR], colour="x", width=1.5)
    panel.line(x, curve(x), colour="ink", width=3)
    panel.text(WALL + 0.2, TOP - 0.1, "p(z)", colour="z", anchor="start", **look)
    panel.text(-REACH - 0.2, FLOOR + 0.3, "p(x)", colour="x", anchor="end", **look)
    panel.text(-REACH + 0.4, TOP - 0.1, "z = f(x)", anchor="start", **look)


def _sizes(scene: Scene, slabs: int, height: float, width: float) -> None:
    """The followed slab as two rectangles of equal area: its width and its mean height on either axis."""
    panel = scene.panel(x=(0, 3), y=(0, 4.3), frame=False)
    unit, tall = min(2.0, 2.6 / max(height, width)), 1 / slabs / min(height, width)
    rise = min(1.1, 1.05 / tall)
    panel.text(0, 4.2, "the slab we follow", size=15, anchor="start", bold=True)
    for top, name, wide in ((3.65, "z", height), (1.95, "x", width)):
        high = 1 / slabs / wide
        words = f"{name}: {wide:.2f} wide × {high:.2f} high = {wide * high:.3f}"
        panel.text(0, top, words, colour=name, anchor="start", bold=True)
        ends = (0, unit * wide, top - 0.2 - rise * high, top - 0.2)
        panel.polygons([[(ends[i], ends[j]) for i, j in ((0, 2), (1, 2), (1, 3), (0, 3))]], colour=name, alpha=0.85)
    high, stretch = 1 / slabs / height, height / width
    words = f"high × Δz/Δx:  {high:.2f} × {stretch:.2f} = {high * stretch:.2f}"
    panel.text(0, 0.3, words, colour="log_det", size=14, anchor="start", bold=True)


def _bars(scene: Scene, found: Mapping[str, float], naive: bool) -> None:
    """The measured areas as three bars beside the line at 1."""
    highest = max(1.25, *found.values())
    panel = scene.panel(
        x=(-0.6, 2.6), y=(0, 1.12 * highest), title="area under each, as measured", yticks=[],
        xticks=[(0, "base"), (1, "naive"), (2, "correct")],
    )  # fmt: skip
    panel.line([-0.6, 2.6], [1, 1], colour="ink", width=1.2, dash=True)
    for i, (name, colour) in enumerate((("base", "z"), ("naive", "pink"), ("correct", "x"))):
        area, seen = found[name], naive or name != "naive"
        panel.bars([i - 0.3, i + 0.3], [area], colour=colour, alpha=0.7 if seen else 0.2)
        top = 1.0 if 0.85 < area < 1 else area  # clear of the dashed line
        panel.text(i, top + 0.02 * highest, f"{area:.3f}", colour=colour, baseline="bottom", bold=True)


# ---- densities side by side --------------------------------------------------------------------------------


def density_curves(
    grid: Tensor, curves: Mapping[str, tuple[str, Tensor]], samples: Tensor | None = None, height: int = 250
) -> Scene:
    """Panels side by side, one for each name -> (colour, density on grid), with the measured area under each.

    samples: numbers whose histogram stands behind every panel, to judge the curves by.
    """
    if not curves:
        raise GlowliteError("there is no density to draw")
    found = {name: area_under(grid, p) for name, (_, p) in curves.items()}
    words = "Densities with the area under each: " + ", ".join(f"{n} {a:.3f}" for n, a in found.items())
    scene = Scene(words + (", over a histogram of samples." if samples is not None else "."), height=height)
    highest = 1.25 * max(p.max().item() for _, p in curves.values())
    for name, (colour, p) in curves.items():
        ends = grid[0].item(), grid[-1].item()
        panel = scene.panel(x=ends, y=(0, highest), title=name, yticks=[], xlabel="z" if colour == "z" else "x")
        if samples is not None:
            edges = torch.linspace(*ends, 61)
            counts = torch.histogram(samples.float().clamp(*ends), edges).hist
            panel.bars(edges, counts / (len(samples) * edges.diff()), colour="ink", alpha=0.35)
            panel.line(grid, p, colour=colour)
        else:
            panel.area(grid, p, colour=colour, alpha=0.35)
            panel.line(grid, p, colour=colour)
        panel.text(ends[0], 0.94 * highest, f" area {found[name]:.3f}", colour=colour, anchor="start", bold=True)
    return scene


def thinner_slabs(curve: Curve, counts: Sequence[int] = (8, 24, 96), height: int = 230) -> Scene:
    """Slabs of equal ink on the x axis, as many as `counts` says for each panel, and the line p(z) dz/dx over them."""
    x = torch.linspace(-REACH, REACH, 401, dtype=torch.float64)
    p = normal(curve(x)) * curve.slope(x)
    scene = Scene(
        f"Bars of equal area on the x axis, {', '.join(map(str, counts))} of them: the more, the closer their tops "
        "come to the line p(z) dz/dx.",
        height=height,
    )
    for count in counts:
        panel = scene.panel(
            x=(-REACH, REACH), y=(0, 1.15 * p.max().item()), title=f"{count} slabs", yticks=[], xlabel="x"
        )
        edges = curve.inverse(slab_edges(count))
        panel.bars(edges, 1 / count / edges.diff(), colour="x", alpha=0.35)
        panel.line(x, p, colour="log_det", width=2)
    return scene
