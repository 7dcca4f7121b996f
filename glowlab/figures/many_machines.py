"""Figures of notebook 14: shares of a batch, gradients, a ring that adds, timelines, and speed by number of GPUs."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from glowlab.figures.scene import Panel, Scene
from glowlite.errors import GlowliteError

# ---- data parallel -------------------------------------------------------------------------------------------


def parallel() -> Scene:
    """One step with two processes: a share each, gradients, their mean, and the same step in both."""
    scene = Scene(
        "One step of data-parallel training. A batch of 8 pictures is split: 1 to 4 go to process 0, 5 to 8 to process "
        "1. Each has the whole model and computes its own gradient. The mean of both goes back to each, so both take "
        "the same step.",
        height=230,
    )
    panel = scene.panel((0, 100), (0, 40), frame=False)
    panel.box(1, 13, 13, 14, "batch", "x", bold=True)
    for low, rank, words in ((22, 0, "pictures 1-4"), (2, 1, "pictures 5-8")):
        middle = low + 7
        panel.arrow(14.5, 20, 19, middle, "x", 2)
        panel.text(26, low + 15.5, f"process {rank}", bold=True)
        panel.box(19.5, low, 16, 13, words, "x", 0.1)
        panel.arrow(36, middle, 40, middle, "ink", 2)
        panel.box(40.5, low, 14, 13, "model", "ink", bold=True)
        panel.arrow(55, middle, 60, middle, "pink", 2)
        panel.text(64.5, middle, f"g_{rank}", "pink", 16, bold=True)
        panel.arrow(67.5, middle, 72, 20, "pink", 2)
        panel.arrow(83, 20, 88, middle, "pink", 2)
        panel.box(88.5, low, 11, 13, "step", "log_det", bold=True)
    panel.box(72.5, 14, 10, 12, "mean", "pink", bold=True)
    return scene


def gradients(rows: Mapping[str, Sequence[float]]) -> Scene:
    """Some numbers of a gradient as bars, a row for each name."""
    high = 1.1 * max(max(map(abs, values)) for values in rows.values())
    scene = Scene(
        f"The same {len(next(iter(rows.values())))} numbers of the gradient, for {', '.join(rows)}. The last two rows "
        "are equal.",
        height=90 * len(rows),
        rows=[1] * len(rows),
    )
    colours = ("sky", "amber", "pink", "log_det")
    for row, (name, values) in enumerate(rows.items()):
        panel = scene.panel((0, len(values)), (-high, high), row=row, title=name, xticks=[], yticks=[0])
        panel.bars(range(len(values) + 1), values, colours[row % 4], 0.8)
        panel.line(panel.x, [0, 0], "ink", 1)
    return scene


def faults(errors: Mapping[str, float], apart: Sequence[str] = ()) -> Scene:
    """By how much the averaged gradient misses that of one big batch, a bar for each name, on a logarithmic axis.

    apart: the names after which the processes no longer have the same weights.
    """
    told = "; ".join(f"{name}: {value:.0e}" for name, value in errors.items())
    scene = Scene(
        f"Error of the gradient, as a share of its length. {told}. Processes that no longer agree: "
        f"{', '.join(apart) or 'none'}.",
        height=46 * len(errors) + 60,
    )
    panel = scene.panel(
        (-8, 4.5), (0, len(errors)), title="error of the averaged gradient, as a share of its length", yticks=[],
        xticks=[(-8, "10⁻⁸"), (-6, "10⁻⁶"), (-4, "10⁻⁴"), (-2, "10⁻²"), (0, "1")],
    )  # fmt: skip
    for place, (name, value) in enumerate(errors.items()):
        low, right = len(errors) - place - 0.85, min(0.6, math.log10(max(value, 2e-8)))
        panel.polygons(
            [[(-8, low), (right, low), (right, low + 0.35), (-8, low + 0.35)]], _fault_colour(name, apart), 0.7
        )
        words = f"{name}, and the processes drift apart" if name in apart else name
        panel.text(-7.9, low + 0.58, words, size=13, anchor="start", bold=name in apart)
    return scene


def _fault_colour(name: str, apart: Sequence[str]) -> str:
    return "z" if name in apart else "x"


# ---- a ring ---------------------------------------------------------------------------------------------------


def ring_messages(world: int, moment: int) -> list[int]:
    """The part that each process sends to its right neighbour at a moment 1 .. 2 (world - 1)."""
    shift = 1 - moment if moment < world else 1 - (moment - world)  # add on the first way round, copy on the second
    return [(rank + shift) % world for rank in range(world)]


def ring_states(parts: Sequence[Sequence[float]]) -> list[list[list[float]]]:
    """What each process holds before the first message and after each: [moment][process][part]."""
    world = len(parts)
    if any(len(own) != world for own in parts):
        raise GlowliteError(f"{world} processes hold {world} parts each")
    states = [[list(own) for own in parts]]
    for moment in range(1, 2 * world - 1):
        before, after = states[-1], [list(own) for own in states[-1]]
        for rank, part in enumerate(ring_messages(world, moment)):
            right = (rank + 1) % world
            after[right][part] = before[rank][part] + (before[right][part] if moment < world else 0)
        states.append(after)
    return states


RING = ((1, 2, 5, 3), (4, 1, 1, 2), (2, 3, 3, 1), (1, 1, 2, 4))  # a few numbers, the same for every size of ring


def ring(world: int, moment: int) -> Scene:
    """A ring of processes after `moment` messages: who holds which sums, and what was sent last."""
    moment = min(moment, 2 * (world - 1))
    states = ring_states([own[:world] for own in RING[:world]])
    now, sums = states[moment], [sum(RING[rank][part] for rank in range(world)) for part in range(world)]
    done = sum(now[rank][part] == sums[part] for rank in range(world) for part in range(world))
    doing = "before the first message" if not moment else f"message {moment} of {2 * (world - 1)}, "
    doing += "" if not moment else "added" if moment < world else "copied"
    told = "; ".join(f"process {rank} holds {', '.join(map(str, own))}" for rank, own in enumerate(now))
    scene = Scene(f"A ring of {world} processes, {doing}: {told}. {done} of {world**2} numbers are whole sums.", 300)
    panel = scene.panel((-0.75, world - 0.25), (-0.15, world + 0.6), frame=False, title=doing)
    sent = ring_messages(world, moment) if moment else []
    for rank in range(world):
        panel.text(rank, world + 0.3, f"process {rank}", bold=True)
        for part in range(world):
            got = bool(sent) and sent[rank - 1] == part
            colour = "log_det" if now[rank][part] == sums[part] else "z" if now[rank][part] != RING[rank][part] else "x"
            fill, low = (0.5 if got else 0.15), world - 1 - part
            panel.box(rank - 0.26, low + 0.1, 0.52, 0.72, str(now[rank][part]), colour, fill, 16, bold=got)
    for rank, part in enumerate(sent):
        high = world - 1 - part + 0.46
        panel.arrow(rank + 0.28, high, rank + (0.72 if rank < world - 1 else 0.55), high, "ink", 2.5)
        if rank == world - 1:  # to process 0, round the page's edge
            panel.arrow(-0.7, high, -0.28, high, "ink", 2.5)
    return scene


# ---- time -----------------------------------------------------------------------------------------------------

PHASES = {"compute": "x", "wait": "faint", "all-reduce": "z", "step": "log_det"}


def timeline(marks: Sequence[Sequence[Sequence[float]]], title: str = "", names: Sequence[str] = ()) -> Scene:
    """Who does what when: marks[process][step] are five times in seconds, between which the four PHASES lie.

    names: of the rows, if they are not the processes.
    """
    names = names or [f"process {rank}" for rank in range(len(marks))]
    ends = [step[-1] for own in marks for step in own]
    totals = {name: [sum(step[k + 1] - step[k] for step in own) for own in marks] for k, name in enumerate(PHASES)}
    told = "; ".join(f"{name} {', '.join(f'{each:.2f}' for each in own)} s" for name, own in totals.items())
    scene = Scene(f"{title or 'Timeline'} of {', '.join(names)}, summed for each: {told}.", 90 + 60 * len(marks))
    panel = scene.panel((-0.11 * max(ends), max(ends)), (0, len(marks) + 0.9), title=title, yticks=[], xlabel="seconds")
    for rank, own in enumerate(marks):
        low = len(marks) - 1 - rank
        panel.text(-0.01 * max(ends), low + 0.4, names[rank], anchor="end", size=12, bold=True)
        for k, (name, colour) in enumerate(PHASES.items()):
            boxes = [_box(step[k], step[k + 1], low + 0.08, low + 0.72) for step in own]
            panel.polygons(boxes, colour, 0.45 if name == "wait" else 0.85)
    _legend(panel, PHASES, len(marks) + 0.45)
    return scene


def _box(left: float, right: float, low: float, high: float) -> list[tuple[float, float]]:
    return [(left, low), (right, low), (right, high), (left, high)]


def _legend(panel: Panel, colours: Mapping[str, str], height: float) -> None:
    low, high = panel.x[0], panel.x[1]
    for k, (name, colour) in enumerate(colours.items()):
        at = low + (high - low) * (0.12 + 0.22 * k)
        panel.dots([at], [height], colour, 6)
        panel.text(at + 0.015 * (high - low), height, name, size=13, anchor="start")


def overlapped(buckets: int, backward: float = 8, moving: float = 5, message: float = 0.35) -> list[tuple]:
    """(computed from, to, sent from, to) for each bucket, which is sent when it is ready and the way is free.

    backward, moving: how long all of it takes; message: what each bucket costs besides.
    """
    found, free = [], 0.0
    for k in range(buckets):
        ready = backward * (k + 1) / buckets
        begin = max(ready, free)
        free = begin + moving / buckets + message
        found.append((backward * k / buckets, ready, begin, free))
    return found


def overlap(buckets: int) -> Scene:
    """Backward pass and all-reduce of one step at the same time, the gradients in so many buckets."""
    found, once = overlapped(buckets), overlapped(1)[-1][-1]
    end = found[-1][-1]
    scene = Scene(
        f"Calculated: the backward pass takes 8 units of time; its gradients go out in {buckets} buckets, each as soon "
        f"as it is ready. All is done after {end:.1f} units; with one bucket it is {once:.1f}.",
        height=210,
    )
    panel = scene.panel((-2.2, once + 0.4), (0, 2.7), yticks=[], xlabel="units of time", xticks=range(0, 15, 2))
    for low, name in ((1, "backward"), (0, "all-reduce")):
        panel.text(-0.1, low + 0.4, name, anchor="end", size=13, bold=True)
    for k, (a, b, c, d) in enumerate(found):
        shade = 0.85 if k % 2 else 0.55
        panel.polygons([_box(a, b, 1.08, 1.75)], "x", shade)
        panel.polygons([_box(c, d, 0.08, 0.75)], "z", shade)
    panel.line([end, end], [0, 2], "ink", 1.4, dash=True)
    panel.text(end, 2.35, f"done after {end:.1f}", size=14, anchor="end", bold=True)
    return scene


# ---- speed ------------------------------------------------------------------------------------------------------


def communication(world: int, size: float, bandwidth: float, latency: float) -> float:
    """Seconds that a ring of `world` processes needs for the mean of `size` bytes."""
    return 2 * (world - 1) / world * size / bandwidth + 2 * (world - 1) * latency


def scaling(batch: int, each: float, size: float, bandwidth: float, latency: float, most: int = 64) -> Scene:
    """Calculated pictures per second against the number of GPUs, beside the ideal line, and the share of communication.

    each: seconds that a picture takes on one GPU; size: bytes of the gradients.
    """
    worlds = [2**k for k in range(int(math.log2(most)) + 1)]
    steps = [batch * each + communication(world, size, bandwidth, latency) for world in worlds]
    speeds = [world * batch / step for world, step in zip(worlds, steps, strict=True)]
    share = 1 - batch * each / steps[-1]
    each_takes = f"{batch} picture{'s' * (batch > 1)} for each GPU"
    scene = Scene(
        f"Calculated: pictures per second with 1 to {most} GPUs, {each_takes}: {speeds[0]:.3g} to "
        f"{speeds[-1]:.3g}; ideal would be {most / each:.3g}. Communication takes {share:.0%} of a step there.",
        height=280,
    )
    panel = scene.panel(
        (-0.2, math.log2(most) + 0.3), (math.log10(0.3 / each), math.log10(2 * most / each)),
        title=f"calculated: {each_takes}; at {most} GPUs communication takes {share:.0%} of a step",
        xticks=[(math.log2(world), str(world)) for world in worlds], xlabel="GPUs",
        yticks=_tens(0.3 / each, 2 * most / each), ylabel="pictures per second",
    )  # fmt: skip
    across = np.log2(worlds)
    panel.line(across, np.log10([world / each for world in worlds]), "ink", 1.6, dash=True)
    panel.text(across[-1], math.log10(1.3 * most / each), "ideal", size=13, anchor="end", baseline="bottom")
    panel.line(across, np.log10(speeds), "z", 3)
    panel.dots(across, np.log10(speeds), "z", 4)
    return scene


def _tens(low: float, high: float) -> list[tuple[int, str]]:
    return [(k, f"{10.0**k:,.10g}") for k in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
