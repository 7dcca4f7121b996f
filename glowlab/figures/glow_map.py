"""The map of Glow in every notebook, with that notebook's parts in colour (Kingma & Dhariwal 2018, figure 2)."""

from collections.abc import Iterable

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from glowlab.figures import style
from glowlab.figures.colours import PALETTE
from glowlite.errors import GlowliteError

PARTS = {  # name -> words for the alt text
    "x": "the picture x",
    "squeeze": "squeeze",
    "actnorm": "ActNorm",
    "mixing": "the 1x1 convolution",
    "coupling": "the coupling layer",
    "split": "the split that sends half of the numbers out at each level",
    "z": "the latents z",
    "log_det": "the log-det that every step adds to",
}
STEP = (("actnorm", "ActNorm"), ("mixing", "1×1 conv"), ("coupling", "coupling"))  # fmt: skip
COLOURS = PALETTE | {"split": PALETTE["z"]}
WIDTH, HEIGHT = 71, 19  # in tenths of an inch, which is what the drawing counts in


def glow_map(*lit: str) -> style.Shown:
    """The map with the parts named in `lit` in colour and the rest faint; with none, all of it is lit.

    Parts: x, squeeze, actnorm, mixing, coupling, split, z, log_det. GlowliteError for any other.
    """
    if unknown := [name for name in lit if name not in PARTS]:
        raise GlowliteError(f"the map of Glow has no part {unknown[0]!r}; choose from {', '.join(PARTS)}")
    today = set(lit or PARTS)
    made, ax = style.figure(WIDTH / 10, HEIGHT / 10)
    made.set_layout_engine("none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.set_axis_off()
    _draw_map(ax, today)
    return style.show(made, _alt(today if lit else ()))


def _alt(today: Iterable[str]) -> str:
    text = (
        "Map of Glow: the picture x is squeezed, goes through K steps of ActNorm, 1x1 convolution and "
        "coupling, and is split; half goes on to the next level, half leaves as latents z."
    )
    names = [words for name, words in PARTS.items() if name in today]
    return text + (f" Lit today: {', '.join(names)}." if names else "")


def _draw_map(ax, today: set[str]) -> None:
    def colour(part: str) -> str:
        return COLOURS.get(part, style.INK) if part in today else style.FAINT

    def box(part: str, words: str, left: float, width: float, bottom: float = 6.0, height: float = 5.0) -> None:
        bright, tint = part in today, colour(part)
        shape = "round,pad=0,rounding_size=0.9"
        ax.add_patch(
            FancyBboxPatch(
                (left, bottom), width, height, boxstyle=shape, ec=tint, lw=2.2 if bright else 1.2,
                fc=tint[:7] + "26" if bright else "none",
            )
        )  # fmt: skip
        weight = "bold" if bright else "normal"
        at = (left + width / 2, bottom + height / 2)
        ax.text(*at, words, ha="center", va="center", fontsize=10.5, color=tint, weight=weight)

    def arrow(start: tuple, end: tuple, part: str, ways: str = "<|-|>") -> None:
        ax.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle=ways, mutation_scale=9, lw=1.3, color=colour(part), shrinkA=0, shrinkB=0
            )
        )

    box("x", "x", 1, 6)
    box("squeeze", "squeeze", 11, 10)
    edges = [7, 11, 21]
    for i, (part, words) in enumerate(STEP):
        left = 26.5 + 10.6 * i
        box(part, words, left, 9.8)
    edges += [25.5, 58.5]
    box("split", "split", 62.5, 7)
    box("z", "z", 62.5, 7, bottom=0.8, height=3.2)
    frame = "round,pad=0,rounding_size=1.2"
    ax.add_patch(FancyBboxPatch((25.5, 4.8), 32.8, 7.4, boxstyle=frame, ec=style.FAINT, fc="none", lw=1.2))
    ax.text(41.9, 12.6, "K steps", ha="center", va="bottom", fontsize=10, color=style.INK)
    arrow((7.4, 8.5), (10.6, 8.5), "x")
    arrow((21.4, 8.5), (25.1, 8.5), "squeeze")
    arrow((58.7, 8.5), (62.1, 8.5), "split")
    arrow((66, 5.7), (66, 4.3), "z")
    ax.plot([66, 66, 16, 16], [11.4, 16.2, 16.2, 12], color=style.FAINT, lw=1.3)
    arrow((16, 12.4), (16, 11.3), "levels", "-|>")
    ax.text(41.9, 16.6, "again at half the size, L levels", ha="center", va="bottom", fontsize=9.5, color=style.INK)
    green = colour("log_det")
    ax.plot([26.5, 26.5, 57.3, 57.3], [4.1, 3.2, 3.2, 4.1], color=green, lw=1.6)
    weight = "bold" if "log_det" in today else "normal"
    ax.text(41.9, 2.6, "log-det adds up", ha="center", va="top", fontsize=10.5, color=green, weight=weight)
