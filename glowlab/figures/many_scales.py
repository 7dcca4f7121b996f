"""Figures of notebook 06: numbered tiles that move through squeeze and split, whitening, blurs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from glowlab.figures.colours import PALETTE
from glowlab.figures.scene import Panel, Scene
from glowlab.figures.style import Shown
from glowlite.errors import GlowliteError
from glowlite.flows.multiscale import Squeeze

ACROSS, UP = 72.0, 26.0  # the scene's units, about 10 page units each
TILE_SIDE, GAP = 2.35, 1.0  # a tile's side, and the space between channels
LEFT, RIGHT, TOP = 0.3, 48.6, 22.4  # where x begins, where z begins, the upper edge of both
REST = 0.12  # share of a move, at either end, in which the tiles stand still, so that a slider finds its stops
BLUES = ("#004a75", PALETTE["x"], "#4aa3d8", "#a8d5f2")  # the four places of a 2 x 2 block, all of them x
ORANGE, BRIGHT, DARK = PALETTE["z"], "#ffffff", "#1b1b1b"
SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"


@dataclass
class Stage:
    """The numbers in x and z after a move. `x` (C, H, W) and the levels of `z` hold the tiles' numbers, from 0."""

    verb: str  # the move that led here: "", "squeeze", "split", "leave"
    x: Tensor | None  # None once all have left
    z: list[Tensor] = field(default_factory=list)

    def sizes(self) -> str:
        parts = [] if self.x is None else [f"x {tuple(self.x.shape)}"]
        return "   ".join(parts + [f"z{SUBSCRIPT[l]} {tuple(eps.shape)}" for l, eps in enumerate(self.z, start=1)])


def list_stages(side: int = 8, levels: int = 3) -> list[Stage]:
    """A picture of side x side tiles, squeezed by `Squeeze` and split in halves, level after level.

    Gives the stages in order: the picture, then two moves a level (squeeze; split, or at the last level "leave").
    GlowliteError where the picture cannot be halved so often.
    """
    if levels < 1 or side % 2**levels:
        raise GlowliteError(f"{side} x {side} tiles cannot be halved {levels} times")
    x, z = torch.arange(side * side).view(1, side, side), []
    found = [Stage("", x)]
    for level in range(levels):
        x = Squeeze()(x[None])[0][0]
        found.append(Stage("squeeze", x, list(z)))
        if level < levels - 1:
            x, leaves = x.chunk(2)
            z.append(leaves)
            found.append(Stage("split", x, list(z)))
        else:
            z.append(x)
            found.append(Stage("leave", None, list(z)))
    return found


def tile_corners(stage: Stage) -> np.ndarray:
    """Lower left corner of every tile, (side^2, 2), by the number on it."""
    parts = [(stage.x, LEFT, TOP)] if stage.x is not None else []
    parts += [(eps, RIGHT, top) for eps, top in zip(stage.z, level_tops(stage), strict=True)]
    where = np.zeros((sum(part.numel() for part, *_ in parts), 2))
    for part, left, top in parts:
        for (channel, row, column), tile in np.ndenumerate(part.numpy()):
            down, across = divmod(channel, _columns(part))
            x = left + across * _pitch(part) + column * TILE_SIDE
            where[tile] = x, top - down * _pitch(part) - (row + 1) * TILE_SIDE
    return where


def level_tops(stage: Stage) -> list[float]:
    """The upper edge of each level of z, one below the other."""
    found, top = [], TOP
    for eps in stage.z:
        found.append(top)
        top -= -(-len(eps) // _columns(eps)) * _pitch(eps) + 0.4
    return found


def _columns(part: Tensor) -> int:
    """Channels side by side: four, as many as a squeeze makes of one; eight if each is a single tile."""
    return 8 if part.shape[1] == 1 and len(part) > 8 else min(4, len(part))


def _pitch(part: Tensor) -> float:
    """The distance from one channel to the next."""
    return part.shape[1] * TILE_SIDE + (GAP if part.shape[1] > 1 else GAP / 2)


def tile_colours(stage: Stage) -> list[str]:
    """A colour for each tile: in x its place in the 2 x 2 block that is squeezed, in z orange."""
    found = [ORANGE] * sum(part.numel() for part in [*stage.z, stage.x] if part is not None)
    if stage.x is None:
        return found
    for (channel, row, column), tile in np.ndenumerate(stage.x.numpy()):
        place = channel % 4 if stage.verb == "squeeze" else row % 2 * 2 + column % 2
        found[tile] = BLUES[place]
    return found


def moving_tiles(at: float, side: int = 8, levels: int = 3) -> Scene:
    """The tiles after `at` moves (0: the picture; 2 * levels: all of them are latents); between two stops they fly."""
    found = list_stages(side, levels)
    if not 0 <= at <= len(found) - 1:
        raise GlowliteError(f"there are {len(found) - 1} moves, so at is from 0 to that, not {at}")
    i = min(int(at), len(found) - 2)
    part = np.clip((at - i - REST) / (1 - 2 * REST), 0, 1)
    part = float(part * part * (3 - 2 * part))  # starts and ends gently
    before, after = found[i], found[i + 1]
    where = (1 - part) * tile_corners(before) + part * tile_corners(after)
    look = tile_colours(after if part >= 0.5 else before)
    now = after if part == 1 else before
    scene = Scene(alt=_alt(now, part), height=286)
    panel = scene.panel(x=(0, ACROSS), y=(0, UP), equal=True, frame=False)
    _words(panel, before, after, part)
    _lay_tiles(panel, where, look)
    return scene


def first_squeeze(at: float) -> Scene:
    """The first squeeze, from `at` 0 to 1, with the picture before it at the side."""
    if not 0 <= at <= 1:
        raise GlowliteError(f"one squeeze is one move, so at is from 0 to 1, not {at}")
    scene, picture = moving_tiles(at), list_stages()[0]
    panel = scene.panels[0]
    panel.text(RIGHT - 0.8, TOP - 1.2, "before", "x", 15, "end", bold=True)
    _lay_tiles(panel, tile_corners(picture) + (RIGHT - LEFT, 0), tile_colours(picture))
    scene.alt += " Beside it, the picture before the squeeze."
    return scene


def _lay_tiles(panel: Panel, where: np.ndarray, look: list[str]) -> None:
    """Numbered tiles with their lower left corners at `where`, in these colours."""
    for shade in dict.fromkeys(look):
        mine = [tile for tile, colour in enumerate(look) if colour == shade]
        panel.polygons(_squares(where[mine]), colour=shade, alpha=1.0)
        ink = BRIGHT if shade in BLUES[:2] else DARK
        for tile in mine:
            x, y = where[tile] + TILE_SIDE / 2
            panel.text(x, y, tile + 1, colour=ink, size=12, bold=True)


def _squares(corners: np.ndarray) -> np.ndarray:
    side = TILE_SIDE - 0.12
    return corners[:, None] + side * np.array([(0, 0), (1, 0), (1, 1), (0, 1)])


def _words(panel: Panel, before: Stage, after: Stage, part: float) -> None:
    """Words over the tiles: the shapes of x and z, and between two stops the move."""
    now = after if part == 1 else before
    if now.x is not None:
        panel.text(LEFT, UP - 1.6, f"x  {_shape(now.x)}", "x", 15, "start", bold=True)
    for l, (eps, top) in enumerate(zip(now.z, level_tops(now), strict=True), start=1):
        panel.text(RIGHT - 0.8, top - 1.2, f"z{SUBSCRIPT[l]}  {_shape(eps)}", "z", 15, "end", bold=True)
    if 0 < part < 1:
        panel.text(RIGHT - 0.8, UP - 1.6, f"{after.verb} →", "ink", 15, "end")
    stay, left = 0 if now.x is None else now.x.numel(), sum(eps.numel() for eps in now.z)
    panel.text(LEFT, 0.6, f"{stay} in x + {left} in z = {stay + left}", "ink", 13, "start")


def _shape(part: Tensor) -> str:
    return "×".join(map(str, part.shape))


def _alt(stage: Stage, part: float) -> str:
    total = sum(tile.numel() for tile in [*stage.z, stage.x] if tile is not None)
    meaning = {
        "": "a picture; the four places of every 2 x 2 block have four shades of blue.",
        "squeeze": "every 2 x 2 block has become four channels, so that each channel has one shade.",
        "split": "half of the channels have left as latents, in orange; the other half stays, in blue.",
        "leave": "all have left as latents.",
    }[stage.verb]
    flying = "" if part in (0, 1) else " The tiles are on their way to the next stop."
    return f"{total} numbered tiles, {stage.sizes()}: {meaning}{flying}"


def whitening(stays: Tensor, leaves: Tensor, mean: Tensor, std: Tensor, alt: str) -> Scene:
    """One channel of a split, (H, W) each: what stays, what leaves, its prior's mean and std, and eps.

    Blue is below 0, orange above, full at 3; std is the stronger the larger, full at 2.
    """
    eps = (leaves - mean) / std
    if len({tuple(part.shape) for part in (stays, leaves, mean, std)}) > 1 or stays.dim() != 2:
        raise GlowliteError("whitening is shown for one channel: four tensors of one shape (H, W)")
    scene = Scene(alt=alt, height=160)
    titles = ("what stays", "what leaves", "\N{MINUS SIGN} mean", "÷ std", "= eps")
    for part, title in zip((stays, leaves, mean, std, eps), titles, strict=True):
        panel = scene.panel(equal=True, frame=False, title=title)
        look = {"colours": "ink", "low": 0.0, "high": 2.0} if part is std else {"colours": "diverging", "high": 3.0}
        panel.image(part, **look)
        panel.line([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], colour="faint", width=1.0)
    return scene


LINES = ("amber", "pink", "sky", "z")  # level 1 to 4


def blur_chart(shares: Sequence[Sequence[float]], alt: str) -> Shown:
    """A line for each level: the share of its change that is left (1: all) after blurs over 1, 2, 4, ... pixels."""
    if not shares or len(shares) > len(LINES) or len({len(share) for share in shares}) > 1:
        raise GlowliteError(f"the chart takes 1 to {len(LINES)} levels, each with a share for every blur")
    last = len(shares[0]) - 1
    scene = Scene(alt=alt, height=290)
    panel = scene.panel(
        x=(0, last + 0.6),
        y=(0, 1.04),
        title="how much of the change is left",
        xlabel="side of the squares it was blurred over, in pixels",
        xticks=[(k, str(2**k)) for k in range(last + 1)],
        yticks=[(0, "0"), (0.5, "50 %"), (1, "100 %")],
    )
    free = -1.0  # where the next label may stand
    for level, share in enumerate(shares):
        panel.line(range(last + 1), share, colour=LINES[level])
        panel.dots(range(last + 1), share, colour=LINES[level], size=4)
    for level in sorted(range(len(shares)), key=lambda level: float(shares[level][-1])):
        free = max(float(shares[level][-1]), free)
        panel.text(last + 0.06, free, f"level {level + 1}", LINES[level], anchor="start")
        free += 0.075
    return scene.shown()
