"""Figures of notebook 04: a square moved by P, L and U, the factors as heat maps, their cost, and training."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from plotly.subplots import make_subplots
from torch import Tensor

from glowlab.figures.curves import Plot, curve
from glowlab.figures.scene import Panel, Scene
from glowlab.figures.values import format_number
from glowlite.errors import GlowliteError
from glowlite.flows.mixing import InvertibleConv1x1LU

REACH = 1.0  # entries of this size and more have the full colour
LETTER_F = [(-0.25, -0.35), (-0.25, 0.35), (0.3, 0.35), (0.3, 0.2), (-0.1, 0.2), (-0.1, 0.07), (0.15, 0.07),
          (0.15, -0.08), (-0.1, -0.08), (-0.1, -0.35)]  # fmt: skip
LARGEST_BAR = 2.5  # nats; the bar of the log-det ends there
SECONDS = {
    -6: "1 µs", -5: "10 µs", -4: "0.1 ms", -3: "1 ms", -2: "10 ms", -1: "0.1 s", 0: "1 s", 1: "10 s",
}  # fmt: skip
KINDS = ("sky", "amber", "pink", "log_det")

# ---- a square that moves ------------------------------------------------------------------------------------


def square_through_factors(factors: Mapping[str, Tensor]) -> Scene:
    """A unit square with a letter on it, before and after each of these (2, 2) matrices, the area under each.

    factors: name -> matrix, in the order in which they are applied. GlowliteError for other shapes.
    """
    for name, matrix in factors.items():
        if tuple(matrix.shape) != (2, 2):
            raise GlowliteError(f"{name} must be (2, 2) to move a square of the plane, not {tuple(matrix.shape)}")
    total, name, stages = torch.eye(2, dtype=torch.float64), "x", [("x", torch.eye(2, dtype=torch.float64))]
    for factor, matrix in factors.items():
        total, name = matrix.double() @ total, f"{factor} {name}"
        stages.append((name, total))
    areas = [abs(torch.linalg.det(matrix).item()) for _, matrix in stages]
    told = "; ".join(f"{name}: {area:.2f}" for (name, _), area in zip(stages, areas, strict=True))
    scene = Scene(f"A unit square on its way through {', '.join(factors)}. Its area: {told}.", height=205)
    look = {"equal": True, "frame": False, "xticks": [], "yticks": []}
    for i, ((name, matrix), area) in enumerate(zip(stages, areas, strict=True)):
        panel = scene.panel((-1.35, 1.35), (-1.75, 1.4), title=name, **look)
        colour = "x" if i == 0 else "z" if i == len(stages) - 1 else "ink"
        _draw_square(panel, matrix, colour)
        panel.text(0, -1.6, f"area {area:.2f}", "log_det", bold=True)
        if i:
            panel.text(-1.6, 0, "→", size=17)
    return scene


def _draw_square(panel: Panel, matrix: Tensor, colour: str) -> None:
    """The image of the unit square around 0, and of the letter on it."""
    corners = torch.tensor([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], dtype=torch.float64)
    letter = torch.tensor(LETTER_F, dtype=torch.float64)
    panel.polygons((corners @ matrix.T)[None], colour, 0.22, edge=colour, width=1.8)
    panel.polygons((letter @ matrix.T)[None], colour, 0.75)


# ---- the factors as heat maps -------------------------------------------------------------------------------


def matrix_panel(scene: Scene, matrix: Tensor, title: str, reach: float = REACH, **look) -> Panel:
    """A panel with a (C, C) matrix on it: blue below 0, orange above, full colour at `reach`; row 0 on top."""
    size = len(matrix)
    look = {"equal": True, "frame": False, "xticks": [], "yticks": [], **look}
    panel = scene.panel((0, size), (0, size), title=title, **look)
    panel.image(matrix.detach().float(), colours="diverging", high=reach)
    panel.line([0, size, size, 0, 0], [0, 0, size, size, 0], "ink", 1, alpha=0.6)
    return panel


def factor_maps(
    P: Tensor,
    lower: Tensor,
    upper: Tensor,
    log_det: float | Tensor,
    marked: tuple[str, int, int] | None = None,
) -> Scene:
    """P, L, U and their product W as heat maps, and a bar for log |det W| of one pixel.

    marked: ("L" or "U", row, column) puts a frame around that entry.
    """
    log_det, W = torch.as_tensor(log_det).item(), P @ lower @ upper
    about = f"entry {marked[1:]} of {marked[0]} is framed" if marked else "none of its entries is marked"
    scene = Scene(
        f"Heat maps of P (a single 1 in each row), L (lower triangle), U (upper triangle) and their product W, "
        f"which is full; {about}. The bar: log |det W| is {format_number(log_det, 2)} nats.",
        height=205,
    )
    panels = {name: matrix_panel(scene, matrix, name) for name, matrix in (("P", P), ("L", lower), ("U", upper))}
    matrix_panel(scene, W, "W = P L U")
    if marked:
        name, row, column = marked
        if name not in ("L", "U"):
            raise GlowliteError(f"an entry of L or U can be marked, not one of {name!r}")
        top = len(W) - row
        x, y = [column, column + 1, column + 1, column, column], [top, top, top - 1, top - 1, top]
        panels[name].line(x, y, "pink", 2.5)
    _bar(scene, log_det)
    return scene


def _bar(scene: Scene, value: float) -> None:
    value = round(value, 2) + 0.0  # + 0.0: no minus before a zero
    panel = scene.panel(
        (0, 1), (-LARGEST_BAR, LARGEST_BAR), weight=0.75, title="log-det", xticks=[], yticks=[-2, -1, 0, 1, 2]
    )
    panel.line([0, 1], [0, 0], "ink", 1, alpha=0.7)
    panel.bars([0.3, 0.7], [min(LARGEST_BAR, max(-LARGEST_BAR, value))], "log_det", 0.8)
    away = 0.28 if value >= 0 else -0.28
    panel.text(0.5, min(2.2, max(-2.2, value + away)), format_number(value), "log_det", bold=True)


def jacobian_of_pixels(W: Tensor, pixels: int) -> Scene:
    """W (C, C), and beside it the Jacobian of z = W x at each of `pixels` pixels, its numbers sorted by pixel."""
    J = torch.kron(torch.eye(pixels).to(W), W)
    scene = Scene(
        f"Heat maps. Left W, {len(W)} by {len(W)}; right the Jacobian, {len(J)} by {len(J)}: W stands in it {pixels} "
        "times along the diagonal, once for each pixel, and all the rest is 0.",
        height=250,
    )
    matrix_panel(scene, W, "W")
    panel = matrix_panel(scene, J, f"Jacobian for {pixels} pixels", weight=2)
    for pixel in range(pixels):
        a, b = len(W) * pixel, len(W) * (pixel + 1)
        panel.line([a, b, b, a, a], [len(J) - a, len(J) - a, len(J) - b, len(J) - b, len(J) - a], "log_det", 2)
    return scene


# ---- cost against channels ----------------------------------------------------------------------------------


def fit_power(channels: Sequence[int], seconds: Sequence[float], last: int = 3) -> float:
    """The power p in seconds ~ channels^p, fitted by least squares to the logs of the `last` points."""
    if len(channels) != len(seconds) or len(channels) < max(2, last):
        raise GlowliteError(f"a slope needs {max(2, last)} times or more, one for each number of channels")
    return float(np.polyfit(np.log(channels[-last:]), np.log(seconds[-last:]), 1)[0])


def time_curves(channels: Sequence[int], panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Plot:
    """Seconds against channels, both axes logarithmic: title -> (name -> seconds), a panel for each title.

    Each line is labelled with the power of C that its last points follow.
    """
    every = [second for lines in panels.values() for seconds in lines.values() for second in seconds]
    if min(every) <= 0:
        raise GlowliteError("only times above 0 have a logarithm")
    figure, told = make_subplots(1, len(panels), subplot_titles=list(panels), shared_yaxes=True), []
    figure.update_xaxes(type="log", title="channels C", tickvals=channels)
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    decades = {10.0**power: words for power, words in SECONDS.items() if low <= power <= high}
    figure.update_yaxes(type="log", range=[low, high], tickvals=list(decades), ticktext=list(decades.values()))
    figure.update_layout(height=340, showlegend=True)
    for column, (title, lines) in enumerate(panels.items(), start=1):
        for name, seconds in lines.items():
            power, colour = fit_power(channels, seconds), KINDS[len(figure.data) % len(KINDS)]
            label = f"{name}: about C^{power:.1f}" if power > 0.15 else f"{name}: hardly grows"
            said = [_time(second) for second in seconds]
            look = {
                "mode": "lines+markers",
                "text": said,
                "hovertemplate": f"%{{x}} channels: %{{text}}<extra>{name}</extra>",
            }
            figure.add_trace(curve(label, channels, seconds, colour, **look), 1, column)
            told.append(f"{title}, {label}, {said[-1]} at {channels[-1]} channels")
    return Plot(figure, f"Times against channels on logarithmic axes. {'; '.join(told)}.")


def _time(seconds: float) -> str:
    """Two digits and a unit: 110 ms, not 1.1e+02 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds / 1e-6:.2g}'):g} µs"


# ---- before and after training ------------------------------------------------------------------------------


def before_after_training(
    start: Sequence[InvertibleConv1x1LU], trained: Sequence[InvertibleConv1x1LU], layer: int
) -> Scene:
    """L, U, W and W W^T of one layer (1, 2, ...) before and after training; below, sum(log_s) of every layer."""
    if not 1 <= layer <= len(trained) or len(start) != len(trained):
        raise GlowliteError(f"there are layers 1 to {len(trained)}, not {layer}")
    sums = [each.log_abs_det().item() for each in trained]
    channels = len(trained[layer - 1].L)
    turned = [_off_rotation(layers[layer - 1].matrix()) for layers in (start, trained)]
    scene = Scene(
        f"Layer {layer} of {len(trained)}, {channels} channels: L, U, W and W W^T before training and after it. "
        f"W W^T is off the identity by {turned[0]:.2f} before, {turned[1]:.2f} after, so W is no longer orthogonal. "
        f"sum(log_s) is {format_number(sums[layer - 1], 2)} instead of 0; of all layers it is largest in layer "
        f"{int(np.argmax(sums)) + 1}, {format_number(max(sums), 2)}.",
        height=470,
        rows=(1, 1, 0.85),
    )
    for row, (name, layers) in enumerate((("before", start), ("after", trained))):
        _, lower, upper = layers[layer - 1].factors()
        W = layers[layer - 1].matrix()
        for title, matrix in {"L": lower, "U": upper, "W": W, "W Wᵀ": W @ W.T}.items():
            reach = min(REACH, 3 / math.sqrt(channels)) if title == "W" else REACH
            matrix_panel(scene, matrix, f"{title} {name}", reach, row=row)
    low, high = min(0.0, *sums), max(1.0, *sums)
    panel = scene.panel(
        (0.5, len(sums) + 0.5), (low - 0.1 * high, high * 1.1), title="sum(log_s) after training; before it is 0",
        xlabel="layer", xticks=[1, 5, 10, 15, 20, 25], yticks=[0, 5], row=2,
    )  # fmt: skip
    panel.bars(np.arange(len(sums) + 1) + 0.5, sums, "log_det", 0.45)
    panel.bars([layer - 0.5, layer + 0.5], sums[layer - 1 : layer], "log_det", 1.0)
    panel.line([layer, layer], [low - 0.1 * high, high * 1.1], "ink", 1, alpha=0.6, dash=True)
    return scene


@torch.no_grad()
def _off_rotation(W: Tensor) -> float:
    """The largest entry of W W^T - I in size; 0 for a rotation."""
    return (W @ W.T - torch.eye(len(W)).to(W)).abs().max().item()
