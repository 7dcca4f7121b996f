"""Figures of notebook 15: numbers of foreign pictures, a flow that is stretched, errors, times and bounds."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from glowlab.figures.scene import Scene
from glowlab.figures.values import format_number

SHOWN = 40  # pictures of a set that are drawn


# ---- foreign pictures --------------------------------------------------------------------------------------


def strips(values: Mapping[str, Sequence[float] | Tensor], title: str, span: tuple[float, float]) -> Scene:
    """A row of dots for each set, the first over a band that goes down to all others; beyond `span` at its end."""
    arrays = {name: np.asarray(each, float)[:SHOWN] for name, each in values.items()}
    own, first = next(iter(arrays)), next(iter(arrays.values()))
    below = {name: float((each < first.min()).mean()) for name, each in arrays.items() if name != own}
    told = ", ".join(f"{name} {share:.0%}" for name, share in below.items())
    scene = Scene(f"{title}, a dot for each picture. Share below all of {own}: {told}.", height=34 * len(arrays) + 60)
    rows = len(arrays)
    ticks = [(rows - 1 - i, name) for i, name in enumerate(arrays)]
    panel = scene.panel(span, (-0.7, rows - 0.3), xlabel=title, yticks=ticks)
    panel.polygons([[(x, y) for x, y in zip((first.min(), first.max(), first.max(), first.min()),
                    (-0.7, -0.7, rows - 0.3, rows - 0.3), strict=True)]], "x", 0.13)  # fmt: skip
    for (row, name), each in zip(ticks, arrays.values(), strict=True):
        inside = each <= span[1]
        jitter = 0.22 * np.sin(2.4 * np.arange(len(each)))
        panel.dots(each[inside].clip(*span), row + jitter[inside], "x" if name == own else "z", 2.6, 0.75)
        if not inside.all():
            words = f"{(~inside).sum()} beyond: {each[~inside].min():.0f} to {each[~inside].max():.0f} ▶"
            panel.text(span[1], row + 0.2, words, "z", 12, "end", baseline="bottom")
    return scene


def area_table(models: Mapping[str, Mapping]) -> Scene:
    """AUROC of each foreign set by each score, a block for each model: the fuller a field, the better it tells."""
    sets = list(next(iter(models.values()))["auroc"])
    kinds = list(models[next(iter(models))]["auroc"][sets[0]])
    worst = {name: min((row[kinds[0]], what) for what, row in each["auroc"].items()) for name, each in models.items()}
    told = "; ".join(f"{name}: {what} {value:.2f}" for name, (value, what) in worst.items())
    scene = Scene(f"AUROC of eight foreign sets by four scores, two models. Lowest by likelihood: {told}.", height=330)
    for block, (name, each) in enumerate(models.items()):
        panel = scene.panel(
            (0, len(kinds)), (0, len(sets) + 1), title=name, frame=block == 0, xticks=[],
            weight=1.35 if not block else 1,
            yticks=[(len(sets) - 0.5 - i, what) for i, what in enumerate(sets)] if not block else [],
        )  # fmt: skip
        for column, kind in enumerate(kinds):
            panel.text(column + 0.5, len(sets) + 0.5, kind, size=12)
            for i, what in enumerate(sets):
                area = each["auroc"][what][kind]
                colour = "log_det" if area >= 0.5 else "z"
                strength = min(0.4, abs(area - 0.5) * 0.8)
                panel.box(column + 0.06, len(sets) - 0.94 - i, 0.88, 0.88, fill=strength, colour=colour)
                panel.text(column + 0.5, len(sets) - 0.5 - i, f"{area:.2f}", size=13, bold=area < 0.5)
    return scene


def bits_against_png(sets: Mapping[str, Mapping[str, Sequence[float]]], most: float) -> Scene:
    """Bits per dimension by the model against those of a PNG file, a colour for own pictures, words for the rest."""
    scene = Scene(
        "A dot is a picture: across, bits per dimension of its PNG file; up, by the model. Foreign pictures that are "
        "simple lie low on both; own faces lie below the line where both are equal.",
        height=340,
    )
    panel = scene.panel((-0.3, most), (0, most), xlabel="PNG, bits per dimension", ylabel="model, bits per dimension")
    panel.line([0, most], [0, most], "ink", 1.2, dash=True)
    panel.text(0.93 * most, 0.97 * most, "equal", size=12, anchor="end")
    for name, numbers in sets.items():
        png, bits = (np.asarray(numbers[key], float)[:SHOWN] for key in ("png", "bits"))
        near = (png <= most) & (bits <= most)
        panel.dots(png[near], bits[near], "x" if name == "own" else "z", 2.8, 0.6)
    labels = {
        "own": "own faces, and others like them",
        "chessboards": "chessboards",
        "flat colour": "flat colour, gradients",
    }
    for name, words in labels.items():
        png, bits = (np.asarray(sets[name][key], float) for key in ("png", "bits"))
        right, high = (png.max(), np.median(bits)) if name == "own" else (np.median(png), min(bits.max(), 0.9 * most))
        panel.text(right + 0.02 * most, high, f" {words}", "x" if name == "own" else "z", 12, "start")
    return scene


# ---- two blobs ---------------------------------------------------------------------------------------------


def stretching(steps: Sequence[int], stretch: Sequence[float], between: Sequence[float]) -> Scene:
    """By step of training: how much the inverse stretches where it stretches most, and the share of samples between."""
    scene = Scene(
        f"Largest stretch of the inverse from {stretch[0]:.0f} to {stretch[-1]:.0f} over {steps[-1]} steps, while the "
        f"share of samples between the blobs falls from {between[0]:.0%} to {between[-1]:.1%}.",
        height=260,
    )
    for title, values, colour in (
        ("largest stretch of the inverse", stretch, "z"),
        ("share of samples outside both blobs", between, "x"),
    ):
        heights = np.log10(np.maximum(values, 1e-4))
        low, high = math.floor(heights.min()), math.ceil(heights.max() + 0.05)
        labels = [(p, f"{10.0**p:g}" if colour == "z" else f"{10.0**p:.4g}") for p in range(low, high + 1)]
        panel = scene.panel((0, 1.05 * steps[-1]), (low, high), title=title, xlabel="step", yticks=labels)
        panel.line(steps, heights, colour, 3)
        panel.dots(steps, heights, colour, 4.5)
    return scene


def points_map(points: Tensor, reach: float = 3.2) -> Scene:
    """Points in the plane."""
    scene = Scene("Points in the plane: two round blobs, one at the left and one at the right, far apart.", height=210)
    span = (-reach, reach)
    panel = scene.panel(span, (-0.35 * reach, 0.35 * reach), equal=True, xticks=[-2, 0, 2], yticks=[-1, 0, 1])
    panel.dots(*points[:800].T, "x", 1.8, 0.5)
    return scene


def blobs_map(points: Tensor, stretch: Tensor, samples: Tensor, reach: float = 3.2) -> Scene:
    """Left, samples of the flow; right, the same plane with the inverse's stretch at each sample as the dot's shade."""
    order = stretch.argsort()
    scene = Scene(
        f"Left: data, two round blobs. Right: samples of the flow; a thread joins the blobs, and there the inverse "
        f"stretches most, up to {stretch.max():.0f} times.",
        height=300,
    )
    span = (-reach, reach)
    for title, where in (("data", points), ("samples; orange: stretched 5 times and more", samples)):
        panel = scene.panel(
            span, (-0.62 * reach, 0.62 * reach), title=title, equal=True, xticks=[-2, 0, 2], yticks=[-1, 0, 1]
        )
        if title == "data":
            panel.dots(*where[:800].T, "x", 1.8, 0.5)
            continue
        many = stretch > 5
        plain = order[~many[order]]
        panel.dots(*where[plain][:1500].T, "x", 1.8, 0.5)
        panel.dots(*where[many].T, "z", 2.4, 0.9)
    return scene


# ---- the way back ------------------------------------------------------------------------------------------


def error_maps(errors: Mapping[str, Tensor], reach: float) -> Scene:
    """Heat maps of the error of the way there and back, (n, n) with row 0 on top; black where no number is left."""
    told = []
    for name, error in errors.items():
        lost = (~error.isfinite()).float().mean().item()
        finite = error[error.isfinite()]
        told.append(f"{name}: at most {finite.max():.1g}, and no number at {lost:.0%} of the places")
    scene = Scene(f"Error of x to z and back, in the plane. {'; '.join(told)}.", height=300)
    for name, error in errors.items():
        lost = ~error.isfinite()
        span = (-reach, reach)
        ticks = [-reach, 0, reach]
        panel = scene.panel(span, span, title=name, equal=True, xticks=ticks, yticks=ticks)
        logs = error.nan_to_num(1e9, 1e9, 1e9).clamp(1e-8, 1e2).log10()
        panel.image(((logs + 8) / 10 * 20).round() / 20, None, "z", low=0.0, high=1.0)
        n = len(error)
        for rows in range(n):
            _runs(panel, lost[rows], rows, n, reach)
    return scene


def _runs(panel, lost: Tensor, row: int, n: int, reach: float) -> None:
    """Black boxes over the runs of True in a row of a map."""
    size, start = 2 * reach / n, None
    for column in range(n + 1):
        here = column < n and bool(lost[column])
        if here and start is None:
            start = column
        elif not here and start is not None:
            x0, x1, y0 = -reach + start * size, -reach + column * size, reach - (row + 1) * size
            panel.polygons([[(x0, y0), (x1, y0), (x1, y0 + size), (x0, y0 + size)]], "#222222", 0.9, width=0)
            start = None


# ---- neighbours --------------------------------------------------------------------------------------------

NAMES = {"flow": "flow", "autoregressive": "autoregressive", "vae": "VAE"}
COLOURS = {"flow": "log_det", "autoregressive": "z", "vae": "x"}


def times(rows: Mapping[str, Mapping[str, float]]) -> Scene:
    """Bars of milliseconds a picture, on a logarithmic axis: a sample alone, a sample of 64, a likelihood."""
    kinds = {"sample 1": "a sample, drawn alone", "sample 64": "a sample, 64 at once", "likelihood 64": "a likelihood"}
    told = "; ".join(
        f"{what}: " + ", ".join(f"{NAMES[name]} {format_number(1000 * row[key], 2)}" for name, row in rows.items())
        for key, what in kinds.items()
    )
    scene = Scene(f"Milliseconds a picture, recorded on one core. {told}.", height=300)
    values = [1000 * row[key] for row in rows.values() for key in kinds]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [(p, f"{10.0**p:g}") for p in range(low, high + 1)]
    count = len(rows) + 0.8
    panel = scene.panel(
        (low, high + 1.1), (0, count * len(kinds)), xlabel="milliseconds a picture, logarithmic", xticks=ticks,
        yticks=[(count * (len(kinds) - 1 - i) + len(rows) / 2, what) for i, what in enumerate(kinds.values())],
    )  # fmt: skip
    for i, key in enumerate(kinds):
        for j, (name, row) in enumerate(rows.items()):
            y = count * (len(kinds) - 1 - i) + len(rows) - 1 - j
            right = max(low + 0.02, math.log10(1000 * row[key]))
            panel.polygons([[(low, y + 0.1), (right, y + 0.1), (right, y + 0.9), (low, y + 0.9)]], COLOURS[name], 0.55)
            panel.text(
                right,
                y + 0.5,
                f" {NAMES[name]}: {format_number(1000 * row[key], 2)}",
                COLOURS[name],
                13,
                "start",
                bold=True,
            )
    return scene


def bound_curves(bounds: Mapping[str, float], noises: Mapping[str, float]) -> Scene:
    """Bits per dimension against the number of draws: the VAE's importance-weighted bound, the flow's over noises."""
    lines = {"VAE, draws of z": (bounds, "x"), "flow, draws of noise": (noises, "log_det")}
    every = [value for each, _ in lines.values() for value in each.values()]
    told = "; ".join(
        f"{name}: " + ", ".join(f"{k} draws {v:.3f}" for k, v in each.items()) for name, (each, _) in lines.items()
    )
    scene = Scene(f"Bits per dimension against the number of draws. {told}.", height=270)
    room = 0.15 * (max(every) - min(every)) + 0.01
    ticks = [(math.log10(int(k)), f"{int(k):,}") for k in bounds]
    panel = scene.panel(
        (-0.2, 4.6), (min(every) - room, max(every) + room), xlabel="K, draws for each picture", xticks=ticks,
        ylabel="bits per dimension",
    )  # fmt: skip
    for name, (each, colour) in lines.items():
        x, y = [math.log10(int(k)) for k in each], list(each.values())
        panel.line(x, y, colour, 3)
        panel.dots(x, y, colour, 5)
        panel.text(x[-1] + 0.1, y[-1], f"{name}: {y[-1]:.3f}", colour, 13, "start", bold=True)
    return scene


def edits(table: Mapping[str, Mapping[str, float]]) -> Scene:
    """How far an edit moved what it should (1: all the way), and all else, for each model."""
    told = "; ".join(f"{NAMES[name]} {row['moved']:.2f} and {row['others']:.2f}" for name, row in table.items())
    scene = Scene(f"An edit of hair colour: share of the way moved, and how far other attributes moved. {told}.", 210)
    for key, title in (("moved", "hair colour: share of the way"), ("others", "all else, in standard deviations")):
        most = max(1.0, *(row[key] for row in table.values()))
        panel = scene.panel(
            (min(0.0, *(row[key] for row in table.values())), 1.25 * most), (0, len(table)), title=title,
            yticks=[(len(table) - 0.5 - i, NAMES[name]) for i, name in enumerate(table)] if key == "moved" else [],
        )  # fmt: skip
        for i, (name, row) in enumerate(table.items()):
            y = len(table) - 1 - i
            panel.polygons(
                [[(0, y + 0.15), (row[key], y + 0.15), (row[key], y + 0.85), (0, y + 0.85)]], COLOURS[name], 0.55
            )
            panel.text(max(0, row[key]), y + 0.5, f" {row[key]:.2f}", COLOURS[name], 13, "start", bold=True)
    return scene


def as_tensors(numbers: Mapping[str, Sequence[float]]) -> dict[str, Tensor]:
    """A record's lists of numbers as tensors."""
    return {key: torch.tensor(values) for key, values in numbers.items()}
