"""Pictures on a page: `Picture`, one enlarged picture, and `Tiles`, a row of small ones to choose from.

Both take uint8 tensors and send raw bytes to a canvas, which is faster than PNG and never flickers.
"""

import base64
import io
from collections.abc import Callable, Sequence

import torch
import traitlets
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from glowlab.widgets import JS
from glowlab.widgets.base import Widget
from glowlab.widgets.still import Still, view


def to_bytes(images: Tensor) -> bytes:
    """uint8 (..., C, H, W), C 1 or 3 -> the bytes of (..., H, W, 3)."""
    if images.shape[-3] == 1:
        images = images.expand(*images.shape[:-3], 3, *images.shape[-2:])
    return images.detach().movedim(-3, -1).contiguous().cpu().numpy().tobytes()


def to_png(image: Tensor, enlarge: int = 1, captions: Sequence[str] = ()) -> bytes:
    """uint8 (C, H, W) -> PNG; each pixel `enlarge` times as large, its colours unchanged; `captions` below it."""
    height, width = image.shape[-2:]
    picture = Image.frombytes("RGB", (width, height), to_bytes(image))
    if enlarge > 1:
        picture = picture.resize((width * enlarge, height * enlarge), Image.Resampling.NEAREST)
    if captions:
        picture = with_captions(picture, captions)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def with_captions(picture: Image.Image, captions: Sequence[str]) -> Image.Image:
    """The picture with captions on white below it, each in the middle of an equal part of the width."""
    part = picture.width / len(captions)
    strip = round(part / 5)  # height of the captions in pixels
    whole = Image.new("RGB", (picture.width, picture.height + strip), "white")
    whole.paste(picture)
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(0.65 * strip)
    for number, words in enumerate(captions):
        at = (number + 0.5) * part, picture.height + strip / 2
        pen.text(at, words, "#444444", font, anchor="mm")
    return whole


def with_png(widget, image: Tensor | None, words: str, captions: Sequence[str] = ()) -> dict:
    """A widget's mimebundle, with a PNG and a text for pages where no kernel runs."""
    bundle = {**view(widget), "text/plain": words}
    if image is not None:
        png = to_png(image, max(1, 256 // image.shape[-2]), captions)
        bundle["image/png"] = base64.b64encode(png).decode()
    return bundle


class Picture(Still, Widget):
    """One picture, enlarged to the width it is given; while it is pressed, it shows `other` where there is one."""

    from_page = ("compared",)
    _esm = JS / "picture.js"
    pixels = traitlets.Bytes().tag(sync=True)
    other = traitlets.Bytes().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)  # a description, for screen readers
    other_label = traitlets.Unicode().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    other_caption = traitlets.Unicode().tag(sync=True)
    tone = traitlets.Unicode("x").tag(sync=True)  # a colour of figures/colours.py
    sharp = traitlets.Bool(False).tag(sync=True)  # show pixels as squares
    compared = traitlets.Int(0).tag(sync=True)  # how often it was pressed

    def __init__(self, image: Tensor | None = None, **traits):
        super().__init__(**traits)
        self.image: Tensor | None = None
        if image is not None:
            self.show(image)

    def show(self, image: Tensor, other: Tensor | None = None) -> None:
        """Show uint8 (C, H, W), C 1 or 3; `other`, of the same size, is shown while it is pressed."""
        self.image = image.cpu()
        with self.hold_sync():  # one message, so that the page never shows half of a change
            self.height, self.width = image.shape[-2:]
            self.pixels = to_bytes(image)
            if other is not None:
                self.other = to_bytes(other)

    def _repr_mimebundle_(self, **kwargs):
        return with_png(self, self.image, self.label or "A picture")


class Tiles(Still, Widget):
    """A row of pictures to choose from; `selected` is the number of the chosen one, -1 for none."""

    from_page = ("selected", "pick")
    _esm = JS / "tiles.js"
    pixels = traitlets.Bytes().tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    pick = traitlets.List([0, -1]).tag(sync=True)  # from the page: [how many choices were made, the last one]
    label = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    captions = traitlets.List(traitlets.Unicode()).tag(sync=True)  # short words under each; none where empty

    def on_pick(self, action: Callable[[int], None]) -> None:
        """Call `action` with the number of a picture each time one is chosen, even the same again."""
        self.observe(lambda change: action(change["new"][1]), "pick")

    def show(self, images: Tensor, names: list[str]) -> None:
        """Show uint8 (N, C, H, W) with a name for each."""
        self.images = images.cpu()
        with self.hold_sync():
            self.count = len(images)
            self.height, self.width = images.shape[-2:]
            self.names = names
            self.pixels = to_bytes(images)

    def _repr_mimebundle_(self, **kwargs):
        images = getattr(self, "images", None)
        sheet = None if images is None else torch.cat(list(images), -1)
        words = ": ".join(filter(None, [self.label or "Pictures", ", ".join(self.captions)]))
        return with_png(self, sheet, words, self.captions)
