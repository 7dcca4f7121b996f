"""The charts of the explorers, as scenes for a Board: narrow ones, so that a phone shows them whole."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from glowlab.explorers.samples import SampleQuality
from glowlab.explorers.wording import wording
from glowlab.figures.board import Board
from glowlab.figures.scene import Scene

WIDE = 400  # page units
MARGIN = 0.06  # of a range: more than the radius of a dot at its end
SHELL_BINS = np.linspace(0, 1.4, 71)


def chart(words: str, height: int) -> Scene:
    """An empty chart that `words` describe."""
    return Scene(words, height, width=WIDE)


def chart_board(made: Scene) -> Board:
    """A Board that shows this chart."""
    return Board(made).add_class("gl-chart")


def blank(words: str) -> Scene:
    """A chart that shows only these words, until there is something to show."""
    made = chart(words, height=220)
    made.panel(frame=False).text(0.5, 0.5, words, "faint")
    return made


def limits(values: Iterable[float], least: float = 0.0) -> tuple[float, float]:
    """From the lowest of these to the highest, with room for a dot at either; no less room than `least`."""
    low, high = min(values), max(values)
    room = max(least, MARGIN * (high - low))
    return low - room, high + room


# ---- temperature ------------------------------------------------------------------------------------------


def shell(effective: Tensor, radii: Tensor, dims: int, chosen: int, people: str = "drawn faces") -> Scene:
    """Chart of |eps| / sqrt(D): these draws beside typical draws at T = 1 and the faces of the data, `people`."""
    mean = effective.mean().item()
    made = chart(
        f"Distance from the middle, |eps| / √D. Draws at temperature 1 all lie at 1, in a shell as thin as "
        f"{1 / (2 * dims) ** 0.5:.3f}; these sixteen lie at {mean:.2f}."
        + (f" Encoded {people} lie at {radii.mean():.2f}." if len(radii) else ""),
        height=236,
    )
    ring = made.panel((-1.5, 1.5), (-1.5, 1.5), equal=True, frame=False, weight=1.1)
    around = np.linspace(0, 2 * np.pi, 97)
    ring.line(np.cos(around), np.sin(around), "ink", width=5, alpha=0.28)
    if len(radii):
        few = radii[:96].numpy()
        angles = np.arange(len(few)) * 2.399963  # the golden angle, so that they are spread evenly
        ring.dots(few * np.cos(angles), few * np.sin(angles), "x", size=2.2, alpha=0.7)
    angles = 2 * np.pi * (np.arange(len(effective)) + 0.5) / len(effective)
    x, y = effective.numpy() * np.cos(angles), effective.numpy() * np.sin(angles)
    ring.dots([0], [0], "ink", size=2.5)
    if mean > 0.6:  # room for a word, on the side where the chosen draw's line is not
        side = -1 if y[chosen] > 0 else 1
        ring.text(0, 0.08 * side, "likeliest", size=12, baseline="top" if side < 0 else "bottom")
    ring.line([0, x[chosen]], [0, y[chosen]], "z", width=1.2)
    ring.dots(x, y, "z", size=3.6)
    ring.dots(x[chosen : chosen + 1], y[chosen : chosen + 1], "z", size=6.5)
    ring.line([0, 0], [1.04, 1.5], "ink", width=1.2, alpha=0.28)  # between two draws, to words above them all
    ring.text(0, 1.5, "shell of T = 1", size=12, baseline="bottom")

    bars = made.panel((0, 1.4), (0, 1.5), xticks=[0, 0.5, 1], yticks=[], xlabel="|eps| / √D")
    middle = (SHELL_BINS[1:] + SHELL_BINS[:-1]) / 2
    thin = np.exp(-dims * (middle - 1) ** 2)  # |eps| / sqrt(D) is near N(1, 1 / 2D)
    bars.bars(SHELL_BINS, thin / thin.max(), "ink", alpha=0.28)
    for values, colour in ((radii, "x"), (effective, "z")):
        if len(values):
            counts = np.histogram(values.numpy().clip(0, 1.399), SHELL_BINS)[0]
            bars.bars(SHELL_BINS, counts / counts.max(), colour, alpha=0.6)
    words = [("these sixteen", "z"), (people, "x"), ("typical draws at T = 1", "ink")]
    for row, (text, colour) in enumerate(word for word in words if len(radii) or word[1] != "x"):
        bars.dots([0.04], [1.44 - 0.13 * row], colour, size=4, alpha=0.3 if colour == "ink" else 0.8)
        bars.text(0.12, 1.44 - 0.13 * row, text, size=12, anchor="start")
    return made


def trade(
    points: Sequence[SampleQuality], now: SampleQuality, real: SampleQuality, people: str = "drawn faces"
) -> Scene:
    """Chart of quality against diversity: the samples' residual and spread; `real` are those of `people`."""
    made = chart(
        "Quality against diversity: the colder the samples, the cleaner and the more alike. "
        f"Now: {now.residual:.2f} grey levels unlike any face, and two differ by {now.spread:.0f}. "
        f"{people.capitalize()}: {real.residual:.2f} and {real.spread:.0f}.",
        height=236,
    )
    seen = [*points, now, real]
    low, high = limits([point.residual for point in seen], least=0.05)
    far = max(point.spread for point in seen)
    panel = made.panel(
        (-MARGIN * far, 1.12 * far),
        (low, high),
        xlabel="how far two faces differ, grey levels",
        ylabel="unlike any face, grey levels",
    )
    panel.line([p.spread for p in points], [p.residual for p in points], "z", width=2, alpha=0.55)
    for point in points:
        if round(point.temperature, 2) in (0.0, 0.5, 0.7, 1.0, 1.3):
            panel.dots([point.spread], [point.residual], "z", size=3)
            right, up, anchor = (1, 0.05, "start") if point.temperature == 0 else (-1, 0.02, "end")
            x, y = point.spread + 0.035 * right * far, point.residual + up * (high - low)
            panel.text(x, y, f"T = {point.temperature:g}", size=12, anchor=anchor, baseline="bottom")
    panel.dots([real.spread], [real.residual], "x", size=5)
    panel.text(real.spread, real.residual - 0.05 * (high - low), people, "x", size=12, baseline="top")
    panel.dots([now.spread], [now.residual], "z", size=7)
    return made


# ---- interpolation ----------------------------------------------------------------------------------------

WAYS = {"pixels": "x", "linear": "pink", "spherical": "z"}  # their colours


def along(
    curves: Mapping[str, tuple],
    at: float,
    now: tuple[str, float] | None,
    words: str,
    band: tuple,
    people: str = "drawn faces",
) -> Scene:
    """Chart of one value on the way from the first picture (t = 0) to the second; curves: way -> (t, values).

    now: way and value of the picture on the page, where known; band: the range of `people`, (low, high).
    """
    made = chart(words, height=220)
    seen = [*band, *([now[1]] if now else []), *(v for _, values in curves.values() for v in values)]
    low, high = limits(seen, least=0.1)
    ends = limits((0, 1))
    head = 0.15 * (high - low)  # above all curves, for words
    panel = made.panel(ends, (low, high + head), xlabel="t, from the first picture to the second", xticks=[0, 0.5, 1])
    panel.area(ends, [band[1]] * 2, band[0], "ink", alpha=0.12)
    panel.dots([0.02], [high + 0.6 * head], "ink", size=4, alpha=0.3)
    panel.text(0.05, high + 0.6 * head, people, size=12, anchor="start")
    panel.line([at, at], [low, high], "ink", width=1.2, alpha=0.6, dash=True)
    for way, (t, values) in curves.items():
        panel.line(t, values, WAYS[way], width=2.2)
        if len(t) < 12:
            panel.dots(t, values, WAYS[way], size=3)
    if now:
        panel.dots([at], [now[1]], WAYS[now[0]], size=6.5)
    return made


# ---- attributes -------------------------------------------------------------------------------------------


def positions(name: str, found: Tensor, labels: Tensor, before: float, after: float) -> Scene:
    """Chart of labelled faces along a direction, split by their label, with this face before and after."""
    words = wording(name)
    has = labels > labels.median()
    made = chart(
        f"Where {len(found):,} labelled faces lie along {words.title.lower()}: those toward {words.low} on average at "
        f"{found[~has].mean():+.2f}, those toward {words.high} at {found[has].mean():+.2f}. This face was at "
        f"{before:+.2f} and is at {after:+.2f}.",
        height=220,
    )
    reach = max(1.05 * found.abs().max().item(), 1.3 * abs(before), 1.3 * abs(after))
    edges = np.linspace(-reach, reach, 49)
    heights = [np.histogram(part.numpy(), edges)[0] for part in (found[~has], found[has])]
    top = max(h.max() for h in heights)
    panel = made.panel((-reach, reach), (0, 1.3 * top), yticks=[], xlabel="steps along the direction")
    for height, colour in zip(heights, ("sky", "amber"), strict=True):
        panel.bars(edges, height, colour, alpha=0.6)
    for x, side, colour, end in ((-reach, 1, "sky", words.low), (reach, -1, "amber", words.high)):
        panel.dots([x + 0.03 * side * reach], [1.23 * top], colour, size=5)
        anchor = "start" if side > 0 else "end"
        panel.text(x + 0.08 * side * reach, 1.23 * top, f"labelled {end}", size=12, anchor=anchor)
    panel.line([before, before], [0, 1.02 * top], "x", width=2.5)
    panel.line([after, after], [0, 1.02 * top], "z", width=2.5)
    if abs(after - before) > 0.06 * reach:
        side = ("end", "start") if after > before else ("start", "end")
        panel.arrow(before, 1.05 * top, after, 1.05 * top, "z")
        panel.text(before, 1.05 * top, "  before  ", "x", size=12, anchor=side[0])
        panel.text(after, 1.05 * top, "  after  ", "z", size=12, anchor=side[1])
    else:
        panel.text(after, 1.05 * top, "this face", "z", size=12)
    return made


def overlap(names: Sequence[str], cosines: Tensor, chosen: str) -> Scene:
    """Chart of the cosines between directions, (k, k): 0 where two have nothing in common."""
    count = len(names)
    apart = cosines - torch.eye(count)
    row, column = divmod(int(apart.abs().argmax()), count)
    pair = f"{wording(names[row]).title.lower()} and {wording(names[column]).title.lower()}"
    made = chart(
        f"Cosines between the {count} directions. Most overlap {pair}, with {apart[row, column]:+.2f}.",
        height=330,
    )
    labels = [(count - 1 - i, f"{wording(name).title} {i + 1}") for i, name in enumerate(names)]
    panel = made.panel(
        (-0.5, count - 0.5),
        (-0.5, count - 0.5),
        yticks=labels,
        xticks=[(i, str(i + 1)) for i in range(count)],
    )
    panel.image(apart, colours="diverging", high=max(0.5, apart.abs().max().item()))
    for i in range(count):
        for j in range(count):
            text = "1" if i == j else f"{apart[i, j]:.1f}".replace("0.", ".").replace("-", "−")
            if i == j or abs(apart[i, j]) >= 0.05:
                panel.text(j, count - 1 - i, text, "faint" if i == j else "ink", size=11)
    at = names.index(chosen) if chosen in names else -1
    if at >= 0:
        y = count - 1 - at
        panel.line(
            [-0.5, count - 0.5, count - 0.5, -0.5, -0.5],
            [y - 0.5, y - 0.5, y + 0.5, y + 0.5, y - 0.5],
            "z",
            2,
        )
    return made
