"""Paints a scene's shapes with matplotlib, for the picture that a notebook stores. js/board.js paints them live."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from glowlab.figures import style
from glowlab.figures.colours import PALETTE

POINT = 0.75  # points in a page unit
RISE = {"top": "top", "middle": "center_baseline", "bottom": "bottom"}
SIDE = {"start": "left", "middle": "center", "end": "right"}


def mpl_colour(name: str | None, alpha: float = 1.0):
    """The (colour, opacity) of a name for matplotlib; the opacity of a colour such as faint counts too."""
    if name is None:
        return "none"
    value = PALETTE.get(name, name)
    own = int(value[7:9], 16) / 255 if len(value) == 9 else 1.0
    return value[:7], own * alpha


def paint(drawing) -> Figure:
    """The drawing as a matplotlib figure, one CSS pixel for each page unit."""
    made, ax = style.figure(drawing.width / style.DPI, drawing.height / style.DPI)
    made.set_layout_engine("none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
    ax.set_axis_off()
    for order, shape in enumerate(drawing.shapes):
        for artist in PAINTERS[shape["kind"]](ax, shape, drawing):
            artist.set_zorder(order + 1)
            if shape.get("clip"):
                left, top, wide, high = shape["clip"]
                artist.set_clip_path(Rectangle((left, top), wide, high, transform=ax.transData))
    for handle in drawing.handles.values():
        x, y = handle["x"], handle["y"]
        ax.plot(x, y, "o", ms=11, mfc="#ffffffcc", mec=PALETTE["ink"], mew=2, zorder=len(drawing.shapes) + 2)
    return made


def _points(shape: dict) -> np.ndarray:
    return np.array(shape["points"], float).reshape(-1, 2)


def _path(ax, shape: dict, drawing):
    points, alpha = _points(shape), shape.get("alpha", 1.0)
    if shape.get("fill"):
        yield ax.add_patch(Polygon(points, fc=mpl_colour(shape["fill"], alpha), ec="none"))
    if shape.get("stroke"):
        dash = (0, (4, 3)) if shape.get("dash") else "-"
        look = {"lw": shape["width"] * POINT, "ls": dash, "solid_capstyle": "round"}
        yield ax.plot(*points.T, color=mpl_colour(shape["stroke"], alpha), **look)[0]


def _polygons(ax, shape: dict, drawing):
    corners = [np.array(flat, float).reshape(-1, 2) for flat in shape["points"]]
    fills = [mpl_colour(shape["fill"], alpha) for alpha in shape["alpha"]]
    edge = mpl_colour(shape["edge"]) if shape["edge"] else "none"
    yield ax.add_collection(
        PolyCollection(corners, facecolors=fills, edgecolors=edge, linewidths=shape["width"] * POINT), autolim=False
    )


def _dots(ax, shape: dict, drawing):
    area = (2 * shape["size"] * POINT) ** 2
    yield ax.scatter(*_points(shape).T, s=area, color=mpl_colour(shape["fill"], shape["alpha"]), linewidths=0)


def _image(ax, shape: dict, drawing):
    left, top, width, high = shape["box"]
    smooth = "bilinear" if shape["smooth"] else "nearest"
    pixels = drawing.images[shape["index"]]
    yield ax.imshow(pixels, extent=(left, left + width, top + high, top), interpolation=smooth, aspect="auto")


def _text(ax, shape: dict, drawing):
    x, y = shape["points"]
    yield ax.text(
        x, y, shape["words"], color=mpl_colour(shape["fill"]), fontsize=shape["size"] * POINT, ha=SIDE[shape["anchor"]],
        va=RISE[shape["baseline"]], weight="bold" if shape["bold"] else "normal", parse_math=False,
        rotation=90 if shape.get("turned") else 0, rotation_mode="anchor",
    )  # fmt: skip


def _box(ax, shape: dict, drawing):
    left, top, width, high = shape["box"]
    yield ax.add_patch(
        FancyBboxPatch(
            (left, top), width, high, boxstyle="round,pad=0,rounding_size=6",
            ec=mpl_colour(shape["stroke"]), fc=mpl_colour(shape["stroke"], shape["fill"]), lw=1.4 * POINT,
        )
    )  # fmt: skip


def _arrow(ax, shape: dict, drawing):
    start, end = _points(shape)
    yield ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=12, lw=shape["width"] * POINT,
            color=mpl_colour(shape["stroke"]), shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


PAINTERS = {
    "path": _path,
    "polygons": _polygons,
    "dots": _dots,
    "image": _image,
    "text": _text,
    "box": _box,
    "arrow": _arrow,
}
