"""Figures of notebook 02: a coupling layer's numbers step by step, its Jacobian, its columns, its scale.

A trained flow of points in the plane is in coupling_layers_plane.py.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from glowlab.figures.scene import Panel, Scene
from glowlab.figures.values import MINUS, format_fixed
from glowlite.errors import GlowliteError
from glowlite.flows.coupling import SCALE_BOUND, Coupling

# ---- the stepper -------------------------------------------------------------------------------------------

# Each step: its words, and the boxes it fills. At BACK all boxes are emptied but those of z.
STEPS = (
    ("x is given, in two halves.", ("x_a", "x_b")),
    ("z_a: the first half stays as it is.", ("z_a",)),
    ("The network sees x_a and says how far to shift, t, and how much to stretch, s.", ("t", "s")),
    ("Add t to the second half.", ("sum",)),
    ("Multiply by s: this is z_b. Forward is done.", ("z_b",)),
    ("log-det: the logs of the two s, added up.", ("log_det",)),
    ("Now the way back. All that is left is z.", ("z_a", "z_b")),
    ("x_a: the first half is there already.", ("x_a",)),
    ("Ask the network again, forward as ever: the same x_a gives the same t and s.", ("t", "s")),
    ("Divide by s.", ("sum",)),
    ("Take t away: x_b is back, and with it all of x.", ("x_b",)),
)
BACK, LAST = 6, len(STEPS) - 1
WIDE, TALL = 72.0, 30.0  # the stepper's own units
BOXES = {  # name -> left, bottom and width of its two numbers, and its colour
    "x_a": (0.5, 21.2, 9, "x"),
    "x_b": (0.5, 1.0, 9, "x"),
    "t": (25.2, 11.2, 8.6, "ink"),
    "s": (43.2, 11.2, 8.6, "ink"),
    "sum": (34.2, 1.0, 8.6, "ink"),
    "z_a": (62.5, 21.2, 9, "z"),
    "z_b": (62.5, 1.0, 9, "z"),
}
NAMES = {"x_a": "x_a", "x_b": "x_b", "t": "t", "s": "s", "sum": "x_b + t", "z_a": "z_a", "z_b": "z_b"}
ROW = 3.2  # height of a box


def stepper(layer: Coupling, x: Tensor, step: int = 0) -> Scene:
    """The numbers of one coupling at one step, forward (steps 0 to 5) and then back (6 to LAST).

    layer: a Coupling of 4 channels;  x: what goes through it, (1, 4) or (1, 4, 1, 1). Boxes that have no number yet
    are empty, those filled by this step are strong. GlowliteError for another shape, or a step that does not exist.
    """
    if x.numel() != 4 or layer.halves != (2, 2):
        raise GlowliteError(f"the stepper has room for 4 numbers in one example, not {tuple(x.shape)}")
    if step not in range(len(STEPS)):
        raise GlowliteError(f"the stepper goes from step 0 to {LAST}, not to {step}")
    values, back = _numbers(layer, x, back=step >= BACK), step >= BACK
    filled = {name for _, names in STEPS[BACK if back else 0 : step + 1] for name in names}
    way = "back, from z to x" if back else "forward, from x to z"
    told = [f"{NAMES[name]} = {_pair(values[name])}" for name in BOXES if name in filled]
    if "log_det" in filled:
        told.append(f"log-det = {format_fixed(values['log_det'], 3)}")
    alt = f"A coupling layer {way}, step {step} of {LAST}: {STEPS[step][0]} Filled: {'; '.join(told)}."
    scene = Scene(alt, height=330)
    p = scene.panel((0, WIDE), (-0.5, TALL + 2.5), frame=False)
    _wires(p, back)
    for name, (left, bottom, width, colour) in BOXES.items():
        _stack(p, name, left, bottom, width, colour, values if name in filled else {}, name in STEPS[step][1])
    _log_det_box(p, values if "log_det" in filled else {}, "log_det" in STEPS[step][1])
    p.text(0.5, TALL + 1.5, f"{step}.  {STEPS[step][0]}", anchor="start", size=15, bold=True)
    return scene


def _numbers(layer: Coupling, x: Tensor, back: bool) -> dict:
    """Every number that the figure shows, by the box's name; on the way back x is what the inverse gives."""
    with torch.no_grad():
        z, log_det = layer(x)
        x = layer.inverse(z) if back else x
        x_a, x_b = x.split(layer.halves, 1)
        log_s, t = layer.scale_and_shift(x_a)
        s = torch.ones_like(t) if log_s is None else log_s.exp()
    z_a, z_b = z.split(layer.halves, 1)
    all_of = {"x_a": x_a, "x_b": x_b, "t": t, "s": s, "sum": x_b + t, "z_a": z_a, "z_b": z_b}
    return {name: part.flatten().tolist() for name, part in all_of.items()} | {"log_det": log_det.item()}


def _pair(numbers) -> str:
    return ", ".join(format_fixed(number, 3) for number in numbers)


def _stack(p: Panel, name, left, bottom, width, colour, values: dict, new: bool) -> None:
    """Two boxes, one on the other, with their numbers or empty, and their name above them."""
    for i, row in enumerate((bottom + ROW, bottom)):
        words = format_fixed(values[name][i], 3, plus=name == "t") if values else ""
        fill = 0.4 if new else 0.14 if values else 0.0
        p.box(left, row, width, ROW - 0.3, words, colour if values else "faint", fill, 14, bold=new)
    p.text(left + width / 2, bottom + 2 * ROW + 1.0, NAMES[name], colour, 14, bold=True)


def _log_det_box(p: Panel, values: dict, new: bool) -> None:
    left, bottom, width = 56.0, 12.8, 15.5
    words = ""
    if values:
        first, second = (math.log(s) for s in values["s"])
        total = format_fixed(values["log_det"], 3)
        words = f"{format_fixed(first, 3)} {MINUS if second < 0 else '+'} {format_fixed(abs(second), 3)} = {total}"
    colour, fill = ("log_det" if values else "faint"), (0.4 if new else 0.14 * bool(values))
    p.box(left, bottom, width, ROW, words, colour, fill, 12)
    p.text(left + width / 2, bottom + ROW + 1.0, "log-det: sum of log s", "log_det", 12, bold=True)


def _wires(p: Panel, back: bool) -> None:
    """The network, the two operations and what joins them; arrows point to z, or to x on the way back."""
    top, low = BOXES["x_a"][1] + ROW - 0.15, BOXES["x_b"][1] + ROW - 0.15
    middle = BOXES["t"][1] + ROW - 0.15

    def wire(x0: float, x1: float, y: float) -> None:
        p.arrow(*((x1, y, x0, y) if back else (x0, y, x1, y)))

    wire(10.2, 61.8, top)
    p.arrow(15.5, top, 15.5, middle + 3.0)
    p.box(10.2, middle - 2.6, 10.6, 5.2, "network", "ink", 0.08, 14, bold=True)
    p.arrow(21.2, middle, 24.8, middle)
    p.line([34.0, 38.5, 43.0], [middle] * 3, "ink", 1.5)
    done = (f"{MINUS} t", "÷ s") if back else ("+ t", "× s")
    for x, name, words in zip((29.5, 47.5), ("t", "s"), done, strict=True):
        p.arrow(x, BOXES[name][1] - 0.4, x, low + 2.1)
        p.box(x - 2.6, low - 1.8, 5.2, 3.6, words, "ink", 0.08, 14, bold=True)
    for x0, x1 in ((10.2, 26.4), (32.5, 33.8), (43.2, 44.5), (50.5, 61.8)):
        wire(x0, x1, low)


# ---- the Jacobian ------------------------------------------------------------------------------------------


def jacobian_rows(jacobian: Tensor, stays: int, rows: int | None = None) -> Scene:
    """The Jacobian dz/dx (D, D) of one example, its first `rows` rows filled in, and the logs of its diagonal.

    stays: how many of the D numbers the coupling leaves alone. GlowliteError for what is not square.
    """
    _check_square(jacobian, stays)
    size = len(jacobian)
    rows = size if rows is None else rows
    logs = jacobian.diagonal()[:rows].abs().log()
    alt = (
        f"The {size} by {size} Jacobian of a coupling layer, {rows} of its rows filled in. " + _pattern_words(stays)
        + f" The logs of the diagonal so far add up to {format_fixed(logs.sum().item(), 3)}."
    )  # fmt: skip
    scene = Scene(alt, height=390)
    p = scene.panel((-0.8, size), (-size, 0.8), equal=True, frame=False, weight=1.8)
    _cells(p, jacobian, rows, 14)
    q = scene.panel((0, 10), (-size, 0.8), frame=False)
    q.text(4, 0.4, "log of the diagonal", "log_det", 14, bold=True)
    for i in range(rows):
        q.text(2.8, -i - 0.5, format_fixed(logs[i].item(), 3, plus=True), "log_det", 14, anchor="end")
    total = f"sum = {format_fixed(logs.sum().item(), 3, plus=True)}"
    q.box(4, -0.5 * size - 0.4, 6, 0.8, total, "log_det", 0.15, 14, bold=True)
    return scene


def jacobian_patterns(jacobians: dict[str, Tensor], stays: int) -> Scene:
    """Several Jacobians (D, D) side by side, all of their rows filled in: title -> Jacobian."""
    for jacobian in jacobians.values():
        _check_square(jacobian, stays)
    scene = Scene(f"The Jacobians of {' and '.join(jacobians)}. " + _pattern_words(stays), height=340)
    for title, jacobian in jacobians.items():
        size = len(jacobian)
        p = scene.panel((-0.8, size), (-size, 0.8), equal=True, frame=False, title=title)
        _cells(p, jacobian, size, 12)
    return scene


def _pattern_words(stays: int) -> str:
    return (
        f"The first {stays} rows hold a 1 on the diagonal and 0 elsewhere. The others hold anything at all in the "
        f"first {stays} columns, s on the diagonal, and 0 elsewhere: nothing stands above the diagonal."
    )


def _check_square(jacobian: Tensor, stays: int) -> None:
    if jacobian.dim() != 2 or len(jacobian) != jacobian.shape[1] or not 0 < stays < len(jacobian):
        raise GlowliteError(f"a Jacobian is (D, D) with some of D staying, not {tuple(jacobian.shape)}, {stays}")


def _cells(p: Panel, jacobian: Tensor, rows: int, font: int) -> None:
    """One box for each entry; rows beyond `rows` are empty. Names of z down the side, of x along the top."""
    size = len(jacobian)
    for i in range(size):
        p.text(i + 0.5, 0.4, _name("x", i), "x", 14)
        p.text(-0.15, -i - 0.5, _name("z", i), "z", 14, anchor="end")
        for j in range(size):
            value = jacobian[i, j].item()
            zero = value == 0
            colour = "log_det" if i == j else "faint" if zero else "ink"
            words = "" if i >= rows else "0" if zero else "1" if value == 1 else format_fixed(value)
            look = {"colour": colour, "fill": 0.0 if zero else 0.2, "size": font, "bold": i == j} if i < rows else {}
            p.box(j + 0.04, -i - 0.96, 0.92, 0.92, words, **(look or {"colour": "faint", "fill": 0.0}))


def _name(letter: str, i: int) -> str:
    return letter + "₁₂₃₄₅₆₇₈₉"[i : i + 1]


# ---- columns of the plane ----------------------------------------------------------------------------------

REACH, COLUMNS, BANDS = 2.0, 80, 8  # the patch of the plane that is drawn, and how it is cut


def sliding_columns(t: Callable[[Tensor], Tensor], log_s: Callable[[Tensor], Tensor] | None = None) -> Scene:
    """The plane before and after z_b = (x_b + t(x_a)) * s(x_a): each column slides by its t and stretches by its s.

    t and log_s: of x_a, (N,) -> (N,); without log_s, s = 1 and the coupling is additive. The third panel is
    z_b / s - t. GlowliteError where t or s is not finite.
    """
    edges = torch.linspace(-REACH, REACH, COLUMNS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    shift = t(middle)[:, None]
    s = torch.ones_like(shift) if log_s is None else log_s(middle)[:, None].exp()
    if not (shift.isfinite().all() and s.isfinite().all() and (s > 0).all()):
        raise GlowliteError("t and log s must be finite numbers for every column")
    before = torch.linspace(-REACH, REACH, BANDS + 1).expand(COLUMNS, -1)
    after = (before + shift) * s
    again = after / s - shift
    moves = "slid up or down" if log_s is None else "slid up or down and stretched"
    scene = Scene(
        f"A striped square x. In z every column of it is {moves} by itself, and none went sideways. Slid back "
        "column by column, it is the striped square again.",
        height=320,
    )
    named = (("x", before, "x", "x_a"), ("z", after, "z", "z_a = x_a"), ("x again", again, "x", "x_a = z_a"))
    for title, heights, colour, across in named:
        p = scene.panel((-2.2, 2.2), (-4, 4), title=title, xlabel=across, ylabel=f"{title[0]}_b", equal=True)
        left, right = (part[:, None].expand(-1, BANDS) for part in (edges[:-1], edges[1:]))
        low, high = heights[:, :-1], heights[:, 1:]
        corners = torch.stack([left, low, right, low, right, high, left, high], -1).view(-1, 4, 2)
        p.polygons(corners, colour=colour, alpha=torch.tensor([0.18, 0.65]).repeat(COLUMNS, BANDS // 2).flatten())
    return scene


# ---- the scale ---------------------------------------------------------------------------------------------


def log_scales(h: Tensor) -> dict[str, Tensor]:
    """log s of the two kinds of scale, for the network's output h."""
    return {"sigmoid": F.logsigmoid(h + 2), "bounded": SCALE_BOUND * torch.tanh(h)}


def scale_curves(h: float = 0.0) -> Scene:
    """1 / s against h on a logarithmic axis, for sigmoid(h + 2) and the bounded scale, with one h marked."""
    axis = torch.linspace(-12, 6, 181)
    here = {kind: -value.item() for kind, value in log_scales(torch.tensor(h)).items()}
    said_here = ", ".join(f"{kind} {_factor(math.exp(value))}" for kind, value in here.items())
    scene = Scene(
        "By how much the inverse stretches, 1 / s, against what the network says, h. For sigmoid(h + 2) it grows "
        f"without end to the left; the bounded scale stays between 0.5 and 2. "
        f"At h = {format_fixed(h, 1)}: {said_here}.",
        height=290,
    )
    decades = [(math.log(10**i), f"{10**i:,}") for i in range(5)]
    p = scene.panel(
        (-12, 6), (-1.2, 10.2), xlabel="h, what the network says", ylabel="1 / s", yticks=decades, weight=2.2
    )
    colours = {"sigmoid": "pink", "bounded": "sky"}
    for kind, values in log_scales(axis).items():
        p.line(axis, -values, colour=colours[kind])
        p.dots([h], [here[kind]], colour=colours[kind], size=6)
    q = scene.panel((0, 10), (0, 10), frame=False)
    q.text(0, 9, f"h = {format_fixed(h, 1)}", anchor="start", size=15, bold=True)
    for y, kind, formula in ((6.6, "sigmoid", "s = sigmoid(h + 2)"), (3.0, "bounded", "log s = 0.7 tanh(h)")):
        q.text(0, y, formula, colours[kind], anchor="start", size=14, bold=True)
        q.text(0, y - 1.3, f"inverse stretches by {_factor(math.exp(here[kind]))}", anchor="start", size=13)
    return scene


def _factor(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
