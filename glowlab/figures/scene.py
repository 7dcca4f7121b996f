"""A picture described once and painted twice: on a canvas while a person drags it, by matplotlib where it is stored.

A `Scene` has panels side by side. Shapes on a panel are given in the panel's own units; `Scene.drawing()`
turns all of it into a list of plain shapes in page units (720 across unless told otherwise, y downward), which is
what board.py sends to a page and `Scene.shown()` hands to matplotlib.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from glowlab.figures import style
from glowlab.figures.colours import check_colour
from glowlab.figures.values import as_array, flat_pair, round_units, ticks, to_rgba
from glowlite.errors import GlowliteError

WIDTH = 720  # page units, which are CSS pixels where there is room
GAP, EDGE, LINE = 26, 12, 19  # between panels; at the edges; a line of words


@dataclass
class Drawing:
    """Plain shapes in page units. `shapes` are dicts for JSON; an image among them names its bytes by number."""

    width: int
    height: int
    shapes: list[dict] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)  # uint8 (rows, columns, 4)
    handles: dict[str, dict] = field(default_factory=dict)  # name -> x, y, label
    pads: dict[str, dict] = field(default_factory=dict)  # name -> box, label


class Scene:
    """Panels side by side on a page `width` units wide and `height` high; `alt` says what one sees and what it means.

    rows: relative heights of rows of panels, when there is more than one. GlowliteError for an empty alt.
    """

    def __init__(self, alt: str, height: int = 280, rows: Sequence[float] = (1.0,), width: int = WIDTH):
        if not alt.strip():
            raise GlowliteError("a scene needs alt: words for those who do not see it")
        self.alt, self.height, self.rows, self.width = alt, height, tuple(rows), width
        self.panels: list[Panel] = []

    def panel(self, x=(0.0, 1.0), y=(0.0, 1.0), **look) -> "Panel":
        """A new panel that shows x and y in these ranges, to the right of the last one; `look` as in `Panel`."""
        made = Panel(x, y, **look)
        if not 0 <= made.row < len(self.rows):
            raise GlowliteError(f"this scene has rows 0 to {len(self.rows) - 1}, not {made.row}")
        self.panels.append(made)
        return made

    def place_panels(self) -> None:
        """Give each panel its box on the page: widths by weight, heights by row."""
        top, room = 0.0, self.height
        for row, share in enumerate(self.rows):
            high = room * share / sum(self.rows)
            members = [panel for panel in self.panels if panel.row == row]
            total = sum(panel.weight for panel in members)
            left, wide = 0.0, self.width - GAP * max(0, len(members) - 1)
            for panel in members:
                width = wide * panel.weight / total
                panel.place((left, top, width, high))
                left += width + GAP
            top += high

    def drawing(self) -> Drawing:
        """All panels as shapes in page units."""
        self.place_panels()
        made = Drawing(self.width, self.height)
        for panel in self.panels:
            panel.draw(made)
        return made

    def shown(self) -> style.Shown:
        """The picture that a notebook stores."""
        from glowlab.figures.paint import paint

        return style.show(paint(self.drawing()), self.alt)


class Panel:
    """A part of a scene with its own units.

    title, xlabel, ylabel   words; xticks, yticks: None for nice ones, [] for none, numbers, or (number, words)
    equal   one unit is as long across as up; weight: its share of the row's width; row: which row
    frame   whether the two axes are drawn
    """

    def __init__(
        self, x, y, title="", xlabel="", ylabel="", xticks=None, yticks=None, equal=False, weight=1.0,
        row=0, frame=True,
    ):  # fmt: skip
        for name, (low, high) in (("x", x), ("y", y)):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise GlowliteError(f"a panel's {name} goes from a number to a larger one, not {low} to {high}")
        self.x, self.y = (float(x[0]), float(x[1])), (float(y[0]), float(y[1]))
        self.title, self.xlabel, self.ylabel = title, xlabel, ylabel
        self.xticks = ticks(self.x, xticks) if frame else []
        self.yticks = ticks(self.y, yticks) if frame else []
        self.equal, self.weight, self.row, self.frame = equal, float(weight), row, frame
        self.plot = (0.0, 0.0, 1.0, 1.0)  # left, top, width, height of the plot in page units
        self.parts: list[Callable[[Drawing], None]] = []
        self.takes: set[tuple[str, str]] = set()  # ("handle", name) and ("pad", name) that a person moves here

    # ---- units ---------------------------------------------------------------------------------------------

    def place(self, room: tuple[float, float, float, float]) -> None:
        """Fit the plot into this room on the page: left, top, width, height."""
        left, top, width, high = room
        longest = max((len(words) for _, words in self.yticks), default=0)
        before = EDGE + (8 + 7 * longest if longest else 0) + (LINE if self.ylabel else 0)
        above = EDGE + (LINE if self.title else 0)
        below = EDGE + (LINE if self.xticks else 0) + (LINE if self.xlabel else 0)
        width, high = max(10.0, width - before - EDGE), max(10.0, high - above - below)
        left, top = left + before, top + above
        if self.equal:
            unit = min(width / (self.x[1] - self.x[0]), high / (self.y[1] - self.y[0]))
            spare_x, spare_y = width - unit * (self.x[1] - self.x[0]), high - unit * (self.y[1] - self.y[0])
            left, top, width, high = left + spare_x / 2, top + spare_y / 2, width - spare_x, high - spare_y
        self.plot = (left, top, width, high)

    def to_page(self, x, y) -> np.ndarray:
        """x, y in the panel's units -> (..., 2) in page units, kept within +-9999."""
        left, top, width, high = self.plot
        across = left + (np.asarray(x, float) - self.x[0]) / (self.x[1] - self.x[0]) * width
        down = top + (self.y[1] - np.asarray(y, float)) / (self.y[1] - self.y[0]) * high
        return np.clip(np.nan_to_num(np.stack(np.broadcast_arrays(across, down), -1)), -9999, 9999)

    def from_page(self, across, down) -> tuple[np.ndarray, np.ndarray]:
        """Page units -> the panel's x and y, kept inside its ranges."""
        left, top, width, high = self.plot
        x = self.x[0] + (np.asarray(across, float) - left) / width * (self.x[1] - self.x[0])
        y = self.y[1] - (np.asarray(down, float) - top) / high * (self.y[1] - self.y[0])
        return np.clip(x, *self.x), np.clip(y, *self.y)

    # ---- shapes --------------------------------------------------------------------------------------------

    def line(self, x, y, colour="x", width=2.5, alpha=1.0, dash=False) -> None:
        """A line through the points (x, y)."""
        x, y = flat_pair(x, y)
        self.add("path", x, y, stroke=check_colour(colour), width=width, alpha=alpha, dash=bool(dash))

    def area(self, x, y, base=0.0, colour="x", alpha=0.3) -> None:
        """The area between the line and `base`, a number or one for each point."""
        x, y = flat_pair(x, y)
        base = np.broadcast_to(np.asarray(base, float), y.shape)
        x, y = np.concatenate([x, x[::-1]]), np.concatenate([y, base[::-1]])
        self.add("path", x, y, fill=check_colour(colour), alpha=alpha)

    def bars(self, edges, heights, colour="z", alpha=0.55) -> None:
        """A histogram: N + 1 edges, N heights."""
        edges, heights = as_array(edges).ravel(), as_array(heights).ravel()
        if len(edges) != len(heights) + 1:
            raise GlowliteError(f"{len(heights)} bars have {len(heights) + 1} edges, not {len(edges)}")
        x = np.repeat(edges, 2)
        y = np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
        self.add("path", x, y, fill=check_colour(colour), alpha=alpha)

    def polygons(self, corners, colour="z", alpha=0.5, edge=None, width=0.8) -> None:
        """Polygons (N, k, 2), each with its own opacity if alpha is (N,); `edge` colours their outline."""
        corners = as_array(corners).astype(float)
        if corners.ndim != 3 or corners.shape[2] != 2:
            raise GlowliteError(f"polygons are (how many, corners, 2), not {corners.shape}")
        alpha = np.broadcast_to(as_array(alpha).astype(float), (len(corners),)).clip(0, 1)
        look = {"fill": check_colour(colour), "edge": edge and check_colour(edge), "width": width}
        look["alpha"] = np.round(alpha, 3).tolist()

        def draw(made: Drawing) -> None:
            page = self.to_page(corners[..., 0], corners[..., 1])
            flat = round_units(page.reshape(len(corners), -1))
            made.shapes.append({"kind": "polygons", "points": flat, "clip": self.clip(), **look})

        self.parts.append(draw)

    def dots(self, x, y, colour="x", size=3.0, alpha=1.0) -> None:
        """Points as discs; size is their radius in page units."""
        x, y = flat_pair(x, y)
        self.add("dots", x, y, fill=check_colour(colour), size=size, alpha=alpha)

    def image(self, values, extent=None, colours="z", low=None, high=None, smooth=False) -> None:
        """Values (H, W) as shades of one colour, "diverging" ones, or a uint8 picture (C, H, W); row 0 at the top.

        extent: x0, x1, y0, y1, else the whole panel. low and high, else the values' own, are the ends of the range;
        for "diverging" 0 is without colour and `high` the strongest on both sides.
        """
        pixels = to_rgba(values, colours, low, high)
        x0, x1, y0, y1 = extent or (*self.x, *self.y)

        def draw(made: Drawing) -> None:
            (left, top), (right, bottom) = self.to_page([x0, x1], [y1, y0])
            place = {"box": round_units([left, top, right - left, bottom - top]), "clip": self.clip()}
            size = {"rows": pixels.shape[0], "columns": pixels.shape[1], "smooth": bool(smooth)}
            made.shapes.append({"kind": "image", "index": len(made.images), **place, **size})
            made.images.append(pixels)

        self.parts.append(draw)

    def text(self, x, y, words, colour="ink", size=13, anchor="middle", bold=False, baseline="middle") -> None:
        """Words at one point. anchor: start, middle or end; baseline: top, middle or bottom."""
        look = {"fill": check_colour(colour), "size": size, "anchor": anchor, "bold": bool(bold), "baseline": baseline}
        self.add("text", [x], [y], words=str(words), **look, clip=None)

    def box(self, x, y, width, height, words="", colour="ink", fill=0.15, size=13, bold=False) -> None:
        """A rounded box with words in it; (x, y) is its lower left corner, `fill` the opacity of its ground."""
        look = {"kind": "box", "stroke": check_colour(colour), "fill": float(fill)}

        def draw(made: Drawing) -> None:
            (left, bottom), (right, top) = self.to_page([x, x + width], [y, y + height])
            made.shapes.append({"box": round_units([left, top, right - left, bottom - top]), "clip": None, **look})

        self.parts.append(draw)
        if words:
            self.text(x + width / 2, y + height / 2, words, colour, size, bold=bold)

    def arrow(self, x0, y0, x1, y1, colour="ink", width=1.5) -> None:
        """An arrow from (x0, y0) to (x1, y1)."""
        self.add("arrow", [x0, x1], [y0, y1], stroke=check_colour(colour), width=width, clip=None)

    def handle(self, name: str, x: float, y: float, label: str) -> None:
        """A point to drag, called `label`; it moves the control Point(name, ...) of figures/live.py."""

        def draw(made: Drawing) -> None:
            across, down = self.to_page(x, y)
            made.handles[name] = {"x": float(across), "y": float(down), "label": label}

        self.takes.add(("handle", name))
        self.parts.append(draw)

    def pad(self, name: str, label: str) -> None:
        """The panel takes strokes of the mouse; they go to the control Trace(name)."""
        self.takes.add(("pad", name))
        self.parts.append(lambda made: made.pads.update({name: {"box": self.clip(), "label": label}}))

    # ---- the drawing ---------------------------------------------------------------------------------------

    def add(self, kind: str, x, y, **look) -> None:
        def draw(made: Drawing) -> None:
            points = round_units(self.to_page(x, y).ravel())
            made.shapes.append({"kind": kind, "points": points, "clip": self.clip(), **look})

        self.parts.append(draw)

    def clip(self) -> list[float]:
        return round_units(self.plot)

    def draw(self, made: Drawing) -> None:
        """Add the axes and the shapes of this panel to a drawing."""
        self.draw_axes(made)
        for part in self.parts:
            part(made)

    def draw_axes(self, made: Drawing) -> None:
        left, top, width, high = self.plot
        bottom = top + high
        soft = {"fill": "ink", "size": 12, "bold": False, "clip": None, "kind": "text"}
        rule = {"kind": "path", "stroke": "ink", "width": 1, "alpha": 0.7, "clip": None, "dash": False}

        def words(text: str, x: float, y: float, anchor="middle", baseline="top", **more) -> None:
            at = [round(x, 1), round(y, 1)]
            made.shapes.append({**soft, "points": at, "words": text, "anchor": anchor, "baseline": baseline, **more})

        if self.frame:
            made.shapes.append({**rule, "points": [left, bottom, left + width, bottom]})
            if self.yticks:
                made.shapes.append({**rule, "points": [left, top, left, bottom]})
        for value, text in self.xticks:
            across = float(self.to_page(value, self.y[0])[0])
            made.shapes.append({**rule, "points": [across, bottom, across, bottom + 4]})
            words(text, across, bottom + 6)
        for value, text in self.yticks:
            down = float(self.to_page(self.x[0], value)[1])
            made.shapes.append({**rule, "points": [left - 4, down, left, down]})
            words(text, left - 8, down, "end", "middle")
        if self.title:
            words(self.title, left + width / 2, top - 5, baseline="bottom", size=14)
        if self.xlabel:
            words(self.xlabel, left + width / 2, bottom + (6 + LINE if self.xticks else 6), size=13)
        if self.ylabel:
            longest = max((len(text) for _, text in self.yticks), default=0)
            across = left - (8 + 7 * longest if longest else 0) - LINE / 2
            words(self.ylabel, across, top + high / 2, "middle", "middle", size=13, turned=True)
