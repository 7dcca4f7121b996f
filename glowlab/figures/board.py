"""The widget that paints a scene on a canvas, with points to drag and pads to draw on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import traitlets

from glowlab.figures.scene import WIDTH, Scene
from glowlab.widgets import JS
from glowlab.widgets.base import Widget


class Board(Widget):
    """A scene on a page. `on_drag` and `on_trace` report what a person does, in the panel's units."""

    from_page = ("drag", "trace")
    _esm = JS / "board.js"
    _css = Path(__file__).parent / "live.css"
    width = traitlets.Int(WIDTH).tag(sync=True)
    height = traitlets.Int(280).tag(sync=True)
    shapes = traitlets.List().tag(sync=True)
    images = traitlets.List().tag(sync=True)  # of bytes, RGBA
    handles = traitlets.Dict().tag(sync=True)
    pads = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)  # the alt text
    drag = traitlets.List([0, "", 0.0, 0.0]).tag(sync=True)  # from the page: [how many, name, x, y]
    trace = traitlets.List([0, "", []]).tag(sync=True)  # from the page: [how many, name, [x, y, x, y, ...]]

    def __init__(self, scene: Scene, **traits):
        super().__init__(**traits)
        self.show(scene)

    def show(self, scene: Scene) -> None:
        """Show this scene from now on."""
        made = scene.drawing()
        self.scene = scene
        with self.hold_sync():  # one message, so the page never sees half of a change
            self.width, self.height, self.label = made.width, made.height, scene.alt
            self.handles, self.pads = made.handles, made.pads
            self.images = [pixels.tobytes() for pixels in made.images]
            self.shapes = made.shapes

    def on_drag(self, action: Callable[[str, float, float], None]) -> None:
        """Call `action` with a handle's name and its new x and y."""

        def dragged(change) -> None:
            _, name, across, down = change["new"]
            if panel := self._panel("handle", name):
                x, y = panel.from_page(across, down)
                action(name, float(x), float(y))

        self.observe(dragged, "drag")

    def on_trace(self, action: Callable[[str, np.ndarray], None]) -> None:
        """Call `action` with a pad's name and the points (N, 2) of a stroke that was drawn on it."""

        def traced(change) -> None:
            _, name, flat = change["new"]
            if (panel := self._panel("pad", name)) and flat:
                points = np.array(flat, float).reshape(-1, 2)
                action(name, np.stack(panel.from_page(*points.T), 1))

        self.observe(traced, "trace")

    def _panel(self, kind: str, name: str):
        return next((panel for panel in self.scene.panels if (kind, name) in panel.takes), None)
