"""Figures of notebook 07: histograms as densities, spikes on pixel values, costs of pictures, and the ruler."""

import math
from collections.abc import Callable, Mapping, Sequence

import plotly.graph_objects as go
import torch
from torch import Tensor

from glowlab.figures.colours import PALETTE
from glowlab.figures.curves import Plot, curve
from glowlab.figures.scene import Panel, Scene
from glowlab.figures.style import Shown
from glowlab.figures.values import ticks
from glowlite.errors import GlowliteError
from glowlite.pixels import check_bits, log_bins

LN2 = math.log(2)

# ---- from histogram to density -----------------------------------------------------------------------------


def merge_counts(counts: Tensor, n_bits: int) -> Tensor:
    """Counts of the 256 values (256,) -> probabilities of the 2^n values that n bits leave, (2^n,) float64."""
    check_bits(n_bits)
    if tuple(counts.shape) != (256,) or counts.sum() <= 0:
        raise GlowliteError(f"there must be a count for each of the 256 values, not {tuple(counts.shape)}")
    return counts.double().view(2**n_bits, -1).sum(1) / counts.sum()


def histogram_and_density(counts: Tensor, n_bits: int) -> Scene:
    """The same counts (256,) twice: as probabilities of 2^n values, and as a density over (-0.5, 0.5)."""
    probability = merge_counts(counts, n_bits)
    density, bins = probability * 2**n_bits, 2**n_bits
    edges = torch.linspace(-0.5, 0.5, bins + 1)
    scene = Scene(
        f"Two histograms of {bins} bars with the same outline. Left the heights are probabilities, at most "
        f"{probability.max():.3f}, and their sum is 1; right they are densities, at most {density.max():.2f}, and "
        "their area is 1.",
        height=270,
    )
    look = {"x": (-0.5, 0.5), "xticks": [(-0.5, "−0.5"), 0, 0.5]}
    left = scene.panel(
        y=(0, 1.1 * float(merge_counts(counts, 1).max())),
        title="probability P of each value",
        xlabel="sum of heights: 1",
        **look,
    )
    left.bars(edges, probability, colour="x", alpha=0.6)
    left.text(0.48, 0.95 * left.y[1], f"highest: {probability.max():.3f}", anchor="end")
    right = scene.panel(
        y=(0, 1.25 * float(merge_counts(counts, 8).max()) * 256),
        title=f"density p = P · {bins}",
        xlabel="area: 1",
        **look,
    )
    right.bars(edges, density, colour="x", alpha=0.6)
    right.text(0.48, 0.95 * right.y[1], f"highest: {density.max():.2f}", anchor="end")
    return scene


# ---- from spike to noise -----------------------------------------------------------------------------------

FIRST, SHOWN = 170, 6  # the density is shown around these pixel values: the first, and how many
TALL = 12.0  # the largest density that is shown


def spikes(
    width: float,
    log_p: Callable[[Tensor, float], Tensor],
    widths: Tensor,
    bare: Tensor,
    noisy: Tensor,
    ceiling: float,
) -> Scene:
    """Left, p(x) around six pixel values, made of bells `width` bins wide; right, log p against the width.

    log_p(x, width)  log-density in nats of x (N,) in (-0.5, 0.5)
    widths           widths to choose from, the widest first; `width` is one of them
    bare, noisy      mean log p of pixel values without and with noise, nats for each number, for each of `widths`
    ceiling          log p that no honest model exceeds
    """
    now = int((widths - width).abs().argmin())
    scene = Scene(
        f"Bells {width:.3g} of a bin wide stand on the pixel values. Without noise their log p is {bare[now]:.2f} nats "
        "a number, and rises without end as bells get narrower; with noise it is "
        f"{noisy[now]:.2f}, and never above {ceiling:.2f}.",
        height=290,
    )
    x = torch.linspace(FIRST / 256, (FIRST + SHOWN) / 256, 120 * SHOWN + 1) - 0.5
    p = log_p(x, width).exp()
    middles = [(FIRST + i + 0.5) / 256 - 0.5 for i in range(SHOWN)]
    left = scene.panel(
        x=(float(x[0]), float(x[-1])),
        y=(0, TALL),
        yticks=[],
        title=f"the density p(x), up to {p.max():.1f}",
        xlabel="pixel values and their bins",
        xticks=[(middle, str(FIRST + i)) for i, middle in enumerate(middles)],
    )
    for middle in middles[::2]:
        left.area([middle - 0.5 / 256, middle + 0.5 / 256], [TALL, TALL], colour="faint", alpha=0.3)
    left.area(x, p.clamp(max=2 * TALL), colour="x", alpha=0.4)
    left.line(x, p.clamp(max=2 * TALL), colour="x", width=1.8)
    at = -widths.log2()
    right = scene.panel(
        x=(float(at[0]), float(at[-1]) + 0.6), y=(-1.5, float(bare.max()) + 0.4), title="log p(x), nats a number",
        xlabel="width of a bell, in bins", xticks=[(k, "1" if k == 0 else f"1/{2**k}") for k in range(0, 9, 2)],
    )  # fmt: skip
    right.line(right.x, [ceiling, ceiling], width=1.2, colour="ink", dash=True)
    right.line(at, bare, colour="pink")
    right.line(at, noisy.clamp(min=-99), colour="log_det")
    right.text(right.x[1], ceiling, "no honest model gets higher ", anchor="end", size=12, baseline="bottom")
    right.text(4.6, bare.max() * 0.75, "without noise", colour="pink", anchor="end")
    right.text(3.4, -0.9, "with noise", colour="log_det", anchor="start")
    for line, colour in ((bare, "pink"), (noisy, "log_det")):
        right.dots([at[now]], [line[now].clamp(min=-99)], colour=colour, size=6)
    return scene


def fit_curves(bare: Sequence[float], noisy: Sequence[float], ceiling: float, steps: int) -> Scene:
    """Two fits side by side: mean log p in nats after each step so far, without and with noise."""
    scene = Scene(
        f"Log p of two fits, after {len(bare)} of {steps} steps: without noise it climbs on and on, with noise it "
        f"settles at the dashed line, {ceiling:.2f} nats, the best that an honest model can do.",
        height=250,
    )
    panel = scene.panel(
        x=(0, 1.2 * steps), y=(-0.8, max([3.0, *bare]) + 0.3), title="log p(x), nats a number",
        xlabel="steps of the fit",
        xticks=range(0, steps + 1, steps // 4),
    )  # fmt: skip
    names = ((bare, "pink", " without noise", "middle"), (noisy, "log_det", " with noise", "top"))
    for line, colour, name, baseline in names:
        if len(line):
            panel.line(range(len(line)), line, colour=colour, width=2.0)
            at = line[-1] if baseline == "middle" else min(line[-1], ceiling) - 0.02 * panel.y[1]
            panel.text(len(line), at, name, colour=colour, anchor="start", baseline=baseline)
    # drawn last, over the fit that reaches it
    panel.line(panel.x, [ceiling, ceiling], colour="ink", width=1.5, dash=True)
    panel.text(
        panel.x[1],
        ceiling + 0.02 * panel.y[1],
        "no honest model gets higher ",
        anchor="end",
        size=12,
        baseline="bottom",
    )
    return scene


def noise_histograms(kinds: Mapping[str, Tensor], alt: str) -> Shown:
    """Histograms of three neighbouring pixel values with noise, a panel for each kind of noise.

    kinds: name -> (3, N) points for the pixel values 0, 1, 2, in bins, so that a pixel's bin begins at its value.
    """
    if not kinds or any(points.dim() != 2 or len(points) != 3 for points in kinds.values()):
        raise GlowliteError("each noise needs its points for three pixel values, (3, N)")
    scene = Scene(alt, height=190)
    edges = torch.linspace(-1.5, 4.5, 61)
    for name, points in kinds.items():
        panel = scene.panel(x=(-1.5, 4.5), y=(0, 2.2), title=name, xticks=[0, 1, 2, 3], yticks=[])
        panel.polygons([[(i, 0), (i + 1, 0), (i + 1, 2.2), (i, 2.2)] for i in (0, 2)], "faint", 0.3)
        for mine, colour in zip(points, ("x", "amber", "pink"), strict=True):
            heights = torch.histc(mine.float(), 60, -1.5, 4.5) / (0.1 * mine.numel())
            panel.bars(edges, heights, colour=colour, alpha=0.6)
    return scene.shown()


# ---- costs of pictures -------------------------------------------------------------------------------------


def price_list(prices: Mapping[str, float], alt: str, floor: tuple[str, float] | None = None) -> Shown:
    """A bar for each name with its bits per dimension; `floor`, a name and a price, is a line that no bar can pass."""
    if not prices:
        raise GlowliteError("a price list needs at least one price")
    scene = Scene(alt=alt, height=50 + 34 * len(prices))
    panel = scene.panel(x=(-3.2, 9), y=(-0.65 if floor else -0.05, len(prices)), frame=False)
    for row, (name, price) in enumerate(reversed(prices.items())):
        panel.polygons([[(0, row + 0.2), (price, row + 0.2), (price, row + 0.8), (0, row + 0.8)]], "log_det", 0.6)
        panel.text(-0.15, row + 0.5, name, anchor="end")
        panel.text(price + 0.12, row + 0.5, f"{price:.2f}", "log_det", anchor="start", bold=True)
    if floor:
        name, price = floor
        panel.line([price, price], [-0.15, len(prices)], colour="ink", width=1.4, dash=True)
        panel.text(price, -0.12, f"{name}: {price:.2f}", baseline="top", size=12)
    return scene.shown()


def overfitting(curves: Mapping[str, Sequence[float]], every: int) -> Plot:
    """Bits per dimension while a model learns: name -> prices, one for each `every` steps; the lowest is marked."""
    lowest = {name: min(range(len(prices)), key=prices.__getitem__) for name, prices in curves.items()}
    told = "; ".join(
        f"{name}: {prices[0]:.1f} at first, lowest {prices[lowest[name]]:.1f} at step {every * lowest[name]}, "
        f"{prices[-1]:.1f} at last"
        for name, prices in curves.items()
    )
    figure = go.Figure()
    figure.update_xaxes(title="steps of training")
    figure.update_yaxes(title="bits per dimension", rangemode="tozero")
    hover = {"hovertemplate": "step %{x}: %{y:.2f}"}
    for (name, prices), colour in zip(curves.items(), ("x", "pink"), strict=False):
        figure.add_trace(curve(name, [every * i for i in range(len(prices))], prices, colour, **hover))
        at = lowest[name]
        dot = {"mode": "markers", "marker_size": 11, "marker_color": PALETTE[colour], "showlegend": False}
        figure.add_trace(curve(f"lowest of {name}", [every * at], [prices[at]], colour, **dot, **hover))
    return Plot(figure, f"Bits per dimension against steps of training. {told}.")


# ---- the ruler ---------------------------------------------------------------------------------------------

SPAN = (-16_000.0, 80_000.0)  # nats: the range of log p that the ruler shows
NAMES = -45_000.0  # where the names of the scales begin, to the left of it
SCALES = (  # name, height on the page; the same point is read on all five
    ("log p(x), density, nats", 4.35),
    ("log P(x), pixels, nats", 3.4),
    ("nats per dimension", 2.45),
    ("bits per dimension", 1.5),
    ("bytes a picture", 0.55),
)


def read_scales(log_density: float, dims: int, n_bits: int) -> list[float]:
    """One log-density in nats, read on the five SCALES: log p, log P, nats and bits per dimension, bytes."""
    log_prob = log_density - log_bins(dims, n_bits)
    return [log_density, log_prob, -log_prob / dims, -log_prob / (dims * LN2), -log_prob / (8 * LN2)]


def likelihood_ruler(log_density: float, dims: int, n_bits: int) -> Scene:
    """Every way to state a likelihood, as five scales on one ruler, with a line at log p(x) = `log_density` nats.

    dims is D = C * H * W. The scales slide and stretch with D and n_bits; At 0 on the first a model knows nothing;
    left of 0 it is worse than that. GlowliteError for a log-density off the ruler.
    """
    check_bits(n_bits)
    if not SPAN[0] <= log_density <= SPAN[1]:
        raise GlowliteError(f"the ruler goes from {SPAN[0]:,.0f} to {SPAN[1]:,.0f} nats, not to {log_density:,.0f}")
    certain, read = log_bins(dims, n_bits), read_scales(log_density, dims, n_bits)
    scene = Scene(
        f"A ruler with five scales. At log p = {read[0]:,.0f} nats, D = {dims:,} and {n_bits} bits one reads log P = "
        f"{read[1]:,.0f} nats, {read[2]:.2f} nats and {read[3]:.2f} bits per dimension, {read[4]:,.0f} bytes. Where "
        f"log p = 0 a model knows nothing: {n_bits} bits per dimension.",
        height=340,
    )
    panel = scene.panel(x=(NAMES, SPAN[1] + 4_000), y=(0, 5.5), frame=False)
    panel.area([certain, SPAN[1]], [5.05, 5.05], base=0.2, colour="pink", alpha=0.18)
    panel.text(certain, 5.3, "P > 1: impossible", "pink", 12, "start" if certain < 60_000 else "middle")
    panel.text(0, 5.3, "knows nothing", size=12)
    panel.line([log_density] * 2, [0.2, 5.05], colour="log_det", width=2.5)
    side = "end" if log_density > 60_000 else "start"
    units = (1.0, 1.0, -dims, -dims * LN2, -8 * LN2)  # nats in one unit; costs count the other way
    for i, ((name, y), unit, value) in enumerate(zip(SCALES, units, read, strict=True)):
        _scale(panel, y, 0.0 if i == 0 else certain, unit)
        panel.text(NAMES, y + 0.12, name, size=13, anchor="start", bold=i == 3)
        said = f"{value:,.2f}" if i in (2, 3) else f"{value:,.0f}"
        panel.text(log_density, y + 0.28, f" {said} ".replace("-", "−"), "log_det", 14, side, bold=True)
    return scene


def _scale(panel: Panel, y: float, zero: float, unit: float) -> None:
    """A line with ticks; the tick with number n stands at log p = zero + unit * n."""
    panel.line(SPAN, [y, y], colour="ink", width=1.2)
    panel.line([0, 0], [y, y + 0.6], colour="ink", width=1.2, dash=True)  # up to the numbers of the scale above
    ends = sorted((end - zero) / unit for end in SPAN)
    if zero:
        ends = [max(0.0, ends[0]), ends[1]] if unit < 0 else [ends[0], min(0.0, ends[1])]
    for number, _ in ticks((ends[0], ends[1]), None):
        at = zero + unit * number
        panel.line([at, at], [y, y - 0.1], colour="ink", width=1.2)
        panel.text(at, y - 0.14, f"{number:,g}".replace("-", "−"), size=11, baseline="top")
