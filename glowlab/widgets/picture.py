"""A picture on a page: `Picture` takes a uint8 tensor and sends raw bytes to a canvas, which never flickers."""

import base64
import io

import traitlets
from PIL import Image
from torch import Tensor

from glowlab.widgets import JS
from glowlab.widgets.base import Widget
from glowlab.widgets.still import Still, view


def to_bytes(images: Tensor) -> bytes:
    """uint8 (..., C, H, W), C 1 or 3 -> the bytes of (..., H, W, 3)."""
    if images.shape[-3] == 1:
        images = images.expand(*images.shape[:-3], 3, *images.shape[-2:])
    return images.detach().movedim(-3, -1).contiguous().cpu().numpy().tobytes()


def to_png(image: Tensor, enlarge: int = 1) -> bytes:
    """uint8 (C, H, W) -> PNG; each pixel `enlarge` times as large, its colours unchanged."""
    height, width = image.shape[-2:]
    picture = Image.frombytes("RGB", (width, height), to_bytes(image))
    if enlarge > 1:
        picture = picture.resize((width * enlarge, height * enlarge), Image.Resampling.NEAREST)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def with_png(widget, image: Tensor | None, words: str) -> dict:
    """A widget's mimebundle, with a PNG and a text for pages where no kernel runs."""
    bundle = {**view(widget), "text/plain": words}
    if image is not None:
        png = to_png(image, max(1, 256 // image.shape[-2]))
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
