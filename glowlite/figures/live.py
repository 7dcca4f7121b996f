"""A slider and a picture that follows it; where no kernel runs, the picture and its words are left."""

from collections.abc import Callable

import ipywidgets
from torch import Tensor

from glowlite.explorers.controls import Slider
from glowlite.explorers.frame import Frame
from glowlite.explorers.picture import Picture, with_png


class Follow(Frame):
    """Shows `draw(value)`, a uint8 picture (C, H, W) or (1, C, H, W), while a person moves `value`.

    draw         called at every move; keep it below about 80 ms
    label        what the slider changes; `ends` are the names of its two ends
    value        where it stands at first
    alt          says what the picture shows; "{}" in it takes the value
    Holding the picture shows what `draw(rest)` gave, where the slider is at rest.
    """

    def __init__(
        self,
        draw: Callable[[float], Tensor],
        label: str,
        ends: tuple[str, str] = ("", ""),
        low: float = -1.0,
        high: float = 1.0,
        value: float = 0.0,
        rest: float = 0.0,
        alt: str = "",
        width: int = 300,
    ):
        super().__init__("", "")
        self.draw, self.alt = draw, alt or f"The picture at {label} {{}}."
        self.slider = Slider(
            label=label, low=ends[0], high=ends[1], min=low, max=high, rest=rest, value=value, signed=low < 0
        )
        self.picture = Picture(tone="z", sharp=True, caption="now", other_caption="before")
        self.before = self._picture_at(rest)
        self.slider.observe(self.guard(self._follow), "value")
        self.layout.max_width = f"{width}px"
        self.layout.margin = "0"
        self.head.layout.display = "none"
        self.place(self.picture, self.slider)
        self._follow()

    def _picture_at(self, value: float) -> Tensor:
        image = self.draw(value)
        return image[0] if image.dim() == 4 else image

    def _follow(self, change=None) -> None:
        value = self.slider.value
        self.picture.show(self._picture_at(value), self.before)
        self.picture.label = self.alt.format(f"{value:+.2f}" if self.slider.signed else f"{value:.2f}")

    def notify(self, text: str, kind: str = "info") -> None:
        """Show a sentence above the picture."""
        super().notify(text, kind)
        self.head.layout.display = "flex" if text else "none"

    def still(self) -> Tensor:
        return self.picture.image

    def _repr_mimebundle_(self, **kwargs):
        return with_png(ipywidgets.Box._repr_mimebundle_(self, **kwargs), self.still(), self.picture.label)
