"""Curves to hover over and to zoom into: `Plot` describes them, `Curves` is the widget that draws them by plotly.js.

A page gets plotly.js once, from the kernel or from our own server, and nothing from another host. (plotly's own widget
sends its 5 MB for every figure.) Where no kernel runs, a picture is left, with the curves' numbers beside it: from
these the site's pages draw the curves again.
"""

import functools
import gzip
import html
import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import traitlets
from torch import Tensor

from glowlab.figures import style
from glowlab.figures.colours import MEANINGS, PALETTE, check_colour
from glowlab.widgets import JS
from glowlab.widgets.base import Widget
from glowlab.widgets.still import Still, view
from glowlite.errors import GlowliteError

LIBRARY = JS.parent / "plotly" / "plotly-cartesian.min.js"
SHADES = {shades.light: shades.dark for shades in MEANINGS.values()}  # what a dark page shows in place of what
DIGITS = 6


def curve(name: str, x, y, colour: str, width: float = 2.5, **look) -> go.Scatter:
    """A curve through the points (x, y), in a colour of figures/colours.py; `look` goes to plotly's Scatter."""
    check_colour(colour)
    look = {"mode": "lines", "line_color": PALETTE.get(colour, colour)[:7], "line_width": width, **look}
    return go.Scatter(name=name, x=plain(x), y=plain(y), **look)


def plain(value):
    """`value` as JSON takes it: arrays and tensors as lists, numbers of six digits, None for what is not finite."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if key != "template"}
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (Sequence, range)) and not isinstance(value, str):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


class Plot(Still):
    """Curves as plotly describes them, and words for those who do not see them. A cell that ends on one shows it.

    figure: a plotly Figure, or a dict with its "data" and "layout"; colours that follow light and dark pages are those
    of figures/colours.py. GlowliteError for empty words and for kinds of trace that the stored picture has not.

    >>> Plot(go.Figure(curve("loss", [1, 2, 3], [8.0, 6.5, 6.0], "log_det")), "A falling curve.").points("loss")
    ([1, 2, 3], [8.0, 6.5, 6.0])
    """

    def __init__(self, figure: go.Figure | Mapping, alt: str):
        if not alt.strip():
            raise GlowliteError("curves need alt: words for those who do not see them")
        figure = figure.to_plotly_json() if isinstance(figure, go.Figure) else figure
        self.figure = {"data": plain(figure.get("data", [])), "layout": plain(figure.get("layout", {}))}
        if unknown := {trace.get("type", "scatter") for trace in self.figure["data"]} - {"scatter", "bar"}:
            raise GlowliteError(f"curves are made of scatter and bar, not of {', '.join(sorted(unknown))}")
        self.alt = alt

    def trace(self, name: str) -> dict:
        """The curve of this name. GlowliteError if there is none."""
        for trace in self.figure["data"]:
            if trace.get("name") == name:
                return trace
        names = ", ".join(trace.get("name", "?") for trace in self.figure["data"])
        raise GlowliteError(f"there is no curve {name!r}: choose of {names}")

    def points(self, name: str) -> tuple[list, list]:
        """x and y of the curve of this name."""
        return self.trace(name)["x"], self.trace(name)["y"]

    def shown(self) -> style.Shown:
        """The picture that a notebook stores, with the numbers."""
        return Stored(self)

    def _repr_mimebundle_(self, **kwargs):
        return Curves(self)._repr_mimebundle_()


class Stored(style.Shown):
    """The picture of curves; in HTML with their numbers as JSON, for pages that can draw them."""

    def __init__(self, plot: Plot):
        from glowlab.figures.curves_picture import paint

        picture = style.show(paint(plot.figure), plot.alt)
        super().__init__(picture.png, picture.alt, picture.width)
        self.plot = plot

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle, metadata = super()._repr_mimebundle_()
        values = {"figure": self.plot.figure, "label": self.plot.alt, "shades": SHADES}
        numbers = json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")
        script = f'<script type="application/json">{numbers}</script>'
        bundle["text/html"] = f'<div class="gl-curves-still">{bundle["text/html"]}{script}</div>'
        return bundle, metadata


class Curves(Still, Widget):
    """A Plot on a page; `show` replaces it, `append` adds points, and zoom stays as it is."""

    _esm = JS / "curves.js"
    figure = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)  # the alt text
    shades = traitlets.Dict(SHADES).tag(sync=True)
    address = traitlets.Unicode().tag(sync=True)  # of plotly.js; empty: the kernel sends it

    def __init__(self, plot: Plot, **traits):
        super().__init__(**traits)
        self.on_msg(self._send_library)
        self.show(plot)

    def show(self, plot: Plot) -> None:
        """Show this from now on."""
        self.plot = plot
        with self.hold_sync():
            self.figure, self.label = plot.figure, plot.alt

    def append(self, **points) -> None:
        """Add points to curves: `append(loss=(x, y))`, two numbers or two lists for each name."""
        traces = [dict(trace) for trace in self.plot.figure["data"]]
        for name, (x, y) in points.items():
            old = self.plot.trace(name)
            new = traces[self.plot.figure["data"].index(old)]
            for axis, values in (("x", x), ("y", y)):
                values = plain(values)
                new[axis] = [*old[axis], *(values if isinstance(values, list) else [values])]
        self.show(Plot({"data": traces, "layout": self.plot.figure["layout"]}, self.plot.alt))

    def shown(self) -> style.Shown:
        """The picture that a notebook stores."""
        return self.plot.shown()

    def _send_library(self, widget, message: dict, buffers: list) -> None:
        if message.get("kind") == "library":
            self.send({"kind": "library"}, [packed_library()])

    def _repr_mimebundle_(self, **kwargs):
        bundle, metadata = self.shown()._repr_mimebundle_()
        return {**view(self), **bundle}, metadata


@functools.cache
def packed_library() -> bytes:
    """plotly.js, a third as large by gzip."""
    return gzip.compress(LIBRARY.read_bytes(), mtime=0)


def page_script(address: str) -> str:
    """A module for a page of stored notebooks: it draws their curves anew, by plotly.js from `address`."""
    address = html.escape(address)
    return (JS / "curves.js").read_text(encoding="utf-8") + (
        f"""
for (const still of document.querySelectorAll(".gl-curves-still")) {{
  const values = {{ ...JSON.parse(still.querySelector("script").textContent), address: "{address}" }};
  const model = {{ get: (name) => values[name], on() {{}}, off() {{}} }};
  const el = document.createElement("div");
  still.querySelector("img").replaceWith(el);
  render({{ model, el }});
}}
"""
    )
