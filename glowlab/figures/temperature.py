"""Figures of notebook 10: the shell of normal draws, a density raised to powers, the cost of a temperature."""

import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from glowlab.figures.scene import Panel, Scene
from glowlab.figures.style import Shown
from glowlite.errors import GlowliteError

FARTHEST = 2.0  # |eps| / sqrt(D) up to which draws are shown
COUNT = 90  # draws shown


def legend(panel: Panel, x: float, y: float, step: float, entries: Sequence[tuple[str, str]]) -> None:
    """A disc and words for each (words, colour), from (x, y) downward by `step`."""
    reach = (panel.x[1] - panel.x[0]) / 100
    for row, (words, colour) in enumerate(entries):
        panel.dots([x], [y - row * step], colour, size=4.5)
        panel.text(x + 2.5 * reach, y - row * step, words, size=12, anchor="start")


# ---- the shell of draws ------------------------------------------------------------------------------------


def mean_and_spread(dims: int) -> tuple[float, float]:
    """Mean and standard deviation of |eps| / sqrt(D) for eps ~ N(0, I) in D = dims dimensions (a chi variable)."""
    mean = math.sqrt(2 / dims) * math.exp(math.lgamma((dims + 1) / 2) - math.lgamma(dims / 2))
    return mean, math.sqrt(max(0.0, 1 - mean**2))


@functools.lru_cache(maxsize=8)
def normal_draws(dims: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """COUNT draws of N(0, I) in D = dims dimensions: |eps| / sqrt(D), and the angle of their first two numbers."""
    eps = torch.randn(COUNT, dims, generator=torch.Generator().manual_seed(seed))
    second = eps[:, 1] if dims > 1 else torch.zeros(COUNT)
    return (eps.norm(dim=1) / dims**0.5).numpy(), torch.atan2(second, eps[:, 0]).numpy()


def draws_in_shell(dims: int, temperature: float = 1.0) -> Scene:
    """Left, draws of temperature * N(0, I) at their distance from the middle; right, three curves over it.

    Distances are |eps| / sqrt(D). Right: the density of a point at that distance, the room at that distance, and
    their product, which is the density of that distance; each scaled to height 1. GlowliteError for fewer than 1
    dimension or a temperature that is not above 0.
    """
    if dims < 1 or not temperature > 0:
        raise GlowliteError(f"a shell needs D of at least 1 and a temperature above 0, not {dims} and {temperature}")
    mean, spread = (temperature * value for value in mean_and_spread(dims))
    scene = Scene(
        f"{COUNT} draws in {dims:,} dimensions at temperature {temperature:.2f}, at their distance from the middle, "
        f"which is {mean:.2f} ± {spread:.3f}. The density of a point is highest in the middle, the room grows outward, "
        "and most draws are where the product of the two is largest.",
        height=300,
    )
    ring = scene.panel((-FARTHEST, FARTHEST), (-FARTHEST, FARTHEST), equal=True, frame=False, weight=0.8)
    around = np.linspace(0, 2 * np.pi, 97)
    ring.line(np.cos(around), np.sin(around), "ink", width=1.3, dash=True)
    radius, angle = normal_draws(dims)
    ring.dots(temperature * radius * np.cos(angle), temperature * radius * np.sin(angle), "z", size=2.6, alpha=0.8)
    ring.dots([0], [0], "log_det", size=5)
    ring.text(0, -FARTHEST, "dashed: distance 1", size=12, baseline="bottom")
    r = np.linspace(1e-3, FARTHEST, 2001)
    density = -dims * r**2 / (2 * temperature**2)
    room = (dims - 1) * np.log(r)
    right = scene.panel((0, FARTHEST), (0, 1.62), xlabel="distance from the middle, |eps| / √D", yticks=[], weight=1.2)
    right.area(r, np.exp(density + room - (density + room).max()), colour="z", alpha=0.35)
    for log, colour, width in ((density + room, "z", 3.2), (room, "amber", 2.0), (density, "log_det", 2.0)):
        right.line(r, np.exp(log - log.max()), colour, width)  # in one dimension the first and the last coincide
    words = [
        ("density of a point", "log_det"),
        ("room at this distance", "amber"),
        ("draws: density × room", "z"),
    ]
    legend(right, 1.12, 1.53, 0.14, words)
    digits = 2 if spread > 0.01 else 4
    right.text(0.02, 1.53, f"D = {dims:,}", anchor="start", bold=True)
    right.text(0.02, 1.36, f"draws at {mean:.{digits}f} ± {spread:.{digits}f}", "z", anchor="start")
    return scene


def log_share_bound(radius: float, dims: int) -> float:
    """D (log r + (1 - r^2) / 2), nats: for r < 1 the log of a bound on P(|eps| / sqrt(D) <= r), by Chernoff."""
    return dims * (math.log(radius) + (1 - radius**2) / 2)


def likely_and_typical(radius: float, dims: int = 12_288) -> Scene:
    """The logs of density, room and their product over the distance r = |eps| / sqrt(D), with a mark at `radius`.

    The product is 0 nats where it is largest, at r = 1. GlowliteError for a radius outside (0, 1.4].
    """
    if not 0 < radius <= 1.4:
        raise GlowliteError(f"the distance goes from above 0 to 1.4, not {radius}")
    at = (-dims * radius**2 / 2, dims * (math.log(radius) + 0.5), log_share_bound(radius, dims))
    scene = Scene(
        f"At distance {radius:.2f} the log-density is {-at[0]:,.0f} nats below that of the middle, and the log of the "
        f"room is {at[1]:+,.0f} nats. Their sum, {at[2]:+,.0f}, is largest at distance 1, where draws are.",
        height=290,
    )
    r = np.linspace(0.02, 1.4, 277)
    top = 0.85 * dims
    panel = scene.panel(
        (0, 2.4), (-1.05 * dims, top), xlabel="distance from the middle, |eps| / √D",
        ylabel="nats", xticks=[0, 0.5, 0.7, 1, 1.4], yticks=[-dims, (-dims // 2, f"−{dims // 2:,}"), 0, dims // 2],
    )  # fmt: skip
    panel.yticks = [(v, f"{v:,.0f}".replace("-", "−")) for v, _ in panel.yticks]
    panel.line([1, 1], panel.y, "ink", width=1, dash=True, alpha=0.6)
    curves = (-dims * r**2 / 2, dims * (np.log(r) + 0.5), dims * (np.log(r) + (1 - r**2) / 2))
    names = (("density", "log_det"), ("room", "amber"), ("density × room", "z"))
    for curve, value, (name, colour) in zip(curves, at, names, strict=True):
        panel.line(r, curve, colour)
        panel.dots([radius], [value], colour, size=6)
        side = f"{value:+,.0f}".replace("-", "−")
        panel.text(1.42, curve[-1], f"{name} at {radius:.2f}: {side}", colour, anchor="start", bold=colour == "z")
    return scene


# ---- a density raised to a power ---------------------------------------------------------------------------


def density_powers(temperature: float) -> Scene:
    """N(0, 1) as it is, raised to T^2 and to 1 / T^2 and made to integrate to 1, over a histogram of T * draws."""
    if not 0.5 <= temperature <= 1.5:
        raise GlowliteError(f"the temperature goes from 0.5 to 1.5 here, not {temperature}")
    x = np.linspace(-4, 4, 401)

    def bell(std: float) -> np.ndarray:
        return np.exp(-((x / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))

    scene = Scene(
        f"A normal density raised to the power T² is a bell of width {1 / temperature:.2f}; raised to 1/T² its width "
        f"is {temperature:.2f}, and the histogram of draws that were multiplied by T = {temperature:.2f} follows it.",
        height=270,
    )
    panel = scene.panel((-4, 4), (0, 0.98), xlabel="eps", yticks=[])
    given = torch.randn(20_000, generator=torch.Generator().manual_seed(0)) * temperature
    edges = np.linspace(-4, 4, 41)
    panel.bars(edges, np.histogram(given.numpy(), edges)[0] / (0.2 * len(given)), "z", alpha=0.4)
    lines = (
        (1.0, "ink", "p"),
        (1 / temperature, "pink", "p to the power T²"),
        (temperature, "log_det", "p to the power 1/T²"),
    )
    for std, colour, _ in lines:
        panel.line(x, bell(std), colour, dash=colour == "ink", width=2.2)
    words = [(f"{name}: width {std:.2f}", colour) for std, colour, name in lines]
    legend(panel, 0.95, 0.91, 0.1, [*words, (f"draws times T: width {given.std():.2f}", "z")])
    panel.text(-3.9, 0.91, f"T = {temperature:.2f}", anchor="start", bold=True)
    return scene


def measure_left_share(p: Tensor) -> float:
    """The share of a density on a grid (rows, columns), summing to 1, in the left half; a middle column counts half."""
    half = p.shape[1] // 2
    return (p[:, :half].sum() + (p[:, half].sum() / 2 if p.shape[1] % 2 else 0)).item()


def left_right_densities(densities: Mapping[str, Tensor], reach: float) -> Scene:
    """Densities on a square grid, each (n, n) and summing to 1, row 0 at the bottom, with the share in each half.

    The grid goes from -reach to reach both ways; shades follow the root of a density, so that its thin parts are seen.
    GlowliteError for anything but a square grid of weights.
    """
    for name, p in densities.items():
        if p.dim() != 2 or p.shape[0] != p.shape[1] or abs(p.sum().item() - 1) > 1e-3:
            raise GlowliteError(f"{name}: a density is a square grid of weights that sum to 1")
    left = {name: measure_left_share(p) for name, p in densities.items()}
    words = ", ".join(f"of {name} {share:.0%}" for name, share in left.items())
    scene = Scene(f"Densities over a plane, as crescents. In the left half lie {words}.", height=270)
    for name, p in densities.items():
        panel = scene.panel(
            (-reach, reach), (-reach, reach), title=name, equal=True, yticks=[], xticks=[],
            xlabel=f"left half: {left[name]:.0%}  right half: {1 - left[name]:.0%}",
        )  # fmt: skip
        panel.image(p.sqrt().flip(0), colours="x", low=0.0)
        panel.line([0, 0], [-reach, reach], "ink", width=1, dash=True)
    return scene


# ---- the cost of a temperature -----------------------------------------------------------------------------


def bits_by_temperature(temperatures: Sequence[float], bits: Sequence[float], drawn: tuple[float, float]) -> Shown:
    """Bits per dimension of samples over their temperature; `drawn`: mean and spread of those of drawn faces.

    The dashed line is what the normal density alone would say: T^2 / 2 nats for each number above the first point.
    """
    t, mean, spread = np.asarray(temperatures, float), *drawn
    scene = Scene(
        "Bits per dimension of samples rise with their temperature, from "
        f"{bits[0]:.2f} at {t[0]:g} to {bits[-1]:.2f} at {t[-1]:g}. Drawn faces need {mean:.2f} ± {spread:.2f}, as "
        "samples do at a temperature of about 1.",
        height=280,
    )
    panel = scene.panel(
        (0, 1.02 * t[-1]), (min(bits) - 0.15, max(bits) + 0.1), xlabel="temperature T", ylabel="bits per dimension"
    )
    for wide, alpha in ((3, 0.12), (1, 0.3)):
        panel.area(panel.x, [mean + wide * spread] * 2, mean - wide * spread, "x", alpha)
    above = mean + 3 * spread
    panel.text(0.02, above, f"drawn faces: {mean:.2f} ± {spread:.2f}", "x", anchor="start", baseline="bottom")
    fine = np.linspace(t[0], t[-1], 101)
    panel.line(fine, bits[0] + (fine**2 - t[0] ** 2) / (2 * math.log(2)), "ink", width=1.5, dash=True)
    panel.line(t, bits, "z")
    panel.dots(t, bits, "z", size=5)
    panel.text(t[-1], bits[0] + 0.02, "dashed: the normal density's part alone", size=12, anchor="end")
    return scene.shown()


def quality_and_diversity(
    temperatures: Sequence[float], odd: Sequence[float], varied: Sequence[float], drawn: tuple[float, float]
) -> Shown:
    """Two measures of samples over their temperature, in grey levels, each beside that of new drawn faces, `drawn`.

    odd     the part of a sample that is unlike anything in faces
    varied  the difference of two samples
    """
    t = np.asarray(temperatures, float)
    scene = Scene(
        f"Left: what in a sample is unlike faces grows from {odd[0]:.2f} grey levels at T = {t[0]:g} to {odd[-1]:.2f} "
        f"at {t[-1]:g}; new drawn faces have {drawn[0]:.2f}. Right: how far two samples differ grows from "
        f"{varied[0]:.0f} to {varied[-1]:.0f}, and for drawn faces it is {drawn[1]:.0f}.",
        height=270,
    )
    sides = (("unlike faces, grey levels", odd, drawn[0]), ("two differ by, grey levels", varied, drawn[1]))
    for title, values, other in sides:
        panel = scene.panel(
            (0, 1.05 * t[-1]), (0, 1.15 * max(*values, other)), title=title, xlabel="temperature T", xticks=[0, 0.5, 1]
        )
        panel.line(panel.x, [other, other], "x", width=1.5, dash=True)
        panel.text(0.02, other, "new drawn faces", "x", 12, "start", baseline="bottom")
        panel.line(t, values, "z")
        panel.dots(t, values, "z", size=4.5)
    return scene.shown()
