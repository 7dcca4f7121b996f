"""Figures of notebook 13: what is kept for the backward pass, three ways; memory by depth; gradients gone wrong."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glowlab.figures.scene import Panel, Scene
from glowlab.figures.values import format_number
from glowlab.records import read_record
from glowlite.errors import GlowliteError
from glowlite.folders import ASSETS
from glowlite.training.settings import TrainConfig

RECORDED = ASSETS / "runs" / "memory.json"
WAYS = TrainConfig.__dataclass_fields__["memory"].metadata["choices"]  # stored, checkpointed, reversible
COLOURS = dict(zip(WAYS, ("z", "amber", "log_det"), strict=True))
MB, GB = 1e6, 1e9

# ---- one step ---------------------------------------------------------------------------------------------


def kept_boxes(kept: Mapping[str, int], alt: str) -> Scene:
    """A row of boxes, each as wide as what a part of a step keeps for the backward pass."""
    scene = Scene(alt, 120)
    panel = scene.panel((0, sum(kept.values())), (0, 2.2), xlabel="numbers kept for each pixel", yticks=[])
    left = 0.0
    for i, (name, count) in enumerate(kept.items()):
        panel.box(left + 0.3, 0.15, count - 0.6, 1, str(count), "z" if "hidden" in name else "x", 0.2, bold=True)
        panel.text(left + count / 2, 1.75 if i % 2 else 1.3, name, size=12, baseline="bottom")
        left += count
    return scene


def backward_step() -> Scene:
    """One coupling, forward in colour and backward in pink: what a gradient passes through."""
    scene = Scene(
        "A coupling. Forward: x_a goes straight on as z_a and also into the network, whose log s and t turn x_b into "
        "z_b and give the log-det. Backward, the gradient of x_a comes by two ways: straight from that of z_a, and "
        "from those of z_b and of the log-det through the network.",
        height=250,
    )
    panel = scene.panel((0, 100), (0, 34), frame=False)
    for height, name in ((26, "a"), (6, "b")):
        panel.text(5, height, f"x_{name}", "x", 17, bold=True)
        panel.text(95, height, f"z_{name}", "z", 17, bold=True)
    panel.arrow(9, 26.6, 90, 26.6, "x", 2)
    panel.arrow(9, 6.6, 60, 6.6, "x", 2)
    panel.arrow(78, 6.6, 90, 6.6, "z", 2)
    panel.box(24, 12.5, 24, 8, "network", "ink", bold=True)
    panel.box(60, 3, 18, 7, "(x_b + t) s", "ink")
    panel.arrow(33, 26, 33, 21, "x", 2)
    panel.arrow(49, 16, 63, 10.5, "ink", 2)
    panel.text(61, 15.6, "log s, t", size=13)
    panel.arrow(66, 16.5, 90, 17.5, "log_det", 2)
    panel.text(95, 17.5, "log-det", "log_det", 14, bold=True)
    for line in ((90, 28.4, 9, 28.4), (90, 4.6, 79, 4.6), (59, 4.6, 9, 4.6), (60, 8.8, 48.5, 13.6)):
        panel.arrow(*line, "pink", 2)
    panel.arrow(90, 19.3, 49, 18.4, "pink", 2)
    panel.arrow(39, 21, 39, 26, "pink", 2)
    panel.text(50, 32, "gradients go back, in pink; x_a gets its own by two ways", "pink", 13, bold=True)
    return scene


# ---- the stepper ------------------------------------------------------------------------------------------


def held(way: str, depth: int, moment: int) -> tuple[set[int], set[int]]:
    """(places 0..K whose x is in memory, steps 1..K whose inside is), after `moment` of the 2 K parts of a step.

    Place 0 is the input and place K the output. Moments 1..K go forward, one step each; K + 1..2 K go back.
    """
    if way not in WAYS or not 0 <= moment <= 2 * depth:
        raise GlowliteError(
            f"there is no moment {moment} of {way!r}: choose one of {', '.join(WAYS)}, 0 to {2 * depth}"
        )
    if moment <= depth:
        kept = {"stored": (range(moment + 1), range(1, moment + 1)), "checkpointed": (range(moment + 1), ())}
        places, inside = kept.get(way, ((moment,), ()))
    else:
        step = 2 * depth - moment + 1  # the one that is going back
        kept = {"stored": (range(step + 1), range(1, step + 1)), "checkpointed": (range(step + 1), (step,))}
        places, inside = kept.get(way, ((step - 1, step), (step,)))
    return set(places), set(inside)


def memory_at(way: str, depth: int, moment: int, inside: float) -> float:
    """What is held, in units of one x; the inside of a step counts `inside` of them."""
    places, steps = held(way, depth, moment)
    return len(places) + inside * len(steps)


def stepper(way: str, moment: int, depth: int = 6, inside: float = 9) -> Scene:
    """One moment of a training step: which x and which insides are in memory, and the memory of all moments below."""
    places, steps = held(way, depth, moment)
    forward = moment <= depth
    at = moment if forward else 2 * depth - moment
    doing = "before the first step" if not moment else f"{'forward' if forward else 'backward'} through step "
    doing += "" if not moment else str(moment if forward else at + 1)
    size = memory_at(way, depth, moment, inside)
    scene = Scene(
        f"{way}, {doing}: {len(places)} of {depth + 1} inputs and outputs and the insides of {len(steps)} of {depth} "
        f"steps are in memory, {size:.0f} times one input. Below, memory at each moment, three ways.",
        height=330,
        rows=(1, 1.5),
    )
    top = scene.panel((-0.6, depth + 0.6), (0, 3), frame=False, title=f"{way}: {doing}")
    for step in range(1, depth + 1):
        is_held = step in steps
        look = ("z", 0.4) if is_held else ("faint", 0.0)
        top.box(step - 0.78, 0.75, 0.56, 1.3, "inside" if is_held else "", *look, size=12)
        top.text(step - 0.5, 0.3, f"step {step}", size=12)
    for place in range(depth + 1):
        is_held = place in places
        top.dots([place], [1.4], "x" if is_held else "faint", 8 if is_held else 3)
    if forward:
        top.text(at, 2.5, "▼", "x", 14)
    else:
        top.text(at, 2.5, "◀ gradient", "pink", 13, bold=True)
    _curves(scene, way, moment, depth, inside)
    return scene


def _curves(scene: Scene, way: str, moment: int, depth: int, inside: float) -> None:
    moments = np.arange(2 * depth + 1)
    high = memory_at("stored", depth, depth, inside)
    panel = scene.panel(
        (0, 2 * depth), (0, 1.15 * high), row=1, title="in memory, counted in inputs", yticks=[0, round(high)],
        xticks=[(depth / 2, "forward"), (depth, "|"), (1.5 * depth, "backward")],
    )  # fmt: skip
    for name in (*(other for other in WAYS if other != way), way):
        sizes = [memory_at(name, depth, each, inside) for each in moments]
        chosen = name == way
        panel.line(moments, sizes, COLOURS[name] if chosen else "ink", 3.2 if chosen else 1.2, 1 if chosen else 0.5)
    size = memory_at(way, depth, moment, inside)
    panel.dots([moment], [size], COLOURS[way], 6)
    side = "start" if moment <= depth else "end"
    panel.text(moment, size + 0.05 * high, f" {size:.0f} ", COLOURS[way], 14, side, bold=True, baseline="bottom")


# ---- memory and time by depth -------------------------------------------------------------------------------


def load_record(path: str | Path = RECORDED) -> dict:
    """The record that `python -m benchmarks.memory` writes. GlowliteError if it is not there."""
    return read_record(path, "glowlite memory", "benchmarks.memory")


def _by_depth(panel: Panel, depths: Sequence[int], sizes: Mapping[str, Sequence[float]]) -> None:
    for way, values in sizes.items():
        panel.line(np.log2(depths), np.log10(values), COLOURS[way], 3)
        panel.dots(np.log2(depths), np.log10(values), COLOURS[way], 4)
        panel.text(np.log2(depths[-1]) + 0.1, np.log10(values[-1]), f" {way}", COLOURS[way], anchor="start", bold=True)


def growth(depths: Sequence[int], sizes: Mapping[str, Sequence[float]], title: str, more: float = 1.9) -> Scene:
    """Bytes against depth K, both logarithmic: a line for each way."""
    told = "; ".join(f"{way} from {v[0] / MB:.2g} to {v[-1] / MB:.3g} MB" for way, v in sizes.items())
    scene = Scene(f"{title}, against depth from {depths[0]} to {depths[-1]} steps: {told}.", height=270)
    panel = _depth_panel(scene, depths, sizes, title, more)
    _by_depth(panel, depths, sizes)
    return scene


def _depth_panel(scene: Scene, depths: Sequence[int], sizes: Mapping, title: str, more: float, **look) -> Panel:
    values = [value for each in sizes.values() for value in each]
    low, high = math.log10(min(values)) - 0.2, math.log10(max(values)) + 0.15
    yticks = [(p, f"{10.0 ** (p - 6):g} MB") for p in range(math.ceil(low), math.floor(high) + 1)]
    return scene.panel(
        (math.log2(depths[0]) - 0.2, math.log2(depths[-1]) + more), (low, high), title=title, yticks=yticks,
        xticks=[(math.log2(k), str(k)) for k in depths], xlabel="K, steps of flow", **look,
    )  # fmt: skip


def recorded(record: dict) -> Scene:
    """Memory of a training step beside weights and gradients, and its time, against depth, as they were recorded."""
    rows = record["rows"]
    depths = [row["depth"] for row in rows]
    sizes = {way: [row["grown"][way] for row in rows] for way in WAYS}
    ratios = {way: [row["ratio"][way] for row in rows] for way in WAYS}
    ends = "; ".join(f"{way} {sizes[way][-1] / MB:.0f} MB and {ratios[way][-1]:.2f} times the time" for way in WAYS)
    scene = Scene(
        f"Recorded: memory and time of a training step against depth, from {depths[0]} to {depths[-1]} steps in each "
        f"level. At the last depth: {ends}.",
        height=290,
    )
    title = "memory of a training step"
    panel = _depth_panel(scene, depths, sizes, title, 3.1, weight=1.5)
    _by_depth(panel, depths, sizes)
    right = scene.panel(
        (math.log2(depths[0]) - 0.2, math.log2(depths[-1]) + 0.2), (0, 2), title="time, in that of stored",
        xticks=[(math.log2(k), str(k)) for k in depths], yticks=[0, 0.5, 1, 1.5, 2], xlabel="K, steps of flow",
    )  # fmt: skip
    for way, values in ratios.items():
        right.line(np.log2(depths), values, COLOURS[way], 3)
        right.dots(np.log2(depths), values, COLOURS[way], 4)
    return scene


# ---- what a card holds --------------------------------------------------------------------------------------

CARDS = (8, 24, 80)  # GB


def cards(needed: Mapping[str, float], title: str) -> Scene:
    """Bars of the bytes that a training step needs, for each way, on a logarithmic axis with the sizes of CARDS."""
    told = ", ".join(f"{way} {_gigabytes(size)}" for way, size in needed.items())
    scene = Scene(f"Calculated, not measured: memory for {title}: {told}. Cards hold 8, 24 and 80 GB.", 250)
    panel = scene.panel(
        (0, 4.6), (-0.5, 3.2), title=f"calculated: {title}", yticks=[], xlabel="gigabytes, logarithmic",
        xticks=[(power, f"{10**power:,}") for power in range(5)],
    )  # fmt: skip
    for size in CARDS:
        at = math.log10(size)
        panel.line([at, at], [-0.5, 2.75], "ink", 1.4, dash=True)
        panel.text(at, 2.8, f"{size} GB", size=12, baseline="bottom")
    for height, (way, size) in zip((2, 1, 0), needed.items(), strict=True):
        right = max(0.02, math.log10(size / GB))
        corners = [(0, height - 0.32), (right, height - 0.32), (right, height + 0.32), (0, height + 0.32)]
        panel.polygons([corners], COLOURS[way], 0.5)
        panel.text(4.6, height, f"{way} {_gigabytes(size)}", COLOURS[way], 14, "end", bold=True)
    return scene


def _gigabytes(size: float) -> str:
    return f"{size / GB:,.0f} GB" if size >= 9.95 * GB else f"{size / GB:.1f} GB"


# ---- gradients that go wrong ----------------------------------------------------------------------------------


def wrong_gradients(
    strengths: Sequence[float], errors: Mapping[str, Sequence[float]], refused: Sequence[bool] = ()
) -> Scene:
    """Relative errors of the gradient against the strength of the networks, a line for each way to compute it.

    refused: where the package refuses the first of them; those points get a cross.
    """
    told = "; ".join(f"{name}: from {_short(v[0])} to {_short(v[-1])}" for name, v in errors.items())
    crosses = f" The package refuses {sum(refused)} of {len(refused)}." if refused else ""
    scene = Scene(f"Error of the gradient against the strength of the networks. {told}.{crosses}", height=300)
    panel = scene.panel(
        (strengths[0], 1.5 * strengths[-1]), (-17, 4), title="error of the gradient, as a share of its length",
        xlabel="strength of the networks", xticks=[0, 0.1, 0.2, 0.3],
        yticks=[(p, _ten_to(p)) for p in (-16, -12, -8, -4, 0)],
    )  # fmt: skip
    panel.line(panel.x, [0, 0], "ink", 1.4, dash=True)
    panel.text(strengths[0], 0.2, " as large as the gradient itself", size=12, anchor="start", baseline="bottom")
    for colour, (name, values) in zip(("z", "log_det", "x"), errors.items(), strict=False):
        _log_line(panel, strengths, values, name, colour)
    values = np.log10(next(iter(errors.values())))
    for strength, value, crossed in zip(strengths, values, refused, strict=bool(refused)):
        if crossed:
            panel.text(strength, value, "×", "ink", 26, bold=True)
    if refused:
        panel.text(panel.x[1], 3.2, "× refused by the package", size=12, anchor="end")
    return scene


def missed_by(strengths: Sequence[float], errors: Mapping[str, Sequence[float]]) -> Scene:
    """By how much the way back misses the input, against the strength of the networks, a line for each of `errors`."""
    told = "; ".join(f"{name}: from {_short(v[0])} to {_short(v[-1])}" for name, v in errors.items())
    scene = Scene(f"Error of the way back against the strength of the networks. {told}.", height=230)
    panel = scene.panel(
        (strengths[0], 1.3 * strengths[-1]), (-7, 4), title="largest error of the way back",
        xlabel="strength of the networks", xticks=[0.1, 0.2, 0.3], yticks=[(p, _ten_to(p)) for p in (-6, -3, 0, 3)],
    )  # fmt: skip
    looks = (("z", "bottom"), ("log_det", "top"))
    for (colour, baseline), (name, values) in zip(looks, errors.items(), strict=True):
        _log_line(panel, strengths, values, name, colour, baseline)
    return scene


def _log_line(
    panel: Panel, x: Sequence[float], values: Sequence[float], name: str, colour: str, baseline: str = "middle"
) -> None:
    heights = np.log10(np.clip(values, 1e-17, 1e4))
    panel.line(x, heights, colour, 3)
    panel.dots(x, heights, colour, 4)
    panel.text(x[-1], heights[-1], f"  {name}", colour, 13, "start", bold=True, baseline=baseline)


def _ten_to(power: int) -> str:
    return "1" if power == 0 else "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _short(value: float) -> str:
    """About so much: 0.05, 3, or 10 to some power."""
    if not math.isfinite(value):
        return "not finite"
    return format_number(value, 2) if 0.01 <= value < 1000 else _ten_to(math.floor(math.log10(max(value, 1e-17))))
