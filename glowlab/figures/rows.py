"""Pictures side by side: stored ones, enlarged so that pixels can be seen, and scenes for figures that move."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.text import Annotation
from torch import Tensor

from glowlab.figures import style
from glowlab.figures.scene import EDGE, GAP, LINE, WIDTH, Scene
from glowlite.errors import GlowliteError

PAGE = round(style.WIDTH * style.DPI * style.SHARPNESS)  # stored pixels across the page; so are the numbers below
PICTURE_GAP, ARROW_WIDTH, CAPTION_HEIGHT, LETTER_WIDTH = 16, 140, 30, 14


def row(
    images: Sequence[Tensor] | Tensor,
    captions: Sequence[str] = (),
    alt: str = "",
    arrows: Sequence[str] = (),
    height: int = 256,
    exact: bool = True,
) -> style.Shown:
    """Show uint8 pictures (C, H, W) or (1, C, H, W), C 1 or 3, side by side, with a caption under each.

    alt     words for those who do not see the row; must not be empty
    arrows  words over the arrows between neighbours; none, or one fewer than there are pictures
    height  of a picture in stored pixels, at most; the row never gets wider than the page
    exact   whether the stored row has every pixel as it is; photographs take much less room without that
    Each pixel becomes a square of a whole number of pixels, so all squares of a picture are equally large
    (and the file stays small). GlowliteError for something that is no picture, or if the numbers of
    captions or arrows do not match.
    """
    pictures = [picture_array(image) for image in images]
    if not pictures:
        raise GlowliteError("a row needs at least one picture")
    if captions and len(captions) != len(pictures):
        raise GlowliteError(f"{len(pictures)} pictures need as many captions, or none; not {len(captions)}")
    if arrows and len(arrows) != len(pictures) - 1:
        raise GlowliteError(f"between {len(pictures)} pictures go {len(pictures) - 1} arrows, not {len(arrows)}")
    if not alt.strip():
        raise GlowliteError("a row of pictures needs alt: words for those who do not see it")
    gap = ARROW_WIDTH if arrows else PICTURE_GAP
    room = PAGE - gap * (len(pictures) - 1)
    height = int(min(height, room / sum(picture.shape[1] / picture.shape[0] for picture in pictures)))
    pictures = [enlarge(picture, height) for picture in pictures]
    return style.show(_draw_row(pictures, captions, arrows, gap), alt, exact)


def side_by_side(pictures: Mapping[str, Tensor], alt: str) -> Scene:
    """Pictures, uint8 (3, H, W) or (1, 3, H, W), each under its name, for a figure that moves."""
    if not pictures:
        raise GlowliteError("at least one picture is needed")
    side = (WIDTH - GAP * (len(pictures) - 1)) / len(pictures) - 2 * EDGE
    scene = Scene(alt, height=min(262, round(side) + LINE + 2 * EDGE))
    for name, picture in pictures.items():
        panel = scene.panel(equal=True, frame=False, title=name)
        panel.image(picture)
    return scene


def face_change(before: Tensor, after: Tensor, title: str, alt: str, reach: float = 64.0) -> Scene:
    """A face before and after a change, and the change: uint8 (3, H, W) or (1, 3, H, W) each.

    The change is the mean over the colours, in grey levels; `reach` of them give the strongest pink.
    """
    if before.shape != after.shape or before.dtype != torch.uint8 or after.dtype != torch.uint8:
        raise GlowliteError(f"two uint8 pictures of one shape are compared, not {before.shape}, {after.shape}")
    before, after = (image.reshape(image.shape[-3:]) for image in (before, after))
    change = (after.float() - before.float()).abs().mean(0)
    scene = Scene(alt=alt, height=262)
    for image, words in ((before, "the face"), (after, title)):
        panel = scene.panel(equal=True, frame=False, title=words)
        panel.image(image)
    panel = scene.panel(equal=True, frame=False, title=f"the change: {change.mean():.1f} grey levels")
    panel.image(change, colours="pink", low=0.0, high=reach)
    panel.line([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], colour="faint", width=1.0)
    return scene


def enlarge(picture: np.ndarray, height: int) -> np.ndarray:
    """Each pixel of (H, W, 3) as a square; a picture taller than `height` is thinned out instead."""
    zoom = height // picture.shape[0]
    if zoom:
        return picture.repeat(zoom, 0).repeat(zoom, 1)
    step = -(-picture.shape[0] // height)
    return picture[::step, ::step]


def picture_array(image: Tensor) -> np.ndarray:
    """uint8 (C, H, W) or (1, C, H, W), C 1 or 3 -> (H, W, 3). GlowliteError for anything else."""
    if not isinstance(image, Tensor):
        raise GlowliteError(f"a picture here is a tensor of uint8, not a {type(image).__name__}")
    image = image.detach().cpu()
    if image.dim() == 4 and len(image) == 1:
        image = image[0]
    if image.dtype != torch.uint8 or image.dim() != 3 or image.shape[0] not in (1, 3):
        raise GlowliteError(
            f"a picture here is uint8 of shape (3, height, width) or (1, height, width), not {image.dtype} "
            f"{tuple(image.shape)}"
        )
    return image.expand(3, -1, -1).permute(1, 2, 0).numpy()


def latent_picture(eps: Tensor, reach: float = 3.0) -> Tensor:
    """The first three channels of one level's latents as a colour picture: (C, H, W) -> uint8 (3, H, W).

    0 is mid-grey; -reach and +reach are the ends of the range of colours.
    """
    eps = eps.detach().float().cpu()
    eps = eps[0] if eps.dim() == 4 else eps
    return ((eps[:3] / reach + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _draw_row(pictures, captions, arrows, gap: int):
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    bottom = CAPTION_HEIGHT * lines + (PICTURE_GAP // 2 if lines else 0)
    tallest = max(picture.shape[0] for picture in pictures)
    first, last = (_overhang(captions, pictures, i) for i in (0, -1))
    width = first + sum(picture.shape[1] for picture in pictures) + gap * (len(pictures) - 1) + last
    per_inch = style.DPI * style.SHARPNESS
    made, axes = style.figure(width / per_inch, (tallest + bottom) / per_inch, 1, len(pictures), squeeze=False)
    made.set_layout_engine("none")
    left = first
    for i, (picture, ax) in enumerate(zip(pictures, axes[0], strict=True)):
        high, wide = picture.shape[:2]
        base = bottom + (tallest - high) // 2
        ax.set_position((left / width, base / (tallest + bottom), wide / width, high / (tallest + bottom)))
        ax.imshow(picture, interpolation="none", aspect="auto")
        ax.set_axis_off()
        if captions:
            middle = (left + wide / 2) / width
            made.text(
                middle,
                (bottom - PICTURE_GAP // 2) / (tallest + bottom),
                captions[i],
                ha="center",
                va="top",
                fontsize=11,
            )
        if i < len(arrows):
            _arrow(made, (left + wide) / width, gap / width, (bottom + tallest / 2) / (tallest + bottom), arrows[i])
        left += wide + gap
    return made


def _overhang(captions, pictures, i: int) -> int:
    """The room that a caption at an edge needs beyond its picture, on each side."""
    longest = max((len(line) for line in captions[i].split("\n")), default=0) if captions else 0
    return max(0, LETTER_WIDTH * longest - pictures[i].shape[1]) // 2


def _arrow(made, left: float, gap: float, y: float, words: str) -> None:
    """An arrow across the gap, with words above it; in fractions of the figure."""
    made.text(left + gap / 2, y + 0.03, words, ha="center", va="bottom", fontsize=11)
    made.add_artist(
        Annotation(
            "",
            xy=(left + 0.93 * gap, y),
            xytext=(left + 0.07 * gap, y),
            xycoords="figure fraction",
            textcoords="figure fraction",
            arrowprops={"arrowstyle": "-|>", "color": style.INK, "lw": 1.5, "shrinkA": 0, "shrinkB": 0},
        )
    )
