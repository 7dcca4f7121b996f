"""Figures of notebook 05: channels before and after ActNorm, a signal through many layers, training curves."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glowlab.figures.scene import Panel, Scene
from glowlab.figures.values import format_number
from glowlite.errors import GlowliteError

SIDE = 4.0  # values from -SIDE to SIDE are drawn
BINS = 48
TOP = 2.6  # density at the upper edge of a histogram
CURVES = ("ink", "pink", "amber", "sky")

# ---- channels before and after ------------------------------------------------------------------------------


def histogram(values: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Edges and heights of a histogram over -SIDE..SIDE; its area is the share of the values in there."""
    values = values.detach().flatten().cpu().numpy()
    heights, edges = np.histogram(values, BINS, (-SIDE, SIDE))
    return edges, heights / (len(values) * np.diff(edges))


def _normal(panel: Panel) -> None:
    at = np.linspace(-SIDE, SIDE, 121)
    panel.line(at, np.exp(-(at**2) / 2) / math.sqrt(2 * math.pi), "ink", 1.8)


def one_channel(x: Tensor, log_s: float, b: float, pixels: int) -> Scene:
    """A channel's values x and z = exp(log_s) x + b as histograms, and the channel's share of the log-det.

    x: its values over a batch, any shape; pixels: H * W of one picture. The grey line is the standard normal.
    """
    z = math.exp(log_s) * x + b
    mean, std, log_det = z.mean().item(), z.std(unbiased=False).item(), pixels * log_s
    scene = Scene(
        f"Histograms of one channel: x is narrow, z = s x + b has mean {format_number(mean, 2)} and standard "
        f"deviation {std:.2f}, beside the standard normal curve. With {pixels} pixels the channel adds "
        f"{format_number(log_det, 1)} nats to the log-det.",
        height=260,
    )
    panel = scene.panel((-SIDE, SIDE), (0, TOP), yticks=[], xlabel="value of a number in this channel", weight=4)
    panel.bars(*histogram(x), "x", 0.4)
    panel.bars(*histogram(z), "z", 0.55)
    _normal(panel)
    panel.text(-SIDE, 0.92 * TOP, "x", "x", 15, "start", bold=True)
    panel.text(-SIDE + 0.4, 0.92 * TOP, "z = s x + b", "z", 15, "start", bold=True)
    panel.text(SIDE, 0.92 * TOP, f"mean {format_number(mean, 2)}", "z", anchor="end")
    panel.text(SIDE, 0.82 * TOP, f"std {std:.2f}", "z", anchor="end")
    low, high = -1.6 * pixels, 3.4 * pixels
    bar = scene.panel((0, 1), (low, high), title="log-det", xticks=[], yticks=[k * pixels for k in (-1, 0, 1, 2, 3)])
    bar.line([0, 1], [0, 0], "ink", 1, alpha=0.7)
    bar.bars([0.3, 0.7], [min(high, max(low, log_det))], "log_det", 0.8)
    away = 0.25 * pixels if log_det >= 0 else -0.25 * pixels
    bar.text(0.5, min(high, log_det) + away, format_number(log_det, 1), "log_det", bold=True)
    return scene


def channel_histograms(batches: Mapping[str, Tensor]) -> Scene:
    """Outlines of the histograms of every channel, a panel for each batch (B, C, H, W), with the normal curve.

    A batch whose name begins with "x" is drawn in the colour of x, any other in that of z.
    """
    scene, told = Scene("Histograms.", height=240), []
    found = {name: values.detach().transpose(0, 1).flatten(1) for name, values in batches.items()}
    top = 1.1 * max(histogram(channel)[1].max() for flat in found.values() for channel in flat)
    for name, flat in found.items():
        means, stds = flat.mean(1), flat.std(1, unbiased=False)
        told.append(f"{name}: means {_range(means)}, standard deviations {_range(stds)}")
        panel = scene.panel((-SIDE, SIDE), (0, max(0.5, top)), title=f"{name}: std {_range(stds)}", yticks=[])
        for channel in flat:
            edges, heights = histogram(channel)
            panel.line((edges[1:] + edges[:-1]) / 2, heights, "x" if name[0] == "x" else "z", 1.2, alpha=0.7)
        _normal(panel)
    scene.alt = f"Histograms of all channels beside the standard normal curve. {'; '.join(told)}."
    return scene


def _range(values: Tensor) -> str:
    low, high = (format_number(value, 2) for value in (values.min().item(), values.max().item()))
    return low if low == high else f"{low} to {high}"


def jacobian_map(matrix: Tensor, channels: int) -> Scene:
    """The Jacobian of ActNorm on one picture, (D, D), as a heat map with its channels marked."""
    size = len(matrix)
    if matrix.shape != (size, size) or size % channels:
        raise GlowliteError(f"a Jacobian is (D, D), D a multiple of {channels}, not {tuple(matrix.shape)}")
    pixels, diagonal = size // channels, matrix.diagonal()
    rest = (matrix - torch.diag(diagonal)).abs().max().item()
    scene = Scene(
        f"Jacobian of {size} x {size} entries. Off the diagonal the largest is {rest:.1g}; on it each of {channels} "
        f"channels has its scale, {pixels} times over: {', '.join(f'{s:.2f}' for s in diagonal[::pixels])}.",
        height=300,
    )
    panel = scene.panel((-0.3 * size, 2.1 * size), (-1.2, size), equal=True, frame=False)
    panel.image(matrix, (0, size, 0, size), "log_det", low=0.0, high=float(diagonal.max()))
    panel.line([0, size, size, 0, 0], [0, 0, size, size, 0], "ink", 1, alpha=0.6)
    panel.text(size / 2, -0.8, "numbers of x", "x")
    panel.text(-0.4, size / 2, "numbers of z", "z", anchor="end")
    for channel in range(channels):
        named = f"channel {channel}: s = {diagonal[channel * pixels]:.2f}, {pixels} times"
        panel.text(1.08 * size, size - pixels * (channel + 0.5), named, "log_det", anchor="start", bold=True)
    return scene


# ---- many layers --------------------------------------------------------------------------------------------


class Passage(NamedTuple):
    """A signal through K layers: `std` (K + 1) before the first layer and after each; `log_det` (K + 1), nats per
    number, added up so far; `error`, the largest of x - inverse(z)."""

    std: Sequence[float]
    log_det: Sequence[float]
    error: float


def signal_by_depth(passages: Sequence[Passage], chosen: Passage, setting: str) -> Scene:
    """One passage in colour among others in grey: its standard deviation and its log-det against depth.

    setting: words for the chosen one.
    """
    last = len(chosen.std) - 1
    scene = Scene(
        f"{last} layers, {setting}. The signal's standard deviation goes from {chosen.std[0]:.2g} to "
        f"{chosen.std[-1]:.2g}, the log-det to {format_number(chosen.log_det[-1], 2)} nats per number; the "
        f"largest error after the inverse is {chosen.error:.1g}.",
        height=300,
    )
    left = scene.panel(
        (0, last), (-2, 3), title="spread of the signal (std)", xlabel="layer",
        yticks=[(-2, "0.01"), (-1, "0.1"), (0, "1"), (1, "10"), (2, "100"), (3, "1000")],
    )  # fmt: skip
    right = scene.panel((0, last), (-5, 5), title="log-det so far, nats per number", xlabel="layer")
    at = np.arange(last + 1)
    for passage, colour in [*((other, None) for other in passages), (chosen, "z")]:
        look = {"width": 1, "alpha": 0.45} if colour is None else {"width": 3.2}
        left.line(at, np.log10(np.maximum(passage.std, 1e-9)), colour or "ink", **look)
        right.line(at, passage.log_det, "log_det" if colour else "ink", **look)
    left.text(0.4, 2.75, setting, "z", 13, "start", bold=True)
    right.text(0.4, 4.5, f"error after the inverse: {_power(chosen.error)}", "ink", 13, "start")
    return scene


def std_after_actnorm(stds: Sequence[float]) -> Scene:
    """The standard deviation of what comes out of each ActNorm, against depth; 1 is marked."""
    worst = max(stds, key=lambda std: abs(math.log(std)))
    scene = Scene(
        f"Standard deviation after each of {len(stds)} ActNorms. The one that is farthest from 1 has {worst:.2g}.",
        height=210,
    )
    panel = scene.panel(
        (1, len(stds)), (-1, 1.5), title="spread of the signal after each ActNorm (std)", xlabel="step",
        yticks=[(-1, "0.1"), (0, "1"), (1, "10")],
    )  # fmt: skip
    panel.line(panel.x, [0, 0], "faint", 2)
    panel.line(range(1, len(stds) + 1), np.log10(stds), "z", 2.5)
    panel.dots(range(1, len(stds) + 1), np.log10(stds), "z", size=4)
    return scene


def _power(value: float) -> str:
    """A number as a person says it: 0.02, 5.28, or 10 to some power."""
    if not math.isfinite(value):
        return "not finite"
    if value and not 1e-2 <= abs(value) < 1000:
        return _ten_to(math.floor(math.log10(abs(value))))
    return f"{value:.3g}"


def _ten_to(power: int) -> str:
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


# ---- the first batch, and training --------------------------------------------------------------------------


def first_batch_stds(std: Tensor, pictures: int) -> Scene:
    """The standard deviation of each channel on new data, (C,), after a first batch of this many pictures."""
    low, high = std.min().item(), std.max().item()
    scene = Scene(
        f"{len(std)} dots: each channel's standard deviation on new pictures after ActNorm took its scales from "
        f"{pictures}. They should lie on the line at 1 and range from {_power(low)} to {_power(high)}.",
        height=260,
    )
    panel = scene.panel(
        (-2, len(std) + 1), (-1, 3), xlabel="channel", title=f"first batch: {pictures} picture{'s' * (pictures > 1)}",
        ylabel="std of z, new data", yticks=[(-1, "0.1"), (0, "1"), (1, "10"), (2, "100"), (3, "1000")],
    )  # fmt: skip
    panel.line([-2, len(std) + 1], [0, 0], "ink", 1.5, alpha=0.8)
    panel.dots(np.arange(len(std)), std.clamp(0.1, 1000).log10(), "z", 3)
    panel.text(len(std), 2.75, f"from {_power(low)} to {_power(high)}; best: 1", "z", anchor="end", bold=True)
    return scene


def training_curves(runs: Mapping[str, Sequence[float]], calm: str, zoom: tuple[float, float] = (5.0, 10.0)) -> Scene:
    """Bits per dimension against training steps: on the left all runs, on a logarithmic axis; on the right `zoom`.

    The run named `calm` is green. A run that stops being finite ends with a cross. If its last value lies off the
    axis, the cross stands at the edge and the legend says so. GlowliteError for a run without a finite value.
    """
    finite = {name: [value for value in run if math.isfinite(value)] for name, run in runs.items()}
    if not all(finite.values()) or calm not in runs:
        raise GlowliteError("each run needs a finite value to be drawn, and one of them is the calm one")
    steps, others = max(len(run) for run in runs.values()), iter(CURVES * len(runs))
    colours = {name: "log_det" if name == calm else next(others) for name in runs}
    top = max(2.0, min(12.0, math.ceil(math.log10(max(max(run) for run in finite.values())))))
    scene = Scene("Training curves.", height=320)
    left = scene.panel(
        (-0.5, steps), (0.5, 1.55 * top), title="bits per dimension", xlabel="step", yticks=_decades(top)
    )
    right = scene.panel((-0.5, steps), zoom, title="the same, enlarged", xlabel="step")
    told, legend = [], []
    for name, run in finite.items():
        stops, colour = len(run) < len(runs[name]), colours[name]
        heights, at, width = np.minimum(np.log10(run), top), np.arange(len(run)), 3 if name == calm else 2
        left.line(at, heights, colour, width)
        right.line(at, run, colour, width)
        if stops:
            left.text(len(run) - 1, heights[-1], "×", colour, 22, bold=True)
        last = _power(run[-1]) + (", off the axis" if run[-1] > 10**top else "")
        ends = f"{last}, then not finite" if stops else f"ends at {last}"
        for line in f"{name}: {ends}".replace("axis, ", "axis,\n").split("\n"):  # too long for one
            legend.append((line, colour))
        begins = f"begins at {_power(run[0])}, " + ("comes to " if stops else "") if len(run) > 1 else "begins at "
        told.append(f"{name}: {begins}{ends}")
    for place, (line, colour) in enumerate(legend):
        left.text(steps, (1.5 - 0.1 * place) * top, line, colour, anchor="end", bold=True)
    if zoom[0] < 8 < zoom[1]:
        right.line([-0.5, steps], [8, 8], "ink", 1, dash=True, alpha=0.7)
        right.text(steps, 8.08, "raw pixels", size=12, anchor="end", baseline="bottom")
    scene.alt = f"Bits per dimension against training steps. {'; '.join(told)}."
    return scene


def _decades(top: float) -> list[tuple[float, str]]:
    """Ticks at powers of ten that leave room for each other."""
    step = 1 if top <= 4 else 2 if top <= 8 else 4
    return [(k, _ten_to(k) if k > 3 else f"{10**k}") for k in range(step, int(top) + 1, step)]
