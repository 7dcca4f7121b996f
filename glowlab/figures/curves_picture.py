"""Paints curves as plotly describes them with matplotlib, for the picture that a notebook stores."""

import re

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from glowlab.figures import style
from glowlab.figures.colours import PALETTE
from glowlab.figures.values import format_number

HEIGHT = 320  # CSS pixels, where the layout names none
LETTERS = 85  # in a line of the legend
DASHES = {"dash": "--", "dot": ":", "dashdot": "-."}


def paint(figure: dict) -> Figure:
    """The picture of a figure's "data" and "layout": curves, dots and bars in one panel for each x axis."""
    layout, names = figure["layout"], {"x": 0}
    for trace in figure["data"]:
        names.setdefault(trace.get("xaxis", "x"), len(names))
    made, axes = style.figure(style.WIDTH, layout.get("height", HEIGHT) / style.DPI, 1, len(names), squeeze=False)
    axes = dict(zip(names, axes[0], strict=True))
    handles = {}
    for trace in figure["data"]:
        artist = _draw(axes[trace.get("xaxis", "x")], trace)
        if trace.get("name") and trace.get("showlegend", True):
            handles.setdefault(trace["name"], artist)
    for name, ax in axes.items():
        number = name.removeprefix("x")
        for side, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
            _set_axis(ax, axis, side, layout.get(f"{side}axis{number}", {}))
        if title := _title(layout, name):
            ax.set_title(title)
    for shape in layout.get("shapes", []):
        _rule(axes, shape)
    if layout.get("showlegend", len(handles) > 1):
        across = max(1, LETTERS // (8 + max(map(len, handles))))  # names in a line
        made.legend(handles.values(), handles, loc="outside lower center", ncols=across, fontsize=11)
    return made


def _draw(ax, trace: dict):
    x, y = (
        [float("nan") if value is None and axis == "y" else value for value in trace.get(axis, [])] for axis in "xy"
    )
    alpha = trace.get("opacity", 1.0)
    if trace.get("type") == "bar":
        return ax.bar(x, y, color=trace.get("marker", {}).get("color"), alpha=alpha)
    look, dots, mode = trace.get("line", {}), trace.get("marker", {}), trace.get("mode", "lines")
    colour = look.get("color") or dots.get("color") or PALETTE["x"]
    dash = DASHES.get(look.get("dash"), "-") if "lines" in mode else "none"
    marker = "o" if "markers" in mode else None
    size = 0.75 * dots.get("size", 6)
    width = 0.75 * look.get("width", 2)
    return ax.plot(x, y, color=colour, ls=dash, lw=width, marker=marker, ms=size, alpha=alpha)[0]


def _set_axis(ax, axis, side: str, look: dict) -> None:
    getattr(ax, f"set_{side}label")(look.get("title", {}).get("text", ""))
    if look.get("type") == "log":
        getattr(ax, f"set_{side}scale")("log")
    if span := look.get("range"):
        ends = [10**end for end in span] if look.get("type") == "log" else span
        getattr(ax, f"set_{side}lim")(*ends)
    if "tickvals" in look:
        axis.set_ticks(look["tickvals"], look.get("ticktext") or list(map(format_number, look["tickvals"])))
        axis.set_minor_locator(NullLocator())


def _title(layout: dict, name: str) -> str:
    """The words above a panel: the figure's title, or the annotation above its x axis."""
    if name == "x" and not layout.get("annotations"):
        return layout.get("title", {}).get("text", "")
    low, high = layout.get(f"xaxis{name.removeprefix('x')}", {}).get("domain", (0, 1))
    words = (note["text"] for note in layout.get("annotations", []) if low <= note.get("x", 0) <= high)
    return re.sub(r"<[^>]+>", "", next(words, ""))


def _rule(axes: dict, shape: dict) -> None:
    """A line from edge to edge, as plotly's add_hline and add_vline make it."""
    line, across = shape["line"], "domain" in shape["xref"]
    look = {"color": line.get("color", PALETTE["ink"]), "lw": 1.2, "ls": DASHES.get(line.get("dash"), "-")}
    ax = axes[shape["xref"].partition(" ")[0]]
    (ax.axhline if across else ax.axvline)(shape["y0"] if across else shape["x0"], zorder=0, **look)
