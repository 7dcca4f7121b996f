"""Figures of notebook 08: a training run with its samples, bits layer by layer, rulers of bits per dimension."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from glowlab.figures import style
from glowlab.figures.curves import Plot, curve
from glowlab.figures.scene import Panel, Scene
from glowlite.errors import GlowliteError

GRID, ACROSS = 268, 4  # page units of a grid of samples; how many samples stand in one of its rows
HEIGHT, MARGIN = GRID + 43, 24  # of the whole scene; beside the grid


class Moment(NamedTuple):
    """Measurements after `step` steps: bits/dim of held-out pictures, and samples, uint8 (N, C, H, W)."""

    step: int
    held_out: float
    samples: Tensor


class Progress:
    """The record of a run of `total` steps. Call `note(bits)` after each step; `scene()` shows the record.

    measure   gives (bits/dim of held-out pictures, samples), the samples uint8 (16, C, H, W) from eps that stay the
              same; called before the first step, every `every` steps, and at the end. It may use random numbers
              without changing those of the loop.
    floor     bits/dim that no model can get below, drawn as a dashed line, and what to call it
    """

    def __init__(
        self,
        total: int,
        measure: Callable[[], tuple[float, Tensor]],
        every: int = 25,
        floor: tuple[float, str] | None = None,
    ):
        if total < 1 or every < 1:
            raise GlowliteError(
                f"a run has at least one step, and moments lie at least one apart, not {total}, {every}"
            )
        self.total, self.measure, self.every, self.floor = total, measure, every, floor
        self.batches: list[float] = []  # bits/dim of each training batch
        self.moments: list[Moment] = []
        self._add_moment()

    def note(self, bits: float) -> None:
        """Record a step whose batch had this many bits per dimension."""
        self.batches.append(float(bits))
        if len(self.batches) % self.every == 0 or len(self.batches) == self.total:
            self._add_moment()

    def _add_moment(self) -> None:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            held_out, samples = self.measure()
        if samples.dtype != torch.uint8 or samples.dim() != 4 or len(samples) != ACROSS**2:
            raise GlowliteError(
                f"measure gives bits/dim and {ACROSS**2} samples, uint8 (N, C, H, W), not {samples.dtype} "
                f"{tuple(samples.shape)}"
            )
        self.moments.append(Moment(len(self.batches), float(held_out), samples.clone()))

    # ---- figures -------------------------------------------------------------------------------------------

    def scene(self, moment: int = -1) -> Scene:
        """The curves up to now, and the samples of one moment (a place in `moments`; the last one if not given)."""
        now = self.moments[moment]
        scene = Scene(
            f"Two curves: bits per dimension of training batches and of held-out pictures, from "
            f"{self.moments[0].held_out:.1f} at the start to {self.moments[-1].held_out:.1f} after "
            f"{len(self.batches):,} steps. Beside them 16 samples as they were after {now.step:,} steps.",
            HEIGHT,
        )
        high = np.ceil(2 * max([self.moments[0].held_out, *self.batches])) / 2
        low = self.floor[0] - 0.25 if self.floor else np.floor(min(m.held_out for m in self.moments)) - 0.25
        panel = scene.panel(
            (0, 1.02 * max(self.total, len(self.batches))), (low, high), title="bits per dimension", xlabel="steps",
            yticks=list(range(int(np.ceil(low)), int(high) + 1)), weight=720 - 26 - GRID - MARGIN,
        )  # fmt: skip
        self._curves(panel, now)
        title = f"samples after {now.step:,} steps"
        grid = scene.panel((0, 1), (0, 1), title=title, frame=False, equal=True, weight=GRID + MARGIN)
        place_grid(grid, now.samples)
        return scene

    def _curves(self, panel: Panel, now: Moment) -> None:
        if self.floor:
            value, words = self.floor
            panel.line([0, self.total], [value, value], colour="ink", width=1.5, dash=True)
            panel.text(self.total, value, words, size=12, anchor="end", baseline="bottom")
        panel.line(np.arange(1, len(self.batches) + 1), self.batches, colour="ink", width=1.2, alpha=0.55)
        steps, held_out = [m.step for m in self.moments], [m.held_out for m in self.moments]
        panel.line(steps, held_out, colour="log_det", width=3)
        panel.dots([now.step], [now.held_out], colour="log_det", size=6)
        top = panel.y[1] - 0.06 * (panel.y[1] - panel.y[0])
        step = 0.09 * (panel.y[1] - panel.y[0])
        panel.text(self.total, top, "held-out faces", colour="log_det", anchor="end", bold=True)
        panel.text(self.total, top - step, "training batches", anchor="end")


def place_grid(panel: Panel, samples: Tensor) -> None:
    """Put 16 pictures into a panel of 1 x 1, four in a row."""
    side = samples.shape[-1]
    gap = max(1, side // 16)
    whole = ACROSS * side + (ACROSS - 1) * gap
    for i, sample in enumerate(samples):
        across, down = (i % ACROSS) * (side + gap) / whole, (i // ACROSS) * (side + gap) / whole
        panel.image(sample, (across, across + side / whole, 1 - down - side / whole, 1 - down))


def lines_of_code(lines: Mapping[str, int], alt: str) -> style.Shown:
    """Boxes in a row, each as wide as a part has lines of code, the last two in green."""
    scene = Scene(alt, 130)
    panel = scene.panel((0, sum(lines.values()) + 1), (0, 2.1), xlabel="lines of code", yticks=[])
    left, names = 0, list(lines)
    for i, (name, count) in enumerate(lines.items()):
        colour = "log_det" if name in names[-2:] else "x"
        panel.box(left + 0.1, 0.15, count - 0.2, 1, str(count), colour, 0.2, bold=True)
        panel.text(left + count / 2, 1.75 if i % 2 else 1.3, name, colour, 12, baseline="bottom")
        left += count
    return scene.shown()


# ---- bits --------------------------------------------------------------------------------------------------


def bits_by_layer(
    names: Sequence[str],
    runs: Mapping[str, Sequence[float]],
    alt: str,
    floor: tuple[float, str] | None = None,
) -> Plot:
    """Bits per number still to pay after each layer: one falling line for each of `runs`.

    names   of the layers; a run has one value more, the one before the first layer
    floor   bits that no model can get below, and what to call them
    """
    if wrong := [name for name, values in runs.items() if len(values) != len(names) + 1]:
        raise GlowliteError(f"{len(names)} layers need {len(names) + 1} values, and {wrong[0]!r} has others")
    figure, at = go.Figure(), list(range(len(names) + 1))
    shown = [(i + 1, name) for i, name in enumerate(names) if not name.startswith("step") or i == 0]
    figure.update_xaxes(tickvals=[i for i, _ in shown], ticktext=[name for _, name in shown])
    figure.update_yaxes(title="bits per number")
    if floor:
        figure.add_trace(curve(floor[1], [0, len(names)], [floor[0]] * 2, "ink", 1.5, line_dash="dash"))
    for colour, (name, values) in zip(("sky", "log_det", "pink", "amber"), runs.items(), strict=False):
        after = ["before the first layer", *(f"after {name}" for name in names)]
        saved = ["", *(f", {before - now:+.2f} saved" for before, now in pairwise(values))]
        text = [f"{value:.2f} {where}{less}" for value, where, less in zip(values, after, saved, strict=True)]
        look = {"mode": "lines+markers", "text": text, "hovertemplate": "%{text}"}
        figure.add_trace(curve(f"{name}: {values[-1]:.2f}", at, values, colour, **look))
    return Plot(figure, alt)


def bits_rulers(rows: Mapping[str, Mapping[str, float]], alt: str, floor: tuple[float, str]) -> style.Shown:
    """A ruler of bits per dimension from the floor to 8 for each of `rows`, with a mark for each name.

    The name that says "Glow" is in green, with a bar from the floor to it: what the model pays beyond the floor.
    """
    scene = Scene(alt, 74 + 102 * len(rows))
    panel = scene.panel((2.7, 8.6), (-0.7, len(rows) - 0.25), xlabel="bits per dimension", yticks=[])
    panel.line([floor[0]] * 2, [-0.7, len(rows) - 0.4], colour="ink", width=1.5, dash=True)
    panel.text(floor[0], len(rows) - 0.36, floor[1], size=12, anchor="start", baseline="bottom")
    for height, (title, marks) in enumerate(reversed(rows.items())):
        panel.line([floor[0], 8], [height, height], colour="faint", width=2)
        panel.text(8.05, height + 0.4, title, anchor="end", bold=True, baseline="bottom")
        for name, value in {**marks, "raw pixels": 8.0}.items():
            glow = "Glow" in name
            colour, words = "log_det" if glow else "ink", f"{name} {value:.2f}".replace("8.00", "8")
            if glow:
                panel.line([floor[0], value], [height, height], colour=colour, width=7, alpha=0.4)
            panel.dots([value], [height], colour=colour, size=7 if glow else 5)
            look = {"anchor": "end" if value == 8 else "start", "baseline": "bottom" if glow else "top"}
            panel.text(value + (0.05 if value == 8 else -0.05), height + (0.18 if glow else -0.18), words, colour, 12,
                       bold=glow, **look)  # fmt: skip
    return scene.shown()
