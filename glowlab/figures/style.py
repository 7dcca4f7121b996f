"""One look for every matplotlib figure: a transparent ground, and ink that reads on a light and on a dark page.

A notebook stores one picture for both, so text is a grey half-way between white and near-black (contrast 4.3
to either) and a little larger than usual; the other colours are those of colours.py.
"""

import base64
import html
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from glowlab.figures.colours import PALETTE

if TYPE_CHECKING:  # matplotlib is imported when a figure is made, so that explorers open 0.5 s sooner
    from matplotlib.figure import Figure

INK, FAINT = PALETTE["ink"], PALETTE["faint"]
STYLE = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 13,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures look alike everywhere
    "font.size": 12,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2.5,
    "savefig.facecolor": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
CYCLE = [PALETTE[name] for name in ("x", "z", "log_det", "pink", "amber", "sky")]
WIDTH = 7.5  # inches: a figure across the page
DPI = 96  # CSS pixels per inch
SHARPNESS = 1.5  # stored pixels per CSS pixel


def figure(width: float = WIDTH, height: float = 2.6, rows: int = 1, columns: int = 1, **grid):
    """A figure of `width` x `height` inches and its axes, as `plt.subplots` gives them; not shown by itself.

    `grid` goes to matplotlib's `Figure.subplots` (sharex, width_ratios, ...). pyplot is not used: nothing
    stays open.
    """
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({**STYLE, "axes.prop_cycle": matplotlib.cycler(color=CYCLE)})
    made = Figure(figsize=(width, height))
    return made, made.subplots(rows, columns, **grid)


class Shown:
    """A picture with its text alternative. The last expression of a cell shows it; `png` are its bytes.

    It is stored twice: as an <img> with `alt`, lossless WebP since that is smaller, which JupyterLab and
    converted pages show; and as a PNG, of 256 colours where that is enough, for paper and for pages that allow no
    HTML. Photographs, whose every pixel is another colour, need not be `exact`: that makes them a third of the size.
    """

    def __init__(self, png: bytes, alt: str, width: int, exact: bool = True):
        if not alt.strip():
            raise ValueError("a picture needs words that say what it shows")
        self.png, self.alt, self.width, self.exact = png, alt, width, exact

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        image = (
            f'<img src="data:image/webp;base64,{base64.b64encode(to_webp(self.png, self.exact)).decode()}" '
            f'alt="{html.escape(self.alt)}" width="{self.width}" style="max-width: 100%; height: auto">'
        )
        png = base64.b64encode(self._small_png()).decode()
        bundle = {"text/plain": self.alt, "image/png": png, "text/html": image}
        return bundle, {"image/png": {"alt": self.alt, "width": self.width}}

    def _small_png(self) -> bytes:
        """The PNG in 256 colours, a third of the size; where that would show, an exact picture stays as it is."""
        image = Image.open(io.BytesIO(self.png)).convert("RGBA")
        small = image.quantize(256, Image.Quantize.FASTOCTREE)
        opaque = np.asarray(image)[..., 3] > 250
        apart = np.abs(np.asarray(image, int) - np.asarray(small.convert("RGBA"), int))[opaque]
        if self.exact and opaque.mean() > 0.1 and apart.mean() > 1:
            return self.png
        file = io.BytesIO()
        small.save(file, "PNG", optimize=True)
        return file.getvalue()


def to_webp(png: bytes, exact: bool = True) -> bytes:
    """A PNG as WebP, which is smaller: without loss, or with hardly any."""
    file = io.BytesIO()
    quality = {"lossless": True, "quality": 80, "method": 4} if exact else {"quality": 80, "method": 6}
    Image.open(io.BytesIO(png)).save(file, "WEBP", **quality)
    return file.getvalue()


def show(made: "Figure", alt: str, exact: bool = True) -> Shown:
    """The figure as a PNG with `alt`: words for what one sees in it and what that means."""
    file = io.BytesIO()
    pil = {"optimize": True}
    made.savefig(file, format="png", dpi=DPI * SHARPNESS, metadata={"Software": None}, pil_kwargs=pil)
    return Shown(file.getvalue(), alt, round(made.get_figwidth() * DPI), exact)
