"""Figures of notebook 15b: recorded learning curves, a flow in time, and notes with the reach of their sliders."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from glowlab.figures.coupling_layers_plane import plane_panel
from glowlab.figures.scene import Panel, Scene
from glowlab.sound.notes import LENGTH, RATE, REACH, to_wave
from glowlite.errors import GlowliteError
from glowlite.folders import ASSETS

RUNS = ASSETS / "runs"
LOOKS = ("z", "amber", "pink", "x", "log_det")
FORM_WORDS = {"wave": "samples", "spectrum": "Fourier coefficients", "turns": "lengths and turns"}
TITLES = {"wave": "samples", "spectrum": "Fourier", "turns": "turns"}
WINDOW, HOP = 256, 64  # samples of a spectrogram's columns
SHOWN_HERTZ, RANGE_DB = 1600, 45.0


def load_runs(name: str, folder: Path = RUNS) -> list[dict]:
    """The runs that `python -m benchmarks.NAME` records. GlowliteError if they are not there."""
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text())["runs"]
    except (OSError, ValueError, KeyError):
        raise GlowliteError(f"{path} is not there: get it with the repository, or record it by "
                            f"`python -m benchmarks.{name}`") from None  # fmt: skip


# ---- learning curves ------------------------------------------------------------------------------------------------


def learning(runs: Sequence[dict], unit: str, height: int = 290) -> Scene:
    """Held-out bits against CPU seconds, a line for each run by its name."""
    ends = {run["name"]: run["curve"][-1][2] for run in runs}
    told = "; ".join(f"{name} {end:.2f}" for name, end in ends.items())
    seconds = max(run["curve"][-1][0] for run in runs)
    values = [point[2] for run in runs for point in run["curve"][1:]]
    low, high = min(values), max(values)
    scene = Scene(f"Held-out {unit} against seconds of learning. At the end: {told}.", height)
    panel = scene.panel(
        (0, 1.75 * seconds), (low - 0.08 * (high - low), high), title=f"held-out {unit}", xlabel="CPU seconds",
        xticks=[0, round(seconds / 2), round(seconds)],
    )  # fmt: skip
    places = spread(list(ends.values()), 0.075 * (high - low))
    for colour, run, place in zip(LOOKS, runs, places, strict=False):
        at, _, found = zip(*run["curve"], strict=True)
        panel.line(at, np.minimum(found, high), colour, 3)
        panel.text(at[-1], place, f"  {run['name']} {found[-1]:.2f}", colour, 13, "start", bold=True)
    return scene


def spread(values: Sequence[float], gap: float) -> list[float]:
    """The values moved apart, in their order, so that neighbours are at least `gap` apart."""
    order = np.argsort(values)
    places = np.array(values, float)
    for before, after in zip(order, order[1:], strict=False):
        places[after] = max(places[after], places[before] + gap)
    return places.tolist()


def falling(losses: Sequence[float], steps: int) -> Scene:
    """Bits per dimension during a short training of so many steps."""
    now = f"{losses[-1]:.1f} bits/dim" if losses else "not begun"
    scene = Scene(f"Bits per dimension in training, after {len(losses)} of {steps} steps: {now}.", height=200)
    high = max(losses, default=8.0)
    panel = scene.panel((0, steps), (4, max(high, 4.5) + 0.1), title=now, xlabel="step", ylabel="bits/dim")
    panel.line(np.arange(1, len(losses) + 1), losses, "z", 3)
    return scene


def jacobians(matrices: Mapping[str, Tensor]) -> Scene:
    """Jacobians (T, T) side by side: which token of x (across) moves which token of z (down), and how much."""
    diagonals = ((name, ", ".join(f"{value:.1f}" for value in matrix.diagonal())) for name, matrix in matrices.items())
    told = "; ".join(f"{name}, on the diagonal {numbers}" for name, numbers in diagonals)
    scene = Scene(f"Triangular Jacobians: {told}.", 250)
    high = max(matrix.abs().max().item() for matrix in matrices.values())
    for name, matrix in matrices.items():
        count = len(matrix)
        middle = [(place + 0.5, str(place)) for place in range(count)]
        panel = scene.panel(
            (0, count), (0, count), title=name, equal=True, xticks=middle, xlabel="token of x",
            yticks=[(count - at, words) for at, words in middle], ylabel="token of z",
        )  # fmt: skip
        panel.image(matrix, colours="diverging", high=2 * high)  # pale enough for the numbers
        for place in range(count):
            panel.text(place + 0.5, count - place - 0.5, f"{matrix[place, place]:.1f}", size=11, bold=True)
    return scene


# ---- a flow in time -------------------------------------------------------------------------------------------------


def moment(points: Tensor, velocity: Callable[[Tensor, Tensor], Tensor], t: float) -> Scene:
    """Points (N, 2) at time t, with arrows for the velocity there."""
    scene = Scene(f"Points at time {t:.2f} of the way from noise to data, and arrows for their velocity.", height=330)
    panel = plane_panel(scene, f"t = {t:.2f}")
    across = torch.linspace(-2.6, 2.6, 11)
    grid = torch.cartesian_prod(across, across)
    with torch.no_grad():
        tips = grid + 0.1 * velocity(grid, torch.full((len(grid), 1), t))
    for start, tip in zip(grid.tolist(), tips.tolist(), strict=True):
        panel.arrow(*start, *tip, colour="faint", width=1.2)
    panel.dots(*points[:500].T, colour="x", size=2, alpha=0.8)
    return scene


def draw_pairs(panel: Panel, z: Tensor, x: Tensor, count: int) -> None:
    for start, end in zip(z[:count].tolist(), x[:count].tolist(), strict=True):
        panel.line([start[0], end[0]], [start[1], end[1]], "z", 1.0, 0.7)
    panel.dots(*x[:count].T, colour="x", size=2.5)


def pairs(z: Tensor, x: Tensor, count: int = 40) -> Scene:
    """Straight lines from points of noise z to points of data x, as they are drawn in training."""
    scene = Scene("Straight lines from points of noise to points of two moons; they cross one another.", height=300)
    draw_pairs(plane_panel(scene, "from noise to data, at random"), z, x, min(count, len(z)))
    return scene


def clouds(points: Mapping[str, Tensor]) -> Scene:
    """Points (N, 2) side by side, each under its name."""
    scene = Scene(
        f"Points drawn with {', '.join(points)}: the more passes, the more they lie on two moons.", height=250
    )
    for name, drawn in points.items():
        plane_panel(scene, name).dots(*drawn[:500].T, colour="x", size=1.5, alpha=0.8)
    return scene


def ways(straight: tuple[Tensor, Tensor], learned: Tensor, count: int = 40) -> Scene:
    """Left: straight lines from noise to data, as they are drawn in training. Right: the ways (steps, N, 2) learned."""
    scene = Scene(
        "Left: straight lines from points of noise to points of data, which cross one another. Right: the ways of "
        "points in the learned flow from noise to data, which bend and do not cross.",
        height=330,
    )
    left = plane_panel(scene, "pairs in training: lines cross")
    draw_pairs(left, *straight, count)
    right = plane_panel(scene, "the learned flow: ways do not")
    for way in learned[:, :count].transpose(0, 1):
        right.line(*way.T, colour="z", width=1.0, alpha=0.7)
    right.dots(*learned[-1, :count].T, colour="x", size=2.5)
    return scene


# ---- notes ----------------------------------------------------------------------------------------------------------


def spectrogram(notes: Tensor) -> np.ndarray:
    """Power in dB above the noise, (B, frequency, time), highest frequency first."""
    wave = to_wave(notes).float()
    power = torch.stft(wave, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs().square()
    power = power[:, : WINDOW * SHOWN_HERTZ // RATE].flip(1)
    return (10 * power.clamp_min(1e-6).log10()).numpy()


def spectrograms(notes: Mapping[str, Tensor], alt: str) -> Scene:
    """Notes side by side under their names: time across, frequency up, the stronger the darker."""
    scene = Scene(alt, height=230)
    pictures = spectrogram(torch.cat([note.reshape(1, 1, 1, LENGTH) for note in notes.values()]))
    high = pictures.max()
    for number, (name, picture) in enumerate(zip(notes, pictures, strict=True)):
        panel = scene.panel(
            (0, LENGTH / RATE), (0, SHOWN_HERTZ / 1000), title=name, xticks=[(0, "0"), (0.5, "0.5 s")],
            yticks=[0, 0.5, 1, 1.5] if number == 0 else [], ylabel="kHz" if number == 0 else "",
        )  # fmt: skip
        panel.image((12 * ((picture - high) / RANGE_DB + 1).clip(0, 1)).round() / 12, colours="x", low=0.0, high=1.0)
    return scene


def reach(runs: Sequence[dict]) -> Scene:
    """Cents moved against cents asked, a panel for each form: the median and the middle 80 % of 64 notes."""
    told = []
    scene = Scene("-", height=270)
    for number, run in enumerate(runs):
        asked = np.array(run["stops"]) * REACH[0]
        low, middle, high = np.array(run["pitch"]).T
        name = FORM_WORDS[run["form"]]
        told.append(f"{name}, {run['coupling']}: asked for {asked[-1]:.0f} cents, it moves {middle[-1]:.0f}")
        title = TITLES[run["form"]] + (", " + run["coupling"] if run["form"] == "turns" else "")
        panel = scene.panel(
            (-230, 230), (-330, 330), title=title, xlabel="cents asked for", xticks=[-200, 0, 200],
            yticks=[-200, 0, 200] if number == 0 else [], ylabel="cents moved" if number == 0 else "",
        )  # fmt: skip
        panel.line([-230, 230], [-230, 230], "ink", 1.4, dash=True)
        for at, bottom, top in zip(asked, low, high, strict=True):
            panel.line([at, at], [bottom, top], "z", 5, 0.35)
        panel.dots(asked, middle, "z", 5)
    scene.alt = f"Cents that the pitch slider moves, with the middle 80 % of 64 notes. {'; '.join(told)}."
    return scene
