"""Figures of notebook 12: grids of faces, an attribute reader's errors, chance in a direction, tied attributes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from glowlab.figures import style
from glowlab.figures.rows import enlarge, picture_array
from glowlab.figures.scene import Scene
from glowlite.errors import GlowliteError

WITHOUT, WITH = "sky", "amber"  # pictures without an attribute, and with it
FIRST, SECOND = "pink", "sky"  # two attributes that are tied
TILE_GAP, TITLE_HEIGHT, NAME_GAP, LETTER_WIDTH = 10, 36, 24, 12  # stored pixels, as in rows.py


def picture_grid(
    pictures: Sequence[Sequence[Tensor]], columns: Sequence[str], rows: Sequence[str], alt: str, zoom: int = 2
) -> style.Shown:
    """Rows of uint8 pictures of one size, with a title over each column and a name to the left of each row.

    zoom: stored pixels a side that a pixel becomes. GlowliteError where the numbers of pictures and words differ.
    """
    if not pictures or {len(line) for line in pictures} != {len(columns)} or len(rows) != len(pictures):
        raise GlowliteError(f"a grid of {len(rows)} rows and {len(columns)} columns needs a picture for each place")
    tiles = [[picture_array(picture) for picture in line] for line in pictures]
    if len({tile.shape for line in tiles for tile in line}) > 1:
        raise GlowliteError("the pictures of a grid have one size")
    tiles = [[enlarge(tile, zoom * tile.shape[0]) for tile in line] for line in tiles]
    side = tiles[0][0].shape[0]
    above = TITLE_HEIGHT * any(columns)
    before = NAME_GAP + LETTER_WIDTH * max(len(name) for name in rows) if any(rows) else 0
    width = before + len(columns) * (side + TILE_GAP) - TILE_GAP
    height = above + len(rows) * (side + TILE_GAP) - TILE_GAP
    per_inch = style.DPI * style.SHARPNESS
    made, ax = style.figure(width / per_inch, height / per_inch)
    made.set_layout_engine("none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    for i, line in enumerate(tiles):
        top = above + i * (side + TILE_GAP)
        ax.text(before - NAME_GAP / 2, top + side / 2, rows[i], fontsize=11, ha="right", va="center")
        for j, tile in enumerate(line):
            left = before + j * (side + TILE_GAP)
            extent = (left, left + side, top + side, top)
            ax.imshow(tile, extent=extent, interpolation="none", aspect="auto")
    for j, title in enumerate(columns):
        middle = before + j * (side + TILE_GAP) + side / 2
        ax.text(middle, above - 8, title, fontsize=11, ha="center", va="bottom")
    return style.show(made, alt)


def readings_scatter(truth: Mapping[str, Tensor], read: Mapping[str, Tensor], alt: str) -> style.Shown:
    """Attributes as read against as rendered, (B,) each, a panel for each name; without errors dots lie on the line."""
    scene = Scene(alt=alt, height=250)
    for name, values in truth.items():
        panel = scene.panel(
            (-1.6, 1.6), (-1.6, 1.6), title=name, xlabel="as drawn", xticks=[-1, 0, 1], yticks=[-1, 0, 1],
            ylabel="" if scene.panels else "as read", equal=True, weight=1.0 if scene.panels else 1.13,
        )  # fmt: skip
        panel.line([-1.4, 1.4], [-1.4, 1.4], colour="faint", width=1.5)
        panel.dots(values, read[name], colour="x", size=2.4)
    return scene.shown()


# ---- how much of a direction is chance ---------------------------------------------------------------------


def chance_length(labels: float, dims: int, spread: float = 1.0, share: float = 0.5) -> float:
    """Length of the noise in a difference of two means of latents, `share` of them with the attribute."""
    return spread * math.sqrt(dims / (share * (1 - share) * labels))


def direction_from_labels(
    labels: float,
    signal: float,
    dims: int,
    spread: float = 1.0,
    measured: Mapping[int, float] | None = None,
    share: float = 0.5,
) -> Scene:
    """A direction found from this many labels: its angle to the true one, and its length over the number of labels.

    signal    length that the direction has with infinitely many labels
    spread    standard deviation of a number of the latents
    measured  number of labels -> length that was found, drawn as dots
    share     of the labels that say yes
    """
    by_chance = chance_length(labels, dims, spread, share)
    angle = math.atan2(by_chance, signal)
    many = np.geomspace(10, 1e6, 121)
    lengths = [math.hypot(signal, chance_length(n, dims, spread, share)) for n in many]
    scene = Scene(
        alt=f"With {labels:,.0f} labels: {by_chance:.1f} by chance and {signal:.1f} along the true direction, at right "
        f"angles. The direction found points {math.degrees(angle):.0f} degrees away from the true one, cosine "
        f"{math.cos(angle):.2f}. Beside it, the length of the direction falls with the number of labels toward "
        f"{signal:.1f}.",
        height=290,
    )
    ring = scene.panel((-0.3, 1.4), (-0.16, 1.16), equal=True, frame=False)
    arc = np.linspace(0, math.pi / 2, 46)
    ring.line(np.cos(arc), np.sin(arc), colour="faint", width=1.5)
    ring.arrow(0, 0, 1.0, 0, colour="log_det", width=2.5)
    ring.text(0.55, -0.1, "the true direction", colour="log_det", bold=True)
    ring.line([0, 0], [0, 1.0], colour="faint", width=1.5)
    ring.text(-0.04, 0.62, "all the", colour="ink", anchor="end")
    ring.text(-0.04, 0.53, "rest", colour="ink", anchor="end")
    x, y = math.cos(angle), math.sin(angle)
    ring.arrow(0, 0, x, y, colour="z", width=3)
    ring.text(1.05 * x + 0.03, 1.05 * y + 0.02, f"from {_round_count(labels)} labels", "z", anchor="start", bold=True)
    ring.text(0.25, 0.2, f"cosine {math.cos(angle):.2f}", "ink", 14, anchor="start")

    top = 1.12 * lengths[0]
    plot = scene.panel(
        (1, 6.15), (0, top), title="length of the direction", xlabel="labels",
        xticks=[(1, "10"), (2, "100"), (3, "1,000"), (4, "10,000"), (5, "100,000"), (6, "10⁶")],
    )  # fmt: skip
    plot.line([1, 6], [signal, signal], colour="log_det", width=2, dash=True)
    plot.text(5.95, signal + 0.03 * top, f"without chance: {signal:.1f}", "log_det", anchor="end", baseline="bottom")
    plot.line(np.log10(many), lengths, colour="z", width=2.5)
    for n, length in (measured or {}).items():
        plot.dots([math.log10(n)], [length], colour="x", size=5)
    if measured:
        plot.dots([3.3], [0.9 * top], colour="x", size=5)
        plot.text(3.42, 0.9 * top, "measured", "x", anchor="start")
    plot.dots([math.log10(labels)], [math.hypot(signal, by_chance)], colour="z", size=7)
    return scene


def _round_count(labels: float) -> str:
    """A number of labels in two digits, with commas."""
    digits = max(0, int(math.log10(labels)) - 1)
    return f"{round(labels / 10**digits) * 10**digits:,}"


def attribute_histograms(along: Mapping[str, Tensor], has: Mapping[str, Tensor], alt: str) -> style.Shown:
    """Histograms of pictures along directions, (B,) each, without the attribute and with it; a panel for each name."""
    scene = Scene(alt=alt, height=230)
    for name, values in along.items():
        values, mine = values.numpy(), has[name].numpy()
        edges = np.linspace(values.min() - 1e-6, values.max() + 1e-6, 13)
        heights = [np.histogram(values[part], edges)[0] for part in (~mine, mine)]
        top = 1.3 * max(height.max() for height in heights)
        panel = scene.panel((edges[0], edges[-1]), (0, top), title=name, xlabel="place along the direction", yticks=[])
        for height, colour, x, word, anchor in (
            (heights[0], WITHOUT, edges[0], "without", "start"),
            (heights[1], WITH, edges[-1], "with", "end"),
        ):
            panel.bars(edges, height, colour=colour, alpha=0.6)
            panel.text(x, 0.95 * top, word, colour, 14, anchor=anchor, bold=True)
    return scene.shown()


def effect_dots(shuffled: Tensor, real: float, alt: str) -> style.Shown:
    """Effects of directions from shuffled labels, (trials,), as dots, and the one of the direction from real labels."""
    values = [float(value) for value in shuffled]
    low, high = min([*values, real, 0.0]), max([*values, real, 0.0])
    margin = 0.12 * (high - low) + 1e-6
    scene = Scene(alt=alt, height=190)
    panel = scene.panel((low - margin, high + margin), (0, 1.3), xlabel="beard moved from −d to +d", yticks=[])
    panel.line([0, 0], [0, 0.95], colour="faint", width=1.5)
    heights = [0.2 + 0.6 * (i % 5) / 4 for i in range(len(values))]  # so that dots do not lie on each other
    panel.dots(values, heights, colour="ink", size=4, alpha=0.6)
    panel.dots([real], [0.5], colour="z", size=7)
    panel.text(sum(values) / len(values), 1.1, "shuffled labels", "ink", 14)
    panel.text(real, 1.1, "real labels", "z", 14, bold=True)
    return scene.shown()


# ---- tied attributes ---------------------------------------------------------------------------------------


def attribute_quadrants(first: Tensor, second: Tensor, kept: Tensor, names: tuple[str, str], alt: str) -> style.Shown:
    """Faces by the numbers of two attributes, (B,) each; those kept are blue and counted by quadrant."""
    scene = Scene(alt=alt, height=330)
    panel = scene.panel(
        (-1.1, 1.1), (-1.1, 1.1), equal=True, xlabel=names[0], ylabel=names[1],
        xticks=[(-1, "none"), (1, "full")], yticks=[(-1, "none"), (1, "full")],
    )  # fmt: skip
    panel.line([0, 0], [-1.1, 1.1], colour="faint", width=1.2)
    panel.line([-1.1, 1.1], [0, 0], colour="faint", width=1.2)
    panel.dots(first[~kept], second[~kept], colour="ink", size=2.2, alpha=0.3)
    panel.dots(first[kept], second[kept], colour="x", size=3)
    words = scene.panel((0, 1), (0, 1), frame=False, weight=0.8)
    words.text(0, 0.86, "kept:", "x", 15, "start", bold=True)
    corners = ((True, True, "both"), (True, False, f"{names[0]} alone"), (False, True, f"{names[1]} alone"))
    for i, (a, b, word) in enumerate((*corners, (False, False, "neither"))):
        count = int((kept & ((first > 0) == a) & ((second > 0) == b)).sum())
        words.text(0.22, 0.7 - 0.13 * i, f"{count}", "ink", 15, "end", bold=True)
        words.text(0.27, 0.7 - 0.13 * i, word, "ink", 15, "start")
    words.text(0, 0.1, f"and {int((~kept).sum())} left out, in grey", "ink", 13, "start")
    return scene.shown()


def effect_bars(effects: Mapping[str, tuple[float, float]], names: tuple[str, str], alt: str) -> style.Shown:
    """Two bars for each way to make a direction: how far its step moves each of two attributes."""
    if not effects:
        raise GlowliteError("there is no way to show: effects is empty")
    most = max(abs(value) for pair in effects.values() for value in pair)
    low = min(0.0, *(value for pair in effects.values() for value in pair))
    scene = Scene(alt=alt, height=62 + 54 * len(effects))
    ways = list(effects)
    panel = scene.panel(
        (min(low - 0.18 * most, -0.05 * most), 1.18 * most), (-len(ways), 0.5),
        xlabel="moved from −d to +d, as read", yticks=[(-i - 0.25, way) for i, way in enumerate(ways)],
    )  # fmt: skip
    for i, way in enumerate(ways):
        for value, colour, y in zip(effects[way], (FIRST, SECOND), (-i - 0.2, -i - 0.55), strict=True):
            corners = [(0, y), (value, y), (value, y + 0.3), (0, y + 0.3)]
            panel.polygons([corners], colour=colour, alpha=0.85)
            panel.text(
                value + math.copysign(0.015 * most, value), y + 0.15, f"{value:+.2f}".replace("-", "\N{MINUS SIGN}"),
                "ink", 12, "start" if value >= 0 else "end",
            )  # fmt: skip
    panel.line([0, 0], [-len(ways), 0.5], colour="ink", width=1)
    for name, colour, x in zip(names, (FIRST, SECOND), (0.72, 0.95), strict=True):
        panel.dots([x * most], [0.34], colour=colour, size=5)
        panel.text((x + 0.025) * most, 0.34, name, "ink", 13, "start")
    return scene.shown()


# ---- along the slider --------------------------------------------------------------------------------------


def reading_curves(amounts: Sequence[float], found: Mapping[str, Tensor], alt: str) -> style.Shown:
    """Readings of faces at each amount, a line for each face and a panel for each attribute: (amounts, B) each."""
    scene = Scene(alt=alt, height=260)
    reach = 1.08 * max(float(values.abs().max()) for values in found.values())
    for name, values in found.items():
        panel = scene.panel(
            (min(amounts), max(amounts)), (-reach, reach), title=name, xlabel="steps",
            xticks=[min(amounts), 0, max(amounts)], yticks=[-1, 0, 1], ylabel="" if scene.panels else "as read",
        )  # fmt: skip
        for line in values.T:
            panel.line(amounts, line, colour="z", width=1.6)
    return scene.shown()
