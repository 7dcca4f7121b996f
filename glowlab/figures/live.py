"""Figures that move: `Live` follows its controls, `Watch` follows a loop, `watch_process` a process,
`Follow` is one slider and one picture.

Where no kernel runs, each leaves its picture with alt text.
"""

import subprocess
import time
from collections.abc import Callable, Iterator

import ipywidgets
import torch
from torch import Tensor
from tqdm import tqdm

from glowlab.figures.board import Board
from glowlab.figures.controls import Button, CheckBox, Choice, Control, Point, Slider, Trace
from glowlab.figures.curves import Curves, Plot
from glowlab.figures.scene import Scene
from glowlab.widgets import controls as widgets
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Picture, with_png
from glowlab.widgets.still import show_with_still, still, takes_two_outputs, view
from glowlite.errors import GlowliteError

__all__ = ["Button", "CheckBox", "Choice", "Follow", "Live", "Point", "Slider", "Trace", "Watch", "watch_process"]


class Painted(Frame):
    """A frame around one board, or around curves; it leaves them as a picture where no kernel runs."""

    def __init__(self, scene: Scene | Plot):
        super().__init__("", "")
        self.add_class("gl-live")
        self.head.layout.display = "none"
        self.board = Curves(scene) if isinstance(scene, Plot) else Board(scene)

    @property
    def scene(self) -> Scene | Plot:
        """The scene on the board, or the plot of the curves."""
        return self.board.plot if isinstance(self.board, Curves) else self.board.scene

    def notify(self, text: str, kind: str = "info") -> None:
        """Show a sentence above the picture."""
        super().notify(text, kind)
        self.head.layout.display = "flex" if text else "none"

    def appear(self):
        """Display it, and its picture, for which this returns a handle."""
        return show_with_still(*self._repr_mimebundle_(), display_id=True)

    def leave(self, shown) -> None:
        """Store the picture as it is now, in place of the one of handle `shown`."""
        if shown is not None and takes_two_outputs():
            bundle, metadata = self._repr_mimebundle_()
            shown.update(still(bundle), metadata=metadata, raw=True)

    def _repr_mimebundle_(self, **kwargs):
        bundle, metadata = self.scene.shown()._repr_mimebundle_()
        return {**view(self), **bundle}, metadata


class Live(Painted):
    """Shows `draw(**values)`, a Scene, and draws it again when a control moves.

    draw      takes one argument for each control, by its name; keep it below about 30 ms
    controls  Slider, CheckBox, Choice and Button, which stand under the picture; Point and Trace, which are in it
    `values` are the controls' present values, `controls` the widgets, by name. GlowliteError where two controls have
    one name, or where a scene has a handle or pad without a control.
    """

    def __init__(self, draw: Callable[..., Scene], *controls: Control):
        self.draw = draw
        self.values = {control.name: control.value for control in controls}
        if len(self.values) < len(controls):
            raise GlowliteError("each control of a live figure needs a name of its own")
        super().__init__(draw(**self.values))
        for panel in self.scene.panels:
            if missing := [name for _, name in panel.takes if name not in self.values]:
                raise GlowliteError(f"the scene can be moved at {missing[0]!r}, but no control has that name")
        self.controls, shown = {}, []
        for control in controls:
            self.controls[control.name] = control
            if made := control.make(self.guard(self._changed)):
                self.controls[control.name], outer = made
                shown.append(outer)
        self.board.on_drag(self.guard(lambda name, x, y: self._changed(name, (x, y))))
        self.board.on_trace(self.guard(self._changed))
        self.place(self.board, *([box("live-controls", *shown)] if shown else []))

    def set(self, **values) -> None:
        """Move controls by name, as a person would."""
        for name, value in values.items():
            control = self.controls[name]
            if isinstance(control, Control):
                self._changed(name, value)
            else:
                control.value = value

    def _changed(self, name: str, value) -> None:
        self.values[name] = value
        self.board.show(self.draw(**self.values))
        self.notify("")


class Watch(Painted):
    """`for step in Watch(600, draw): ...` shows `draw()`, a Scene or a Plot, and the progress with the time left.

    draw   called before the first step, about every `every` seconds, and at the end; it may use random numbers
           without changing those of the loop, and should take well under a second
    what   the word for a step
    """

    def __init__(self, total: int, draw: Callable[[], Scene | Plot], every: float = 1.0, what: str = "steps"):
        if total < 1:
            raise GlowliteError(f"there must be at least one step to watch, not {total}")
        self.total, self.draw, self.every, self.what = total, draw, every, what
        super().__init__(self._draw())
        self.progress = ipywidgets.HTML().add_class("gl-progress-line")
        self.place(self.board, self.progress)

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[int]:
        self._say(0, 0.0)
        shown = self.appear()
        start = last = time.perf_counter()
        for step in range(self.total):
            yield step
            now = time.perf_counter()
            if now - last > self.every and step + 1 < self.total:
                self._say(step + 1, now - start)
                self.board.show(self._draw())
                last = time.perf_counter()
        self._say(self.total, time.perf_counter() - start)
        self.board.show(self._draw())
        self.leave(shown)

    def _draw(self) -> Scene | Plot:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            return self.draw()

    def _say(self, done: int, seconds: float) -> None:
        if done == self.total:
            words = f"{done:,} {self.what} in {tqdm.format_interval(seconds)}"
        else:
            left = tqdm.format_interval(seconds / done * (self.total - done)) if done else "?"
            words = f"{done:,} of {self.total:,} {self.what}, {left} left"
        bar = f'<progress max="{self.total}" value="{done}" aria-label="progress"></progress>'
        self.progress.value = f'<div class="gl-progress">{bar}<span>{words}</span></div>'


def watch_process(
    process: subprocess.Popen, draw: Callable[[], Scene | Plot], until: Callable[[], bool] = bool, every: float = 0.5
) -> None:
    """Show `draw()` about every `every` seconds while a process runs, until it ends or until `until()` is true.

    GlowliteError, with the process's last words on stderr (a pipe), where it ends by itself with an error.
    """
    painted = Painted(draw())
    shown = painted.appear()
    while process.poll() is None and not until():
        time.sleep(every)
        painted.board.show(draw())
    if process.poll() is not None:
        words = (process.communicate()[1] or "").strip().splitlines()
        if process.returncode:
            raise GlowliteError(f"the process ended with status {process.returncode}: {' '.join(words[-1:])}")
    painted.board.show(draw())
    painted.leave(shown)


class Follow(Frame):
    """Shows `draw(value)`, a uint8 picture (C, H, W) or (1, C, H, W), while a person moves `value`.

    draw         called at every move; keep it below about 80 ms
    label        what the slider changes; `ends` are the names of its two ends
    value        the first value
    alt          words for those who do not see it; "{}" in it takes the value
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
        self.slider = widgets.Slider(
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
        return with_png(self, self.still(), self.picture.label)
